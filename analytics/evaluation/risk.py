"""Risk: how well the model orders and how true its percentages are for learners of presentations it never saw."""

from collections.abc import Mapping, Sequence
from math import fsum

import numpy as np
from numpy.typing import NDArray

from analytics.evaluation.document import FEWEST, NOTHING, Section, Table, figure, interval, share, whole
from analytics.evaluation.measures import Area, area, calibration_error, spearman
from analytics.models.features import Factor
from analytics.models.risk import RISK_LEVELS, Coefficients, risk_model
from analytics.training.measures import auc, brier, precision_at
from analytics.training.risk_card import held_out
from analytics.training.rows import DAYS, RiskRow, labels_of, matrix_of
from analytics.training.tables import Presentation

PUBLISHED_AUC = {34: ".761 [.751, .772]", 64: ".816 [.806, .826]", 94: ".835 [.827, .845]", 124: ".867 [.857, .874]"}
PUBLISHED_TOP = {34: ".88", 64: ".95", 94: ".98", 124: ".98"}
PUBLISHED_LEVELS = {
    34: (".17", ".32", ".54", ".82"),
    64: (".13", ".31", ".52", ".84"),
    124: (".10", ".31", ".53", ".91"),
}
PUBLISHED_LEAVING = {34: ".746", 64: ".760", 94: ".738", 124: ".714"}
PUBLISHED_MODEL = Coefficients(
    -0.1309, dict(zip(Factor, (-0.5832, 1.8966, 0.4334, -5.4135, 0.5094, 0.3620, 0.1572, -2.0339), strict=True))
)
"""The coefficients with which 2014J came to the published areas; they were fitted to these presentations."""
CEILINGS = {34: 0.80, 124: 0.90}
"""An area above these means that something of the outcome has leaked into what is known on the day."""

Mask = NDArray[np.bool_]


class Judged:
    """The training rows, and for each the probabilities of a model that saw nothing of its presentation."""

    def __init__(self, rows: Sequence[RiskRow]) -> None:
        matrix = matrix_of(rows)
        courses = [row.course for row in rows]
        self.course: NDArray[np.str_] = np.array(courses)
        self.day: NDArray[np.int64] = np.array([row.day for row in rows])
        self.failed, self.leaving = labels_of(rows, "fail_or_withdraw"), labels_of(rows, "withdraw_30d")
        self.risk, self.leave = held_out(matrix, self.failed, courses), held_out(matrix, self.leaving, courses)
        self.first = np.array([not row.values[Factor.REPEAT] for row in rows])
        self.served = np.array([risk_model().fail_or_withdraw.probability(row.values) for row in rows])
        self.published = np.array([PUBLISHED_MODEL.probability(row.values) for row in rows])

    def on(self, day: int, course: str | None = None) -> Mask:
        """Which rows are of a day, and of a course."""
        mask: Mask = self.day == day
        return mask if course is None else mask & (self.course == course)

    def area(self, mask: Mask) -> Area | None:
        """How well the unseen rows are ordered by risk."""
        return area(self.risk[mask], self.failed[mask])


def section(judged: Judged, courses: Sequence[Presentation]) -> Section:
    """Everything about risk."""
    model = risk_model()
    runs = sorted(set(judged.course.tolist()))
    return Section(
        "Risk of not passing",
        [
            f"""Model: {model.name} {model.version}, trained {model.trained_on.isoformat()}. Each of the {len(runs)}
            presentations is predicted by a model fitted to the others. The published figures are of the seven
            2014J presentations, which are sealed and are not read here. Intervals are DeLong's, 95 %.""",
            _by_day(judged),
            _ceilings(judged),
            "**Observed share that did not pass, by the level that was said** (learners in brackets):",
            _by_level(judged),
            "**Area under the curve by presentation:**",
            Table(
                ["Presentation", *(f"day {day}" for day in DAYS), "did not pass, of those present on day 64"],
                [_of_run(judged, run) for run in runs],
            ),
            _where_it_differs(judged, courses),
            "**Formally leaving within 30 days:**",
            Table(
                ["Day", "n", "leave", "AUC", "published AUC"],
                [_leaving(judged, day) for day in DAYS],
            ),
        ],
    )


