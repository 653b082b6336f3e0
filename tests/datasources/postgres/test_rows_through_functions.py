"""The functions that lists are read by, called by the application's own role: they open nothing that rows close."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, BOTANY
from tests.datasources.postgres.test_rows import fill

if TYPE_CHECKING:
    from tests.conftest import Clone

ACTOR = "$1, $2, $3"
EVERYBODY = f"'{{{LENA},{LARS},{SAM},{TOMAS},{TARA},{OLGA}}}'"
UNFILTERED = f"NULL, NULL, NULL, '{{}}', NULL, NULL, false, {', '.join(['NULL'] * 6)}, '-infinity', 'infinity'"
WHOLE = f"{', '.join(['NULL'] * 6)}, 100, false, true, 100"
READS = {
    "learners": f"SELECT (card).id FROM page_people({ACTOR}, 'learner', {UNFILTERED}, {WHOLE})",  # noqa: S608 - ours
    "taken": f"SELECT person || ' ' || id FROM courses_taken({ACTOR}, {EVERYBODY})",  # noqa: S608 - ours
    "taught": f"SELECT trainer || ' ' || id FROM courses_taught({ACTOR}, {EVERYBODY})",  # noqa: S608 - ours
    "courses": f"SELECT id FROM courses_of_organization({ACTOR})",  # noqa: S608 - ours
    "heads": f"SELECT sum(learners)::text FROM count_learners({ACTOR})",  # noqa: S608 - ours
}


@pytest.fixture(scope="module")
def filled(module_clone: Clone) -> Clone:
    """A database with something of everybody in every table."""
    asyncio.run(fill(module_clone))
    return module_clone


async def read(clone: Clone, actor: Actor) -> dict[str, set[str]]:
    """Everything that the functions tell an actor."""
    connection = await connect(clone.app_url)
    rows = {name: await connection.fetch(statement, *actor.settings) for name, statement in READS.items()}
    assert await connection.fetchval("SELECT my_organization()") is None, "the actor is not left behind"
    assert await connection.fetch("SELECT * FROM people") == []
    await connection.close()
    return {name: {row[0] for row in found if row[0] is not None} for name, found in rows.items()}


NOBODY: dict[str, set[str]] = {name: set() for name in READS}


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        (Actor(ACME, LARS, "learner"), {"learners": {LARS}, "heads": {"1"}, "courses": {BOTANY}}),
        (Actor(ACME, TOMAS, "trainer"), {"learners": {LENA, TOMAS}, "heads": {"2"}, "courses": {ALGEBRA}}),
        (
            Actor(ACME, OLGA, "org-admin"),
            {"learners": {LENA, LARS, TOMAS}, "heads": {"3"}, "courses": {ALGEBRA, BOTANY}},
        ),
        (Actor(OTHER, SAM, "org-admin"), {"learners": {SAM}, "heads": {"1"}, "courses": {ALGEBRA}}),
        (Actor(ACME, SAM, "learner"), NOBODY),
        (Actor(ACME, OLGA, "trainer"), NOBODY),
        (Actor("nowhere", OLGA, "org-admin"), NOBODY),
        (Actor("", "", ""), NOBODY),
        (Actor(ACME, OLGA, "org-admin' OR true --"), NOBODY),
        (Actor(f"{ACME}' OR true --", OLGA, "org-admin"), NOBODY),
    ],
    ids=lambda value: "-".join(value.settings) if isinstance(value, Actor) else "",
)
async def test_each_actor_is_told_what_is_theirs(filled: Clone, actor: Actor, told: dict[str, set[str]]) -> None:
    found = await read(filled, actor)
    assert {name: found[name] for name in told} == told
    own = {LARS: {LARS}, TOMAS: {LENA}, SAM: {SAM}}.get(actor.user, {LENA, LARS})
    assert {one.partition(" ")[0] for one in found["taken"]} <= own
    if actor.organization == ACME:
        assert not [one for one in found["taught"] if one.startswith(SAM)]


async def test_the_system_of_one_organization_is_told_nothing_of_another(filled: Clone) -> None:
    assert SAM not in str(await read(filled, system(ACME)))
    assert not [one for one in (LENA, LARS, TOMAS, BOTANY) if one in str(await read(filled, system(OTHER)))]


async def test_only_views_and_partitions_are_reached_with_more_rights_and_nothing_is_open_to_the_public(
    filled: Clone,
) -> None:
    connection = await connect(filled.app_url)
    functions = await connection.fetch(
        "SELECT p.proname, p.prosecdef, p.proconfig, pg_get_userbyid(p.proowner) = current_user AS own,"
        " EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0) OR p.proacl IS NULL AS public FROM pg_proc p"
        " WHERE p.pronamespace = 'public'::regnamespace"
    )
    tables = await connection.fetch(
        "SELECT relname,"
        " relrowsecurity AND relforcerowsecurity OR 'security_invoker=true' = ANY (reloptions) AS closed,"
        " pg_get_userbyid(relowner) = current_user AS own FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v')"
        " AND has_table_privilege(oid, 'SELECT, INSERT, UPDATE, DELETE')"
    )
    assert await connection.fetchval("SELECT has_schema_privilege('public', 'CREATE')") is False
    await connection.close()
    lists = {"page_people", "count_learners", "courses_taken", "courses_taught", "courses_of_organization"}
    assert lists <= {row["proname"] for row in functions if not row["public"]}
    assert not [row["proname"] for row in functions if row["own"]]
    more = {row["proname"]: row for row in functions if row["prosecdef"]}
    assert more.keys() == {"compare_aggregates", "refresh_comparisons", "keep_partitions", "missing_partitions"}
    for row in more.values():
        assert not row["public"]
        assert any(setting.startswith("search_path=") and "pg_temp" in setting for setting in row["proconfig"])
    assert {row["relname"] for row in tables if not row["closed"]} <= {"alembic_version"}
    assert not [row["relname"] for row in tables if row["own"]]
