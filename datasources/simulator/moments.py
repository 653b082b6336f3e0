"""What a campus looks like in figures, so that a generated one can be held against real learners.

Every figure is of what is known on the campus's `as_of` day: later clicks, submissions and departures
do not count. A week counts when all seven of its days lie between day 0 and that day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import log1p, nan, sqrt
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datasources.simulator.campus import Campus, CourseRun, Registration, Submission

# Computer-marked quizzes of a few per cent are left out of the figures on submitting: OULAD records
# all of a course's on one marking day, so their dates say nothing of the learner.
_OWN_WORK = 5.0
_PASS = 40.0
_BEGUN, _EARLY, _SETTLED, _MIDDLE = 17, 30, 34, 100


@dataclass(frozen=True, slots=True)
class Moment:
    """One figure of the real sample, and how far a generated campus may be from it (absolute)."""

    real: float
    within: float


# Measured with `moments` on three presentations (AAA 2013J, BBB 2013B and a part of BBB 2013J:
# 3,315 registrations) of the Open University Learning Analytics Dataset as of 2014-02-10. OULAD: Kuzilek J.,
# Hlosta M., Zdrahal Z. (2017), doi:10.1038/sdata.2017.171, CC BY 4.0.
#
# A tolerance is about three standard deviations over seeds at the default size; at 3,000 learners half of
# it is kept. In most figures the sample's own three courses differ from each other by more.
REAL = {
    "active_week_share": Moment(0.617, within=0.05),
    "deadline_lift": Moment(1.454, within=0.15),
    "submission_rate": Moment(0.755, within=0.07),
    "late_share": Moment(0.197, within=0.035),
    "score_mean": Moment(71.2, within=2.0),
    "score_sd": Moment(14.2, within=1.2),
    "left_by_day_30": Moment(0.145, within=0.055),
    "left_by_day_100": Moment(0.205, within=0.065),
    "left_by_end": Moment(0.286, within=0.075),
    "silent_days_before_leaving": Moment(12.0, within=6.0),
    "missed_before_leaving": Moment(0.752, within=0.125),
    "activity_score_correlation": Moment(0.342, within=0.13),
    "non_pass": Moment(0.392, within=0.09),
    "days_median": Moment(2.0, within=1.0),
    "days_p95": Moment(6.0, within=1.0),
    "clicks_median": Moment(24.0, within=5.0),
    "clicks_p95": Moment(163.0, within=32.0),
    "items_median": Moment(4.0, within=1.0),
    "items_p95": Moment(15.0, within=3.0),
}


def moments(campus: Campus) -> dict[str, float]:
    """The figures of `REAL`, for any campus; a figure over nothing is NaN.

    Per active week and learner: days, clicks, distinct items. Of work worth at least 5 per cent, due
    while the learner was registered: the share handed in, the late share of that, score mean and
    spread. Departures: by day 30, by day 100, by the end; of those after day 17, the days without a click
    before them and the share whose last due work was missing. `deadline_lift`: active days among the
    four up to a due day, over those a week earlier. `activity_score_correlation`: Pearson's r of
    ln(1 + clicks) and mean score. `non_pass`: of those registered on day 34 in finished courses, the
    share that left or stayed below 40 of 100 weighted points.
    """
    seen = [_Seen(course, registration, _today(campus, course)) for course, registration in _pairs(campus)]
    weeks = [week for one in seen for week in one.weeks()]
    active = [week for week in weeks if week[0]]
    work = [piece for one in seen for piece in one.work()]
    handed_in = [(lag, score) for lag, score in work if lag is not None]
    scores = [score for _, score in handed_in if score is not None]
    level = [(log1p(one.clicks), fmean(one.scores())) for one in seen if one.scores()]
    gone = [one for one in seen if one.left is not None and one.left > _BEGUN]
    lift = [one.deadline_days() for one in seen]
    near, before = sum(days for days, _ in lift), sum(days for _, days in lift)
    found = {
        "active_week_share": _share([bool(week[0]) for week in weeks]),
        "deadline_lift": near / before if before else nan,
        "submission_rate": _share([lag is not None for lag, _ in work]),
        "late_share": _share([lag > 0 for lag, _ in handed_in]),
        "score_mean": fmean(scores) if scores else nan,
        "score_sd": pstdev(scores) if scores else nan,
        "left_by_day_30": _share([one.left_by(_EARLY) for one in seen if one.today >= _EARLY]),
        "left_by_day_100": _share([one.left_by(_MIDDLE) for one in seen if one.today >= _MIDDLE]),
        "left_by_end": _share([one.left is not None for one in seen if one.finished]),
        "silent_days_before_leaving": _quantile([days for one in gone if (days := one.silence()) is not None], 0.5),
        "missed_before_leaving": _share([missed for one in gone if (missed := one.missed_last()) is not None]),
        "activity_score_correlation": _pearson(level),
        "non_pass": _share([not one.passed() for one in seen if one.finished and not one.left_by(_SETTLED)]),
    }
    for place, what in enumerate(("days", "clicks", "items")):
        values = [week[place] for week in active]
        found |= {f"{what}_median": _quantile(values, 0.5), f"{what}_p95": _quantile(values, 0.95)}
    return found


class _Seen:
    """One registration as it is known on a day."""

    __slots__ = ("_clicks", "_submitted", "clicks", "course", "finished", "left", "registration", "today")

    def __init__(self, course: CourseRun, registration: Registration, today: int) -> None:
        self.course, self.registration = course, registration
        self.today = min(today, course.length_days)
        self.finished = today >= course.length_days
        left = registration.left_day
        self.left = left if left is not None and left <= self.today else None
        self._clicks = [click for click in registration.clicks if click[1] <= self.today]
        self._submitted: dict[str, Submission] = {s.task: s for s in registration.submissions if s.day <= self.today}
        self.clicks = sum(count for _, _, count in self._clicks)

    def left_by(self, day: int) -> bool:
        return self.left is not None and self.left <= day

    def here(self, day: int) -> bool:
        return day <= self.today and (self.left is None or day < self.left)

    def weeks(self) -> Iterator[tuple[int, int, int]]:
        """Days, clicks and items of each whole week as a registered learner."""
        days: defaultdict[int, set[int]] = defaultdict(set)
        items: defaultdict[int, set[int]] = defaultdict(set)
        clicks: defaultdict[int, int] = defaultdict(int)
        for position, day, count in self._clicks:
            week = day // 7
            days[week].add(day)
            items[week].add(position)
            clicks[week] += count
        for week in range(self.course.length_days // 7):
            if self.here(7 * week + 6):
                yield len(days[week]), clicks[week], len(items[week])

    def work(self) -> Iterator[tuple[int | None, float | None]]:
        """Days after the due day (None: not handed in) and score of each piece of work that was due."""
        for task in self.course.tasks:
            if task.due_day is None or not task.counts or task.weight < _OWN_WORK or not self.here(task.due_day):
                continue
            done = self._submitted.get(task.id)
            if done is None:
                yield None, None
            elif not done.banked:
                yield done.day - task.due_day, done.score

    def scores(self) -> list[float]:
        return [s.score for s in self._submitted.values() if s.score is not None and not s.banked]

    def deadline_days(self) -> tuple[int, int]:
        """Active days among the four that end with a due day, and among the four a week before."""
        active = {day for _, day, _ in self._clicks}
        due = [t.due_day for t in self.course.tasks if t.due_day and t.weight >= _OWN_WORK and self.here(t.due_day)]
        return (
            sum(day in active for end in due for day in range(end - 3, end + 1)),
            sum(day in active for end in due for day in range(end - 10, end - 6)),
        )

    def silence(self) -> int | None:
        return self.left - self._clicks[-1][1] if self.left is not None and self._clicks else None

    def missed_last(self) -> bool | None:
        due = [t for t in self.course.tasks if t.counts and t.due_day is not None and t.due_day < (self.left or 0)]
        own = [task for task in due if task.weight >= _OWN_WORK]
        return max(own, key=lambda task: task.due_day or 0).id not in self._submitted if own else None

    def passed(self) -> bool:
        weights = {task.id: task.weight for task in self.course.tasks if task.counts}
        earned = sum(weights.get(s.task, 0.0) * (s.score or 0.0) for s in self._submitted.values())
        return self.left is None and earned >= _PASS * sum(weights.values())


def _today(campus: Campus, course: CourseRun) -> int:
    return (campus.as_of - course.start).days


def _pairs(campus: Campus) -> Iterator[tuple[CourseRun, Registration]]:
    courses = {course.id: course for course in campus.courses}
    return ((courses[one.course], one) for one in campus.registrations)


def _share(flags: Sequence[bool]) -> float:
    return fmean(flags) if flags else nan


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else nan


def _pearson(pairs: Sequence[tuple[float, float]]) -> float:
    if not pairs:
        return nan
    left, right = zip(*pairs, strict=True)
    a, b = fmean(left), fmean(right)
    spread = sqrt(sum((x - a) ** 2 for x in left) * sum((y - b) ** 2 for y in right))
    return sum((x - a) * (y - b) for x, y in pairs) / spread if spread else nan
