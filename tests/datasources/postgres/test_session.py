"""The actor lives for one transaction, and the pool heals itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlmodel import col, select

from datasources.postgres import answers, people, roster
from datasources.postgres.connection import DatabaseError, connect
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import FactRow, PersonRow
from tests.cast import ACME, LENA, OLGA
from tests.datasources.postgres.rosters import NOW, acme, asked, kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

OLGA_RULES = Actor(ACME, OLGA, "org-admin")


@pytest.fixture
async def single(clone: Clone) -> AsyncIterator[Database]:
    """A pool of one connection, so that whoever comes next gets the same."""
    database = await Database.open(clone.app_url, size=1)
    await roster.sync(database, acme())
    yield database
    await database.close()


async def who(database: Database) -> tuple[Any, ...]:
    rows = await database.fetch("SELECT my_organization(), me(), my_role(), (SELECT count(*) FROM people)")
    return tuple(rows[0])


NOBODY = (None, None, None, 0)


async def test_the_actor_leaves_with_a_session(single: Database) -> None:
    async with single.session(OLGA_RULES) as session:
        assert len((await session.exec(select(PersonRow))).all()) == 5
    assert await who(single) == NOBODY


async def test_the_actor_leaves_with_a_session_that_failed(single: Database) -> None:
    async def fails() -> None:
        async with single.session(system(ACME)) as session:
            session.add(FactRow(organization=ACME, endpoint="e", id="x", payload="", seen_at=NOW))
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await who(single) == NOBODY
    async with single.session(system(ACME)) as session:
        assert (await session.exec(select(FactRow))).all() == []


async def test_the_actor_leaves_with_a_call(single: Database) -> None:
    assert await people.find(single, OLGA_RULES, [LENA])
    assert await who(single) == NOBODY


async def test_the_actor_leaves_with_a_call_that_failed(single: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="say_one_thing"):
        await answers.keep(single, ACME, {asked("learner", LENA): kept(withheld="{}")})
    assert await who(single) == NOBODY


async def test_the_actor_leaves_with_a_caller_that_was_cancelled(single: Database) -> None:
    async def asks() -> None:
        async with single.session(OLGA_RULES) as session:
            connection = await session.connection()
            entered.set()
            await connection.exec_driver_sql("SELECT pg_sleep(60)")

    entered = asyncio.Event()
    task = asyncio.create_task(asks())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await who(single) == NOBODY


async def test_a_session_commits(single: Database) -> None:
    async with single.session(system(ACME)) as session:
        session.add(FactRow(organization=ACME, endpoint="e", id="x", payload="p", seen_at=NOW))
    async with single.session(system(ACME)) as session:
        assert (await session.exec(select(FactRow.payload).where(col(FactRow.id) == "x"))).one() == "p"


async def test_statements_are_counted(single: Database) -> None:
    before = single.statements
    await single.ping()
    assert single.statements == before + 1
    async with single.session(OLGA_RULES) as session:
        await session.exec(select(PersonRow))
    assert single.statements == before + 3


async def test_a_connection_the_server_closed_is_replaced(single: Database, clone: Clone) -> None:
    owner = await connect(clone.app_url)
    await owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND usename = current_user AND datname = current_database()"
    )
    await owner.close()
    assert await who(single) == NOBODY
    async with single.session(OLGA_RULES) as session:
        assert len((await session.exec(select(PersonRow))).all()) == 5


async def test_a_wrong_address_says_what_to_do() -> None:
    with pytest.raises(DatabaseError, match="Check the address") as told:
        await Database.open("postgresql://somebody:hidden@127.0.0.1:1/nowhere")
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_an_address_may_be_written_the_way_people_write_it(clone: Clone, scheme: str) -> None:
    database = await Database.open(clone.app_url.replace("postgresql", scheme, 1))
    await database.ping()
    await database.close()
