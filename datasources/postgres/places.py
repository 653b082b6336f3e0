"""Who is or was in which course, and who learns where: read for formulas, as the system, one organization at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import col, select

from datasources.postgres.session import Database, system
from datasources.postgres.tables import CourseRow, EnrollmentRow, PersonRow, TeachingRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One course, as one organization takes part in it."""

    id: str
    title: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """One learner's place in a course, past or present."""

    person: str
    enrolled_at: datetime
    left_at: datetime | None
    status: str
    result: str | None


@dataclass(frozen=True, slots=True)
class Learner:
    """One active learner, and what chooses their peers."""

    id: str
    department: str | None
    region: str | None
    age_band: str | None


async def runs(database: Database, organization: str, trainer: str | None = None) -> tuple[Run, ...]:
    """The courses of an organization, or those that one of its trainers teaches, by start and id."""
    wanted = select(CourseRow).order_by(col(CourseRow.starts_at), col(CourseRow.id))
    if trainer is not None:
        wanted = wanted.join(TeachingRow, col(TeachingRow.course) == col(CourseRow.id)).where(
            TeachingRow.trainer == trainer
        )
    async with database.session(system(organization)) as session:
        return tuple(Run(row.id, row.title, row.starts_at, row.ends_at) for row in (await session.exec(wanted)).all())


async def places(database: Database, organization: str, course: str | None = None) -> dict[str, tuple[Place, ...]]:
    """Who is or was enrolled in one course, or in each, of those who still belong to the organization; by course."""
    wanted = select(EnrollmentRow).order_by(col(EnrollmentRow.course), col(EnrollmentRow.person))
    if course is not None:
        wanted = wanted.where(EnrollmentRow.course == course)
    found: defaultdict[str, list[Place]] = defaultdict(list)
    async with database.session(system(organization)) as session:
        for row in (await session.exec(wanted)).all():
            found[row.course].append(Place(row.person, row.enrolled_at, row.left_at, row.status, row.result))
    return {course: tuple(rows) for course, rows in found.items()}


async def learners(database: Database, organization: str, course: str | None = None) -> Sequence[Learner]:
    """The active learners of an organization, or those enrolled in one course now, by id."""
    wanted = (
        select(PersonRow.id, PersonRow.department, PersonRow.region, PersonRow.age_band)
        .where(col(PersonRow.is_active), col(PersonRow.roles).contains(["learner"]))
        .order_by(col(PersonRow.id))
    )
    if course is not None:
        wanted = wanted.join(EnrollmentRow, col(EnrollmentRow.person) == col(PersonRow.id)).where(
            EnrollmentRow.course == course, col(EnrollmentRow.live).is_(other=True)
        )
    async with database.session(system(organization)) as session:
        return [Learner(*row) for row in (await session.exec(wanted)).all()]
