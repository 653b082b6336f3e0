"""Velocity: whether work done over work due goes with passing, which it never sees."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analytics.evaluation.document import Section, Table, interval, share, whole
from analytics.evaluation.measures import area
from analytics.evaluation.sample import Presentation
from analytics.learner.pace import PaceStatus, band
from analytics.learner.velocities import LearningVelocity, velocity
from analytics.training.rows import DAYS
from datasources.course import Progress

PUBLISHED_AUC = {34: ".606", 64: ".666", 94: ".723", 124: ".773"}
PUBLISHED_BANDS = (".03", ".44", ".72", ".82")
PUBLISHED_DAY = 94
BANDS = (PaceStatus.BEHIND, PaceStatus.SLIGHTLY_BEHIND, PaceStatus.ON_TRACK, PaceStatus.AHEAD)
STATUSES = (*BANDS, PaceStatus.STALLED)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One learner on a day: the ratio, the status that is served, and whether they passed in the end."""

    ratio: float
    status: PaceStatus
    passed: bool

    @property
    def band(self) -> PaceStatus:
        """The status by the ratio alone."""
        return band(self.ratio, started_work=True)


def section(runs: Sequence[Presentation]) -> Section:
    """The area for passing, and the pass rate by status, by day."""
    found = {day: [one for run in runs for one in _looked_at(run, day)] for day in DAYS}
    alike = [one for run in runs for one in _looked_at(run, PUBLISHED_DAY, alike=True)]
    return Section(
        "Velocity and passing",
        [
            f"""Work done over work due, among those registered on the day and with work due, in {len(runs)}
            presentations (published: all 22, n = 25,478 at day 94; the seven of 2014J are sealed).""",
            Table(
                ["Day", "n", "AUC for passing", "published AUC", *(f"passed, {status.value}" for status in STATUSES)],
                [_row(day, seen) for day, seen in found.items()],
            ),
            f"""**By the ratio alone, day {PUBLISHED_DAY}** (behind below .5, slightly behind below .95, on track up
            to 1.05), which is how the published rates were worked out. They agree when every piece of work
            weighs the same; the served formula uses the weights, and then to be slightly behind means more work
            missed:""",
            Table(
                ["", *(status.value for status in BANDS)],
                [
                    ["published", *PUBLISHED_BANDS],
                    ["every piece alike", *_by_band(alike)],
                    ["as served, by weight", *_by_band(found[PUBLISHED_DAY])],
                ],
            ),
        ],
    )


def _looked_at(run: Presentation, day: int, *, alike: bool = False) -> list[_Seen]:
    at, seen = run.at(day), []
    for learner in run.present(day):
        value = velocity(_alike(learner.progress) if alike else learner.progress, at=at)
        if isinstance(value, LearningVelocity) and value.pace_ratio is not None:
            seen.append(_Seen(value.pace_ratio, value.status, run.passed(learner)))
    return seen


def _alike(progress: Progress) -> Progress:
    """The same plan with every piece that weighs anything weighing the same."""
    return Progress(
        tuple(
            replace(course, modules=tuple(replace(m, weight=float(m.weight > 0)) for m in course.modules))
            for course in progress.courses
        )
    )


def _row(day: int, seen: Sequence[_Seen]) -> list[str]:
    found = area([one.ratio for one in seen], [one.passed for one in seen])
    rates = [share([one.passed for one in seen if one.status is status]) for status in STATUSES]
    return [str(day), whole(len(seen)), interval(found), PUBLISHED_AUC[day], *rates]


def _by_band(seen: Sequence[_Seen]) -> list[str]:
    return [share([one.passed for one in seen if one.band is status]) for status in BANDS]
