"""What was asked before is looked up again without a task of its own: nobody can tell, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import text

from datasources.postgres.session import Actor
from tests.cast import ACME, LENA
from tests.gateway.served import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.gateway.counter.clients import Serve, Served

pytestmark = pytest.mark.parametrize("serve", ["looked up"], indirect=True)


@asynccontextmanager
async def held(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A database in which nobody reads an answer for as long as this is open; it is undone what is done here."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute("BEGIN; LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
        yield owner
        await owner.execute("ROLLBACK")
    finally:
        await owner.close()


def reading(one: Served) -> Any:
    return one.door.way._errands._finder._reading


def waiting(one: Served) -> int:
    """How many statements are under way for many."""
    return len(reading(one)._runners)


async def test_what_arrives_meanwhile_is_answered_after_it_in_order(served: Served, owner_url: str) -> None:
    mine, lars = served.request(), served.request("lars")
    await served.known(mine, lars)
    async with served.client() as client:
        async with held(owner_url):
            await client.say(mine)
            assert waiting(served) == 1
            client.writer.write(lars + mine[:40])
        told = await client.hear()
        assert told.said["data"]["viewer"]["learner"]["displayName"] == "Lena"
        assert (await client.hear()).said["data"]["viewer"]["learner"]["displayName"] == "Lars"
        await client.say(mine[40:])
        assert (await client.hear()).same == told.same


async def test_one_that_lasts_too_long_is_answered_the_ordinary_way_and_paid_for_once(
    serve: Serve, owner_url: str
) -> None:
    async with serve(patience=1.0, requests_per_hour=100) as one:
        mine = one.request()
        await one.known(mine)
        before = (await one.alone(mine)).said["extensions"]["cost"]["budget"]["requests"]["left"]
        begun, looks = one.begun, reading(one).statistics.looks
        async with held(owner_url):
            told = await one.alone(mine)
        assert (one.begun, reading(one).statistics.looks) == (begun + 1, looks + 1), "once is enough"
        assert told.said["data"]["viewer"]["learner"]["displayName"] == "Lena"
        assert told.said["extensions"]["cost"]["budget"]["requests"]["left"] == before - 1


async def test_who_hangs_up_leaves_nothing_behind(served: Served, owner_url: str) -> None:
    mine = served.request()
    await served.known(mine)
    again = served.ways.again
    async with held(owner_url):
        async with served.client() as client:
            await client.say(mine)
            assert waiting(served) == 1
        await until(lambda: served.open == 0)
    await until(lambda: waiting(served) == 0)
    assert served.ways.again == again, "nobody was told"
    assert (await served.alone(mine)).status == 200


async def test_a_server_that_is_told_to_stop_answers_first(serve: Serve, owner_url: str) -> None:
    serving = serve()
    one = await serving.__aenter__()
    mine = one.request()
    await one.known(mine)
    async with one.client() as client, one.client() as idle:
        async with held(owner_url):
            await client.say(mine)
            stopping = asyncio.create_task(serving.__aexit__(None, None, None))
            # Whoever has nothing under way is hung up on first.
            assert await idle.ended() == b""
            assert waiting(one) == 1
        told = await client.hear()
        assert (told.status, dict(told.headers)[b"connection"]) == (200, b"close")
        assert await client.ended() == b""
    async with asyncio.timeout(PATIENCE):
        await stopping


async def test_what_is_gone_is_worked_out_the_ordinary_way(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    before, passed = await served.alone(mine), served.ways.passed_on
    async with served.gateway.world.database.session(Actor(ACME, "system", "system")) as session:
        await (await session.connection()).execute(text("DELETE FROM answers WHERE subject = :who"), {"who": LENA})
    assert (await served.alone(mine)).said["data"] == before.said["data"]
    assert served.ways.passed_on == passed + 1


async def test_where_there_is_something_to_do_afterwards_it_is_done(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    begun = served.begun
    served.door.way._arrivals._seen.clear()
    await served.alone(mine)
    assert (served.begun, served.door.way._arrivals._seen.empty) == (begun + 1, False)
    await served.alone(mine)
    assert served.begun == begun + 1


async def test_what_no_plan_answers_is_not_known_by_its_bytes(served: Served) -> None:
    other = served.request("lena", "{ viewer { id } services { name } }")
    for _ in range(3):
        assert (await served.alone(other)).status == 200
    assert len(served.door.way.tickets) == 0
