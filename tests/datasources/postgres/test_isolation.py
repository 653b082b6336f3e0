"""Tenants apart: every table and every function there is, tried as another tenant and as nobody.

Which there are is read from the catalogs, so that a new one is tried as soon as it is there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres.connection import connect
from datasources.postgres.prune import JANITOR
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LENA, OLGA, OTHER, SAM
from tests.datasources.postgres.everything import FUNCTIONS, KEY, SECRET, TABLES, attempt, call, contents, fill

if TYPE_CHECKING:
    from tests.conftest import Clone

NOBODY = Actor("", "", "")
PLATFORM = Actor("*", "system", "system")
STRANGERS = (
    NOBODY,
    JANITOR,
    *(Actor(OTHER, SAM, role) for role in ("learner", "trainer", "org-admin", "bearer")),
    system(OTHER),
    Actor(OTHER, SAM, "views"),
    PLATFORM,
    Actor("*", "system", "org-admin"),
    *(Actor(ACME, OLGA, role) for role in ("", "root", "ORG-ADMIN", "org-admin'' OR true --")),
    Actor(f"{ACME}'' OR true --", OLGA, "org-admin"),
)

OPEN = {
    "public.alembic_version": "says which revision the database is at, and nothing of anybody",
    "queue.pgqueuer": "deliveries: two ids each, and the worker takes those of every organization (decision 0016)",
    "queue.pgqueuer_log": "likewise",
    "queue.pgqueuer_schedules": "when what is done by the clock, and nothing of anybody",
    "queue.pgqueuer_statistics": "counts of deliveries",
}
"""The tables that are not divided by organization, and why."""

SHOWN = {"syncs": {JANITOR}}
"""Tables that are shown to somebody beyond an organization: the list of organizations, to who sweeps."""

STILL_THERE = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'gateway_app'"

ON_BEHALF = {"start_session", "give_back_refresh_token", "follow_session", "sign_out"}
"""The functions that act as the system of the organization they are told: the one of a token that was verified."""

EVERYWHERE = {"begin_nights"}
"""The functions by which the platform itself adds a job to every organization: it reads nothing of them by that."""

MORE_RIGHTS = {"compare_aggregates", "refresh_comparisons", "keep_partitions", "missing_partitions"}
"""The functions that run as their owner: they reach views and partitions, and know one organization or none."""


@dataclass(frozen=True)
class Filled:
    """A database with something of two organizations in every table."""

    clone: Clone
    tables: list[str]


@pytest.fixture(scope="module")
def filled(module_clone: Clone) -> Filled:
    async def prepare() -> list[str]:
        owner = await connect(module_clone.owner_url)
        tables = await fill(owner)
        await owner.close()
        return tables

    return Filled(module_clone, asyncio.run(prepare()))


async def everything(clone: Clone, query: str) -> list[Any]:
    owner = await connect(clone.owner_url)
    rows: list[Any] = await owner.fetch(query)
    await owner.close()
    return rows


async def test_every_table_is_closed_row_by_row_out_of_reach_or_open_for_a_reason(filled: Filled) -> None:
    tables = await everything(filled.clone, TABLES)
    reached = {f"{table['nspname']}.{table['relname']}": table["closed"] for table in tables if table["entered"]}
    assert {name for name, closed in reached.items() if not closed} == OPEN.keys()
    beyond = {table["nspname"] for table in tables if not table["entered"]}
    assert beyond == {"parts", "comparisons"}


async def test_what_is_out_of_reach_cannot_be_read_whoever_one_says_to_be(filled: Filled) -> None:
    connection = await connect(filled.clone.app_url)
    for table in await everything(filled.clone, TABLES):
        if table["entered"]:
            continue
        for actor in (system(ACME), Actor(ACME, OLGA, "org-admin"), Actor(ACME, OLGA, "views"), NOBODY):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await attempt(connection, actor, f"SELECT FROM {table['nspname']}.{table['relname']}")
    await connection.close()


async def test_a_stranger_reads_no_row_of_any_table_and_changes_none(filled: Filled) -> None:
    owner = await connect(filled.clone.owner_url)
    before = await contents(owner, filled.tables)
    assert all(before.values()), "there is something to find"
    connection = await connect(filled.clone.app_url)
    for table in filled.tables:
        for actor in STRANGERS:
            where = f"{table} as {actor.settings}"
            for statement in (
                f"SELECT 1 FROM {table} WHERE organization = '{ACME}'",  # noqa: S608 - a name from the catalog
                f"UPDATE {table} SET organization = '{OTHER}' WHERE organization = '{ACME}' RETURNING 1",  # noqa: S608 - likewise
                f"DELETE FROM {table} WHERE organization = '{ACME}' RETURNING 1",  # noqa: S608 - likewise
            ):
                with suppress(asyncpg.InsufficientPrivilegeError):
                    shown = actor in SHOWN.get(table, ()) and statement.startswith("SELECT")
                    assert len(await attempt(connection, actor, statement)) == shown, where
    await connection.close()
    assert await contents(owner, filled.tables) == before
    await owner.close()


async def test_a_stranger_adds_no_row_to_an_organization(filled: Filled) -> None:
    connection = await connect(filled.clone.app_url)
    for table in filled.tables:
        for actor in STRANGERS:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await attempt(connection, actor, f"INSERT INTO {table} (organization) VALUES ('{ACME}')")  # noqa: S608 - likewise
    await connection.close()


async def test_a_stranger_is_told_nothing_by_any_function_and_changes_nothing_by_it(filled: Filled) -> None:
    owner = await connect(filled.clone.owner_url)
    before = await contents(owner, filled.tables)
    functions = [one for one in await owner.fetch(FUNCTIONS) if one["called"] and not one["trigger"]]
    connection = await connect(filled.clone.app_url)
    for function in functions:
        for actor in STRANGERS:
            if actor.organization == ACME and function["proname"] in ON_BEHALF:
                continue
            guessed = await call(connection, function, actor, KEY.format(ACME))
            blind = await call(connection, function, actor, "%")
            where = f"{guessed.function} as {actor.settings}"
            assert SECRET.format(ACME) not in guessed.told + blind.told, where
            assert KEY.format(ACME) not in blind.told, where
            if actor != PLATFORM or function["proname"] not in EVERYWHERE:
                await call(connection, function, actor, KEY.format(ACME), stays=True)
    await connection.close()
    assert await contents(owner, filled.tables) == before
    await owner.close()


async def test_who_may_know_is_told_by_the_same_calls(filled: Filled) -> None:
    owner = await connect(filled.clone.owner_url)
    functions = [one for one in await owner.fetch(FUNCTIONS) if one["called"] and not one["trigger"]]
    await owner.close()
    connection = await connect(filled.clone.app_url)
    told = set()
    for function in functions:
        for actor in (system(ACME), Actor(ACME, OLGA, "org-admin")):
            said = await call(connection, function, actor, KEY.format(ACME))
            if SECRET.format(ACME) in said.told:
                told.add(function["proname"])
    await connection.close()
    assert told >= {"read_answers", "read_facts", "read_people", "find_job", "courses_of_organization"}


async def test_a_function_that_leaks_is_found(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    await fill(owner)
    body = f"BEGIN PERFORM act_as('{ACME}', 'system', 'system'); RETURN QUERY SELECT * FROM people; END"  # noqa: S608 - likewise
    await owner.execute(f"CREATE FUNCTION leak(text) RETURNS SETOF people LANGUAGE plpgsql AS $${body}$$")
    (leak,) = [one for one in await owner.fetch(FUNCTIONS) if one["proname"] == "leak"]
    await owner.close()
    connection = await connect(clone.app_url)
    assert SECRET.format(ACME) in (await call(connection, leak, NOBODY, "%")).told
    await connection.close()
    assert leak["public"]


async def test_functions_look_names_up_in_one_place_and_are_for_the_application_alone(filled: Filled) -> None:
    functions = await everything(filled.clone, FUNCTIONS)
    assert {one["proname"] for one in functions if one["prosecdef"]} == MORE_RIGHTS
    assert [one["proname"] for one in functions if one["own"]] == []
    # The names in a body that is no text were looked up when it was made.
    loose = [
        one["proname"]
        for one in functions
        if not one["bound"]
        and not any(s.startswith("search_path=") and s.endswith("pg_temp") for s in one["proconfig"] or ())
    ]
    assert loose == []
    # These three say who is asking, and are asked by the policies themselves.
    told = {one["proname"] for one in functions if one["public"] and not one["trigger"]}
    assert told == {"my_organization", "me", "my_role"}


async def test_the_application_cannot_step_around_the_policies(filled: Filled) -> None:
    (role,) = await everything(
        filled.clone,
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS more, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS member, "
        "EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) OR EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid) "
        "OR EXISTS (SELECT FROM pg_namespace WHERE nspowner = r.oid) AS owns "
        "FROM pg_roles r WHERE rolname = 'gateway_app'",
    )
    assert tuple(role) == (False, False, False)


async def test_a_viewer_never_outlasts_their_transaction_however_requests_interleave(clone: Clone) -> None:
    """Two connections, forty requests at once of two tenants, some of which fail or are given up half way."""
    owner = await connect(clone.owner_url)
    await fill(owner)
    database = await Database.open(clone.app_url, size=2)
    seen: list[tuple[str, list[str]]] = []
    who = "SELECT my_organization(), me(), my_role()"

    async def lone(organization: str) -> None:
        rows = await database.fetch(
            "SELECT payload FROM read_facts($1, 'system', 'system', $2, ARRAY[$3], '-infinity')",
            organization,
            KEY.format(organization),
            KEY.format(organization),
        )
        seen.append((organization, [row[0] for row in rows]))

    async def whole(organization: str) -> None:
        async with database.session(system(organization)) as session:
            connection = await session.connection()
            await asyncio.sleep(0)
            rows = await connection.exec_driver_sql("SELECT payload FROM facts")
            seen.append((organization, [row[0] for row in rows]))

    async def failing(organization: str) -> None:
        with pytest.raises(ZeroDivisionError):
            async with database.session(Actor(organization, LENA, "org-admin")):
                raise ZeroDivisionError

    async def given_up(organization: str) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(long(organization), 0.05)

    async def long(organization: str) -> None:
        async with database.session(system(organization)) as session:
            await (await session.connection()).exec_driver_sql("SELECT pg_sleep(1)")

    async def nobody(_: str) -> None:
        assert tuple((await database.fetch(who))[0]) == (None, None, None)
        assert await database.fetch("SELECT FROM facts") == []

    ways = (lone, nobody, whole, failing, nobody, given_up, lone, nobody)
    for _ in range(5):
        await asyncio.gather(*(way((ACME, OTHER)[n % 2]) for n, way in enumerate(ways)))
        await asyncio.gather(*(way((OTHER, ACME)[n % 2]) for n, way in enumerate(ways)))
    await nobody("")
    await database.close()
    async with asyncio.timeout(10):
        while await owner.fetchval(STILL_THERE):
            pass
    await owner.close()
    assert len(seen) == 30
    assert {(organization, *told) for organization, told in seen} == {
        (organization, SECRET.format(organization)) for organization in (ACME, OTHER)
    }
