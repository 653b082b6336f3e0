"""Trainer course health (definition 8): the share of a running course's starters that is expected to pass."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.prediction.interventions import AT_RISK
from analytics.standings.values import CourseStandings, Weekday, WeekdayActivity
from analytics.trainer.issues import (
    TrainerBottleneck,
    TrainerIssue,
    TrainerIssueType,
    TrainerRecommendation,
    TrainerSeverity,
    bottlenecks,
    issues,
    recommendations,
)
from analytics.trainer.rates import (
    active_share,
    at_risk,
    begun,
    expected_pass_rate,
    mean_risk,
    over_running,
    quality_of,
    retention,
    submission_rate,
)
from datasources.declare import MOST, Count, Id, Score, Share, Text

HEALTHY, WATCH = 60, 40


class TrainerHealthStatus(StrEnum):
    """The band of a health score."""

    HEALTHY = "healthy"
    """60 and above."""
    WATCH = "watch"
    """40 to 60."""
    CRITICAL = "critical"
    """Below 40."""


@dataclass(frozen=True, slots=True)
class TrainerFunnel:
    """How many of a course got how far."""

    enrolled: Count
    """Everyone who is or was enrolled."""
    active: Count
    """Those of them who have not left."""
    submitted: Count | None
    """Those of them who have handed in any counted work; null when that is not known."""
    completed: Count
    """Those who are done with it, as the course service says."""


@dataclass(frozen=True, slots=True)
class TrainerWeekday:
    """One day of the week, over the last four weeks."""

    weekday: Weekday
    """The day of the week, in UTC."""
    active_days: Count
    """Days with any action, summed over the learners present, whichever course the action was in."""


@dataclass(frozen=True, slots=True)
class TrainerHealthCourse:
    """One running course: counts always, rates of ten learners or more of whom no more than a tenth is not known."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    health_score: Score | None
    """100 x retention x (1 - mean risk); null under ten learners present, and while too many risks are not known."""
    status: TrainerHealthStatus | None
    """Its band."""
    retention: Share | None
    """The share of everyone who ever enrolled that has not left; null under ten."""
    mean_risk: Share | None
    """The mean probability of not passing, of those present; null under ten."""
    active_share: Share | None
    """The share of those present who did anything in the last 30 days, in any course; null under ten."""
    submission_rate: Share | None
    """Handed in, of the work that was due from those present; null under ten."""
    at_risk_count: Count | None
    """Learners at a high or critical risk; null while the risk of more than a tenth is not known."""
    funnel: TrainerFunnel
    """How many got how far."""
    activity_heatmap: tuple[TrainerWeekday, ...]
    """When learners are active, by the day of the week; empty when that is not known. No service tells the hour."""
    bottlenecks: tuple[TrainerBottleneck, ...]
    """Assessments, due a week ago or earlier, that over 10 points fewer handed in than the one before; lowest first."""
    issues: tuple[TrainerIssue, ...]
    """What stands out, by fixed limits, the most severe first."""
    recommendations: tuple[TrainerRecommendation, ...]
    """What could be done about each kind of issue."""


@dataclass(frozen=True, slots=True)
class TrainerAlert:
    """An issue of high severity."""

    course_id: Id
    """The course."""
    type: TrainerIssueType
    """What it is."""
    description: Text
    """The same with its number."""


@dataclass(frozen=True, slots=True)
class TrainerCourseHealth:
    """How well a trainer's running courses do."""

    overall_health: Score | None
    """The credit-weighted mean health of the courses; null while none has one, or one of ten or more has none."""
    status: TrainerHealthStatus | None
    """Its band."""
    at_risk_count: Count | None
    """Learners at a high or critical risk in any of these courses, each counted once; null while one has none."""
    courses: tuple[TrainerHealthCourse, ...]
    """Every course that runs now, by start."""
    alerts: tuple[TrainerAlert, ...]
    """The issues of high severity, course by course."""
    problem_modules: tuple[TrainerBottleneck, ...]
    """The bottlenecks of all courses, the lowest submission rate first."""
    activity_heatmap: tuple[TrainerWeekday, ...]
    """The days of the week over all courses; a learner of two courses counts in both."""
    quality: DataQuality
    """One observation for each enrolment, since the first of the courses began."""


