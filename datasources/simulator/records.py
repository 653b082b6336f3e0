"""What a campus shows on its as-of date, indexed once so that any payload is quick.

One rule hides the future: day `d` of a course is known from its start, so what carries day `d` is seen
when `campus.instant(course, d) <= campus.as_of`. A submission is therefore stamped with the start of
its day, and nothing that is shown is ever dated after `as_of`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from datasources.simulator.campus import (
        Campus,
        CourseRun,
        LearningPath,
        Organization,
        Person,
        Practice,
        Registration,
        Session,
        Task,
    )

Key = TypeVar("Key")
Thing = TypeVar("Thing")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Handed:
    """One visible submission: the task, the course it belongs to, when, and what it scored of 100."""

    task: Task
    course: CourseRun
    at: datetime
    score: float | None
    banked: bool


@dataclass(frozen=True, slots=True)
class Records:
    """The visible campus by whose record it is; ids that are not there are unknown to every service."""

    campus: Campus
    people: Mapping[str, Person]
    organizations: Mapping[str, Organization]
    courses: Mapping[str, CourseRun]
    tasks: Mapping[str, Mapping[str, Task]]
    members: Mapping[str, tuple[Person, ...]]
    taught: Mapping[str, tuple[CourseRun, ...]]
    of_person: Mapping[str, tuple[Registration, ...]]
    of_course: Mapping[str, tuple[Registration, ...]]
    practice: Mapping[str, tuple[Practice, ...]]
    sessions: Mapping[str, tuple[Session, ...]]
    paths: Mapping[str, tuple[LearningPath, ...]]
    items: Mapping[str, tuple[CourseRun, int]]
    skill_names: Mapping[str, str]

    def last_day(self, course: CourseRun) -> int:
        """The last course day that has begun by `as_of`; negative before the start."""
        return (self.campus.as_of - course.start) // DAY

    def shown(self, at: datetime | None) -> datetime | None:
        """An instant, or None while it lies in the future."""
        return at if at is not None and at <= self.campus.as_of else None

    def left_at(self, registration: Registration) -> datetime | None:
        """When a learner left a course, or None while that is not known."""
        if registration.left_day is None:
            return None
        return self.shown(self.campus.instant(self.courses[registration.course], registration.left_day))

    def result(self, registration: Registration) -> str | None:
        """How a course ended for a learner, or None while it runs and for who left it."""
        course = self.courses[registration.course]
        ended = self.last_day(course) >= course.length_days
        return registration.result if ended and not self.left_at(registration) else None

    def clicks(self, registration: Registration) -> tuple[tuple[int, int, int], ...]:
        """The visible clicks of one registration, in day order."""
        end = bisect_right(registration.clicks, self.last_day(self.courses[registration.course]), key=_day_of)
        return registration.clicks[:end]

    def handed(self, registration: Registration) -> list[Handed]:
        """The visible submissions of one registration, oldest first, ties by task id."""
        course = self.courses[registration.course]
        tasks, last = self.tasks[course.id], self.last_day(course)
        return [
            Handed(tasks[one.task], course, self.campus.instant(course, one.day), one.score, one.banked)
            for one in sorted(registration.submissions, key=lambda one: (one.day, one.task))
            if one.day <= last
        ]


def records_of(campus: Campus) -> Records:
    """Index a campus. Registrations that begin after `as_of` are left out."""
    courses = {course.id: course for course in campus.courses}
    known = sorted(
        (one for one in campus.registrations if campus.instant(courses[one.course], one.enrolled_day) <= campus.as_of),
        key=lambda one: (courses[one.course].start, one.course, one.person),
    )
    return Records(
        campus=campus,
        people={person.id: person for person in campus.people},
        organizations={organization.id: organization for organization in campus.organizations},
        courses=courses,
        tasks={course.id: {task.id: task for task in course.tasks} for course in campus.courses},
        members=_grouped((person.organization, person) for person in campus.people),
        taught=_grouped((trainer, course) for course in campus.courses for trainer in course.trainers),
        of_person=_grouped((one.person, one) for one in known),
        of_course=_grouped((one.course, one) for one in known),
        practice=_grouped(
            (one.person, one) for one in sorted(campus.practice, key=lambda one: (one.started, one.exercise))
        ),
        sessions=_grouped((one.person, one) for one in sorted(campus.sessions, key=lambda one: one.began)),
        paths=_grouped((person, path) for path in campus.paths for person in path.people),
        items={item.id: (course, place) for course in campus.courses for place, item in enumerate(course.items)},
        skill_names={skill.id: skill.name for skill in campus.skills},
    )


def _day_of(click: tuple[int, int, int]) -> int:
    return click[1]


def _grouped(pairs: Iterable[tuple[Key, Thing]]) -> dict[Key, tuple[Thing, ...]]:
    groups: defaultdict[Key, list[Thing]] = defaultdict(list)
    for key, thing in pairs:
        groups[key].append(thing)
    return {key: tuple(things) for key, things in groups.items()}
