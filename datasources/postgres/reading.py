"""What compiled documents ask for, read for many viewers in one statement.

Whoever asks while statements are under way goes with the next one, together with all who ask for the same: there
is no timer, and alone nobody waits. Each asks as themselves; row-level security holds for each.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from datasources.postgres.connection import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datasources.postgres.lanes import Lanes
    from datasources.postgres.session import Actor

AT_ONCE = 64
"""The most who share a statement."""

UNDER_WAY = 2
"""The most statements at once: with one, the server would rest while its rows are read here."""

MOST_WAITING = 2_000
"""The most who wait; there are never more connections than that."""

SEPARATOR = "\x1f"
"""Between the texts of a list. It cannot be in JSON text, nor in the key of a metric."""

_READ = "SELECT * FROM read_asked($1, $2, $3, $4, $5, $6, $7, $8, $9)"


class Row(asyncpg.Record):  # type: ignore[misc]  # the driver has no types
    """One row: a person where `part` is 0, else a kept answer to a question of that part; see `answers.Kept`."""

    __slots__ = ()
    part = property(itemgetter(1))
    card = property(itemgetter(2))
    metric = property(itemgetter(3))
    arguments = property(itemgetter(4))
    value = property(itemgetter(5))
    withheld = property(itemgetter(6))
    about = property(itemgetter(7))
    as_of = property(itemgetter(8))
    calculated_at = property(itemgetter(9))
    expires_at = property(itemgetter(10))


@dataclass(frozen=True, slots=True)
class Shape:
    """What many ask alike: about how many people, and which answers about subjects of which scopes.

    A part is the scope of one subject with its questions, each a metric and arguments.
    """

    people: int
    parts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What one asks in a shape: as whom, about which people, and the subject of each part."""

    actor: Actor
    people: Sequence[str]
    subjects: Sequence[str]


@dataclass(slots=True)
class ReadingStatistics:
    """How many looks there were, in how many statements."""

    looks: int = 0
    statements: int = 0


class Reading:
    """The way of many looks into few statements. Belongs to one event loop."""

    def __init__(self, lanes: Lanes) -> None:
        self.statistics = ReadingStatistics()
        self._lanes = lanes
        self._waiting: dict[Shape, deque[tuple[Look, asyncio.Future[list[Row]]]]] = {}
        self._waiters = 0
        self._runners: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether anybody's look is under way."""
        return bool(self._runners)

    async def read(self, shape: Shape, look: Look) -> list[Row]:
        """The people and the answers, those of them that this actor may read; questions in no order.

        A row may be of a metric of the shape with the arguments of another: whoever asks leaves it out.

        Raises:
            DatabaseError: too many wait, or there is no connection.
            Exception: what the driver says; see `connection.UNAVAILABLE`.
        """
        return await self.begin(shape, look)

    def begin(self, shape: Shape, look: Look) -> asyncio.Future[list[Row]]:
        """The same as `read`, for who does not wait in a task; whoever cancels it is left out."""
        future: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        if self._waiters >= MOST_WAITING:
            future.set_exception(DatabaseError(f"More than {MOST_WAITING} wait for the database."))
            return future
        self._waiting.setdefault(shape, deque()).append((look, future))
        self._waiters += 1
        if len(self._runners) < UNDER_WAY:
            runner = asyncio.create_task(self._run(), name="read for many")
            self._runners.add(runner)
        return future

    async def close(self) -> None:
        """Give up what is under way, and what waits."""
        runners = list(self._runners)
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        for queue in self._waiting.values():
            for _, future in queue:
                future.cancel()
        self._waiting.clear()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._next()
        finally:
            # In the same step that saw nobody wait: who comes in the next one starts a runner.
            self._runners.discard(asyncio.current_task())

    async def _next(self) -> None:
        """Answer some of those who have waited longest for one shape."""
        shape = next(iter(self._waiting))
        queue = self._waiting.pop(shape)
        batch = [queue.popleft() for _ in range(min(AT_ONCE, len(queue)))]
        if queue:
            # Behind the others: one shape that is asked for without end does not keep them waiting.
            self._waiting[shape] = queue
        self._waiters -= len(batch)
        together = [(look, future) for look, future in batch if not future.done()]
        if together:
            await self._answer(shape, together)

    async def _answer(self, shape: Shape, batch: list[tuple[Look, asyncio.Future[list[Row]]]]) -> None:
        self.statistics.looks += len(batch)
        self.statistics.statements += 1
        try:
            found = await self._fetch(shape, [look for look, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    if isinstance(error, Exception):
                        future.set_exception(error)
                    else:
                        future.cancel()
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), rows in zip(batch, found, strict=True):
                if not future.done():
                    future.set_result(rows)

    async def _fetch(self, shape: Shape, looks: Sequence[Look]) -> list[list[Row]]:
        actors = [look.actor for look in looks]
        rows = await self._lanes.fetch(
            _READ,
            [actor.organization for actor in actors],
            [actor.user for actor in actors],
            [actor.role for actor in actors],
            shape.people,
            [person for look in looks for person in look.people],
            [scope for scope, _ in shape.parts],
            [subject for look in looks for subject in look.subjects],
            [_list(metric for metric, _ in asked) for _, asked in shape.parts],
            [_list(arguments for _, arguments in asked) for _, asked in shape.parts],
            record_class=Row,
        )
        found: list[list[Row]] = [[] for _ in looks]
        for row in rows:
            found[row[0] - 1].append(row)
        return found


def _list(texts: Iterable[str]) -> str:
    """Some texts as one. One that is empty is a text as well, so each has the separator before it."""
    return "".join(SEPARATOR + text for text in dict.fromkeys(texts))
