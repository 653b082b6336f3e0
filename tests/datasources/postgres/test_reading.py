"""Many askers in one statement: each is told what they alone would be told, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from datasources.postgres import answers, audit, listing, roster
from datasources.postgres.audit import Told
from datasources.postgres.connection import DatabaseError
from datasources.postgres.listing import BRIEF, ROWS, VALUE, Asked, Wanted
from datasources.postgres.reading import AT_ONCE, Look, Reading, Shape
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import AuditRow
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import acme, asked, kept, other

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

EVERYBODY = (LENA, LARS, TOMAS, TARA, OLGA, SAM)
ACTORS = [
    Actor(organization, person, role)
    for organization in (ACME, OTHER)
    for person in EVERYBODY
    for role in ("learner", "trainer", "org-admin", "system", "nobody")
]
LEARNED = Shape(1, (("learner", (("m@1", ""), ("m@1", '{"window":"MONTH"}'))),))


@pytest.fixture
async def database(clone: Clone) -> AsyncIterator[Database]:
    opened = await Database.open(clone.app_url)
    await roster.sync(opened, acme())
    await roster.sync(opened, other())
    for organization, learners in ((ACME, (LENA, LARS, TOMAS)), (OTHER, (SAM,))):
        rows = {asked("learner", one, "m@1"): kept(value=f'{{"of":"{organization} {one}"}}') for one in learners}
        await answers.keep(opened, organization, rows)
    yield opened
    await opened.close()


@pytest.fixture
async def reading(database: Database) -> AsyncIterator[Reading]:
    lanes = database.lanes()
    one = Reading(lanes)
    yield one
    await one.close()
    await lanes.close()


def look(actor: Actor, subject: str) -> Look:
    return Look(actor, [subject], [subject])


def said(rows: list[Any]) -> tuple[list[str], list[str]]:
    return [row.card["id"] for row in rows if row.part == 0], [row.value for row in rows if row.part]


async def alone(database: Database, actor: Actor, subject: str) -> tuple[list[str], list[str]]:
    """What somebody is told by the statements for one."""
    people = await database.fetch("SELECT id FROM read_people($1, $2, $3, $4)", *actor.settings, [subject])
    told = await answers.read(database, actor, [asked("learner", subject, "m@1")])
    return [row["id"] for row in people], [one.value or "" for one in told.values()]


async def test_whoever_shares_a_statement_is_told_what_they_would_be_told_alone(
    database: Database, reading: Reading
) -> None:
    wanted = [(actor, subject) for actor in ACTORS for subject in EVERYBODY]
    found = await asyncio.gather(*(reading.read(LEARNED, look(*one)) for one in wanted))
    assert reading.statistics.looks == len(wanted)
    assert reading.statistics.statements <= len(wanted) // AT_ONCE + 2
    for one, rows in zip(wanted, found, strict=True):
        assert said(rows) == await alone(database, *one), one
    assert sum(bool(said(rows)[1]) for rows in found) > len(EVERYBODY), "some were told something"


async def test_nothing_is_left_behind_on_a_connection(database: Database) -> None:
    lanes = database.lanes(1)
    one = Reading(lanes)
    await one.read(LEARNED, look(system(ACME), LENA))
    rows = await lanes.fetch("SELECT my_organization(), me(), my_role(), (SELECT count(*) FROM answers)")
    assert tuple(rows[0]) == (None, None, None, 0)
    with pytest.raises(asyncpg.PostgresError):
        await lanes.fetch("SELECT act_as($1, 'x', 'system'), 1 / (random() * 0)::integer", ACME)
    rows = await lanes.fetch("SELECT my_organization(), me(), my_role(), (SELECT count(*) FROM answers)")
    assert tuple(rows[0]) == (None, None, None, 0)
    await lanes.close()


async def test_different_shapes_do_not_mix_and_who_leaves_takes_nobody_along(reading: Reading) -> None:
    learner = Actor(ACME, LENA, "learner")
    people = Shape(1, ())
    some = [asyncio.ensure_future(reading.read(LEARNED, look(learner, LENA))) for _ in range(5)]
    others = [asyncio.ensure_future(reading.read(people, Look(learner, [LENA], []))) for _ in range(5)]
    await asyncio.sleep(0)
    some[0].cancel()
    told = await asyncio.gather(*some[1:], *others)
    assert [said(rows) for rows in told[:4]] == [([LENA], [f'{{"of":"{ACME} {LENA}"}}'])] * 4
    assert [said(rows) for rows in told[4:]] == [([LENA], [])] * 5


async def test_what_fails_fails_for_those_who_shared_it_and_the_next_are_served(
    database: Database, reading: Reading
) -> None:
    learner = Actor(ACME, LENA, "learner")
    good = Look(learner, [LENA], [LENA])
    bad = Look(learner, ["\0"], [LENA])
    told = await asyncio.gather(reading.read(LEARNED, good), reading.read(LEARNED, bad), return_exceptions=True)
    assert all(isinstance(one, asyncpg.PostgresError) for one in told)
    assert said(await reading.read(LEARNED, good))[0] == [LENA]
    assert database.statements > 0


async def test_lanes_come_back_when_the_server_hung_up_and_refuse_when_too_many_wait(
    database: Database,
) -> None:
    lanes = database.lanes(1)
    (row,) = await lanes.fetch("SELECT pg_backend_pid()")
    await database.fetch("SELECT pg_terminate_backend($1, 5000)", row[0])
    (again,) = await lanes.fetch("SELECT pg_backend_pid()")
    assert again[0] != row[0]
    waiting = [asyncio.ensure_future(lanes.fetch("SELECT 1")) for _ in range(1_100)]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [one for one in told if isinstance(one, DatabaseError)]
    assert 0 < len(refused) < 110
    await lanes.close()


async def test_a_page_and_what_is_kept_of_it_are_one_statement(database: Database) -> None:
    lanes = database.lanes()
    questions = [Asked("m@1", "", how) for how in (BRIEF, VALUE, ROWS)]
    before = database.statements
    page = await listing.read(lanes, Actor(ACME, OLGA, "org-admin"), Wanted("learner", 2, counted=True), questions)
    assert database.statements == before + 1
    assert (page.names, page.total, page.has_next, page.has_previous) == (["Lars", "Lena"], 3, True, False)
    whole = f'[{{"of":"{ACME} {LARS}"}},{{"of":"{ACME} {LENA}"}}]'
    assert [[row.value for row in rows] for rows in page.answers[:2]] == [[whole], [whole]]
    assert {row.place: row.value for row in page.answers[2]} == {
        1: f'{{"of":"{ACME} {LARS}"}}',
        2: f'{{"of":"{ACME} {LENA}"}}',
    }
    rest = await listing.read(
        lanes, Actor(ACME, OLGA, "org-admin"), Wanted("learner", 2, after=("Lena", LENA), counted=True), questions[:1]
    )
    assert (rest.names, rest.total, rest.has_next, rest.has_previous) == (["Tomas"], 3, False, True)
    given_ = await listing.read(
        lanes, Actor(ACME, OLGA, "org-admin"), Wanted("learner", given=[TOMAS, LENA]), questions[:1]
    )
    assert given_.answers[0][0].value == f'[{{"of":"{ACME} {TOMAS}"}},{{"of":"{ACME} {LENA}"}}]'
    await lanes.close()


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: "-".join(actor.settings))
async def test_a_page_opens_nothing_that_rows_close(database: Database, actor: Actor) -> None:
    lanes = database.lanes()
    page = await listing.read(lanes, actor, Wanted("learner", 10), [Asked("m@1", "", ROWS)])
    await lanes.close()
    people = await database.fetch(
        "SELECT id FROM read_people($1, $2, $3, $4) WHERE 'learner' = ANY (roles)", *actor.settings, list(EVERYBODY)
    )
    assert set(page.ids) == {row["id"] for row in people}
    told = await answers.read(database, actor, [asked("learner", one, "m@1") for one in page.ids])
    assert sorted(row.value for row in page.answers[0]) == sorted(one.value or "" for one in told.values())
    if actor.role == "trainer" and page.taught is not None:
        assert {one for one, taught in zip(page.ids, page.taught, strict=True) if taught} <= {LENA, LARS, SAM}


async def test_what_was_told_is_written_for_each_in_their_own_name(database: Database) -> None:
    olga, sam = Actor(ACME, OLGA, "org-admin"), Actor(OTHER, SAM, "org-admin")
    once, thrice = Told(3, 1, "first"), Told(0, 3, "second")
    of_olga = {(LENA, True): once, (LARS, False): thrice}
    await audit.record_told(database, {(olga, "::1"): of_olga, (sam, None): {(SAM, True): Told(4, 2, "third")}})
    heard, seen = "answers.heard", "person.seen"
    for actor, rows in (
        (olga, [(heard, LENA, {"answers": 3}, "::1", "first"), (seen, LARS, {"requests": 3}, "::1", "second")]),
        (sam, [(heard, SAM, {"answers": 4, "requests": 2}, None, "third")]),
    ):
        async with database.session(actor) as session:
            found = (await session.exec(select(AuditRow).order_by(AuditRow.kind))).all()
            assert {(row.actor, row.role) for row in found} == {(actor.user, actor.role)}
            told = [(row.kind, row.subject, row.details, row.address, row.request_id) for row in found]
            assert told == rows
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await audit.record_told(database, {(Actor(ACME, OLGA, "nobody"), None): of_olga})


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=6), min_size=1, max_size=20))
def test_what_is_brief_in_a_value_is_what_has_no_parts(module_clone: Clone, values: list[dict[str, Any]]) -> None:
    async def brief() -> list[Any]:
        connection = await asyncpg.connect(module_clone.app_url)
        told = await connection.fetch(
            "SELECT brief_of(v) FROM unnest($1::text[]) WITH ORDINALITY AS u (v, n) ORDER BY n",
            [orjson.dumps(value).decode() for value in values],
        )
        await connection.close()
        return [row[0] for row in told]

    for value, told in zip(values, asyncio.run(brief()), strict=True):
        plain = {name: part for name, part in value.items() if not isinstance(part, list | dict)}
        assert orjson.loads(told) == plain if told is not None else len(orjson.dumps(plain)) > 900
