"""News inside one process: whoever waits for a key hears the newest of it, and nothing piles up for who is slow.

Those who were woken together look together.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator

V = TypeVar("V")


class Hub(Generic[V]):
    """Hands news to those who wait for it. Belongs to one event loop.

    Each subscriber holds one value, the newest it has not taken yet: one that comes before it was taken
    replaces it. So news should say where things stand, not what was added to them.
    """

    def __init__(self) -> None:
        self._boxes: dict[Hashable, set[_Box[V]]] = {}

    @property
    def subscribers(self) -> int:
        """How many wait for anything."""
        return sum(map(len, self._boxes.values()))

    def publish(self, key: Hashable, value: V) -> None:
        """Give the newest of a key to everyone who waits for it; where nobody does, it is gone."""
        for box in self._boxes.get(key, ()):
            box.put(value)

    def publish_where(self, predicate: Callable[[Hashable], bool], value: V) -> None:
        """Publish to every key that is waited for and that the predicate says yes to."""
        for key in [key for key in self._boxes if predicate(key)]:
            self.publish(key, value)

    @contextmanager
    def subscribe(self, key: Hashable) -> Iterator[AsyncIterator[V]]:
        """What is published under a key from now on, while the context is open; the iterator has no end of its own."""
        box = _Box[V]()
        self._boxes.setdefault(key, set()).add(box)
        try:
            yield box
        finally:
            waiting = self._boxes[key]
            waiting.discard(box)
            if not waiting:
                del self._boxes[key]


class _Box(Generic[V]):
    """Room for one value."""

    def __init__(self) -> None:
        self._value: V
        self._full = asyncio.Event()

    def put(self, value: V) -> None:
        self._value = value
        self._full.set()

    def __aiter__(self) -> AsyncIterator[V]:
        return self

    async def __anext__(self) -> V:
        await self._full.wait()
        self._full.clear()
        return self._value


class Together:
    """One look for all who ask for the same in the same turn of the event loop.

    The look begins after the last of them asked: what they were told of by then, it finds. Whoever asks once
    it has begun gets a look of their own.
    """

    def __init__(self) -> None:
        self._joining: dict[Hashable, asyncio.Task[Any]] = {}

    async def look(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What `load` says; what it raises reaches everyone who asked. Who is cancelled leaves, the look goes on."""
        task: asyncio.Task[V] | None = self._joining.get(key)
        if task is None:
            task = self._joining[key] = asyncio.create_task(self._begin(key, load))
            # Looking at the exception tells asyncio that it was seen, even when everyone has left.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait((task,))
        return task.result()

    async def _begin(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, V]]) -> V:
        del self._joining[key]
        return await load()
