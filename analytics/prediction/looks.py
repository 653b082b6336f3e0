"""One running course of a learner as the models see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.arithmetic import LONGEST, day_of
from analytics.coursework import Work, coursework
from analytics.item_days import item_days
from analytics.models.features import Due, Standing, activity
from analytics.models.risk import Usual
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import CourseProgress

WINDOW = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Look:
    """One course; `item_days` of the last 30 days is None when the activity is not known, and stands at 0 then."""

    course: CourseProgress
    day: int
    work: tuple[Work, ...]
    item_days: int | None
    standing: Standing

    @property
    def records(self) -> int:
        """The due work and the item-days that were looked at."""
        return len(self.standing.due) + (self.item_days or 0)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a learner and of what is usual in their courses; `medians` are item-days by course."""

    scores: Scores
    assessments: Assessments
    interactions: Interactions | None
    medians: Mapping[str, float]
    usual: Usual

    def of(self, course: CourseProgress, at: datetime) -> Look:
        """The course as it stands; without a median of its own the one stored with the model stands in."""
        name = course.course_id
        work = coursework(self.assessments.assessments, self.scores.scores, course=name, at=at)
        recent = self._recent(name, day_of(at))
        median = self.medians.get(name, self.usual.of(name))
        marked = sorted(
            (piece.handed_in, piece.id, piece.score)
            for piece in work
            if piece.handed_in is not None and piece.score is not None
        )
        standing = Standing(
            activity=0.0 if recent is None else activity(recent, median),
            due=[
                Due(piece.due_at.timestamp(), None if piece.handed_in is None else piece.handed_in.timestamp())
                for piece in work
                if piece.due_at is not None and piece.due(at)
            ],
            scores=[score for _, _, score in marked],
            repeats=course.previous_attempts,
            credits=course.credits,
            elapsed=(at - course.start_date) / (course.end_date - course.start_date),
        )
        return Look(course, min((at - course.start_date) // DAY, LONGEST), work, recent, standing)

    def _recent(self, course: str, today: date) -> int | None:
        """Item-days of the last 30 days."""
        if self.interactions is None:
            return None
        return len(item_days(self.interactions, course, after=today - WINDOW, until=today))
