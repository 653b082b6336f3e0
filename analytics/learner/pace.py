"""The steps from a plan to a pace: how fast, which way, done when, and where that leaves a learner."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from analytics.learner.schedule import completed_within, done, due, open_work, ratio, weight
from datasources.course import CourseProgress, Module

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
STALL = timedelta(days=28)
FARTHEST = timedelta(days=5 * 365)


class Window(StrEnum):
    """How far back pace and trend look."""

    WEEK = "week"
    """The last 7 days."""
    MONTH = "month"
    """The last 28 days."""
    QUARTER = "quarter"
    """The last 90 days."""

    @property
    def length(self) -> timedelta:
        """The window as a duration."""
        return timedelta(days={Window.WEEK: 7, Window.MONTH: 28, Window.QUARTER: 90}[self])


class PaceTrend(StrEnum):
    """Whether more gets done than in the window before, beyond chance."""

    ACCELERATING = "accelerating"
    """Clearly more completions than in the window before."""
    STEADY = "steady"
    """No difference beyond chance."""
    DECELERATING = "decelerating"
    """Clearly fewer completions than in the window before."""
    INSUFFICIENT_DATA = "insufficient-data"
    """Fewer than 4 completions in both windows together."""


class PaceStatus(StrEnum):
    """Where a learner stands against the plan."""

    COMPLETED = "completed"
    """All work is done."""
    NOT_STARTED = "not-started"
    """The course has not started."""
    OVERDUE = "overdue"
    """The course has ended and work is left."""
    STALLED = "stalled"
    """Nothing was completed for 28 days, although work fell due in them and is not done."""
    BEHIND = "behind"
    """Less than half of the due work is done."""
    SLIGHTLY_BEHIND = "slightly-behind"
    """At least half, but less than 95 % of the due work is done."""
    ON_TRACK = "on-track"
    """The work done is within 5 % of the work due, or none is due yet."""
    AHEAD = "ahead"
    """More than 5 % beyond the work due is done."""


@dataclass(frozen=True, slots=True)
class CompletionRange:
    """Between when and when the work will be done, if the pace is as uncertain as its few completions make it."""

    earliest: datetime
    """The day at the pace of the window, plus one standard error."""
    latest: datetime | None
    """The day at the pace of the window, minus one standard error; null when that pace is none."""


def stalled(modules: Sequence[Module], course: CourseProgress, at: datetime) -> bool:
    """Nothing completed for 28 days of the course, although work fell due in them and less is done than is due."""
    since = at - STALL
    if course.start_date > since or completed_within(modules, since, at):
        return False
    due_now, due_then = due(course, modules, at), due(course, modules, since)
    return due_now > due_then and weight(done(modules)) < due_now


def pace_window(start: datetime, at: datetime, window: Window) -> timedelta:
    """How far back the current pace looks: the window, or the age of a younger course, but a week at least."""
    return max(WEEK, min(window.length, at - start))


def per_week(amount: float, span: timedelta) -> float:
    """An amount in a span, per week."""
    return amount / (span / WEEK)


def target(remaining: float, end: datetime, at: datetime) -> float:
    """targetPace: the remaining weight over the remaining weeks, at least a seventh of one."""
    return per_week(remaining, max(end - at, DAY))


def pace_trend(now: int, before: int) -> PaceTrend:
    """Two counts compared: z = (n1 - n2) / sqrt(n1 + n2), a trend beyond 1 in size."""
    if now + before < 4:  # noqa: PLR2004 - the definition's smallest sample
        return PaceTrend.INSUFFICIENT_DATA
    z = (now - before) / math.sqrt(now + before)
    if z > 1:
        return PaceTrend.ACCELERATING
    return PaceTrend.DECELERATING if z < -1 else PaceTrend.STEADY


def estimate(remaining: float, pace: float, at: datetime) -> datetime | None:
    """When the rest is done at this pace, five years ahead at most; None at no pace."""
    return at + WEEK * min(remaining / pace, FARTHEST / WEEK) if pace > 0 else None


def estimate_range(remaining: float, pace: float, completions: int, at: datetime) -> CompletionRange | None:
    """The estimate at pace x (1 +- 1 / sqrt(completions)); None at no pace."""
    if completions == 0:
        return None
    error = 1 / math.sqrt(completions)
    earliest = estimate(remaining, pace * (1 + error), at)
    if earliest is None:
        return None
    return CompletionRange(earliest, estimate(remaining, pace * (1 - error), at))


def band(pace_ratio: float | None, *, started_work: bool) -> PaceStatus:
    """The status a pace ratio stands for; before anything is due, work already done is ahead of the plan."""
    if pace_ratio is None:
        return PaceStatus.AHEAD if started_work else PaceStatus.ON_TRACK
    for limit, status in ((0.5, PaceStatus.BEHIND), (0.95, PaceStatus.SLIGHTLY_BEHIND)):
        if pace_ratio < limit:
            return status
    return PaceStatus.ON_TRACK if pace_ratio <= 1.05 else PaceStatus.AHEAD  # noqa: PLR2004 - the definition's band


def course_status(course: CourseProgress, modules: Sequence[Module], at: datetime) -> PaceStatus:
    """Where a learner stands in one course."""
    if not open_work(modules):
        return PaceStatus.COMPLETED
    if at < course.start_date:
        return PaceStatus.NOT_STARTED
    if at >= course.end_date:
        return PaceStatus.OVERDUE
    if stalled(modules, course, at):
        return PaceStatus.STALLED
    return band(ratio(weight(done(modules)), due(course, modules, at)), started_work=bool(done(modules)))
