"""Copying an organization's roster from the services, whole: what the directory and the courses say now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from datasources.postgres.jobs import PLATFORM
from datasources.postgres.pages import fold
from datasources.postgres.session import Database, system
from datasources.postgres.tables import CourseRow, EnrollmentRow, OrganizationRow, PersonRow, TeachingRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from datasources import course, directory

Row = dict[str, Any]

_ACT = text("SELECT act_as(:organization, 'system', 'system')")
_FORGET = text(
    "INSERT INTO forgotten VALUES (:organization, forgotten_digest(:organization, :person), :at) ON CONFLICT DO NOTHING"
)


CHANNEL = "roster"
"""Where every process hears the id of an organization that was copied anew."""
_TELL = text("SELECT pg_notify(:channel, :organization)")


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything the services say about who belongs to an organization, learns and teaches there.

    `enrollments` are by course id. People, enrolments and trainers of other organizations may be among
    them and are left out.
    """

    organization: directory.Organization
    people: Sequence[directory.User]
    courses: Sequence[course.Course]
    enrollments: Mapping[str, Sequence[course.Enrollment]]
    synced_at: datetime


async def sync(database: Database, roster: Roster) -> bool:
    """Replace what is kept of one organization's roster, in one transaction.

    Who is no longer in it goes, with their enrolments and their kept answers; every process hears of it. False when
    a newer roster is kept already, and then nothing changes.
    """
    organization = roster.organization.id
    tables = _rows(roster)
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        # The row of the organization is also the lock that lets one roster in at a time.
        accepted = await connection.execute(
            text(
                "INSERT INTO syncs VALUES (:organization, :synced_at) ON CONFLICT (organization) DO UPDATE "
                "SET synced_at = excluded.synced_at WHERE syncs.synced_at <= excluded.synced_at RETURNING true"
            ),
            {"organization": organization, "synced_at": roster.synced_at},
        )
        if accepted.first() is None:
            return False
        await _heed(connection, organization, [row["id"] for row in tables[PersonRow]])
        for table, rows in tables.items():
            told = {"rows": json.dumps(rows, default=lambda moment: moment.isoformat())}
            await connection.execute(text(_UPSERT[table]), told)
            await connection.execute(text(_REMOVE[table]), told)
        for statement in _AFTERWARDS:
            await connection.execute(text(statement))
        await connection.execute(_TELL, {"channel": CHANNEL, "organization": organization})
    return True


async def _heed(connection: AsyncConnection, organization: str, people: Sequence[str]) -> None:
    """Have the organization forget whom the platform forgot when it did not know of the organization yet.

    The lock has `gateway forget` wait for us: it finds the organization then, or we what it has set.
    """
    await connection.execute(_ACT, {"organization": PLATFORM})
    await connection.execute(text("SELECT pg_advisory_xact_lock_shared(forgetting_lock(:o))"), {"o": PLATFORM})
    found = await connection.execute(text("SELECT digest, at FROM forgotten WHERE organization = :o"), {"o": PLATFORM})
    forgotten = {bytes(digest): at for digest, at in found}
    await connection.execute(_ACT, {"organization": organization})
    for person in people if forgotten else ():
        if (at := forgotten.get(sha256(f"{PLATFORM} {person}".encode()).digest())) is not None:
            await connection.execute(_FORGET, {"organization": organization, "person": person, "at": at})


