"""Learner performance (definition 5): what a learner's work has scored, and what of the due work it covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from analytics.arithmetic import day_of, quality
from analytics.coursework import Work
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.counted import CountedCourse, Marked, courses_of
from analytics.learner.courses import enrolled, in_question, mean_over
from analytics.learner.marks import handed_in
from analytics.learner.scoring import ScoreTrend, attainment, consistency, share, trend_of
from analytics.learner.strengths import SkillScore, skill_scores, strong, weak
from datasources.assessment import Assessments, Scores
from datasources.course import Progress
from datasources.declare import Count, Id, Score, Share, Text

FAIL_BELOW, DISTINCTION_FROM = 40, 85
RECENT = 5


class PerformanceBand(StrEnum):
    """The band of an attainment."""

    FAIL = "fail"
    """Below 40."""
    PASS = "pass"  # noqa: S105 - a result, not a password
    """40 to 85."""
    DISTINCTION = "distinction"
    """85 and above."""


@dataclass(frozen=True, slots=True)
class AssessmentScore:
    """One marked assessment."""

    assessment_id: Id
    """The assessment."""
    course_id: Id
    """Its course."""
    title: Text
    """Its title."""
    score: Score
    """The best attempt by the due date, else the first."""
    submitted_at: datetime
    """When it was first handed in."""
    on_time: bool
    """Whether that was by the due date."""
    passed: bool
    """Whether the score reaches the assessment's own threshold."""


@dataclass(frozen=True, slots=True)
class CoursePerformance:
    """The work in one course."""

    course_id: Id
    """The course."""
    attainment: Score | None
    """The weighted mean over all due or handed in work, missing work as 0; null before any."""
    average_score: Score | None
    """The weighted mean over the marked work."""
    submission_rate: Share | None
    """Handed in, of the work that is due; null while none is."""
    on_time_rate: Share | None
    """Handed in by the due date, of the work that is due; null while none is."""
    pass_rate: Share | None
    """Marked work that reaches its threshold."""
    consistency: Score | None
    """100 when all scores are equal, 0 at a standard deviation of 50 points; null under two scores."""
    band: PerformanceBand | None
    """The band of the attainment."""
    trend: ScoreTrend
    """Which way the scores go."""
    submitted: Count
    """Counted assessments handed in."""
    due: Count
    """Counted assessments that are due."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What a learner's counted work has scored, in the courses that run now."""

    overall_score: Score | None
    """The attainment: the weighted mean over all due or handed in work, missing work as 0."""
    average_score: Score | None
    """The weighted mean over the marked work alone; null before any."""
    submission_rate: Share | None
    """Handed in, of the work that is due; null while none is."""
    on_time_rate: Share | None
    """Handed in by the due date, of the work that is due; null while none is."""
    pass_rate: Share | None
    """Marked work that reaches its threshold."""
    consistency: Score | None
    """100 when all scores are equal, 0 at a standard deviation of 50 points; null under two scores."""
    band: PerformanceBand | None
    """The band of the overall score."""
    trend: ScoreTrend
    """Which way the scores go, each against the mean of its course."""
    personal_best: Score | None
    """The highest counted score in these courses."""
    by_course: tuple[CoursePerformance, ...]
    """Every course with counted work that the learner has not left, by id."""
    recent: tuple[AssessmentScore, ...]
    """The last five marked assessments of these courses, newest first."""
    strengths: tuple[SkillScore, ...]
    """Skills in which the marked work of these courses has a mean of 85 or more, the best first, three at most."""
    areas_for_improvement: tuple[SkillScore, ...]
    """Skills in which it has a mean below 60, the lowest first, three at most."""
    quality: DataQuality
    """The assessments due or handed in, and the days between the first and the last of them."""


def band_of(attained: float | None) -> PerformanceBand | None:
    """The band of an attainment as it is shown, rounded to one decimal."""
    if attained is None:
        return None
    shown = round(attained, 1)
    if shown < FAIL_BELOW:
        return PerformanceBand.FAIL
    return PerformanceBand.PASS if shown < DISTINCTION_FROM else PerformanceBand.DISTINCTION


