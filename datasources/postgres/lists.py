"""Lists of courses, and how many learners belong where: one statement for everybody who is asked about.

What the actor may not see is not there: a trainer sees the courses they teach, a learner the courses they
take or took, and of another person's only what is theirs to see as well.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasources.course import EnrollmentStatus, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from datasources.postgres.session import Actor, Database


@dataclass(frozen=True, slots=True)
class Course:
    """One course in one organization.

    `learners` is how many of the organization are enrolled now; None where that is not the actor's to know,
    who is neither its trainer nor an admin.
    """

    id: str
    title: str
    start: datetime
    end: datetime
    learners: int | None


@dataclass(frozen=True, slots=True)
class Taken:
    """One learner's place in a course, past or present; `result` is None while, or where, it is not known."""

    course: Course
    enrolled_at: datetime
    left_at: datetime | None
    status: EnrollmentStatus
    result: Result | None


@dataclass(frozen=True, slots=True)
class Headcounts:
    """How many active learners belong to each department and each region of an organization."""

    departments: dict[str, int]
    regions: dict[str, int]


async def taken(
    database: Database, actor: Actor, learners: Sequence[str], at: datetime
) -> dict[str, tuple[Taken, ...]]:
    """The courses each of them takes or took, by start and id, as they stood at this moment."""
    rows = await database.fetch("SELECT * FROM courses_taken($1, $2, $3, $4)", *actor.settings, learners)
    found: defaultdict[str, list[Taken]] = defaultdict(list)
    for row in rows:
        if row["enrolled_at"] <= at:
            found[row["person"]].append(_taken(row, at))
    return {learner: tuple(found[learner]) for learner in learners}


async def taught(database: Database, actor: Actor, trainers: Sequence[str]) -> dict[str, tuple[Course, ...]]:
    """The courses each of them teaches, by start and id."""
    rows = await database.fetch("SELECT * FROM courses_taught($1, $2, $3, $4)", *actor.settings, trainers)
    found: defaultdict[str, list[Course]] = defaultdict(list)
    for row in rows:
        found[row["trainer"]].append(_course(row))
    return {trainer: tuple(found[trainer]) for trainer in trainers}


async def courses(database: Database, actor: Actor) -> tuple[Course, ...]:
    """The courses of the actor's organization, by start and id."""
    rows = await database.fetch("SELECT * FROM courses_of_organization($1, $2, $3)", *actor.settings)
    return tuple(_course(row) for row in rows)


async def headcounts(database: Database, actor: Actor) -> Headcounts:
    """How many of the learners whom the actor may see belong where."""
    rows = await database.fetch("SELECT * FROM count_learners($1, $2, $3)", *actor.settings)
    return Headcounts(_sums(rows, "department"), _sums(rows, "region"))


def _sums(rows: Sequence[Any], column: str) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        if row[column] is not None:
            sums[row[column]] += row["learners"]
    return dict(sums)


def _course(row: Any) -> Course:
    return Course(row["id"], row["title"], row["starts_at"], row["ends_at"], row["learners"])


def _taken(row: Any, at: datetime) -> Taken:
    """A place as it stood: who has not left yet is still there, and a course that runs has no result."""
    left = row["left_at"] if row["left_at"] is not None and row["left_at"] <= at else None
    status = EnrollmentStatus(row["status"])
    if row["left_at"] is not None and left is None:
        status = EnrollmentStatus.ACTIVE
    result = Result(row["result"]) if row["result"] is not None and row["ends_at"] <= at else None
    return Taken(_course(row), row["enrolled_at"], left, status, result)
