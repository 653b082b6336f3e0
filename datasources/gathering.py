"""Questions that come while others are being asked go together: no timer, and nobody waits for company."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

K = TypeVar("K")
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """Asks for many keys at once: `most` in one asking, `under_way` askings at a time. Belongs to one event loop.

    `ask` answers every key it is given; what it raises reaches all who asked with it.
    """

    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, most: int = 100, under_way: int = 4
    ) -> None:
        self._ask = ask
        self._most = most
        self._under_way = under_way
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._askings: set[asyncio.Task[None]] = set()

    async def find(self, key: K) -> V:
        """What is answered to a key; who asks for one that waits already is answered with it."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            # Looking at the exception tells asyncio that it was seen, even when everyone has left.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            if len(self._askings) < self._under_way:
                asking = asyncio.create_task(self._work())
                self._askings.add(asking)
        # One who gives up does not take along those who wait for the same.
        await asyncio.wait((future,))
        return future.result()

    async def close(self) -> None:
        """Give up what is under way, and what waits."""
        for asking in list(self._askings):
            asking.cancel()
        await asyncio.gather(*self._askings, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def _work(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._most]
                await self._answer({key: self._waiting.pop(key) for key in keys})
        finally:
            # In the same step that saw nobody wait: who comes in the next one starts an asking.
            self._askings.discard(asyncio.current_task())

    async def _answer(self, asked: Mapping[K, asyncio.Future[V]]) -> None:
        try:
            said = await self._ask(list(asked))
            for key, future in asked.items():
                if not future.done():
                    future.set_result(said[key])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who asked
            for future in asked.values():
                if not future.done():
                    future.set_exception(error)
        finally:
            # Nobody answers any more what was given up.
            for future in asked.values():
                future.cancel()
