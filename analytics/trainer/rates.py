"""Shares and means of a trainer's course: with their intervals, and only where they are about ten learners or more."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import clamp, day_of, days_from, mean, unique, weighted_mean
from analytics.declare import DataQuality, DataQualityLevel
from analytics.models.features import USUAL_CREDITS
from analytics.prediction.interventions import AT_RISK
from analytics.privacy import K
from analytics.standings.places import UNKNOWN_AT_MOST
from analytics.standings.values import CourseLearner, CourseStandings
from datasources.declare import MOST, Share

FEWEST = K
"""Below so many learners a course has counts and no rates."""
Z95 = 1.959964
ENOUGH_DAYS = 28


@dataclass(frozen=True, slots=True)
class TrainerInterval:
    """Where the true share lies with 95 % confidence, after Wilson (1927)."""

    low: Share
    """The lower end."""
    high: Share
    """The upper end."""


def wilson(successes: int, of: int) -> TrainerInterval | None:
    """The 95 % score interval of a share; it holds the share itself. None of fewer than ten."""
    if of < FEWEST:
        return None
    share, square = successes / of, Z95**2
    centre = (share + square / (2 * of)) / (1 + square / of)
    margin = Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    # At a share of 0 or 1 the end of the interval is the share itself, up to rounding.
    return TrainerInterval(clamp(centre - margin, 0.0, share), clamp(centre + margin, share, 1.0))


def rate(successes: int, of: int) -> float | None:
    """A share; None of fewer than ten."""
    return clamp(successes / of, 0.0, 1.0) if of >= FEWEST else None


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of what is known of learners; None of fewer than ten, and while more than a tenth is not known."""
    every = list(values)
    told = [value for value in every if value is not None]
    if len(told) < FEWEST or len(every) - len(told) > UNKNOWN_AT_MOST * len(every):
        return None
    return mean(told)


def outcomes(course: CourseStandings, at: datetime) -> tuple[int, int] | None:
    """How many passed, of how many whose outcome is known, those who left among them.

    None while the course runs, and while more than a tenth of the outcomes are not known.
    """
    if course.results is None or not course.over(at):
        return None
    told = course.results.passed + course.results.failed + course.withdrawn
    return (course.results.passed, told) if told >= (1 - UNKNOWN_AT_MOST) * course.enrolled else None


def retention(course: CourseStandings) -> float | None:
    """The share of all who ever enrolled that has not left."""
    return rate(course.kept, course.enrolled)


def mean_risk(course: CourseStandings) -> float | None:
    """The mean probability of not passing, 0 to 1, of those who have not left."""
    risk = mean_of(one.risk for one in course.learners)
    return None if risk is None else risk / 100


def expected_pass_rate(course: CourseStandings, at: datetime) -> float | None:
    """(kept / enrolled) x (1 - mean risk): who is expected to pass, of all who ever enrolled; None once it is over."""
    kept, risk = retention(course), mean_risk(course)
    return None if kept is None or risk is None or course.over(at) else kept * (1 - risk)


def submission_rate(course: CourseStandings) -> float | None:
    """Work handed in, of the work that was due from those present."""
    return _of_work(course, sum(one.handed_in for one in course.assessments))


def on_time_rate(course: CourseStandings) -> float | None:
    """Work handed in by its due date, of the work that was due from those present."""
    return _of_work(course, sum(one.on_time for one in course.assessments))


def _of_work(course: CourseStandings, done: int) -> float | None:
    due = sum(one.expected for one in course.assessments)
    return clamp(done / due, 0.0, 1.0) if due and len(course.learners) >= FEWEST else None


def active_share(course: CourseStandings) -> float | None:
    """The share of those present who did anything in the last 30 days."""
    return mean_of(None if one.active is None else float(one.active) for one in course.learners)


def at_risk(learners: Sequence[CourseLearner]) -> int | None:
    """How many are at a high or critical risk; None while the risk of more than a tenth is not known."""
    unknown = sum(one.risk_level is None for one in learners)
    known = unknown <= UNKNOWN_AT_MOST * len(learners)
    return sum(one.risk_level in AT_RISK for one in learners) if known else None


def begun(courses: Iterable[CourseStandings], at: datetime) -> list[CourseStandings]:
    """The courses that have started, each once, by start and id."""
    started = unique((course for course in courses if course.starts <= at), lambda course: course.course)
    return sorted(started, key=lambda course: (course.starts, course.course))


def over_courses(rates: Iterable[tuple[CourseStandings, float | None]]) -> float | None:
    """The mean over courses, each weighing its credits (60 where they are not known); unknown rates are left out."""
    return weighted_mean(
        (known, USUAL_CREDITS if course.credits is None else course.credits) for course, known in rates
    )


def over_running(rates: Iterable[tuple[CourseStandings, float | None]], at: datetime) -> float | None:
    """The mean over courses; None while a running course of ten learners or more has none, which would be missing."""
    told = list(rates)
    wanting = [rate for course, rate in told if not course.over(at) and len(course.learners) >= FEWEST]
    return None if None in wanting else over_courses(told)


def quality_of(courses: Sequence[CourseStandings], at: datetime) -> DataQuality:
    """One observation for each enrolment, since the first course began; OK from ten over four weeks."""
    enrolled = min(MOST, sum(course.enrolled for course in courses))
    covered = max((days_from(day_of(course.starts), day_of(at)) for course in courses), default=0)
    level = DataQualityLevel.OK if enrolled >= FEWEST and covered >= ENOUGH_DAYS else DataQualityLevel.LOW
    return DataQuality(enrolled, covered, level if enrolled else DataQualityLevel.NONE)
