"""Last known facts: of each organization its own, and only as old as one wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.postgres.facts import KeptFacts
from tests.cast import ACME, LARS, LENA, OTHER
from tests.datasources.postgres.rosters import HOUR, NOW

if TYPE_CHECKING:
    from datasources.fetch import LastKnown
    from datasources.postgres.session import Database

PROGRESS = "course/Progress"


async def test_what_was_seen_is_known_until_it_is_too_old(database: Database) -> None:
    facts: LastKnown = KeptFacts(database)
    await facts.keep(ACME, [(PROGRESS, LENA, '{"a":1}', NOW), (PROGRESS, LARS, '{"b":2}', NOW - HOUR)])
    both = {LENA: ('{"a":1}', NOW), LARS: ('{"b":2}', NOW - HOUR)}
    assert await facts.read(ACME, PROGRESS, [LENA, LARS, "nobody"], NOW - HOUR) == both
    assert await facts.read(ACME, PROGRESS, [LENA, LARS], NOW) == {LENA: both[LENA]}
    assert await facts.read(ACME, "course/Activity", [LENA], NOW) == {}


async def test_the_newest_sight_wins_whatever_the_order(database: Database) -> None:
    facts = KeptFacts(database)
    await facts.keep(ACME, [(PROGRESS, LENA, "2", NOW + HOUR), (PROGRESS, LENA, "1", NOW)])
    await facts.keep(ACME, [(PROGRESS, LENA, "0", NOW - HOUR)])
    assert await facts.read(ACME, PROGRESS, [LENA], NOW - 9 * HOUR) == {LENA: ("2", NOW + HOUR)}


async def test_facts_stay_in_their_organization(database: Database) -> None:
    facts = KeptFacts(database)
    await facts.keep(ACME, [(PROGRESS, LENA, "acme", NOW)])
    await facts.keep(OTHER, [(PROGRESS, LENA, "other", NOW)])
    assert await facts.read(ACME, PROGRESS, [LENA], NOW) == {LENA: ("acme", NOW)}
    assert await facts.read(OTHER, PROGRESS, [LENA], NOW) == {LENA: ("other", NOW)}


async def test_many_facts_are_one_statement(database: Database) -> None:
    facts = KeptFacts(database)
    before = database.statements
    await facts.keep(ACME, [(PROGRESS, str(n), "{}", NOW) for n in range(1000)])
    assert len(await facts.read(ACME, PROGRESS, [str(n) for n in range(1000)], NOW)) == 1000
    assert database.statements == before + 2
    await facts.keep(ACME, [])
    assert database.statements == before + 2


async def test_every_character_comes_back(database: Database) -> None:
    facts = KeptFacts(database)
    told = '{"name":"O\'Brien \\u0000 \U0001f393"}'
    await facts.keep(ACME, [(PROGRESS, LENA, told, NOW)])
    assert (await facts.read(ACME, PROGRESS, [LENA], NOW))[LENA][0] == told
