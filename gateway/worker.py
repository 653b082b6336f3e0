"""The worker: what is done without anybody waiting for it."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from datasources.postgres import prune
from datasources.postgres.connection import UNAVAILABLE, DatabaseError
from datasources.postgres.session import Database
from gateway.telemetry import configure_logging

if TYPE_CHECKING:
    from gateway.settings import Settings

EVERY = timedelta(minutes=10)
LOG = structlog.get_logger(__name__)


async def work(settings: Settings) -> None:
    """Let go of what has outlived its term, every ten minutes, until told to stop.

    A database that is away is a warning and another try at the next turn.

    Raises:
        DatabaseError: there is no database to begin with.
    """
    if settings.database_url is None:
        msg = "GATEWAY_DATABASE_URL is not set: name the database that the gateway serves from."
        raise DatabaseError(msg)
    configure_logging(settings.log_level, sys.stderr)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    database = await Database.open(settings.database_url.get_secret_value(), size=1)
    try:
        while not stopped.is_set():
            try:
                gone = await prune.expired(database, datetime.now(UTC))
                LOG.info("worker.pruned", answers=gone.answers, facts=gone.facts)
            except UNAVAILABLE as problem:
                LOG.warning("worker.not_pruned", error=type(problem).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), EVERY.total_seconds())
    finally:
        await database.close()
