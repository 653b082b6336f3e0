"""The forecast as it is served, from single clicks, beside the coursework score that came."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from analytics.coursework import coursework
from analytics.evaluation.document import FEWEST, Section, Table, figure, whole
from analytics.evaluation.measures import mean_error
from analytics.evaluation.pulses import with_pulses
from analytics.evaluation.sample import AFTERWARDS, Learner, Presentation
from analytics.learner.attainment import Performance, performance
from analytics.models.forecast import Piece, outlook
from analytics.prediction.forecast import performance_forecast
from analytics.prediction.forecast_values import PerformanceForecast
from analytics.prediction.risk import drop_off_risk
from analytics.training.rows import DAYS


@dataclass(frozen=True, slots=True)
class _Told:
    """What was forecast of one learner, the average so far, and the score that came, in points of 100."""

    low: float
    predicted: float
    high: float
    average: float
    came: float

    @property
    def held(self) -> bool:
        """Whether the interval holds what came; scores are kept to a tenth of a point."""
        return self.low - 0.05 <= self.came <= self.high + 0.05


def section(logged: Sequence[Presentation]) -> Section:
    """Errors and coverage of the served forecast for the presentations whose click log is in the sample."""
    return Section(
        "Forecast as it is served",
        [
            """For the presentations whose click log is in the sample, by the served formula and the served model,
            which has seen these presentations: this checks the path, the section before it the model. The own average
            is the served average score, 0 where there is none.""",
            Table(
                ("Presentation", "Day", "n", "served, mean absolute error", "own average", "interval holds", "width"),
                [row for run in logged for day in DAYS for row in _rows(run, day)],
            ),
        ],
    )


def _rows(run: Presentation, day: int) -> list[list[str]]:
    told = _told(run, day)
    if len(told) < FEWEST:
        return []
    came = [one.came for one in told]
    row = [
        run.run.id,
        str(day),
        whole(len(told)),
        figure(mean_error([one.predicted for one in told], came), 1),
        figure(mean_error([one.average for one in told], came), 1),
        figure(fmean(one.held for one in told), 2),
        figure(fmean(one.high - one.low for one in told), 0),
    ]
    return [row]


def _told(run: Presentation, day: int) -> list[_Told]:
    """Of everyone present who stayed to the end."""
    at, told = run.at(day), []
    for one, pulses in with_pulses(run, day):
        if one.course.left_at is not None:
            continue
        risk = drop_off_risk(one.progress, one.scores, one.assessments, one.interactions, pulses, None, at=at)
        said = performance_forecast(
            one.progress, one.scores, one.assessments, one.interactions, pulses, None, risk, at=at
        )
        so_far = performance(one.scores, one.assessments, one.progress, at=at)
        average = so_far.average_score if isinstance(so_far, Performance) else None
        if isinstance(said, PerformanceForecast):
            span = said.interval
            told.append(_Told(span.low, said.predicted_score, span.high, average or 0.0, _came_to(run, one)))
    return told


def _came_to(run: Presentation, learner: Learner) -> float:
    """The coursework score in the end, work that was never handed in as 0."""
    work = coursework(learner.assessments.assessments, learner.scores.scores, course=run.run.id, at=AFTERWARDS)
    return outlook(Piece(piece.weight, piece.score, False) for piece in work).secured  # noqa: FBT003 - nothing is open
