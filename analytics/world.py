"""What lives as long as the process, and every request works with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from datasources.postgres import answers
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from analytics.record import Answer
    from analytics.roster import Roster
    from datasources.fetch import Services
    from datasources.memory import Memory
    from datasources.postgres.answers import Kept, Question
    from datasources.postgres.session import Database

log = structlog.get_logger(__name__)

REQUEST_SECONDS = 5.0
MOST_UNKEPT = 10_000
"""The most answers of an organization that wait for the database."""


@dataclass(frozen=True, slots=True)
class World:
    """What lives as long as the process: the two tiers, the services, who is where, and two clocks.

    `clock` is the platform's (a demo's stands still), `now` is real: formulas read the first,
    freshness the second. `patience` is how many seconds one request waits for services. `unkept` is what
    was worked out for an organization and is not in Postgres yet: whoever asked first may be gone by then,
    so the next request that ends keeps it.
    """

    database: Database
    services: Services
    memory: Memory[tuple[str, Question], Answer]
    roster: Roster
    clock: Callable[[], datetime]
    now: Callable[[], datetime]
    patience: float = REQUEST_SECONDS
    unkept: dict[str, dict[Question, Kept]] = field(default_factory=dict)

    async def keep(self, organization: str) -> None:
        """Keep what was worked out for an organization; while the database is away it waits for the next request."""
        if not (rows := self.unkept.pop(organization, None)):
            return
        try:
            await answers.keep(self.database, organization, rows)
        except asyncio.CancelledError:
            self._wait(organization, rows)
            raise
        except UNAVAILABLE as error:
            log.warning("answers.not_kept", error=type(error).__name__, answers=len(rows))
            self._wait(organization, rows)
        else:
            # Of two processes that took a snapshot the first one's stands: who asks next reads whose it is.
            self.memory.drop([(organization, asked) for asked in rows if asked.scope == "cohort"])

    async def forget(self, organization: str, questions: Sequence[Question]) -> None:
        """Have no process know these answers any more: what they stand on was changed by us."""
        self.drop(organization, questions)
        await answers.forget(self.database, organization, questions)
        # Once more: what was read in between may have been read before the rows went.
        self.drop(organization, questions)

    def drop(self, organization: str, questions: Iterable[Question]) -> None:
        """Forget answers in this process, those that wait for the database among them."""
        asked = list(questions)
        self.memory.drop([(organization, one) for one in asked])
        for one in asked:
            self.unkept.get(organization, {}).pop(one, None)

    def _wait(self, organization: str, rows: dict[Question, Kept]) -> None:
        """Have answers wait for the database, under those that were worked out meanwhile, and not without bound."""
        if len(rows) <= MOST_UNKEPT:
            self.unkept[organization] = {**rows, **self.unkept.get(organization, {})}
