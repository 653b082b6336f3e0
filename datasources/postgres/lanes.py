"""A few connections for statements that set their actor themselves, without a pool around them.

A pool clears a connection each time it comes back, which is a round trip, or looks it over, which costs as much
as a small statement. Nothing is left behind here that would have to be cleared: each statement is a transaction of
its own, calls one function, and what that sets is local to it (docs/decisions/0024).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from datasources.postgres.connection import NOT_SENT, STATEMENT_WITHIN, DatabaseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MOST_WAITING = 1_000
"""The most statements that wait for a lane."""
REST = 3
"""So many times as long as its statement took, a lane that gives way rests."""
LONGEST_REST = 0.05
"""Seconds that it rests at most."""


class Lanes:
    """At most `most` statements under way at once, each on a connection of its own, made when it is first needed.

    Only for statements `SELECT * FROM a_function($1, ...)` whose function sets the actor: there is no way to begin a
    transaction here. `sending` hears of each statement. While `giving_way` says so, a lane rests after each: who asks
    for much leaves the processors to those who ask for little. Belongs to one event loop.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        most: int = 2,
        sending: Callable[[], None] = lambda: None,
        *,
        giving_way: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._sending = sending
        self._giving_way = giving_way
        self._clock = clock
        self._free: list[Any] = []
        self._room = asyncio.Semaphore(most)
        self._waiting = 0
        self._closed = False

    async def fetch(self, sql: str, *arguments: Any, record_class: Any = None) -> list[Any]:
        """The rows of one statement.

        Raises:
            DatabaseError: there is no connection, or too many wait for one.
            Exception: of the driver; what it looks like when there is no answer is `connection.UNAVAILABLE`.
        """
        if self._waiting >= MOST_WAITING:
            msg = f"More than {MOST_WAITING} statements wait for the database."
            raise DatabaseError(msg)
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        began = self._clock()
        try:
            try:
                return await self._send(sql, arguments, record_class)
            except NOT_SENT:
                return await self._send(sql, arguments, record_class)
        finally:
            if self._giving_way():
                rest = min(REST * (self._clock() - began), LONGEST_REST)
                asyncio.get_running_loop().call_later(rest, self._room.release)
            else:
                self._room.release()

    async def close(self) -> None:
        """Close what is not under way; what is, closes when it is done."""
        self._closed = True
        free, self._free = self._free, []
        for connection in free:
            connection.terminate()

    async def _send(self, sql: str, arguments: tuple[Any, ...], record_class: Any) -> list[Any]:
        connection = await self._connection()
        try:
            self._sending()
            rows: list[Any] = await connection.fetch(
                sql, *arguments, timeout=STATEMENT_WITHIN + 1, record_class=record_class
            )
        except BaseException:
            # What state it is in is not known: a new one costs a few milliseconds, and only then.
            connection.terminate()
            raise
        if self._closed:
            connection.terminate()
        else:
            self._free.append(connection)
        return rows

    async def _connection(self) -> Any:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()
