"""Learner velocity (definition 1): work done against work due, as the earned-value schedule index has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.arithmetic import day_of, percent_change, quality
from analytics.declare import Change, DataQuality, PerWeek, Ratio, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.courses import enrolled, in_question, mean_over
from analytics.learner.pace import (
    WEEK,
    CompletionRange,
    PaceStatus,
    PaceTrend,
    Window,
    band,
    course_status,
    estimate,
    estimate_range,
    pace_trend,
    pace_window,
    per_week,
    target,
)
from analytics.learner.schedule import completed_within, done, due, last_completion, open_work, planned, ratio, weight
from datasources.course import CourseProgress, Module, Progress
from datasources.declare import Count, Id, Share, Text

HISTORY_WEEKS = 12


@dataclass(frozen=True, slots=True)
class CourseVelocity:
    """The pace in one course."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    end_date: datetime
    """When it ends."""
    pace_ratio: Ratio | None
    """Work done over work due; null while nothing is due."""
    progress: Share
    """Work done over all work."""
    current_pace: PerWeek
    """Weight completed per week in the window."""
    target_pace: PerWeek
    """Weight per week that finishes the rest by the end of the course."""
    average_pace: PerWeek
    """Weight completed per week since the start."""
    trend: PaceTrend
    """Completions in the window against the window before."""
    estimated_completion: datetime | None
    """When the rest is done at the current pace, at most five years ahead; the last completion when all is done."""
    estimated_range: CompletionRange | None
    """How uncertain that estimate is; null without one, and when all is done."""
    status: PaceStatus
    """Where the learner stands."""


@dataclass(frozen=True, slots=True)
class PaceWeek:
    """What was done in one week."""

    last_day: date
    """The last day of the seven."""
    completed: Count
    """Modules completed."""
    pace: PerWeek
    """Weight completed."""


@dataclass(frozen=True, slots=True)
class LearningVelocity:
    """How fast a learner moves through the assigned work, against the pace the plan asks for."""

    pace_ratio: Ratio | None
    """Work done over work due; null while nothing is due."""
    progress: Share
    """Work done over all work."""
    current_pace: PerWeek
    """Weight completed per week in the window."""
    target_pace: PerWeek
    """Weight per week that finishes the rest by the end of the course."""
    average_pace: PerWeek
    """Weight completed per week since the start."""
    trend: PaceTrend
    """Completions in the window against the window before; a description, no forecast."""
    trend_percentage: Change | None
    """By how many percent the completions changed; null when there is no trend or nothing in the window before."""
    estimated_completion: datetime | None
    """When the last course is done at the current pace; null when one is never done at that pace."""
    estimated_range: CompletionRange | None
    """How uncertain that estimate is; null without one, and when all is done."""
    status: PaceStatus
    """Where the learner stands."""
    by_course: tuple[CourseVelocity, ...]
    """Every course with planned work that the learner has not left, by id; the numbers above are of those that run."""
    history: tuple[PaceWeek, ...]
    """The last twelve weeks, oldest first, in the courses in question."""
    quality: DataQuality
    """The modules done or due, and the days between the first and the last of them."""