def _by_day(judged: Judged) -> Table:
    rows = []
    for day in DAYS:
        at = judged.on(day)
        risk, failed = judged.risk[at], judged.failed[at]
        rows.append(
            [
                str(day),
                whole(len(risk)),
                figure(float(np.mean(failed))),
                interval(judged.area(at)),
                PUBLISHED_AUC[day],
                figure(brier(risk, failed)),
                figure(calibration_error(risk, failed)),
                figure(precision_at(risk, failed, 0.1), 2),
                PUBLISHED_TOP[day],
            ]
        )
    columns = ("Day", "n", "did not pass", "AUC", "published AUC", "Brier", "ECE", "P@10 %", "published P@10 %")
    return Table(columns, rows)


def _ceilings(judged: Judged) -> str:
    said = []
    for day, ceiling in CEILINGS.items():
        found = auc(judged.risk[judged.on(day)], judged.failed[judged.on(day)])
        verdict = "below" if found < ceiling else "**above: look for the leak**"
        said.append(f"day {day}: {found:.3f}, {verdict} {ceiling:.2f}")
    return f"Published at day 64: Brier .165, ECE .048. Leakage check, pooled over presentations: {'; '.join(said)}."


def _by_level(judged: Judged) -> Table:
    rows = []
    for day in DAYS:
        at = judged.on(day)
        score, failed = 100 * judged.risk[at], judged.failed[at]
        for place, (name, low, high) in enumerate(RISK_LEVELS):
            inside = (score >= low) & (score < high)
            published = PUBLISHED_LEVELS[day][place] if day in PUBLISHED_LEVELS else NOTHING
            told = figure(float(score[inside].mean()) / 100, 2) if inside.sum() >= FEWEST else NOTHING
            rows.append([str(day), name, share(failed[inside].astype(bool).tolist()), told, published])
    return Table(("Day", "Level", "observed", "predicted", "published observed"), rows)


def _of_run(judged: Judged, run: str) -> list[str]:
    areas = [judged.area(judged.on(day, run)) for day in DAYS]
    return [run, *(figure(None if a is None else a.value) for a in areas), figure(_base(judged, run), 2)]


def _base(judged: Judged, run: str) -> float:
    return float(judged.failed[judged.on(64, run)].mean())


def _where_it_differs(judged: Judged, courses: Sequence[Presentation]) -> str:
    """What makes a presentation easy to order, and the same figures for parts of the learners."""
    autumn = np.char.endswith(judged.course, "J")
    groups = {"that begin in October": autumn, "that begin in February": ~autumn}
    said = "; ".join(f"in presentations {name} {_areas(judged, mask)}" for name, mask in groups.items())
    cases = [(course, day) for course in courses for day in DAYS]
    found = [(judged.area(judged.on(day, course.name)), due_share(course, day)) for course, day in cases]
    known = [(one.value, due) for one, due in found if one is not None]
    order = figure(spearman(*zip(*known, strict=True)), 2) if known else NOTHING
    beginners = _areas(judged, judged.first)
    same = " / ".join(figure(auc(judged.published[judged.on(day)], judged.failed[judged.on(day)])) for day in DAYS)
    return f"""Pooled, by day: {said}; among those who take the course for the first time {beginners}. The published
    coefficients themselves, which were fitted to these presentations, come to {same} here. The more of a
    course's work has fallen due, the better its learners are ordered: over the {len(known)} pairs of presentation
    and day the rank correlation of the area with the share of the weight that is due is {order}."""


def _areas(judged: Judged, mask: Mask) -> str:
    areas = [judged.area(judged.on(day) & mask) for day in DAYS]
    return " / ".join(figure(None if one is None else one.value) for one in areas)


def due_share(course: Presentation, day: int) -> float:
    """The share of the weight of a presentation's work that is due by a day; weights that are all 0 count as equal."""
    weighs = any(task.weight > 0 for task in course.work.values())
    weights = [(task.due, task.weight if weighs else 1.0) for task in course.work.values()]
    due = fsum(weight for when, weight in weights if when is not None and when <= day)
    total = fsum(weight for _, weight in weights)
    return due / total if total else 0.0


def _leaving(judged: Judged, day: int) -> list[str]:
    at = judged.on(day)
    leave, left = judged.leave[at], judged.leaving[at]
    found = interval(area(leave, left))
    return [str(day), whole(len(leave)), figure(float(left.mean())), found, PUBLISHED_LEAVING[day]]


def by_course(judged: Judged, day: int) -> Mapping[str, float]:
    """The mean risk of those present in each presentation."""
    return {
        str(run): float(judged.risk[judged.on(day, str(run))].mean()) for run in sorted(set(judged.course.tolist()))
    }
