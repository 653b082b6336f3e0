"""The in-process tier: bounded by count and by bytes, each entry until its time, one load per key at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime, timedelta

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class MemoryStatistics:
    """What a memory did since it was made, and what it holds now."""

    hits: int
    misses: int
    evictions: int
    items: int
    bytes: int


class AbandonedError(Exception):
    """The load that this caller shared was cancelled from outside before it ended."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    until: datetime
    size: int


class Memory(Generic[K, V]):
    """At most `items` entries and `room` bytes, the least recently used leave first.

    `size` says how many bytes a value counts for; a value larger than the whole room is not kept.
    `now` is the clock that entries expire by. Belongs to one event loop.
    """

    def __init__(self, *, items: int, room: int, size: Callable[[V], int], now: Callable[[], datetime]) -> None:
        self._most_items = items
        self._room = room
        self._size = size
        self._now = now
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._loads: dict[K, asyncio.Task[V]] = {}
        self._bytes = 0
        self._drops = 0
        self._hits = 0
        self._misses = 0
        self._evictions = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is held at all."""
        return not self._entries

    def get(self, key: K) -> V | None:
        """The value kept under a key whose time is not up, else None."""
        entry = self._entries.get(key)
        if entry is not None and entry.until > self._now():
            self._entries.move_to_end(key)
            self._hits += 1
            return entry.value
        if entry is not None:
            self._remove(key)
        self._misses += 1
        return None

    def until(self, key: K) -> datetime | None:
        """The time until which a key is kept; None where it is not kept, or no longer."""
        entry = self._entries.get(key)
        return entry.until if entry is not None and entry.until > self._now() else None

    def held(self) -> list[tuple[K, V]]:
        """Everything that is kept and whose time is not up, used by this no more recently than before."""
        now = self._now()
        return [(key, entry.value) for key, entry in self._entries.items() if entry.until > now]

    def mark(self) -> int:
        """A mark to take before reading what will be `put`, so that a drop in between is not undone by it."""
        return self._drops

    def put(self, key: K, value: V, until: datetime, mark: int | None = None) -> bool:
        """Keep a value until its time, instead of what was there; False when it was not kept.

        With a `mark`, nothing is kept if anything was dropped since: the value may have been read
        before the change that the drop told of. A refusal costs one more load, never a stale value.
        """
        if mark is not None and mark != self._drops:
            return False
        self._remove(key)
        size = self._size(value)
        if until <= self._now() or size > self._room:
            return False
        self._entries[key] = _Entry(value, until, size)
        self._bytes += size
        while len(self._entries) > self._most_items or self._bytes > self._room:
            self._remove(next(iter(self._entries)))
            self._evictions += 1
        return key in self._entries

    def drop(self, keys: Iterable[K]) -> None:
        """Forget these keys; loads of them that are under way get no new followers."""
        self._drops += 1
        for key in keys:
            self._remove(key)
            self._loads.pop(key, None)

    def drop_where(self, predicate: Callable[[K], bool]) -> None:
        """Forget every key the predicate says yes to."""
        self.drop([key for key in {**self._entries, **self._loads} if predicate(key)])

    def clear(self) -> None:
        """Forget everything."""
        self.drop_where(lambda _: True)

    async def once(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The outcome of a load that everyone who asks for this key meanwhile shares.

        The load runs in its own task: a caller that is cancelled leaves, the load goes on. What it
        raises reaches every caller. Nothing is kept here; a load that wants its value kept puts it.

        Raises:
            AbandonedError: the load itself was cancelled; no caller is cancelled by that.
        """
        task = self._loads.get(key)
        if task is None:
            task = asyncio.create_task(_run(load))
            self._loads[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        # Unlike awaiting the task, waiting for it does not hand our cancellation on to it.
        await asyncio.wait((task,))
        if task.cancelled():
            raise AbandonedError
        return task.result()

    async def remembered(self, key: K, load: Callable[[], Awaitable[V]], *, stay: timedelta, patience: float) -> V:
        """What is kept under a key, else what one load for all who ask brings, which then stays, unless it is None.

        Raises:
            TimeoutError: the load took longer than `patience` seconds.
            AbandonedError: the load was cancelled.
        """
        if (value := self.get(key)) is not None:
            return value

        async def work() -> V:
            mark = self.mark()
            async with asyncio.timeout(patience):
                loaded = await load()
            if loaded is not None:
                self.put(key, loaded, until=self._now() + stay, mark=mark)
            return loaded

        return await self.once(key, work)

    def leads(self, key: K) -> bool:
        """Whether the task that asks is the load of this key, and the key was not dropped since it began."""
        return self._loads.get(key) is asyncio.current_task()

    def statistics(self) -> MemoryStatistics:
        """Counts since the start, and what is held now (expired entries included until they are met)."""
        return MemoryStatistics(self._hits, self._misses, self._evictions, len(self._entries), self._bytes)

    def _finish(self, key: K, done: asyncio.Task[V]) -> None:
        if self._loads.get(key) is done:
            del self._loads[key]
        if not done.cancelled():
            # Looking at the exception tells asyncio that it was seen, even when every caller has left.
            done.exception()

    def _remove(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size


async def _run(load: Callable[[], Awaitable[V]]) -> V:
    return await load()