def _rows(roster: Roster) -> dict[type[SQLModel], list[Row]]:
    """The rows of each table, each key once; parents before children."""
    here = roster.organization
    people = {user.id: user for user in roster.people if user.organization_id == here.id}
    courses = {one.id: one for one in roster.courses}
    places = {
        (one, place.user_id): place
        for one, enrolled in roster.enrollments.items()
        for place in enrolled
        if one in courses and place.user_id in people
    }
    pairs = {(one.id, trainer) for one in courses.values() for trainer in one.trainer_ids if trainer in people}
    tables: dict[type[SQLModel], list[Row]] = {
        OrganizationRow: [
            {
                "name": here.name,
                "domain": here.domain,
                "industry": here.industry,
                "branches": here.branches,
                "departments": here.departments,
            }
        ],
        PersonRow: [
            {
                "id": user.id,
                "name": user.display_name,
                "folded": fold(user.display_name),
                "email": user.email,
                "roles": user.roles,
                "department": user.department,
                "region": user.region,
                "age_band": user.age_band,
                "is_active": user.is_active,
            }
            for user in people.values()
        ],
        CourseRow: [
            {"id": one.id, "title": one.title, "starts_at": one.start_date, "ends_at": one.end_date}
            for one in courses.values()
        ],
        EnrollmentRow: [
            {
                "course": one,
                "person": place.user_id,
                "enrolled_at": place.enrolled_at,
                "left_at": place.left_at,
                "status": place.status.value,
                "result": place.result.value if place.result else None,
            }
            for (one, _), place in places.items()
        ],
        TeachingRow: [{"course": one, "trainer": trainer} for one, trainer in pairs],
    }
    return {
        table: [{"organization": here.id} | {name: _clean(value) for name, value in row.items()} for row in rows]
        for table, rows in tables.items()
    }


def _clean(value: Any) -> Any:
    """A value without the character that no Postgres text can hold."""
    if isinstance(value, tuple):
        return [_clean(one) for one in value]
    return value.replace("\0", "") if isinstance(value, str) else value


# Worked out by the database, afterwards or for each row.
_DERIVED = {"learners", "live"}


def _table(model: type[SQLModel]) -> Table:
    found: Table = SQLModel.metadata.tables[str(model.__tablename__)]
    return found


def _recordset(columns: Sequence[Any]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves this one untyped
    described = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)
    return f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({described})"


def _upsert(model: type[SQLModel]) -> str:
    table = _table(model)
    told = [column for column in table.columns if column.name not in _DERIVED]
    names = ", ".join(column.name for column in told)
    keys = ", ".join(column.name for column in table.primary_key)
    values = [column.name for column in told if not column.primary_key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    differs = " OR ".join(f"{table.name}.{name} IS DISTINCT FROM excluded.{name}" for name in values)
    action = f"UPDATE SET {changes} WHERE {differs}" if values else "NOTHING"
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {_recordset(told)} ON CONFLICT ({keys}) DO {action}"  # noqa: S608 - our own names


def _remove(model: type[SQLModel]) -> str:
    table = _table(model)
    keys = list(table.primary_key)
    names = ", ".join(key.name for key in keys)
    # NOT IN asks one hash of the rows; NOT EXISTS becomes a loop over all of them when their number is guessed low.
    return (
        f"DELETE FROM {table.name} WHERE organization = (SELECT my_organization()) "  # noqa: S608 - our own names
        f"AND ({names}) NOT IN (SELECT {names} FROM {_recordset(keys)})"
    )


_COPIED = (OrganizationRow, PersonRow, CourseRow, EnrollmentRow, TeachingRow)
_UPSERT: dict[type[SQLModel], str] = {model: _upsert(model) for model in _COPIED}
_REMOVE: dict[type[SQLModel], str] = {model: _remove(model) for model in _COPIED}
_AFTERWARDS = (
    """
    UPDATE syncs SET people = (SELECT count(*) FROM people WHERE organization = (SELECT my_organization()))
    WHERE organization = (SELECT my_organization())
    """,
    """
    UPDATE courses c SET learners = n.learners
    FROM (
        SELECT o.organization, o.id, count(e.person) AS learners
        FROM courses o LEFT JOIN enrollments e ON (e.organization, e.course) = (o.organization, o.id) AND e.live
        WHERE o.organization = (SELECT my_organization()) GROUP BY o.organization, o.id
    ) n
    WHERE (n.organization, n.id) = (c.organization, c.id) AND c.learners <> n.learners
    """,
    """
    DELETE FROM answers a
    WHERE a.organization = (SELECT my_organization()) AND a.scope IN ('learner', 'trainer')
        AND a.subject NOT IN (SELECT p.id FROM people p WHERE p.organization = (SELECT my_organization()))
    """,
)
