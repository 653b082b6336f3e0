"""Courses made by hand for tests of a trainer's metrics: one row for each learner, days counted from the start."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from analytics.declare import DataQuality, DataQualityLevel
from analytics.learner.attainment import band_of
from analytics.learner.participation import level_of
from analytics.prediction.risk import risk_level
from analytics.standings.values import CourseAssessment, CourseIntake, CourseLearner, CourseResults, CourseStandings
from tests.analytics.made import COURSE, LENGTH, START, on

NOW = on(100)
OVER = on(LENGTH)
QUALITY = DataQuality(12, 100, DataQualityLevel.OK)
UNKNOWN = CourseLearner(
    learner="nobody",
    risk=None,
    risk_level=None,
    engagement=None,
    engagement_level=None,
    active=None,
    pace=None,
    pace_status=None,
    progress=None,
    days_to_complete=None,
    attainment=None,
    average_score=None,
    band=None,
    submitted=None,
    mastery=None,
    previous_attempts=None,
)
TEN_RISKS = (10, 10, 20, 20, 30, 30, 40, 40, 50, 80)


def learner(name: str, risk: float | None = None, **known: Any) -> CourseLearner:
    """One learner; the bands are those of the numbers."""
    row = replace(UNKNOWN, learner=name, risk=risk, risk_level=None if risk is None else risk_level(risk), **known)
    engaged = None if row.engagement is None else level_of(row.engagement)
    return replace(row, band=band_of(row.attainment), engagement_level=engaged)


def at_risks(risks: Iterable[float | None], **known: Any) -> tuple[CourseLearner, ...]:
    """One learner for each of these risks, all else the same."""
    return tuple(learner(f"learner-{number:02d}", risk, **known) for number, risk in enumerate(risks))


def assessment(name: str, day: float, expected: int, handed_in: int, on_time: int = 0) -> CourseAssessment:
    """One assessment that was due on a day."""
    return CourseAssessment(name, name, on(day), expected, handed_in, on_time)


def course(
    learners: Sequence[CourseLearner] = (),
    withdrawn: int = 0,
    *,
    name: str = COURSE,
    results: tuple[int, int] | None = None,
    **known: Any,
) -> CourseStandings:
    """A course of 200 days; with results it is told as it is once it is over."""
    made = CourseStandings(
        course=name,
        title=name.title(),
        starts=START,
        ends=on(LENGTH),
        active=0 if results else len(learners),
        completed=len(learners) if results else 0,
        withdrawn=withdrawn,
        results=None if results is None else CourseResults(*results),
        credits=None,
        learners=tuple(learners),
        assessments=(),
        weeks=(),
        weekdays=(),
        feedback_days=None,
        marked=0,
        quality=QUALITY,
    )
    return replace(made, **known)


def intake(
    observed: float, expected: float, *, name: str = COURSE, learners: int = 100, error: float = 0.05, **known: Any
) -> CourseIntake:
    """A finished course beside its intake."""
    return replace(
        CourseIntake(name, name.title(), START, on(LENGTH), learners, observed, expected, error, QUALITY), **known
    )
