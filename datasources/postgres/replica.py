"""Reading kept answers from a replica, wherever it is certain that it knows them as well as the primary does.

A replica is asked only when it has replayed everything that the primary had written at some moment, and then only
for what is not known to have changed since that moment. So a reader never sees an older answer than the primary
would have given when the change was heard of; a replica that lags, or is away, only gives the primary more to do.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog

from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from datasources.postgres.session import Database

LOOK = 1.0
"""Seconds between two looks at how far the replica is."""

WITHIN = 0.5
"""Seconds until the replica must answer, before the primary is asked instead."""

LONGEST_LOOK = 5.0
"""Seconds a look may take."""

OLDEST = 10.0
"""Seconds after which what was certain of a replica is certain no more."""

MOST = 50_000
"""The most changes that are told apart; with more of them, everything has changed."""

NEVER = float("-inf")

log = structlog.get_logger(__name__)


class Replica:
    """What is certain of a replica, from one look to the next.

    `open_replica` opens it, whenever it is there. `changed` is to be told of every change as it is heard of.
    `monotonic` are seconds that never go back.
    """

    def __init__(
        self, primary: Database, open_replica: Callable[[], Awaitable[Database]], monotonic: Callable[[], float]
    ) -> None:
        self._primary = primary
        self._open = open_replica
        self._replica: Database | None = None
        self._monotonic = monotonic
        self._certain_at = NEVER
        self._changes: dict[tuple[str, str | None], float] = {}
        self._all_changed = NEVER

    def changed(self, organization: str | None = None, subjects: Collection[str] | None = None) -> None:
        """Something was written about these subjects; None: about any, in an organization or in all."""
        now = self._monotonic()
        if organization is None or len(self._changes) > MOST:
            self._all_changed = now
            self._changes.clear()
        else:
            named = [None] if subjects is None else subjects
            self._changes.update({(organization, subject): now for subject in named})

    def knows(self, organization: str, subjects: Collection[str]) -> bool:
        """Whether the replica is certain to know of these subjects what the primary does."""
        certain = self._certain_at
        if certain < self._monotonic() - OLDEST or certain <= self._all_changed:
            return False
        return all(self._changes.get((organization, one), NEVER) < certain for one in (None, *subjects))

    async def fetch(self, sql: str, *arguments: Any) -> list[Any] | None:
        """The rows of a statement that only reads; None where the replica does not answer: then it is left alone."""
        if self._replica is None:
            return None
        try:
            async with asyncio.timeout(WITHIN):
                return await self._replica.fetch(sql, *arguments)
        except UNAVAILABLE as error:
            log.warning("replica.away", error=type(error).__name__)
            self._certain_at = NEVER
            return None

    async def look(self) -> None:
        """Find out whether the replica has replayed what the primary has written by now.

        Raises:
            Exception: one of the two does not answer.
        """
        if self._replica is None:
            self._replica = await self._open()
        moment = self._monotonic()
        written = (await self._primary.fetch("SELECT pg_current_wal_insert_lsn()::text"))[0][0]
        rows = await self._replica.fetch("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written)
        if rows[0][0]:
            self._certain_at = moment
            self._changes = {key: at for key, at in self._changes.items() if at >= moment}

    @asynccontextmanager
    async def watched(self, sleep: Callable[[float], Any] = asyncio.sleep) -> AsyncIterator[None]:
        """Look once a second while the context is open; one that cannot be looked at is not asked."""
        watching = asyncio.create_task(self._watch(sleep), name="watch the replica")
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            if self._replica is not None:
                await self._replica.close()

    async def _watch(self, sleep: Callable[[float], Any]) -> None:
        while True:
            with suppress(*UNAVAILABLE):
                async with asyncio.timeout(LONGEST_LOOK):
                    await self.look()
            await sleep(LOOK)
