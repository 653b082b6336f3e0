"""Which of a learner's courses an answer is about, and how the courses are weighed.

An answer is about the courses that run now. Between two courses it is about the last one that ended,
before the first course about the one that starts next: a dashboard then keeps its numbers and says
where they stand, instead of going blank on the day a course ends.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from analytics.arithmetic import known, unique, weighted_mean
from datasources.course import CourseProgress, Progress

T = TypeVar("T")


def enrolled(progress: Progress, at: datetime) -> list[CourseProgress]:
    """The courses a learner is enrolled in at `at`, each once, by id; courses they left are not among them."""
    begun = (
        replace(course, left_at=known(course.left_at, at)) for course in progress.courses if course.enrolled_at <= at
    )
    once = unique(begun, lambda course: course.course_id)
    return sorted((course for course in once if course.left_at is None), key=lambda course: course.course_id)


def runs(course: CourseProgress, at: datetime) -> bool:
    """Whether a course has started and not ended."""
    return course.start_date <= at < course.end_date


def in_question(courses: Iterable[CourseProgress], at: datetime) -> list[CourseProgress]:
    """Those of the courses that an answer is about: the running ones, else the last ended, else the next to start."""
    courses = list(courses)
    if running := [course for course in courses if runs(course, at)]:
        return running
    if ended := [course for course in courses if course.end_date <= at]:
        return [max(ended, key=lambda course: (course.end_date, course.course_id))]
    return [min(courses, key=lambda course: (course.start_date, course.course_id))] if courses else []


def mean_over(answers: Iterable[tuple[T, float]], number: Callable[[T], float | None]) -> float | None:
    """The mean of one number over courses, each an answer with the credits it weighs; unknown ones are left out."""
    return weighted_mean((number(answer), credit) for answer, credit in answers)
