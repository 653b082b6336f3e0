"""Trainer course performance (definition 7): how a trainer's courses end, or are likely to."""

from dataclasses import dataclass
from datetime import date, datetime

from analytics.arithmetic import mean
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.standings.values import CourseLearner, CourseStandings, Elapsed
from analytics.trainer.rates import (
    FEWEST,
    TrainerInterval,
    begun,
    expected_pass_rate,
    mean_of,
    on_time_rate,
    outcomes,
    over_running,
    quality_of,
    rate,
    submission_rate,
    wilson,
)
from datasources.declare import MOST, Count, Id, Score, Share, Text


@dataclass(frozen=True, slots=True)
class TrainerCourseWeek:
    """How many were enrolled at the end of one week."""

    until: date
    """The day the numbers are of."""
    enrolled: Count
    """Everyone enrolled by then, also those who left."""
    withdrawn: Count
    """Those of them who had left by then, on a day that is known."""


@dataclass(frozen=True, slots=True)
class TrainerCourse:
    """One course: counts always, rates and means of ten learners or more of whom no more than a tenth is not known."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    starts_at: datetime
    """When it starts."""
    ends_at: datetime
    """When it ends."""
    student_count: Count
    """Everyone who is or was enrolled: active, completed and withdrawn together."""
    active_count: Count
    """Those who are in it and have not completed it."""
    completed_count: Count
    """Those who are done with it, as the course service says."""
    withdrawn_count: Count
    """Those who left it."""
    passed_count: Count | None
    """Those who passed; null until it is over and nine tenths of the outcomes are known."""
    performance: Score | None
    """100 times the pass rate, or the expected one while it runs."""
    projected: bool
    """Whether that is an expectation: true while it runs."""
    completion_rate: Share | None
    """Completed, of everyone enrolled; null while it runs, and under ten learners."""
    completion_interval: TrainerInterval | None
    """How sure that is."""
    pass_rate: Share | None
    """Passed, of everyone enrolled whose outcome is known; who left did not pass. Null while it runs, and under ten."""
    pass_interval: TrainerInterval | None
    """How sure that is."""
    expected_pass_rate: Share | None
    """(kept / enrolled) x (1 - mean risk); null once it is over, and under ten learners present."""
    attainment: Score | None
    """The mean over those present of their attainment, missing work as 0; null under ten."""
    average_score: Score | None
    """The mean, over those present who have marked work, of their average score over it; null under ten of them."""
    submission_rate: Share | None
    """Handed in, of the work that was due from those present; null under ten, and while nothing was due."""
    on_time_rate: Share | None
    """Handed in by the due date, of the same; null likewise."""
    average_time_to_complete: Elapsed | None
    """The mean days from start or later enrolment to the last piece of work, of those who did all; null under ten."""
    enrollment: tuple[TrainerCourseWeek, ...]
    """Enrolment over time: at the start and the end of each week, at most the last 53."""


@dataclass(frozen=True, slots=True)
class TrainerCoursePerformance:
    """How a trainer's courses ended, or are likely to end."""

    overall_performance: Score | None
    """The credit-weighted mean of the courses' performance, courses without results left out.

    Null while no course has one, and while the risks of a running course of ten or more are not known.
    """
    projected: bool
    """Whether an expectation is in it, since a course of it still runs."""
    student_count: Count
    """Enrolments over all courses."""
    courses: tuple[TrainerCourse, ...]
    """Every course that has begun, by start."""
    quality: DataQuality
    """One observation for each enrolment, since the first course began."""


@metric(
    Scope.TRAINER,
    key="trainer-course-performance",
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="credit-weighted mean of passed / enrolled, or (kept / enrolled) x (1 - mean risk) while a course runs; "
    "95 % intervals after Wilson",
    evidence="OULAD, 15 presentations: the expected rate was off the final one by .057, .052, .037 and .031 (mean "
    "absolute) at day 34, 64, 94 and 124",
    score=lambda value: value.overall_performance,
)
def course_performance(standings: tuple[CourseStandings, ...], *, at: datetime) -> TrainerCoursePerformance | Withheld:
    """How many of each course passed and stayed, and how many of a running course are expected to pass.

    In percent of everyone who ever enrolled. A course with fewer than ten learners shows its counts and no rates.
    It says how courses end, not why: for that see the caveat of teachingEffectiveness.
    """
    courses = begun(standings, at)
    if not courses:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "No course of this trainer has begun.", needed=1)
    shown = [(course, course_of(course, at)) for course in courses]
    rated = [one for _, one in shown if one.performance is not None]
    return TrainerCoursePerformance(
        overall_performance=over_running(((course, one.performance) for course, one in shown), at),
        projected=any(one.projected for one in rated),
        student_count=min(MOST, sum(course.enrolled for course in courses)),
        courses=tuple(one for _, one in shown),
        quality=quality_of(courses, at),
    )


def course_of(course: CourseStandings, at: datetime) -> TrainerCourse:
    """The numbers of one course."""
    ended, expected = outcomes(course, at), expected_pass_rate(course, at)
    over = course.over(at)
    passed = None if ended is None else rate(*ended)
    performance = passed if over else expected
    times = [one.days_to_complete for one in course.learners if one.days_to_complete is not None]
    return TrainerCourse(
        course_id=course.course,
        title=course.title,
        starts_at=course.starts,
        ends_at=course.ends,
        student_count=course.enrolled,
        active_count=course.active,
        completed_count=course.completed,
        withdrawn_count=course.withdrawn,
        passed_count=None if ended is None else ended[0],
        performance=None if performance is None else 100 * performance,
        projected=not over,
        completion_rate=rate(course.completed, course.enrolled) if over else None,
        completion_interval=wilson(course.completed, course.enrolled) if over else None,
        pass_rate=passed,
        pass_interval=None if ended is None else wilson(*ended),
        expected_pass_rate=expected,
        attainment=mean_of(one.attainment for one in course.learners),
        average_score=mean_of(one.average_score for one in course.learners if _may_have_marks(one)),
        submission_rate=submission_rate(course),
        on_time_rate=on_time_rate(course),
        average_time_to_complete=mean(times) if len(times) >= FEWEST else None,
        enrollment=tuple(TrainerCourseWeek(week.until, week.enrolled, week.withdrawn) for week in course.weeks),
    )


def _may_have_marks(one: CourseLearner) -> bool:
    """Whether there is an average score, known or not: an attainment without one is that of nothing marked."""
    return one.average_score is not None or one.attainment is None
