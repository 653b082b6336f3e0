"""The course service: who takes what, how far they are, and on which days they worked."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the facts' annotations are read at run time
from dataclasses import dataclass, field
from enum import StrEnum

from datasources.declare import About, Count, Endpoint, Id, Instant, Service, Text, Weight


class EnrollmentStatus(StrEnum):
    """Where an enrolment stands."""

    ACTIVE = "active"
    """The learner takes the course, or stayed to its end."""
    COMPLETED = "completed"
    """The learner is done with the course."""
    WITHDRAWN = "withdrawn"
    """The learner left before the end."""


class Result(StrEnum):
    """How a course ended for a learner."""

    DISTINCTION = "distinction"
    """Passed, and well."""
    PASSED = "passed"
    """Passed."""
    FAILED = "failed"
    """Not passed."""


@dataclass(frozen=True, slots=True)
class Module:
    """One piece of assigned work; `weight` is its share of the course in any unit."""

    id: Id
    title: Text
    weight: Weight = 1.0
    due_at: Instant | None = None
    completed_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """One learner in one course: the plan, and what is done of it."""

    course_id: Id
    title: Text
    start_date: Instant
    end_date: Instant
    enrolled_at: Instant
    modules: tuple[Module, ...]
    left_at: Instant | None = None
    credits: Weight = 60.0
    previous_attempts: Count = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Every course a learner is or was enrolled in."""

    courses: tuple[CourseProgress, ...]


@dataclass(frozen=True, slots=True)
class ActionsByType:
    """What the actions of a day were for."""

    content: Count = 0
    forum: Count = 0
    quiz: Count = 0
    other: Count = 0


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """One day on which a learner did something."""

    date: dt.date
    actions: Count
    by_type: ActionsByType = field(default_factory=ActionsByType)


@dataclass(frozen=True, slots=True)
class Activity:
    """The days on which a learner did something, over all courses; a day without actions is not listed."""

    days: tuple[ActiveDay, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """One run of a course."""

    id: Id
    title: Text
    start_date: Instant
    end_date: Instant
    trainer_ids: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class Courses:
    """The courses a learner is or was enrolled in."""

    courses: tuple[Course, ...]


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One person in one course; `result` is None while, or where, it is not known."""

    user_id: Id
    enrolled_at: Instant
    status: EnrollmentStatus
    left_at: Instant | None = None
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Enrollments:
    """Everyone who is or was enrolled in a course, of any organization."""

    enrollments: tuple[Enrollment, ...]


@dataclass(frozen=True, slots=True)
class Teaching:
    """The courses a trainer runs."""

    courses: tuple[Course, ...]


SERVICE = Service(
    "course",
    (
        Endpoint(Progress, "/api/v1/progress/{id}"),
        Endpoint(Activity, "/api/v1/activity/{id}"),
        Endpoint(Courses, "/api/v1/courses/{id}"),
        Endpoint(Enrollments, "/api/v1/courses/{id}/enrollments", About.COURSE, at_most=20),
        Endpoint(Teaching, "/api/v1/trainers/{id}/courses"),
    ),
)