def course_performance(course: CountedCourse, at: datetime) -> CoursePerformance:
    """The numbers of one course."""
    scores = [each.score for each in course.marked]
    attained = attainment(course.work)
    due = [each for each in course.work if each.due(at)]
    return CoursePerformance(
        course_id=course.id,
        attainment=attained,
        average_score=course.average,
        submission_rate=share(each.handed_in is not None for each in due),
        on_time_rate=share(each.handed_in is not None and not each.late for each in due),
        pass_rate=share(each.score >= each.assessment.threshold for each in course.marked),
        consistency=consistency(scores),
        band=band_of(attained),
        trend=trend_of(scores),
        submitted=sum(each.handed_in is not None for each in course.work),
        due=len(due),
    )


def overall_trend(courses: Iterable[CountedCourse]) -> ScoreTrend:
    """The trend over several courses, of each score against the average of its course."""
    relative = [
        (each.handed_in, course.id, each.assessment.id, each.score - (course.average or 0.0))
        for course in courses
        for each in course.marked
    ]
    return trend_of([difference for *_, difference in sorted(relative)])


def shown(marked: Marked) -> AssessmentScore:
    """One marked assessment as it is shown."""
    return AssessmentScore(
        assessment_id=marked.assessment.id,
        course_id=marked.assessment.course_id,
        title=marked.assessment.title,
        score=marked.score,
        submitted_at=marked.handed_in,
        on_time=marked.on_time,
        passed=marked.score >= marked.assessment.threshold,
    )


def used_day(work: Work) -> date | None:
    """The day a piece of work was handed in, else was due."""
    event = work.handed_in or work.due_at
    return None if event is None else day_of(event)


@metric(
    Scope.LEARNER,
    key="learner-performance",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula=(
        "overallScore = sum w s / sum w over the work due or handed in, missing = 0; "
        "averageScore = the same over the marked work"
    ),
    evidence=(
        "OULAD, in six cases: a fitted line is off by 14.6 to 19.4 points, the plain average by 10.2 to 15.9 and by "
        "less in each, so no line is drawn"
    ),
    version=2,
    score=lambda value: value.overall_score,
    level=lambda value: None if value.band is None else value.band.name,
)
def performance(
    scores: Scores, assessments: Assessments, progress: Progress | None, *, at: datetime
) -> Performance | Withheld:
    """What a learner's work has scored, with missing work (overall) and without it (average).

    About the courses that run now (else the last that ended), as means weighted by credits; without the course
    service about all courses alike. Banked and formative work is left out. The overall score is never above the
    average. Quality is OK from 3 assessments over 21 days or more.
    """
    courses = courses_of(assessments, scores, at)
    asked, credit = courses, dict.fromkeys((course.id for course in courses), 1.0)
    if progress is not None:
        taken = enrolled(progress, at)
        credit = {course.course_id: course.credits for course in taken}
        courses = [course for course in courses if course.id in credit]
        running = {course.course_id for course in in_question(taken, at)}
        asked = [course for course in courses if course.id in running]
    if not courses:
        message = "No work that counts is due or handed in, in any course that is not left."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1)
    by_course = {course.id: course_performance(course, at) for course in courses}
    weighed = [(by_course[course.id], credit[course.id]) for course in asked]
    marked = sorted(
        (each for course in asked for each in course.marked),
        key=lambda each: (each.handed_in, each.assessment.course_id, each.assessment.id),
    )
    skills = skill_scores(asked, handed_in(scores.scores, at))
    attained = mean_over(weighed, lambda course: course.attainment)
    return Performance(
        overall_score=attained,
        average_score=mean_over(weighed, lambda course: course.average_score),
        submission_rate=mean_over(weighed, lambda course: course.submission_rate),
        on_time_rate=mean_over(weighed, lambda course: course.on_time_rate),
        pass_rate=mean_over(weighed, lambda course: course.pass_rate),
        consistency=mean_over(weighed, lambda course: course.consistency),
        band=band_of(attained),
        trend=overall_trend(asked),
        personal_best=max((each.score for each in marked), default=None),
        by_course=tuple(by_course.values()),
        recent=tuple(shown(each) for each in reversed(marked[-RECENT:])),
        strengths=strong(skills),
        areas_for_improvement=weak(skills),
        quality=quality([used_day(each) for course in asked for each in course.work], enough=3, span=21),
    )
