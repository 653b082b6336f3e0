"""Letting go, as a job: partitions looked after, and what has outlived its term deleted, every ten minutes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import structlog

from datasources.postgres import deliveries, jobs, prune
from datasources.postgres.jobs import PLATFORM, Kind, Wanted
from datasources.postgres.session import system
from gateway.jobs import NotNow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasources.postgres.session import Database
    from gateway.jobs import Work


log = structlog.get_logger(__name__)

LOST_AFTER = timedelta(minutes=2)
"""How long a job may be without a delivery: longer than it takes to hand one on."""


class Pruning:
    """Has things let go of, and lets go of them; jobs that fell out of the queue are put back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prune(self) -> None:
        """Have it done; while one such job is on its way, no second one is made.

        One that fell out of the queue is put back first: nothing else would, since it is what puts others back.
        """
        await deliveries.redeliver(self._database, PLATFORM, after=LOST_AFTER)
        await jobs.enqueue(self._database, system(PLATFORM), Kind.PRUNE, [Wanted("prune")])

    async def do(self, work: Work) -> Mapping[str, Any]:
        """Do it, by the database's clock: how many rows and partitions went, and how many partitions were made.

        Raises:
            NotNow: a table is in use for too long to be divided now.
        """
        now = await prune.present(self._database)
        try:
            made, dropped = await prune.partitions(self._database, now)
        except asyncpg.LockNotAvailableError as error:
            cause = "a table that is in use"
            raise NotNow(cause) from error
        await work.progress(1, 2)
        gone = await prune.expired(self._database, now)
        for organization in await prune.organizations(self._database):
            if again := await deliveries.redeliver(self._database, organization, after=LOST_AFTER):
                log.warning("jobs.redelivered", jobs=again)
        return {**asdict(gone), "partitionsMade": len(made), "partitionsDropped": len(dropped)}
