"""Facts made by hand for tests of course metrics: days are counted from the start of the course."""

from datetime import UTC, datetime, timedelta

from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.content import Interaction, Interactions
from datasources.course import CourseProgress, Progress

COURSE = "python-2026"
START = datetime(2026, 1, 5, tzinfo=UTC)
LENGTH = 200


def on(day: float) -> datetime:
    """The instant a course day begins."""
    return START + timedelta(days=day)


def taking(
    course: str = COURSE,
    *,
    enrolled: float = -10,
    left: float | None = None,
    credits_: float = 60,
    attempts: int = 0,
) -> CourseProgress:
    """One learner in one course of 200 days."""
    return CourseProgress(
        course_id=course,
        title=course.title(),
        start_date=START,
        end_date=on(LENGTH),
        enrolled_at=on(enrolled),
        modules=(),
        left_at=None if left is None else on(left),
        credits=credits_,
        previous_attempts=attempts,
    )


def takes(*courses: CourseProgress) -> Progress:
    return Progress(courses)


def task(name: str, due: float | None, *, weight: float = 10, counts: bool = True, course: str = COURSE) -> Assessment:
    return Assessment(name, course, name, "TMA", weight, counts, None if due is None else on(due))


def tasks(*made: Assessment) -> Assessments:
    return Assessments(made)


def done(name: str, day: float, score: float | None, *, banked: bool = False, course: str = COURSE) -> ScoreRecord:
    return ScoreRecord(name, course, on(day), score, banked=banked)


def handed_in(*made: ScoreRecord) -> Scores:
    return Scores(made)


def opened(
    item: str, *days: int, course: str = COURSE, actions: int = 1, kind: str = "page"
) -> tuple[Interaction, ...]:
    """One item, opened on these days."""
    return tuple(Interaction(item, course, kind, on(day).date(), actions) for day in days)


def log(*made: tuple[Interaction, ...]) -> Interactions:
    return Interactions(tuple(interaction for part in made for interaction in part))
