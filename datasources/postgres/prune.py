"""Letting go: personal answers after seven days, facts after one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnClause, literal_column
from sqlmodel import SQLModel, col, delete, select

from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import AnswerRow, FactRow, SyncRow

ANSWERS = timedelta(days=7)
FACTS = timedelta(hours=24)
AT_ONCE = 5_000
JANITOR = Actor("", "janitor", "janitor")
"""Reads which organizations there are, and nothing else."""


@dataclass(frozen=True, slots=True)
class Gone:
    """How many rows were let go."""

    answers: int = 0
    facts: int = 0


async def expired(database: Database, now: datetime) -> Gone:
    """Delete what has outlived its term, organization by organization, each in a transaction of its own."""
    async with database.session(JANITOR) as session:
        organizations = (await session.exec(select(SyncRow.organization).order_by(col(SyncRow.organization)))).all()
    gone = Gone()
    for organization in organizations:
        answers = await _delete(database, organization, AnswerRow, col(AnswerRow.calculated_at), now - ANSWERS)
        facts = await _delete(database, organization, FactRow, col(FactRow.seen_at), now - FACTS)
        gone = Gone(gone.answers + answers, gone.facts + facts)
    return gone


async def _delete(database: Database, organization: str, table: type[SQLModel], column: Any, before: datetime) -> int:
    """Delete the rows from before, some at a time, so that no statement runs into its time limit."""
    place: ColumnClause[Any] = literal_column("ctid")
    total = 0
    while True:
        async with database.session(system(organization)) as session:
            some = select(place).select_from(table).where(column < before).limit(AT_ONCE)
            deleted = (await session.exec(delete(table).where(place.in_(some)))).rowcount
        total += deleted
        if deleted < AT_ONCE:
            return total
