"""Reports: numbers somebody asked to take with them, theirs alone, and gone after seven days."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlmodel import col, select

from datasources.postgres.job_tables import ReportRow
from datasources.postgres.session import Actor, Database, system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST = 100
"""The most reports of one person that are listed."""

_KEEP = text(
    "INSERT INTO reports (organization, id, owner, format, content, created_at) "
    "VALUES (:organization, :id, :owner, :format, :content, :created_at) "
    "ON CONFLICT (organization, id) DO UPDATE SET owner = excluded.owner, format = excluded.format, "
    "content = excluded.content, created_at = excluded.created_at RETURNING true"
)


class ReportFormat(StrEnum):
    """How a report is written."""

    CSV = "CSV"
    """A table: one line for each number, with a header."""
    JSON = "JSON"
    """The answers as the graph gives them, one after the other."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report; its id is that of the job that made it. `content` is None where it was not asked for."""

    id: str
    format: ReportFormat
    created_at: datetime
    content: str | None


async def keep(database: Database, organization: str, owner: str, report: Report) -> bool:
    """Keep what a job made for its owner; made again, it replaces what was there.

    False, and nothing is kept, where it names somebody who was forgotten meanwhile.
    """
    row = {
        "organization": organization,
        "id": report.id,
        "owner": owner,
        "format": report.format.value,
        "content": report.content or "",
        "created_at": report.created_at,
    }
    async with database.session(system(organization)) as session:
        return (await (await session.connection()).execute(_KEEP, row)).first() is not None


async def find(database: Database, actor: Actor, report: str) -> Report | None:
    """The actor's own report with this id, with its content."""
    asked = select(ReportRow).where(ReportRow.id == report, ReportRow.owner == actor.user)
    async with database.session(actor) as session:
        row = (await session.exec(asked)).first()
    return None if row is None else Report(row.id, ReportFormat(row.format), row.created_at, row.content)


async def newest(database: Database, actor: Actor) -> Sequence[Report]:
    """The actor's own reports, the newest first, without their contents."""
    columns = (col(ReportRow.id), col(ReportRow.format), col(ReportRow.created_at))
    asked = (
        select(*columns)
        .where(ReportRow.owner == actor.user)
        .order_by(col(ReportRow.created_at).desc(), col(ReportRow.id))
        .limit(MOST)
    )
    async with database.session(actor) as session:
        rows = (await session.exec(asked)).all()
    return [Report(identity, ReportFormat(form), created, None) for identity, form, created in rows]
