"""Who is who, from the copy of the directory: people and courses, as far as an actor may see.

What an actor may not see is not there: absence and refusal look alike. That holds inside a person too: a
trainer sees of a learner's courses those they teach. What is computed for everyone asks as the system.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import CourseRow, EnrollmentRow, OrganizationRow, SyncRow, TeachingRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `courses` are those they are enrolled in now, `trainers` those who teach them now."""

    organization: str
    id: str
    name: str
    email: str | None
    roles: tuple[str, ...]
    department: str | None
    region: str | None
    age_band: str | None
    courses: tuple[str, ...]
    trainers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant and its parts."""

    id: str
    name: str
    domain: str | None
    industry: str | None
    branches: tuple[str, ...]
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """One course in one organization; `learners` is how many are enrolled there now, whoever asks."""

    id: str
    organization: str
    title: str
    start: datetime
    end: datetime
    trainers: frozenset[str]
    learners: int


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One person's place in a course, past or present; `live` while it lasts."""

    course: Course
    enrolled_at: datetime
    left_at: datetime | None
    status: str
    live: bool


async def find(database: Database, actor: Actor, ids: Iterable[str]) -> dict[str, Person]:
    """Those of the people that this actor may see, by id; one statement."""
    asked = [one for one in set(ids) if sayable(one) == one]
    if not asked:
        return {}
    rows = await database.fetch("SELECT * FROM read_people($1, $2, $3, $4)", *actor.settings, asked)
    return {row["id"]: person_of(actor.organization, row) for row in rows}


async def organization(database: Database, actor: Actor) -> Organization | None:
    """The actor's organization; None when its roster was never copied."""
    async with database.session(actor) as session:
        own = select(OrganizationRow).where(OrganizationRow.organization == actor.organization)
        row = (await session.exec(own)).first()
    if row is None:
        return None
    return Organization(
        row.organization, row.name, row.domain, row.industry, tuple(row.branches), tuple(row.departments)
    )


async def courses_of(database: Database, actor: Actor, persons: Sequence[str]) -> dict[str, tuple[Enrollment, ...]]:
    """The courses each of them is or was enrolled in, by start and id; as many statements for one as for all."""
    async with database.session(actor) as session:
        rows = (
            await session.exec(
                select(EnrollmentRow, CourseRow)
                .join(CourseRow, col(CourseRow.id) == col(EnrollmentRow.course))
                .where(col(EnrollmentRow.person).in_(persons))
                .order_by(col(CourseRow.starts_at), col(CourseRow.id))
            )
        ).all()
        courses = {
            course.id: course for course in await _courses(session, list({row.id: row for _, row in rows}.values()))
        }
    taken: dict[str, list[Enrollment]] = {person: [] for person in persons}
    for row, course in rows:
        live = bool(row.live)
        taken[row.person].append(Enrollment(courses[course.id], row.enrolled_at, row.left_at, row.status, live))
    return {person: tuple(enrollments) for person, enrollments in taken.items()}


async def synced_at(database: Database, organization: str) -> datetime | None:
    """When the roster of an organization was last copied; None: never."""
    async with database.session(system(organization)) as session:
        own = select(SyncRow.synced_at).where(SyncRow.organization == organization)
        return (await session.exec(own)).first()


async def _courses(session: AsyncSession, rows: Sequence[CourseRow]) -> tuple[Course, ...]:
    trainers: defaultdict[str, set[str]] = defaultdict(set)
    wanted = select(TeachingRow).where(col(TeachingRow.course).in_([row.id for row in rows]))
    for teaching in (await session.exec(wanted)).all() if rows else ():
        trainers[teaching.course].add(teaching.trainer)
    return tuple(
        Course(
            row.id, row.organization, row.title, row.starts_at, row.ends_at, frozenset(trainers[row.id]), row.learners
        )
        for row in rows
    )


def person_of(organization: str, row: Any) -> Person:
    """The person in a row that has the columns of a card."""
    return Person(
        organization,
        row["id"],
        row["name"],
        row["email"],
        tuple(map(sys.intern, row["roles"])),
        _shared(row["department"]),
        _shared(row["region"]),
        _shared(row["age_band"]),
        tuple(map(sys.intern, row["courses"])),
        frozenset(row["trainers"]),
    )


def _shared(told: str | None) -> str | None:
    """The same text for everybody of whom it is said: thousands are remembered. It may stay, so it names nobody."""
    return None if told is None else sys.intern(told)


def sayable(told: str) -> str:
    """Text without what no Postgres text can hold, so that a forged id or cursor is only one that finds nothing."""
    return told.replace("\0", "").encode(errors="replace").decode()