@metric(
    Scope.TRAINER,
    key="trainer-course-health",
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="healthScore = 100 x (kept / enrolled) x (1 - mean risk); over courses the credit-weighted mean",
    evidence="OULAD, 15 presentations: rank correlation with the final pass rate .71, .80, .85 and .89 at day 34, 64, "
    "94 and 124; the mean score was published with -.09 over 22, so it is left out",
    score=lambda value: value.overall_health,
    level=lambda value: None if value.status is None else value.status.name,
)
def course_health(standings: tuple[CourseStandings, ...], *, at: datetime) -> TrainerCourseHealth | Withheld:
    """The share, in percent, of everyone who started a running course that is expected to pass it, and what stands out.

    With the risks of the others unchanged, a withdrawal never raises it. A course with fewer than ten learners shows
    its counts and no rates. Finished courses are not in it: how they ended is in coursePerformance.
    """
    running = [course for course in begun(standings, at) if not course.over(at)]
    if not running:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "No course of this trainer runs now.", needed=1)
    shown = [(course, _course(course, at)) for course in running]
    overall = over_running(((course, one.health_score) for course, one in shown), at)
    found = [one for _, course in shown for one in course.bottlenecks]
    return TrainerCourseHealth(
        overall_health=overall,
        status=status_of(overall),
        at_risk_count=_at_risk(running),
        courses=tuple(one for _, one in shown),
        alerts=tuple(
            TrainerAlert(course.course_id, issue.type, issue.description)
            for _, course in shown
            for issue in course.issues
            if issue.severity is TrainerSeverity.HIGH
        ),
        problem_modules=tuple(sorted(found, key=lambda one: (one.submission_rate, one.course_id, one.assessment_id))),
        activity_heatmap=heatmap(day for course in running for day in course.weekdays),
        quality=quality_of(running, at),
    )


def _at_risk(courses: Sequence[CourseStandings]) -> int | None:
    if any(at_risk(course.learners) is None for course in courses):
        return None
    return len({one.learner for course in courses for one in course.learners if one.risk_level in AT_RISK})


def status_of(score: float | None) -> TrainerHealthStatus | None:
    """The band of a score as it is shown, rounded to one decimal."""
    if score is None:
        return None
    if round(score, 1) >= HEALTHY:
        return TrainerHealthStatus.HEALTHY
    return TrainerHealthStatus.WATCH if round(score, 1) >= WATCH else TrainerHealthStatus.CRITICAL


def heatmap(days: Iterable[WeekdayActivity]) -> tuple[TrainerWeekday, ...]:
    """The active days by the day of the week, Monday first; empty when nothing is known."""
    counts: Counter[Weekday] = Counter()
    known = False
    for day in days:
        counts[day.weekday] += day.active_days
        known = True
    return tuple(TrainerWeekday(weekday, min(MOST, counts[weekday])) for weekday in Weekday) if known else ()


def _course(course: CourseStandings, at: datetime) -> TrainerHealthCourse:
    expected = expected_pass_rate(course, at)
    health = None if expected is None else 100 * expected
    kept, risk, active, done = retention(course), mean_risk(course), active_share(course), submission_rate(course)
    found = bottlenecks(course.course, course.assessments, at)
    stands_out = issues(retention=kept, mean_risk=risk, active_share=active, submission_rate=done, found=found)
    submitted = [one.submitted for one in course.learners]
    return TrainerHealthCourse(
        course_id=course.course,
        title=course.title,
        health_score=health,
        status=status_of(health),
        retention=kept,
        mean_risk=risk,
        active_share=active,
        submission_rate=done,
        at_risk_count=at_risk(course.learners),
        funnel=TrainerFunnel(
            enrolled=course.enrolled,
            active=course.kept,
            submitted=None if None in submitted else sum(bool(count) for count in submitted),
            completed=course.completed,
        ),
        activity_heatmap=heatmap(course.weekdays),
        bottlenecks=found,
        issues=stands_out,
        recommendations=recommendations(stands_out),
    )
