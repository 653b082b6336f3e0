"""The access matrix on the database alone: cast x table x subject, as the application role, no policy code near."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres import answers, audit, roster
from datasources.postgres.connection import connect
from datasources.postgres.facts import KeptFacts
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, BOTANY, NOW, acme, asked, kept, other

if TYPE_CHECKING:
    from tests.conftest import Clone

MARKET = ("market", "market")

# What tells the rows of a table apart.
COLUMNS = {
    "organizations": "organization",
    "people": "id",
    "courses": "id",
    "enrollments": "course, person",
    "teaching": "course, trainer",
    "syncs": "organization",
    "answers": "scope, subject",
    "facts": "id",
    "audit": "actor",
}
NOTHING: dict[str, set[Any]] = {table: set() for table in COLUMNS}
MEMBER = NOTHING | {
    "organizations": {ACME},
    "teaching": {(ALGEBRA, TOMAS), (BOTANY, TARA)},
    "answers": {MARKET},
}


@dataclass(frozen=True)
class Case:
    name: str
    actor: Actor | None
    sees: dict[str, set[Any]] = field(default_factory=dict)


EVERYBODY = {LENA, LARS, TOMAS, TARA, OLGA}
PERSONAL = {("learner", LENA), ("learner", LARS), ("trainer", TOMAS), ("trainer", TARA), ("organization", ACME), MARKET}
EVERYTHING = NOTHING | {
    "organizations": {ACME},
    "people": EVERYBODY,
    "courses": {ALGEBRA, BOTANY},
    "enrollments": {(ALGEBRA, LENA), (BOTANY, LARS), (BOTANY, LENA)},
    "teaching": {(ALGEBRA, TOMAS), (BOTANY, TARA)},
    "syncs": {ACME},
    "answers": PERSONAL,
}
OTHERS = NOTHING | {
    "organizations": {OTHER},
    "people": {SAM},
    "courses": {ALGEBRA},
    "enrollments": {(ALGEBRA, SAM)},
    "teaching": {(ALGEBRA, SAM)},
    "answers": {MARKET, ("learner", SAM)},
}

CASES = [
    Case(
        "a learner sees themselves",
        Actor(ACME, LENA, "learner"),
        MEMBER
        | {
            "people": {LENA},
            "courses": {ALGEBRA, BOTANY},
            "enrollments": {(ALGEBRA, LENA), (BOTANY, LENA)},
            "answers": {MARKET, ("learner", LENA)},
        },
    ),
    Case(
        "a trainer sees those who are in their courses now",
        Actor(ACME, TOMAS, "trainer"),
        MEMBER
        | {
            "people": {TOMAS, LENA},
            "courses": {ALGEBRA},
            "enrollments": {(ALGEBRA, LENA)},
            "answers": {MARKET, ("learner", LENA), ("trainer", TOMAS)},
        },
    ),
    Case(
        "a trainer does not see who has left their course",
        Actor(ACME, TARA, "trainer"),
        MEMBER
        | {
            "people": {TARA, LARS},
            "courses": {BOTANY},
            "enrollments": {(BOTANY, LARS)},
            "answers": {MARKET, ("learner", LARS), ("trainer", TARA)},
        },
    ),
    Case(
        "a trainer who acts as a learner sees only themselves",
        Actor(ACME, TOMAS, "learner"),
        MEMBER | {"people": {TOMAS}},
    ),
    Case(
        "a learner who acts as a trainer teaches nobody",
        Actor(ACME, LARS, "trainer"),
        MEMBER
        | {
            "people": {LARS},
            "courses": {BOTANY},
            "enrollments": {(BOTANY, LARS)},
        },
    ),
    Case(
        "an admin sees the whole organization", Actor(ACME, OLGA, "org-admin"), EVERYTHING | {"audit": {"system", LENA}}
    ),
    Case("an admin who acts as a trainer is not an admin", Actor(ACME, OLGA, "trainer"), MEMBER | {"people": {OLGA}}),
    Case(
        "the system sees everything of its organization but the audit",
        system(ACME),
        EVERYTHING | {"answers": PERSONAL | {("course", ALGEBRA), ("cohort", ALGEBRA)}, "facts": {LENA, ALGEBRA}},
    ),
    Case("a stranger learns at home", Actor(OTHER, SAM, "learner"), OTHERS),
    Case("a stranger teaches at home", Actor(OTHER, SAM, "trainer"), OTHERS),
    Case(
        "a stranger is admin at home", Actor(OTHER, SAM, "org-admin"), OTHERS | {"syncs": {OTHER}, "audit": {"system"}}
    ),
    Case("the system of another organization stays there", system(OTHER), OTHERS | {"syncs": {OTHER}, "facts": {SAM}}),
    Case(
        "an id of one organization is nobody in another",
        Actor(OTHER, LENA, "trainer"),
        NOTHING | {"organizations": {OTHER}, "teaching": {(ALGEBRA, SAM)}, "answers": {MARKET}},
    ),
    Case("an organization that is not there", Actor("nowhere", OLGA, "org-admin"), NOTHING),
    Case("nobody at all", None, NOTHING),
    Case("an empty actor", Actor("", "", ""), NOTHING),
    *(
        Case(f"a forged role {role!r}", Actor(ACME, OLGA, role), NOTHING)
        for role in ("", "admin", "ORG-ADMIN", "org-admin ", "systems", "gateway_owner", "org-admin' OR true --")
    ),
]


async def fill(clone: Clone) -> None:
    database = await Database.open(clone.app_url, size=1)
    for told, people in ((acme(), (LENA, LARS)), (other(), (SAM,))):
        here = told.organization.id
        await roster.sync(database, told)
        rows = [asked("learner", person) for person in people] + [asked(*MARKET)]
        if here == ACME:
            rows += [asked("trainer", TOMAS), asked("trainer", TARA), asked("organization", ACME)]
            rows += [asked("course", ALGEBRA), asked("cohort", ALGEBRA)]
        await answers.keep(database, here, dict.fromkeys(rows, kept()))
        seen = [("course/Progress", one, "{}", NOW) for one in ((LENA, ALGEBRA) if here == ACME else (SAM,))]
        await KeptFacts(database).keep(here, seen)
        await audit.record(database, system(here), [audit.Event("sync")])
    await audit.record(database, Actor(ACME, LENA, "learner"), [audit.Event("read", LENA)])
    await database.close()


@pytest.fixture(scope="module")
def filled(module_clone: Clone) -> Clone:
    """A database with something of everybody in every table."""
    asyncio.run(fill(module_clone))
    return module_clone


async def act(connection: Any, actor: Actor | None, statement: str, *arguments: Any) -> str:
    """What one statement did on behalf of an actor, in a transaction of its own."""
    async with connection.transaction():
        if actor:
            await connection.execute("SELECT act_as($1, $2, $3)", *actor.settings)
        done: str = await connection.execute(statement, *arguments)
        return done


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_everyone_sees_exactly_what_is_theirs(filled: Clone, case: Case) -> None:
    connection = await connect(filled.app_url)
    seen: dict[str, set[Any]] = {}
    async with connection.transaction():
        if case.actor:
            await connection.execute("SELECT act_as($1, $2, $3)", *case.actor.settings)
        for table, columns in COLUMNS.items():
            rows = await connection.fetch(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own names
            seen[table] = {tuple(row) if len(row) > 1 else row[0] for row in rows}
    await connection.close()
    assert seen == case.sees


WRITERS = [case for case in CASES if case.actor is None or case.actor.role != "system"]
WRITERS += [Case("the system of another organization", system(OTHER))]
# Each would add a row that fits, to the first organization.
WRITES = {
    "organizations": "($1, 'x', NULL, NULL, '{}', '{}')",
    "people": "($1, 'new', 'x', NULL, '{learner}', NULL, NULL, NULL, true)",
    "courses": "($1, 'new', 'x', now(), now(), 0)",
    "enrollments": f"($1, '{BOTANY}', '{OLGA}', now(), NULL, 'active')",
    "teaching": f"($1, '{ALGEBRA}', '{OLGA}')",
    "syncs": "($1, now())",
    "answers": "($1, 'learner', 'x', 'm', '', '1', NULL, '', 1, '', 'LIVE', now(), now(), now())",
    "facts": "($1, 'e', 'x', '', now())",
}


@pytest.mark.parametrize("case", WRITERS, ids=lambda case: case.name)
async def test_only_the_system_of_an_organization_adds_a_row(filled: Clone, case: Case) -> None:
    connection = await connect(filled.app_url)
    for table, row in WRITES.items():
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await act(connection, case.actor, f"INSERT INTO {table} VALUES {row}", ACME)  # noqa: S608 - our own names
    await connection.close()


@pytest.mark.parametrize("case", [case for case in WRITERS if case.actor != system(OTHER)], ids=lambda case: case.name)
async def test_only_the_system_changes_or_removes_a_row(filled: Clone, case: Case) -> None:
    connection = await connect(filled.app_url)
    for table in WRITES:
        assert await act(connection, case.actor, f"DELETE FROM {table}") == "DELETE 0"  # noqa: S608 - our own names
        statement = f"UPDATE {table} SET organization = organization"  # noqa: S608 - our own names
        assert await act(connection, case.actor, statement) == "UPDATE 0"
    await connection.close()


async def test_the_system_cannot_move_a_row_to_another_organization(filled: Clone) -> None:
    connection = await connect(filled.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await act(connection, system(ACME), "UPDATE facts SET organization = $1", OTHER)
    await connection.close()


async def test_nobody_signs_an_audit_row_for_somebody_else(filled: Clone) -> None:
    connection = await connect(filled.app_url)
    add = "INSERT INTO audit (organization, actor, role, kind, details) VALUES ($1, $2, $3, 'read', '{}')"
    lena = Actor(ACME, LENA, "learner")
    for row in ((ACME, OLGA, "learner"), (ACME, LENA, "org-admin"), (OTHER, LENA, "learner")):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await act(connection, lena, add, *row)
    await connection.close()
    database = await Database.open(filled.app_url, size=1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await audit.record(database, Actor(ACME, LENA, "root"), [audit.Event("read")])
    await database.close()
