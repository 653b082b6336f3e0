"""What a night has to go by: which organizations there are, which of its jobs stand where, what is done already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import PLATFORM, Kind, Status, of_row
from datasources.postgres.prune import JANITOR
from datasources.postgres.session import Database, system
from datasources.postgres.tables import AnswerRow, PersonRow, SyncRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from datasources.postgres.jobs import Job


async def organizations(database: Database) -> Sequence[str]:
    """Every organization that was ever copied, by id."""
    async with database.session(JANITOR) as session:
        return (await session.exec(select(SyncRow.organization).order_by(col(SyncRow.organization)))).all()


async def begin(database: Database, once: str, details: Mapping[str, Any], *, priority: int) -> list[Job]:
    """The night of this name of every organization, by its id; begun where it was not. One statement."""
    rows = await database.fetch(
        "SELECT * FROM begin_nights($1, $2, $3, $4, $5, $6)",
        *system(PLATFORM).settings,
        once,
        json.dumps(dict(details)),
        priority,
    )
    return [of_row(row) for row in rows]


async def jobs_of(database: Database, organization: str, kind: Kind, night: str) -> dict[str, Job]:
    """An organization's jobs of one kind and night, by `once`; of several the one that was made last."""
    wanted = (
        select(JobRow)
        .where(JobRow.kind == kind.value, col(JobRow.details)["night"].astext == night)
        .order_by(col(JobRow.created_at))
    )
    async with database.session(system(organization)) as session:
        return {row.once: of_row(row.model_dump()) for row in (await session.exec(wanted)).all()}


async def is_done(database: Database, organization: str, once: str) -> bool:
    """Whether a job of this name has been completed."""
    wanted = select(JobRow.id).where(JobRow.once == once, JobRow.status == Status.COMPLETED.value).limit(1)
    async with database.session(system(organization)) as session:
        return (await session.exec(wanted)).first() is not None


async def people(database: Database, organization: str, role: str) -> Sequence[str]:
    """The active people who have a role, by id."""
    wanted = (
        select(PersonRow.id)
        .where(col(PersonRow.is_active), col(PersonRow.roles).contains([role]))
        .order_by(col(PersonRow.id))
    )
    async with database.session(system(organization)) as session:
        return (await session.exec(wanted)).all()


async def done(
    database: Database, organization: str, scope: str, subjects: Sequence[str], since: datetime
) -> dict[tuple[str, str, str], bool]:
    """What was calculated of these subjects since then, by subject, metric and arguments: whether it is a value."""
    wanted = select(AnswerRow.subject, AnswerRow.metric, AnswerRow.arguments, col(AnswerRow.withheld).is_(None)).where(
        AnswerRow.scope == scope,
        col(AnswerRow.subject).in_(subjects),
        AnswerRow.calculated_at >= since,
    )
    async with database.session(system(organization)) as session:
        return {
            (subject, metric, arguments): told
            for subject, metric, arguments, told in (await session.exec(wanted)).all()
        }
