"""The accounts of an imported campus: OULAD's anonymous students, and the synthetic staff of their regions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from datasources.simulator.campus import Person
from datasources.simulator.oulad_files import slug

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from datasources.simulator.campus import Registration, Task
    from datasources.simulator.oulad_tables import Course, Enrolment, Tables

TIME_ZONE = "Europe/London"
"""Where all regions of OULAD are."""

PASS = 40.0
"""The score from which OULAD calls work passed."""


def oulad_id(kind: str, name: str) -> str:
    """The id of a `student`, `region`, `team` or `admin`: the same in every import."""
    return str(uuid5(NAMESPACE_URL, f"oulad:{kind}:{name}"))


def learners(
    tables: Tables, registrations: Iterable[Registration], tasks: dict[str, tuple[Task, ...]], as_of: datetime
) -> tuple[Person, ...]:
    """One person per student; who moved belongs to the region of the latest course."""
    starts = {course.id: course.start for course in tables.courses}
    taken: defaultdict[str, list[Registration]] = defaultdict(list)
    for registration in registrations:
        taken[registration.person].append(registration)
    latest: dict[str, Enrolment] = {}
    for one in sorted(tables.enrolments, key=lambda one: (starts[one.course], one.course)):
        latest[one.student] = one
    return tuple(
        Person(
            id=(key := oulad_id("student", student)),
            name=f"Learner {student}",
            email=f"learner-{student}@{domain(one.region)}",
            organization=oulad_id("region", one.region),
            roles=("learner",),
            region=one.region,
            age_band=one.age_band or None,
            education=one.education or None,
            time_zone=TIME_ZONE,
            required=_required(taken[key], starts, tasks, as_of),
        )
        for student, one in sorted(latest.items(), key=lambda pair: (len(pair[0]), pair[0]))
    )


def _required(
    registrations: Iterable[Registration],
    starts: dict[str, datetime],
    tasks: dict[str, tuple[Task, ...]],
    as_of: datetime,
) -> tuple[tuple[str, float, float], ...]:
    """A pass in each competence of the courses enrolled in and not left by the as-of date.

    The importance of a competence is the weight of its assessment, as a share of the largest in the course.
    """
    importance: dict[str, float] = {}
    for one in registrations:
        today = (as_of - starts[one.course]).days
        if one.enrolled_day <= today and (one.left_day is None or one.left_day > today):
            counted = [task for task in tasks[one.course] if task.counts]
            most = max((task.weight for task in counted), default=1.0)
            for task in counted:
                for skill in task.skills:
                    importance[skill] = max(importance.get(skill, 0.0), task.weight / most)
    return tuple((skill, PASS, share) for skill, share in importance.items())


def teams(
    courses: Iterable[Course], present: set[tuple[str, str]], regions: Iterable[str]
) -> dict[str, tuple[Person, ...]]:
    """One account per course and organization with learners in it, so that no trainer belongs to two tenants."""
    return {
        course.id: tuple(
            Person(
                id=oulad_id("team", f"{course.id}:{region}"),
                name=f"Module team {course.id}, {region}",
                email=f"team-{slug(course.id)}@{domain(region)}",
                organization=oulad_id("region", region),
                roles=("trainer",),
                region=region,
            )
            for region in regions
            if (course.id, oulad_id("region", region)) in present
        )
        for course in courses
    }


def admin(region: str) -> Person:
    """The one admin account of a region."""
    return Person(
        id=oulad_id("admin", region),
        name=f"Organization admin, {region} (synthetic)",
        email=f"admin@{domain(region)}",
        organization=oulad_id("region", region),
        roles=("org-admin",),
        region=region,
    )


def domain(region: str) -> str:
    """The made-up domain of a region."""
    return f"{slug(region)}.oulad.example"
