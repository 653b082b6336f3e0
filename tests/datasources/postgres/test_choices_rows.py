"""What learners chose, on the database alone: each their own, the system all of one organization, nobody else any."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres import choices, roster
from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TOMAS
from tests.datasources.postgres.rosters import NOW, acme, other
from tests.datasources.postgres.test_rows import act

if TYPE_CHECKING:
    from tests.conftest import Clone

LENA_LEARNS, LARS_LEARNS = Actor(ACME, LENA, "learner"), Actor(ACME, LARS, "learner")
SAM_LEARNS = Actor(OTHER, SAM, "learner")
TABLES = ("leaderboard_choices", "recommendation_decisions")
ROWS = {
    "leaderboard_choices": "($1, $2, true, now())",
    "recommendation_decisions": "($1, $2, 'another', 'saved', now())",
}
NOBODY_ELSE = [
    Actor(ACME, LENA, "trainer"),
    Actor(ACME, LENA, "org-admin"),
    Actor(ACME, TOMAS, "trainer"),
    Actor(ACME, OLGA, "org-admin"),
    Actor(ACME, OLGA, "learner"),
    Actor(OTHER, LENA, "learner"),
    Actor(ACME, LENA, "janitor"),
    Actor("", "", ""),
    None,
]


async def fill(clone: Clone) -> None:
    database = await Database.open(clone.app_url, size=1)
    for told in (acme(), other()):
        await roster.sync(database, told)
    for actor in (LENA_LEARNS, LARS_LEARNS, SAM_LEARNS):
        await choices.show(database, actor, visible=actor is LARS_LEARNS, at=NOW)
        await choices.decide(database, actor, "it", "saved", at=NOW)
    await database.close()


@pytest.fixture(scope="module")
def filled(module_clone: Clone) -> Clone:
    """A database in which three learners of two organizations chose."""
    asyncio.run(fill(module_clone))
    return module_clone


async def seen(clone: Clone, actor: Actor | None) -> list[set[Any]]:
    """Whose rows of each table an actor reads."""
    connection = await connect(clone.app_url)
    async with connection.transaction():
        if actor:
            await connection.execute("SELECT act_as($1, $2, $3)", *actor.settings)
        rows = [{row[0] for row in await connection.fetch(f"SELECT person FROM {table}")} for table in TABLES]  # noqa: S608 - our own names
    await connection.close()
    return rows


@pytest.mark.parametrize(
    ("actor", "whose"),
    [
        (LENA_LEARNS, {LENA}),
        (LARS_LEARNS, {LARS}),
        (SAM_LEARNS, {SAM}),
        (system(ACME), {LENA, LARS}),
        (system(OTHER), {SAM}),
        *((actor, set()) for actor in NOBODY_ELSE),
    ],
    ids=lambda value: "-".join(value.settings) if isinstance(value, Actor) else "",
)
async def test_each_reads_their_own_and_the_system_those_of_its_organization(
    filled: Clone, actor: Actor | None, whose: set[str]
) -> None:
    assert await seen(filled, actor) == [whose, whose]


@pytest.mark.parametrize("actor", [LARS_LEARNS, SAM_LEARNS, system(ACME), system(OTHER), *NOBODY_ELSE], ids=str)
async def test_nobody_chooses_for_somebody_else(filled: Clone, actor: Actor | None) -> None:
    connection = await connect(filled.app_url)
    for table, row in ROWS.items():
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await act(connection, actor, f"INSERT INTO {table} VALUES {row}", ACME, LENA)  # noqa: S608 - our own names
        where = f"WHERE organization = '{ACME}' AND person = '{LENA}'"
        if actor != system(ACME):  # which lets go of those who are forgotten
            assert await act(connection, actor, f"DELETE FROM {table} {where}") == "DELETE 0"  # noqa: S608 - likewise
        change = f"UPDATE {table} SET person = person {where}"  # noqa: S608 - likewise
        assert await act(connection, actor, change) == "UPDATE 0"
    await connection.close()


async def test_nobody_hands_their_choice_to_somebody_else(filled: Clone) -> None:
    connection = await connect(filled.app_url)
    for table in TABLES:
        for column, value in (("person", OLGA), ("organization", OTHER)):
            change = f"UPDATE {table} SET {column} = $1"  # noqa: S608 - our own names
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await act(connection, LENA_LEARNS, change, value)
    await connection.close()


async def test_the_last_choice_stands(database: Database) -> None:
    for visible, hidden in ((False, {LENA}), (True, set()), (False, {LENA}), (False, {LENA})):
        await choices.show(database, LENA_LEARNS, visible=visible, at=NOW)
        assert await choices.hidden(database, ACME) == hidden
    assert await choices.hidden(database, OTHER) == frozenset()


async def test_a_choice_outlives_a_copy_of_the_roster_that_its_maker_is_missing_from(database: Database) -> None:
    await choices.show(database, LENA_LEARNS, visible=False, at=NOW)
    await roster.sync(database, acme())
    assert await choices.hidden(database, ACME) == {LENA}


async def test_a_decision_is_changed_and_taken_back(database: Database) -> None:
    async def kept() -> list[tuple[str, str]]:
        found = await choices.decisions(database, ACME, [LENA])
        return [(row.recommendation, row.kind) for row in found.get(LENA, ())]

    await choices.decide(database, LENA_LEARNS, "b", "saved", at=NOW)
    await choices.decide(database, LENA_LEARNS, "a", "done", at=NOW)
    await choices.decide(database, LENA_LEARNS, "b", "dismissed", at=NOW)
    assert await kept() == [("a", "done"), ("b", "dismissed")]
    await choices.decide(database, LENA_LEARNS, "b", None, at=NOW)
    await choices.decide(database, LENA_LEARNS, "never said", None, at=NOW)
    assert await kept() == [("a", "done")]


async def test_only_so_many_decisions_are_kept_and_the_last_one_always(database: Database) -> None:
    for name in ("zero", "one", "two", "three", "four"):
        await choices.decide(database, LENA_LEARNS, name, "saved", at=NOW, most=3)
        found = (await choices.decisions(database, ACME, [LENA]))[LENA]
        assert name in {row.recommendation for row in found}
        assert len(found) <= 3
    await choices.decide(database, LARS_LEARNS, "his", "saved", at=NOW)
    assert len((await choices.decisions(database, ACME, [LENA, LARS]))[LENA]) == 3


async def test_a_kind_that_is_none_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="decisions_are_of_a_kind"):
        await choices.decide(database, LENA_LEARNS, "it", "adored", at=NOW)


async def test_a_choice_that_is_refused_leaves_no_trace_in_the_audit(database: Database) -> None:
    with pytest.raises(Exception, match="row-level security"):
        await choices.show(database, Actor(ACME, OLGA, "org-admin"), visible=False, at=NOW)
    async with database.session(Actor(ACME, OLGA, "org-admin")) as session:
        connection = await session.connection()
        assert (await connection.exec_driver_sql("SELECT count(*) FROM audit")).scalar() == 0


async def test_names_are_those_of_ones_own_organization(database: Database) -> None:
    for told in (acme(), other()):
        await roster.sync(database, told)
    assert (await choices.names(database, ACME, [LENA, SAM, "nobody"])).keys() == {LENA}
    assert await choices.names(database, ACME, []) == {}
