"""Coming in, inside one process: many share a statement, one statement at a time, and nobody is left out by others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from analytics.arriving import AT_ONCE, EVERY, MOST_WAITING, Arrivals
from analytics.declare import Role
from analytics.policy import Viewer
from tests.cast import ACME, LARS, LENA, OLGA, TOMAS

if TYPE_CHECKING:
    from analytics.world import World

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass
class Door:
    """A database that notes whom it is asked to look after, in each statement; while `gate` is not set, they wait."""

    statements: list[list[tuple[str, str, str, str]]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0
    fails: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, _sql: str, *arguments: Any) -> list[dict[str, Any]]:
        self.statements.append(list(zip(*arguments[:4], strict=True)))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.begun.set()
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.fails:
            raise self.fails
        return [{"made": 0, "put_off": []}]

    async def next(self) -> None:
        """Wait until another statement is begun."""
        async with asyncio.timeout(10):
            await self.begun.wait()
        self.begun.clear()

    @property
    def users(self) -> list[list[str]]:
        return [[user for _, user, _, _ in statement] for statement in self.statements]


@dataclass
class Process:
    """One process, its door and its clock."""

    door: Door = field(default_factory=Door)
    moment: datetime = NOW
    arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        world = SimpleNamespace(database=self.door, now=lambda: self.moment)
        self.arrivals = Arrivals(cast("World", world))

    def come(self, viewer: Viewer) -> asyncio.Task[None]:
        return asyncio.create_task(self.arrivals.arrived(viewer))


def viewer(user: str, role: Role = Role.LEARNER) -> Viewer:
    return Viewer(user, ACME, frozenset({role}), role)


def learners(number: int) -> list[Viewer]:
    return [viewer(str(UUID(int=n))) for n in range(number)]


async def test_who_comes_while_others_are_looked_after_shares_the_next_statement() -> None:
    process, crowd = Process(), learners(AT_ONCE + 8)
    tasks = [process.come(one) for one in crowd]
    await process.door.next()
    process.door.gate.set()
    await asyncio.gather(*tasks)
    users = [one.user for one in crowd]
    # The first comes alone; all others wait by the time it is done.
    assert process.door.users == [users[:1], users[1 : AT_ONCE + 1], users[AT_ONCE + 1 :]]
    assert process.door.most == 1


async def test_each_role_has_its_own_and_an_admin_comes_for_the_organization() -> None:
    process = Process()
    process.door.gate.set()
    for one in (viewer(LENA), viewer(TOMAS, Role.TRAINER), viewer(OLGA, Role.ORG_ADMIN)):
        await process.arrivals.arrived(one)
    assert process.door.statements == [
        [(ACME, LENA, "learner", LENA)],
        [(ACME, TOMAS, "trainer", TOMAS)],
        [(ACME, OLGA, "org-admin", ACME)],
    ]


async def test_it_is_once_an_hour_however_often_somebody_comes() -> None:
    process = Process()
    process.door.gate.set()
    await asyncio.gather(*(process.come(viewer(LENA)) for _ in range(5)))
    process.moment += EVERY * 0.99
    await process.arrivals.arrived(viewer(LENA))
    assert process.door.users == [[LENA]]
    process.moment += EVERY * 0.01
    await process.arrivals.arrived(viewer(LENA))
    assert process.door.users == [[LENA], [LENA]]


async def test_who_is_given_up_takes_nobody_along() -> None:
    process = Process()
    crowd = learners(4)
    tasks = [process.come(one) for one in crowd]
    await process.door.next()
    tasks[0].cancel()
    await process.door.next()
    # The second looks after the others, and is given up half way as well; so is the third, who waits.
    tasks[1].cancel()
    tasks[2].cancel()
    await process.door.next()
    process.door.gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    users = [one.user for one in crowd]
    assert process.door.users == [users[:1], users[1:], users[3:]]


async def test_where_the_database_is_away_each_is_asked_for_once_and_nobody_hears_of_it() -> None:
    process = Process()
    process.door.fails = TimeoutError()
    tasks = [process.come(one) for one in learners(3)]
    await process.door.next()
    process.door.gate.set()
    await asyncio.gather(*tasks)
    assert [len(statement) for statement in process.door.users] == [1, 2]


async def test_who_comes_when_too_many_wait_is_looked_after_another_time() -> None:
    process = Process()
    tasks = [process.come(one) for one in learners(MOST_WAITING)]
    await process.door.next()
    await process.arrivals.arrived(viewer(LARS))
    assert not process.arrivals.seen(viewer(LARS))
    process.door.gate.set()
    await asyncio.gather(*tasks)
    await process.arrivals.arrived(viewer(LARS))
    assert process.door.users[-1] == [LARS]
