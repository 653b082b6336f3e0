"""Who is in a course, has completed it or has left it, as it was known at one instant."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from analytics.arithmetic import day_of, unique
from analytics.rolls import Place, Roll
from analytics.standings.values import CourseResults, CourseWeek
from datasources.course import EnrollmentStatus, Progress, Result

WEEK = timedelta(days=7)
MOST_WEEKS = 53
UNKNOWN_AT_MOST = 0.1
"""The share of outcomes that may be missing, and what is said of the rest still stand for all."""


def places_at(roll: Roll, at: datetime) -> list[Place]:
    """Everyone enrolled by then, each once, by id; whoever leaves later has not left yet."""
    begun = (_as_known(place, at) for place in roll.places if place.enrolled_at <= at)
    return sorted(unique(begun, lambda place: place.learner), key=lambda place: place.learner)


def _as_known(place: Place, at: datetime) -> Place:
    """A place as it stood: who leaves later takes the course now."""
    if place.left_at is None or place.left_at <= at:
        return place
    status = EnrollmentStatus.ACTIVE if place.status is EnrollmentStatus.WITHDRAWN else place.status
    return replace(place, left_at=None, status=status)


def gone(place: Place) -> bool:
    """Whether somebody has left: on a day that is known, or on one that the service does not tell."""
    return place.left_at is not None or place.status is EnrollmentStatus.WITHDRAWN


def completed(place: Place) -> bool:
    """Whether somebody is done with the course, as the service says."""
    return not gone(place) and place.status is EnrollmentStatus.COMPLETED


def passed(place: Place) -> bool | None:
    """Whether somebody passed a course that is over; who left did not; None while it is not known."""
    if gone(place):
        return False
    return None if place.result is None else place.result is not Result.FAILED


def results_of(places: Sequence[Place]) -> CourseResults:
    """How a course that is over ended for those who stayed."""
    stayed = [passed(place) for place in places if not gone(place)]
    return CourseResults(passed=stayed.count(True), failed=stayed.count(False))


def weeks_of(roll: Roll, places: Sequence[Place], at: datetime) -> tuple[CourseWeek, ...]:
    """The roll on the day the course starts, at the end of each of its weeks, and now or at its end."""
    last = min(at, roll.ends_at)
    weeks = max(0, (last - roll.starts_at) // WEEK)
    ends = [roll.starts_at + WEEK * week for week in range(max(0, weeks - MOST_WEEKS + 2), weeks + 1)]
    by_day = {day_of(end): end for end in (*(end for end in ends if end <= last), last)}
    return tuple(_week(places, end) for end in by_day.values())


def _week(places: Sequence[Place], end: datetime) -> CourseWeek:
    by_then = [place for place in places if place.enrolled_at <= end]
    return CourseWeek(
        until=day_of(end),
        enrolled=len(by_then),
        withdrawn=sum(place.left_at is not None and place.left_at <= end for place in by_then),
    )


class Stay(NamedTuple):
    """What the course service says of a learner's place in a course beyond the roll."""

    previous_attempts: int
    credits: float


def stay_of(course: str, progress: Progress, at: datetime) -> Stay | None:
    """A learner's place in a course, left or not; None without one."""
    places = (one for one in progress.courses if one.course_id == course and one.enrolled_at <= at)
    return min((Stay(one.previous_attempts, one.credits) for one in places), default=None)
