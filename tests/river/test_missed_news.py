"""A process whose connection for news was lost makes up for what it may have missed, and loses no more than that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from datasources.postgres import erasure
from datasources.postgres.connection import connect
from datasources.postgres.session import Actor
from tests.cast import ACME, LARS, LENA, OLGA
from tests.gateway.served import PATIENCE
from tests.river.banks import running
from tests.river.memories import holding

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone, Server
    from tests.river.banks import Clock, Gateway, Services

WHO = "{ viewer { activeRole } }"
EARS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
OLGAS = Actor(ACME, OLGA, "org-admin")


async def back(gateway: Gateway) -> None:
    """Have the connection for news be lost, and wait until it is there again."""
    heard = asyncio.Event()
    gateway.world.keepers.append(heard.set)
    assert await gateway.world.database.fetch(f"SELECT pg_terminate_backend(pid) FROM ({EARS}) ears")  # noqa: S608 - our own words
    async with asyncio.timeout(PATIENCE):
        await heard.wait()
    gateway.world.keepers.pop()


async def forgotten_unheard(database: Database, person: str) -> None:
    """As `erasure.forget` begins; nobody is told."""
    await database.fetch("SELECT remember_forgotten($1, $2)", ACME, person)


async def left(gateway: Gateway) -> int:
    said = await gateway.ask(WHO, "lars")
    budget: int = said.body["extensions"]["cost"]["budget"]["requests"]["left"]
    return budget


async def test_nobody_gets_a_new_budget_when_news_may_have_been_missed(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, requests_per_hour=30) as gateway:
        assert [await left(gateway) for _ in range(3)] == [28, 27, 26]
        await back(gateway)
        # As the first: the document has to be read again, which is paid for.
        assert [await left(gateway) for _ in range(2)] == [24, 23]


async def test_who_was_known_while_the_database_is_away_is_known_still_after_news_were_missed(
    server: Server, clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.dashboard("lena")
        await gateway.settled()
        roster = gateway.world.roster
        known = await roster.persons(OLGAS, [LENA, LARS])
        assert None not in known.values()
        await forgotten_unheard(gateway.world.database, LENA)
        await back(gateway)
        async with asyncio.timeout(PATIENCE):
            while holding(roster, {LENA}, beside=[services, gateway.world.database]):
                await gateway.world.database.ping()
        owner = await connect(server.owner(clone.app_url.rpartition("/")[2]))
        try:
            async with owner.transaction():
                await owner.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
                assert await roster.persons(OLGAS, [LENA, LARS]) == {LARS: known[LARS]}
        finally:
            await owner.close()


async def test_one_who_fails_to_let_go_keeps_nobody_else_from_it(gateway: Gateway) -> None:
    heard = asyncio.Event()

    def fails() -> None:
        raise ValueError

    gateway.world.keepers[:0] = [fails]
    gateway.world.keepers.append(heard.set)
    await gateway.dashboard("lena")
    await erasure.forget(gateway.world.database, ACME, LENA)
    async with asyncio.timeout(PATIENCE):
        await heard.wait()
