"""Lanes that give way: who asks for much leaves room for those who ask for little, and not for long."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from datasources.postgres.lanes import LONGEST_REST, Lanes
from datasources.postgres.reading import Look, Reading, Shape
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, LENA

STEPS = 20


class Connection:
    """One that answers at once, and says what it was sent."""

    def __init__(self, sent: list[str]) -> None:
        self._sent = sent

    async def fetch(self, sql: str, **_: Any) -> list[Any]:
        self._sent.append(sql)
        return []

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        """Nothing is open."""


async def lanes_of(sent: list[str], *, others: bool) -> Lanes:
    """One lane whose statements take ten seconds each, by its clock, while others are under way or not."""

    async def connect() -> Any:
        return Connection(sent)

    return Lanes(connect, 1, giving_way=lambda: others, clock=map(float, count(0, 10)).__next__)


async def steps() -> None:
    for _ in range(STEPS):
        await asyncio.sleep(0)


async def test_while_others_are_under_way_the_next_statement_waits_though_the_lane_is_free() -> None:
    sent: list[str] = []
    lanes = await lanes_of(sent, others=True)
    first, second = (asyncio.create_task(lanes.fetch(sql)) for sql in ("first", "second"))
    await first
    until = asyncio.get_running_loop().time() + LONGEST_REST
    await steps()
    if asyncio.get_running_loop().time() < until:
        assert sent == ["first"]
    async with asyncio.timeout(10 * LONGEST_REST + 5):
        await second
    assert sent == ["first", "second"], "it rests for a while, however long the statement took"


async def test_while_nobody_else_is_there_it_does_not() -> None:
    sent: list[str] = []
    lanes = await lanes_of(sent, others=False)
    both = [asyncio.create_task(lanes.fetch(sql)) for sql in ("first", "second")]
    await steps()
    assert sent == ["first", "second"]
    await asyncio.gather(*both)


async def test_a_look_is_under_way_until_it_is_answered(database: Database) -> None:
    lanes = database.lanes()
    reading = Reading(lanes)
    assert not reading.busy
    looking = reading.begin(Shape(1, ()), Look(Actor(ACME, LENA, "learner"), [LENA], []))
    assert reading.busy
    await looking
    await steps()
    assert not reading.busy
    await reading.close()
    await lanes.close()
