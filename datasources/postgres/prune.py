"""Letting go: personal answers after seven days, facts after one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, text

from datasources.postgres.session import Actor, Database, system

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
        organizations = (
            (await session.execute(text("SELECT organization FROM syncs ORDER BY organization"))).scalars().all()
        )
    gone = Gone()
    for organization in organizations:
        async with database.session(system(organization)) as session:
            answers = await session.execute(
                text("DELETE FROM answers WHERE calculated_at < :before"), {"before": now - ANSWERS}
            )
            facts = await session.execute(text("DELETE FROM facts WHERE seen_at < :before"), {"before": now - FACTS})
            gone = Gone(gone.answers + _count(answers), gone.facts + _count(facts))
    return gone


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
