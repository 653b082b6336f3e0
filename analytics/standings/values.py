"""What is known of one course, as the metrics of trainers and organizations read it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.declare import DataQuality, Ratio
from analytics.learner.attainment import PerformanceBand
from analytics.learner.pace import PaceStatus
from analytics.learner.participation import EngagementLevel
from analytics.prediction.interventions import RiskLevel
from datasources.declare import MOST, Count, Id, Score, Share, Text, Unit, Weight

Elapsed = Annotated[float, Ge(0), Le(100_000), Unit("days", digits=1)]


class Weekday(StrEnum):
    """A day of the week, in UTC."""

    MONDAY = "monday"
    """Monday."""
    TUESDAY = "tuesday"
    """Tuesday."""
    WEDNESDAY = "wednesday"
    """Wednesday."""
    THURSDAY = "thursday"
    """Thursday."""
    FRIDAY = "friday"
    """Friday."""
    SATURDAY = "saturday"
    """Saturday."""
    SUNDAY = "sunday"
    """Sunday."""


@dataclass(frozen=True, slots=True)
class CourseLearner:
    """One learner who is in a course, and what is known of them; null is what is not known."""

    learner: Id
    """The learner."""
    risk: Score | None
    """The risk of not passing this course; null unless it runs."""
    risk_level: RiskLevel | None
    """Its band."""
    engagement: Score | None
    """The engagement, over all courses of the learner."""
    engagement_level: EngagementLevel | None
    """Its band."""
    active: bool | None
    """Whether the learner did anything in the last 30 days, in any course."""
    pace: Ratio | None
    """Work done over work due in this course."""
    pace_status: PaceStatus | None
    """Where the learner stands against the plan of this course."""
    progress: Share | None
    """Work done over all work of this course."""
    days_to_complete: Elapsed | None
    """From start or later enrolment to the last piece of work; null until all work is done."""
    attainment: Score | None
    """The mean over the work due or handed in here, missing work as 0."""
    average_score: Score | None
    """The mean over the marked work here."""
    band: PerformanceBand | None
    """The band of the attainment."""
    submitted: Count | None
    """Counted work handed in here; work carried over is not in it."""
    mastery: Score | None
    """The mastery of the skills required of the learner, over all courses."""
    previous_attempts: Count | None
    """How often the learner took the course before."""


@dataclass(frozen=True, slots=True)
class CourseAssessment:
    """One counted assessment of a course that is due, and how many of those present handed it in."""

    assessment: Id
    """The assessment."""
    title: Text
    """Its title."""
    due: datetime
    """When it was due; the first date, where dates differ."""
    expected: Count
    """The learners it was due from."""
    handed_in: Count
    """Those of them who handed it in."""
    on_time: Count
    """Those of them who did so by the due date."""


@dataclass(frozen=True, slots=True)
class CourseWeek:
    """The roll of a course at the end of one week."""

    until: date
    """The day the numbers are of."""
    enrolled: Count
    """Everyone enrolled by then, also those who have left since."""
    withdrawn: Count
    """Those of them who had left by then."""


@dataclass(frozen=True, slots=True)
class WeekdayActivity:
    """One day of the week, over the last four weeks."""

    weekday: Weekday
    """The day of the week."""
    active_days: Count
    """Days with any action, in any course, summed over the learners present."""


@dataclass(frozen=True, slots=True)
class CourseResults:
    """How a course ended for those who stayed, as far as it is known."""

    passed: Count
    """Passed, with distinction or without."""
    failed: Count
    """Failed."""


@dataclass(frozen=True, slots=True)
class CourseStandings:
    """Where one course stands, within one organization."""

    course: Id
    """The course."""
    title: Text
    """Its title."""
    starts: datetime
    """When it starts."""
    ends: datetime
    """When it ends."""
    active: Count
    """Learners who are in it and have not completed it."""
    completed: Count
    """Learners who are done with it, as the course service says."""
    withdrawn: Count
    """Learners who left it."""
    results: CourseResults | None
    """How it ended; null while it runs."""
    credits: Weight | None
    """The median of its learners' credits; null while none are known."""
    learners: tuple[CourseLearner, ...]
    """Everyone who is active or has completed, by id."""
    assessments: tuple[CourseAssessment, ...]
    """The counted assessments that were due by now, by due date."""
    weeks: tuple[CourseWeek, ...]
    """The roll from the start, week by week, at most the last 53."""
    weekdays: tuple[WeekdayActivity, ...]
    """When its learners are active; empty when that is not known."""
    feedback_days: Elapsed | None
    """The median wait from handing in to the mark; null when the service does not tell."""
    marked: Count
    """How many marks that stands on."""
    quality: DataQuality
    """One observation for each enrolment."""

    @property
    def kept(self) -> int:
        """Everyone who has not left."""
        return min(MOST, self.active + self.completed)

    @property
    def enrolled(self) -> int:
        """Everyone who is or was enrolled."""
        return min(MOST, self.active + self.completed + self.withdrawn)

    def over(self, at: datetime) -> bool:
        """Whether the course has ended."""
        return self.ends <= at


@dataclass(frozen=True, slots=True)
class CourseIntake:
    """A finished course: how many passed, and how many its intake let expect."""

    course: Id
    """The course."""
    title: Text
    """Its title."""
    starts: datetime
    """When it started."""
    ends: datetime
    """When it ended."""
    learners: Count
    """Everyone whose result is known, those who left among them."""
    observed: Annotated[float, Ge(0), Le(1), Unit("share of 1", digits=9)]
    """The share of them that passed."""
    expected: Annotated[float, Ge(0), Le(1), Unit("share of 1", digits=9)]
    """The mean probability of passing, from prior education, earlier attempts and credits alone."""
    error: Annotated[float, Ge(0), Le(1), Unit("share of 1", digits=9)]
    """The standard error of the share, if each passes with the probability expected of them."""
    quality: DataQuality
    """One observation for each of these learners."""
