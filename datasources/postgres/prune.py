"""Letting go: personal answers after seven days, facts after one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, delete, select

from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import AnswerRow, FactRow, SyncRow

ANSWERS = timedelta(days=7)
FACTS = timedelta(hours=24)
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
        async with database.session(system(organization)) as session:
            answers = await session.exec(delete(AnswerRow).where(col(AnswerRow.calculated_at) < now - ANSWERS))
            facts = await session.exec(delete(FactRow).where(col(FactRow.seen_at) < now - FACTS))
            gone = Gone(gone.answers + answers.rowcount, gone.facts + facts.rowcount)
    return gone
