"""Who may be heard at all, as one process knows it: who is asked when, and what stands while nobody answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from analytics.standing import Claim, Standings
from datasources.directory import User
from datasources.postgres.connection import DatabaseError
from datasources.wire import Batch
from tests.cast import ACME, LARS, LENA, OTHER

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLAIM = Claim(ACME, LENA, "a token", START)
LENAS = User(LENA, "Lena", ACME, ("learner",))
NOTHING_KEPT = {"copied": False, "active": False, "revoked": None, "tokens": []}


@dataclass
class Around:
    """A directory and a database that say what they are told to, and a clock that is set by hand."""

    user: User | None = LENAS
    away: bool = False
    kept: dict[str, Any] | None = field(default_factory=lambda: dict(NOTHING_KEPT))
    now: datetime = START
    asked: int = 0
    ids: list[str] = field(default_factory=list)
    lasts: timedelta = timedelta(seconds=60)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        this = cast("Any", self)
        self.standings = Standings(this, this, now=lambda: self.now, lasts=self.lasts, patience=0.05)

    async def read(self, _endpoint: Any, ids: list[str], _deadline: float, _headers: Any) -> Batch[User]:
        self.asked += 1
        self.ids = ids
        self.entered.set()
        said, away = self.user, self.away
        await self.gate.wait()
        if away:
            return Batch(spoiled=frozenset(ids))
        return Batch({LENA: said}) if said is not None else Batch(missing=frozenset(ids))

    async def fetch(self, *_: Any) -> list[Any]:
        if self.kept is None:
            message = "nobody answers"
            raise DatabaseError(message)
        return [self.kept] * max(1, len(self.ids))

    async def hold(self, claim: Claim = CLAIM) -> bool:
        return await self.standings.holds(claim)


async def test_who_is_active_in_their_organization_is_heard() -> None:
    assert await Around().hold()
    assert await Around(User(LENA, "Lena", ACME.upper(), ())).hold()


@pytest.mark.parametrize("user", [None, User(LENA, "Lena", ACME, (), is_active=False), User(LENA, "Lena", OTHER, ())])
async def test_who_is_gone_inactive_or_elsewhere_is_not(user: User | None) -> None:
    assert not await Around(user).hold()


async def test_what_was_revoked_is_void_and_what_was_made_later_is_not() -> None:
    around = Around(kept=NOTHING_KEPT | {"revoked": START, "tokens": ["another token"]})
    for seconds, token, holds in ((0, "x", False), (10, "x", False), (11, "x", True), (11, "another token", False)):
        claim = Claim(ACME, LENA, token, START + seconds * SECOND)
        assert await around.hold(claim) is holds, "clocks that differ by ten seconds are forgiven, on the safe side"


async def test_everybody_who_asks_in_the_same_minute_shares_one_look() -> None:
    around = Around()
    await asyncio.gather(*(around.hold() for _ in range(50)))
    around.now += 29 * SECOND
    await around.hold()
    assert around.asked == 1


async def test_who_asks_all_day_never_waits_for_the_directory() -> None:
    around = Around()
    await around.hold()
    around.gate.clear()
    around.entered.clear()
    around.now += 30 * SECOND
    assert await around.hold()
    await around.entered.wait()
    assert around.asked == 2, "asked again behind the answer"
    around.gate.set()


async def test_after_a_minute_nothing_is_believed_without_a_look() -> None:
    around = Around()
    await around.hold()
    around.user = None
    around.now += 60 * SECOND
    assert not await around.hold()


@pytest.mark.parametrize("heard", [True, False])
async def test_while_nobody_answers_what_was_said_last_stands(*, heard: bool) -> None:
    around = Around(LENAS if heard else None, kept=NOTHING_KEPT | {"tokens": ["a token"]})
    other = Claim(ACME, LENA, "another", START)
    assert (await around.hold(), await around.hold(other)) == (False, heard)
    around.away, around.kept = True, None
    around.now += timedelta(hours=1)
    assert (await around.hold(), await around.hold(other)) == (False, heard)


@pytest.mark.parametrize(
    ("copied", "active", "holds"), [(False, False, True), (True, True, True), (True, False, False)]
)
async def test_who_was_never_looked_up_is_known_by_the_copy_of_the_roster(
    *, copied: bool, active: bool, holds: bool
) -> None:
    around = Around(away=True, kept=NOTHING_KEPT | {"copied": copied, "active": active})
    assert await around.hold() is holds


async def test_where_nothing_is_known_at_all_a_good_token_is_good() -> None:
    assert await Around(away=True, kept=None).hold()


async def test_news_has_everybody_looked_at_again_and_a_look_that_was_earlier_is_not_kept() -> None:
    around = Around()
    around.gate.clear()
    early = asyncio.create_task(around.hold())
    await around.entered.wait()
    around.user = None
    around.standings.heard(None)
    around.gate.set()
    assert await early, "it was asked before"
    assert not await around.hold()


async def test_news_of_somebody_is_of_nobody_else() -> None:
    around = Around()
    await around.hold()
    around.standings.heard(f'["{OTHER}", "{LENA}"]')
    around.standings.heard(f'["{ACME}", "{OTHER}"]')
    await around.hold()
    assert around.asked == 1
    for payload in (f'["{ACME}", "{LENA}"]', f'["*", "{LENA}"]', None):
        before = around.asked
        around.standings.heard(payload)
        await around.hold()
        assert around.asked == before + 1


async def test_who_waits_for_the_end_is_told_when_it_comes() -> None:
    around = Around()
    lost = asyncio.create_task(around.standings.lost(CLAIM))
    await around.hold()
    around.standings.heard(None)
    assert await around.hold()
    assert not lost.done(), "news, but not of that"
    around.user = None
    around.standings.heard(f'["*", "{LENA}"]')
    async with asyncio.timeout(5):
        await lost


async def test_one_who_gives_up_waiting_takes_the_answer_from_nobody() -> None:
    around = Around()
    around.gate.clear()
    first, second = (asyncio.create_task(around.hold()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    around.gate.set()
    assert await second
    assert around.asked == 1


async def test_who_asked_lately_is_looked_at_again_before_they_come_back_many_at_a_time() -> None:
    around = Around(lasts=timedelta(seconds=0.6))
    claims = [CLAIM, Claim(ACME, LARS, "his token", START)]
    for claim in claims:
        await around.hold(claim)
        await around.hold(claim)
    around.now += timedelta(seconds=0.4)
    around.entered.clear()
    async with asyncio.timeout(10):
        await around.entered.wait()
    assert (around.asked, sorted(around.ids)) == (3, sorted([LENA, LARS]))
    await around.standings.close()


async def test_who_has_not_asked_for_long_is_left_alone() -> None:
    around = Around(lasts=timedelta(seconds=0.06))
    await around.hold()
    await around.hold()
    around.now += timedelta(minutes=11)
    rounds = [task for task in asyncio.all_tasks() if task.get_name() == "look at who asked lately"]
    done, _ = await asyncio.wait(rounds, timeout=10)
    assert len(done) == around.asked == 1
