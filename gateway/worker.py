"""The worker: what is done without anybody waiting for it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from datasources.postgres import prune, revisions
from datasources.postgres.connection import UNAVAILABLE, DatabaseError
from datasources.postgres.jobs import Kind
from gateway import pen, queue
from gateway.app import Outside, open_world
from gateway.export import Exporter
from gateway.jobs import Hands
from gateway.nightly import BEGINS, Nights
from gateway.pruning import Pruning
from gateway.refresh import Refresher
from gateway.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from typing import Any

    from analytics.world import World
    from gateway.jobs import Work
    from gateway.settings import Settings

PATIENCE = 30.0
"""Seconds that a job waits for what it reads, where a request waits five: what it is about is many people."""

AGAIN = 2.0
"""Seconds between two tries to serve the queue of a database that is away."""

MEMORY_MIB = 16
"""The most MiB of answers that a worker remembers: others ask for what it works out."""

LOG = structlog.get_logger(__name__)


async def work(settings: Settings) -> None:
    """Do jobs, and begin those that are due at their time, until told to stop; then finish what is begun.

    A database that is away is a warning and another try.

    Raises:
        DatabaseError: there is no database to begin with, or it is not at the revision that is wanted.
    """
    if settings.database_url is None:
        msg = "GATEWAY_DATABASE_URL is not set: name the database that the gateway serves from."
        raise DatabaseError(msg)
    configure_logging(settings.log_level, pen.of_process())
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    outside = Outside(patience=PATIENCE)
    async with AsyncExitStack() as stack:
        small = settings.model_copy(update={"memory_mib": min(settings.memory_mib, MEMORY_MIB)})
        world = await open_world(small, outside, stack)
        if complaint := revisions.complaint(await revisions.found(world.database)):
            raise DatabaseError(complaint)
        hands = Hands(world.database, handlers(world), outside.rng)
        await begin(world)
        while not stopped.is_set():
            try:
                async with _turn(stopped) as over:
                    await queue.serve(
                        settings.database_url.get_secret_value(),
                        hands.work,
                        schedule=schedule(world),
                        hands=settings.jobs_at_once,
                        stopped=over,
                    )
            except Exception as problem:  # noqa: BLE001 - whatever it was, what was begun is handed out again
                LOG.warning("worker.queue_lost", error=type(problem).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), AGAIN)


def handlers(world: World) -> dict[Kind, Callable[[Work], Awaitable[Mapping[str, Any]]]]:
    """What does each kind of job."""
    nights = Nights(world)
    return {
        Kind.REFRESH: Refresher(world),
        Kind.NIGHTLY: nights.night,
        Kind.CHUNK: nights.chunk,
        Kind.VIEWS: nights.views,
        Kind.PRUNE: Pruning(world.database).do,
        Kind.EXPORT: Exporter(world),
    }


def schedule(world: World) -> dict[str, Callable[[], Awaitable[None]]]:
    """What is begun at which times, UTC, by one worker of all."""

    async def nightly() -> None:
        # By the database's clock: one worker's that jumped would begin tomorrow's night, or yesterday's.
        await Nights(world).nightly(await prune.present(world.database))

    return {f"0 {BEGINS // timedelta(hours=1)} * * *": nightly, "*/10 * * * *": Pruning(world.database).prune}


async def begin(world: World) -> None:
    """What is due whenever a worker starts: letting go of what has outlived its term."""
    try:
        await Pruning(world.database).prune()
    except UNAVAILABLE as problem:
        LOG.warning("worker.not_begun", error=type(problem).__name__)


@asynccontextmanager
async def _turn(stopped: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """An event that is set when we are told to stop; who sets it for a reason of its own stops only this turn."""
    over = asyncio.Event()

    async def follow() -> None:
        await stopped.wait()
        over.set()

    following = asyncio.create_task(follow())
    try:
        yield over
    finally:
        following.cancel()