def course_velocity(course: CourseProgress, modules: Sequence[Module], at: datetime, window: Window) -> CourseVelocity:
    """The pace in one course, from its planned work."""
    span = pace_window(course.start_date, at, window)
    recent = completed_within(modules, at - span, at)
    completed, remaining, pace = weight(done(modules)), weight(open_work(modules)), per_week(weight(recent), span)
    return CourseVelocity(
        course_id=course.course_id,
        title=course.title,
        end_date=course.end_date,
        pace_ratio=ratio(completed, due(course, modules, at)),
        progress=completed / weight(modules),
        current_pace=pace,
        target_pace=target(remaining, course.end_date, at),
        average_pace=per_week(completed, max(WEEK, min(at, course.end_date) - course.start_date)),
        trend=pace_trend(*counts([modules], at, window.length)),
        estimated_completion=estimate(remaining, pace, at) if remaining else last_completion(modules),
        estimated_range=estimate_range(remaining, pace, len(recent), at) if remaining else None,
        status=course_status(course, modules, at),
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """One course, its plan, and the pace in it."""

    course: CourseProgress
    modules: list[Module]
    pace: CourseVelocity


def counts(plans: Sequence[Sequence[Module]], at: datetime, window: timedelta) -> tuple[int, int]:
    """n1 and n2: completions in the window up to `at`, and in the window before it."""
    now = sum(len(completed_within(modules, at - window, at)) for modules in plans)
    before = sum(len(completed_within(modules, at - 2 * window, at - window)) for modules in plans)
    return now, before


def overall_status(courses: Sequence[CourseVelocity], pace_ratio: float | None) -> PaceStatus:
    """Done when every course is; stalled, overdue or not started when every open one is; else by the mean ratio."""
    left = {course.status for course in courses} - {PaceStatus.COMPLETED}
    if not left:
        return PaceStatus.COMPLETED
    if left <= {PaceStatus.STALLED} or left <= {PaceStatus.OVERDUE} or left <= {PaceStatus.NOT_STARTED}:
        return left.pop()
    return band(pace_ratio, started_work=any(course.progress > 0 for course in courses))


def last_of(instants: Sequence[datetime | None]) -> datetime | None:
    """The latest of the instants; None, which is never, is later than all."""
    known = [instant for instant in instants if instant is not None]
    return max(known, default=None) if len(known) == len(instants) else None


def overall_range(courses: Sequence[CourseVelocity]) -> CompletionRange | None:
    """The range in which the last open course is done; None when one is never done, or all are."""
    ranges = [course.estimated_range for course in courses if course.status is not PaceStatus.COMPLETED]
    earliest = last_of([None if span is None else span.earliest for span in ranges])
    if earliest is None:
        return None
    return CompletionRange(earliest, last_of([None if span is None else span.latest for span in ranges]))


def week_before(taken: Sequence[_Taken], at: datetime, ago: int) -> PaceWeek:
    """What was done in the seven days that ended `ago` weeks before `at`."""
    until = at - ago * WEEK
    done_then = [(each.course.credits, completed_within(each.modules, until - WEEK, until)) for each in taken]
    pace = mean_over(((modules, credit) for credit, modules in done_then), weight)
    return PaceWeek(day_of(until), sum(len(modules) for _, modules in done_then), pace or 0.0)


def used_days(plans: Sequence[Sequence[Module]], at: datetime) -> list[date]:
    """The day of each module that is done, or due and not done."""
    events = [module.completed_at or module.due_at for modules in plans for module in modules]
    return [day_of(event) for event in events if event is not None and event <= at]


@metric(
    Scope.LEARNER,
    key="learner-velocity",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula="paceRatio = clamp(completed weight / weight due by now, 0, 2); over courses the credit-weighted mean",
    evidence=(
        "OULAD, 15 presentations: AUC for passing .62 at day 34 to .80 at day 124; at day 94, by the ratio alone, of "
        "those behind 3 % passed, slightly behind 30 %, on track 72 %, ahead 88 % (n = 15,968)"
    ),
    score=lambda value: None if value.pace_ratio is None else 100 * value.pace_ratio,
    level=lambda value: value.status.name,
)
def velocity(progress: Progress, *, at: datetime, window: Window = Window.MONTH) -> LearningVelocity | Withheld:
    """How fast a learner moves through the assigned work, against the pace the plan asks for.

    About the courses that run now (else the last that ended, else the next to start), as means weighted by
    credits. Adding a completion never lowers ratio or progress and never makes the estimate later.
    Quality is OK from 4 modules done or due over 14 days or more.
    """
    plans = [(course, planned(course, at)) for course in enrolled(progress, at)]
    taken = {
        course.course_id: _Taken(course, modules, course_velocity(course, modules, at, window))
        for course, modules in plans
        if modules
    }
    if not taken:
        message = "There is no course with planned work, begun and not left, to have a pace in."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1)
    asked = [taken[course.course_id] for course in in_question([each.course for each in taken.values()], at)]
    weighed = [(each.pace, each.course.credits) for each in asked]
    courses, modules = [each.pace for each in asked], [each.modules for each in asked]
    pace_ratio = mean_over(weighed, lambda pace: pace.pace_ratio)
    now, before = counts(modules, at, window.length)
    trend = pace_trend(now, before)
    return LearningVelocity(
        pace_ratio=pace_ratio,
        progress=mean_over(weighed, lambda pace: pace.progress) or 0.0,
        current_pace=mean_over(weighed, lambda pace: pace.current_pace) or 0.0,
        target_pace=mean_over(weighed, lambda pace: pace.target_pace) or 0.0,
        average_pace=mean_over(weighed, lambda pace: pace.average_pace) or 0.0,
        trend=trend,
        trend_percentage=None if trend is PaceTrend.INSUFFICIENT_DATA else percent_change(now, before),
        estimated_completion=last_of([pace.estimated_completion for pace in courses]),
        estimated_range=overall_range(courses),
        status=overall_status(courses, pace_ratio),
        by_course=tuple(each.pace for each in taken.values()),
        history=tuple(week_before(asked, at, ago) for ago in reversed(range(HISTORY_WEEKS))),
        quality=quality(used_days(modules, at), enough=4, span=14),
    )
