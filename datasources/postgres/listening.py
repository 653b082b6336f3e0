"""Hearing what other processes say: LISTEN on a connection that comes back when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from datasources.postgres.connection import LOST, DatabaseError

Callback = Callable[[str | None], None]
"""Hears each payload; None when some may have been missed, because the connection was away."""

CHECK_EVERY = 30.0
"""Seconds between two signs of life, so that a connection that died in silence is noticed."""

SHORTEST_WAIT = 0.1
LONGEST_WAIT = 10.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def listening(
    connect: Callable[[], Awaitable[Any]], ears: Mapping[str, Callback]
) -> AsyncIterator[asyncio.Task[None]]:
    """Hear channels, each with its ear, on one connection while the context is open; on entry they are already heard.

    A lost connection is made again after 0.1 s, then twice as long each time, up to 10 s.

    Raises:
        DatabaseError: there is no connection to begin with.
    """
    connection = await _heard(connect, ears)
    task = asyncio.create_task(_stay(connection, connect, ears), name=f"listen to {', '.join(ears)}")
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _heard(connect: Callable[[], Awaitable[Any]], ears: Mapping[str, Callback]) -> Any:
    connection = await connect()

    def hear(_connection: Any, _pid: int, channel: str, payload: str) -> None:
        ears[channel](payload)

    try:
        for channel in ears:
            await connection.add_listener(channel, hear)
    except BaseException:
        # Lost again, or given up meanwhile: nobody else would close it.
        connection.terminate()
        raise
    return connection


async def _stay(connection: Any, connect: Callable[[], Awaitable[Any]], ears: Mapping[str, Callback]) -> None:
    while True:
        try:
            await _until_lost(connection)
        finally:
            connection.terminate()
        _log.warning("listen.lost", channels=list(ears))
        connection = await _again(connect, ears)
        _log.info("listen.back", channels=list(ears))
        for ear in ears.values():
            ear(None)


async def _until_lost(connection: Any) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    while not (lost.is_set() or connection.is_closed()):
        with suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), CHECK_EVERY)
            return
        try:
            await connection.execute("SELECT 1", timeout=CHECK_EVERY / 6)
        except LOST:
            return


async def _again(connect: Callable[[], Awaitable[Any]], ears: Mapping[str, Callback]) -> Any:
    wait = SHORTEST_WAIT
    while True:
        await asyncio.sleep(wait)
        with suppress(DatabaseError, *LOST):
            return await _heard(connect, ears)
        wait = min(wait * 2, LONGEST_WAIT)
