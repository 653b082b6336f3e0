"""Many who ask, few askings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from datasources.gathering import Gathering

if TYPE_CHECKING:
    from collections.abc import Sequence


class Oracle:
    """Answers a number with its double, when the gate is open; nobody knows of zero."""

    def __init__(self, *, most: int = 100, under_way: int = 1) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.gathering = Gathering(self.ask, most=most, under_way=under_way)

    async def ask(self, keys: Sequence[int]) -> dict[int, int]:
        self.asked.append(list(keys))
        self.entered.set()
        await self.gate.wait()
        if 0 in keys:
            message = "nobody knows"
            raise LookupError(message)
        return {key: 2 * key for key in keys}


async def test_who_asks_while_others_are_asked_for_goes_with_the_next() -> None:
    oracle = Oracle(most=3)
    first = asyncio.create_task(oracle.gathering.find(1))
    await oracle.entered.wait()
    others = [asyncio.create_task(oracle.gathering.find(key)) for key in (2, 3, 2, 4, 5)]
    await asyncio.sleep(0)
    oracle.gate.set()
    assert await first == 2
    assert await asyncio.gather(*others) == [4, 6, 4, 8, 10]
    assert oracle.asked == [[1], [2, 3, 4], [5]]


async def test_no_more_askings_are_under_way_than_may_be() -> None:
    oracle = Oracle(under_way=2)
    waiting = []
    for key in (1, 2, 3, 4):
        waiting.append(asyncio.create_task(oracle.gathering.find(key)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert oracle.asked == [[1], [2]]
    oracle.gate.set()
    await asyncio.gather(*waiting)
    assert oracle.asked == [[1], [2], [3, 4]]


async def test_what_went_wrong_is_heard_by_those_who_asked_with_it_and_by_nobody_later() -> None:
    oracle = Oracle()
    oracle.gate.set()
    said = await asyncio.gather(*(oracle.gathering.find(key) for key in (0, 1)), return_exceptions=True)
    assert [type(one) for one in said] == [LookupError, LookupError]
    assert await oracle.gathering.find(1) == 2


async def test_who_gives_up_takes_nobody_along() -> None:
    oracle = Oracle()
    one, other = (asyncio.create_task(oracle.gathering.find(1)) for _ in range(2))
    await oracle.entered.wait()
    one.cancel()
    oracle.gate.set()
    assert await other == 2
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_nobody_waits_for_what_was_closed() -> None:
    oracle = Oracle()
    under_way = asyncio.create_task(oracle.gathering.find(1))
    await oracle.entered.wait()
    waiting = asyncio.create_task(oracle.gathering.find(2))
    await asyncio.sleep(0)
    await oracle.gathering.close()
    for one in (under_way, waiting):
        with pytest.raises(asyncio.CancelledError):
            await one
