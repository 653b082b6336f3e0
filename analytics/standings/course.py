"""Where one course stands: its roll, its learners, its due work and its rhythm."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from analytics.arithmetic import LONGEST, clamp, day_of, quality, quantile, unique
from analytics.coursework import Work
from analytics.declare import Everyone, Family, Role, Scope, metric
from analytics.learner.attainment import CoursePerformance, Performance
from analytics.learner.knowledge import Mastery
from analytics.learner.pace import PaceStatus
from analytics.learner.participation import Engagement
from analytics.learner.velocities import CourseVelocity, LearningVelocity
from analytics.prediction.values import CourseRisk, DropOffRisk
from analytics.rolls import Place, Roll
from analytics.standings.places import Stay, completed, gone, places_at, results_of, stay_of, weeks_of
from analytics.standings.values import CourseLearner, CourseStandings, Weekday, WeekdayActivity
from analytics.standings.work import assessments_of, feedback, work_of_each
from datasources.assessment import Assessments, Scores
from datasources.course import Activity, Progress
from datasources.declare import MOST

T = TypeVar("T")
C = TypeVar("C", CourseRisk, CourseVelocity, CoursePerformance)

DAY = timedelta(days=1)
ACTIVE_DAYS = 30
"""Days within which an action makes a learner active."""
RHYTHM_DAYS = 28
"""Days that the activity by weekday looks back: each day of the week four times."""


class _Said(NamedTuple):
    """What is said of the learners of a course, by learner."""

    progress: Mapping[str, Progress]
    risks: Mapping[str, DropOffRisk]
    engagements: Mapping[str, Engagement]
    velocities: Mapping[str, LearningVelocity]
    performances: Mapping[str, Performance]
    masteries: Mapping[str, Mastery]
    work: Mapping[str, tuple[Work, ...]]


@metric(
    Scope.COURSE,
    key="course-standings",
    family=Family.INTERNAL,
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="active + completed + withdrawn = enrolled; one row for each learner present; of each assessment due, "
    "who handed it in",
)
def course_standings(  # noqa: PLR0913, PLR0917 - one parameter for each fact it stands on
    roll: Roll,
    progress: Everyone[Progress] | None,
    activity: Everyone[Activity] | None,
    assessments: Everyone[Assessments] | None,
    scores: Everyone[Scores] | None,
    risks: Everyone[DropOffRisk] | None,
    engagements: Everyone[Engagement] | None,
    velocities: Everyone[LearningVelocity] | None,
    performances: Everyone[Performance] | None,
    masteries: Everyone[Mastery] | None,
    *,
    at: datetime,
) -> CourseStandings:
    """Where a course stands: who is in it, how each of them does, what was due, and when they work.

    Only the roll is needed. What else is not known is null in the rows of the learners, and everything
    that is said with it is left unsaid. Results count once the course is over.
    """
    places = places_at(roll, at)
    present = [place for place in places if not gone(place)]
    ids = [place.learner for place in present]
    set_for, done = _of(assessments), _of(scores)
    work = work_of_each(roll.course, ids, set_for, done, at)
    said = _Said(_of(progress), _of(risks), _of(engagements), _of(velocities), _of(performances), _of(masteries), work)
    stays = {
        one: stay
        for one in ids
        if one in said.progress and (stay := stay_of(roll.course, said.progress[one], at)) is not None
    }
    wait, marked = feedback(roll.course, (done[one] for one in ids if one in done), at)
    stayed = sum(completed(place) for place in present)
    return CourseStandings(
        course=roll.course,
        title=roll.title,
        starts=roll.starts_at,
        ends=roll.ends_at,
        active=len(present) - stayed,
        completed=stayed,
        withdrawn=len(places) - len(present),
        results=results_of(places) if roll.ends_at <= at else None,
        credits=quantile([stay.credits for stay in stays.values()], 0.5),
        learners=tuple(_learner(roll, place, said, stays.get(place.learner)) for place in present),
        assessments=assessments_of(roll.course, work, set_for, at),
        weeks=weeks_of(roll, places, at),
        weekdays=() if activity is None else _weekdays((_of(activity)[one] for one in ids if one in _of(activity)), at),
        feedback_days=wait,
        marked=marked,
        quality=quality([day_of(place.enrolled_at) for place in places], enough=10, span=1),
    )


def _of(everyone: Everyone[T] | None) -> Mapping[str, T]:
    return {} if everyone is None else everyone.by_learner


def _learner(roll: Roll, place: Place, said: _Said, stay: Stay | None) -> CourseLearner:
    course, learner = roll.course, place.learner
    risk = _in(course, said.risks[learner].by_course) if learner in said.risks else None
    pace = _in(course, said.velocities[learner].by_course) if learner in said.velocities else None
    performance = _in(course, said.performances[learner].by_course) if learner in said.performances else None
    engagement = said.engagements.get(learner)
    mastery = said.masteries.get(learner)
    work = said.work.get(learner)
    return CourseLearner(
        learner=learner,
        risk=None if risk is None else risk.risk_score,
        risk_level=None if risk is None else risk.risk_level,
        engagement=None if engagement is None else engagement.overall_score,
        engagement_level=None if engagement is None else engagement.level,
        active=None if engagement is None else _active(engagement),
        pace=None if pace is None else pace.pace_ratio,
        pace_status=None if pace is None else pace.status,
        progress=None if pace is None else pace.progress,
        days_to_complete=None if pace is None else _days_to_complete(roll, place, pace),
        attainment=None if performance is None else performance.attainment,
        average_score=None if performance is None else performance.average_score,
        band=None if performance is None else performance.band,
        submitted=None if work is None else sum(one.handed_in is not None and not one.banked for one in work),
        mastery=None if mastery is None else mastery.mastery_progress,
        previous_attempts=None if stay is None else stay.previous_attempts,
    )


def _in(course: str, rows: Iterable[C]) -> C | None:
    """The row of this course."""
    return next((row for row in rows if row.course_id == course), None)


def _active(engagement: Engagement) -> bool:
    since = engagement.days_since_last_activity
    return since is not None and since < ACTIVE_DAYS


def _days_to_complete(roll: Roll, place: Place, pace: CourseVelocity) -> float | None:
    """Days from the start, or from a later enrolment, to the last piece of work; None until all is done."""
    if pace.status is not PaceStatus.COMPLETED or pace.estimated_completion is None:
        return None
    began = max(roll.starts_at, place.enrolled_at)
    return clamp((pace.estimated_completion - began) / DAY, 0.0, float(LONGEST))


def _weekdays(facts: Iterable[Activity], at: datetime) -> tuple[WeekdayActivity, ...]:
    """Active days of the last four weeks by the day of the week, all seven."""
    today = day_of(at)
    days = Counter(
        day.date.weekday()
        for fact in facts
        for day in unique(fact.days, lambda day: day.date)
        if day.actions > 0 and 0 <= (today - day.date).days < RHYTHM_DAYS
    )
    return tuple(WeekdayActivity(weekday, min(MOST, days[place])) for place, weekday in enumerate(Weekday))
