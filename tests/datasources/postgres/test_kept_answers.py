"""Kept answers: one statement to read, the newest calculation wins, and everybody hears of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.postgres import answers, roster
from datasources.postgres.answers import LONGEST_PAYLOAD, Changed, Question
from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TOMAS
from tests.datasources.postgres.rosters import HOUR, NOW, acme, asked, kept, place, user

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone

LENA_ASKS = Actor(ACME, LENA, "learner")
QUESTION = asked("learner", LENA)


async def test_what_was_kept_is_read(database: Database) -> None:
    rows = {
        QUESTION: kept(),
        asked("learner", LENA, "mastery@1"): replace(kept(value=None, withheld="{}"), score=None, level=None),
        asked("learner", LENA, arguments='{"window":"WEEK"}'): replace(kept(), origin="LAST_KNOWN"),
    }
    assert await answers.keep(database, ACME, rows) == 3
    assert await answers.read(database, LENA_ASKS, [*rows, asked("learner", LENA, "nothing")]) == rows


async def test_reading_hundreds_is_one_statement(database: Database) -> None:
    rows = {asked("learner", str(n), metric): kept() for n in range(200) for metric in ("a", "b", "c")}
    await answers.keep(database, ACME, rows)
    before = database.statements
    assert await answers.read(database, Actor(ACME, OLGA, "org-admin"), list(rows)) == rows
    assert database.statements == before + 1


async def test_asking_nothing_asks_nobody(database: Database) -> None:
    before = database.statements
    assert await answers.read(database, LENA_ASKS, []) == {}
    assert await answers.keep(database, ACME, {}) == 0
    assert database.statements == before


async def test_thousands_are_kept_in_chunks(database: Database) -> None:
    before = database.statements
    assert await answers.keep(database, ACME, {asked("learner", str(n)): kept() for n in range(2001)}) == 2001
    assert database.statements == before + 3


async def test_the_newest_calculation_wins(database: Database) -> None:
    old, new = kept(NOW, "1"), kept(NOW + HOUR, "2")
    assert await answers.keep(database, ACME, {QUESTION: new}) == 1
    assert await answers.keep(database, ACME, {QUESTION: old}) == 0
    assert await answers.keep(database, ACME, {QUESTION: replace(new, value="3")}) == 0
    assert await answers.read(database, LENA_ASKS, [QUESTION]) == {QUESTION: new}
    newest = kept(NOW + 2 * HOUR, None, "{}")
    assert await answers.keep(database, ACME, {QUESTION: newest}) == 1
    assert await answers.read(database, LENA_ASKS, [QUESTION]) == {QUESTION: newest}


async def test_many_who_keep_the_same_rows_do_not_wait_in_a_circle(database: Database) -> None:
    questions = [asked("learner", str(n)) for n in range(300)]
    orders = [questions, questions[::-1], questions[150:] + questions[:150], sorted(questions)]
    written = await asyncio.gather(
        *(
            answers.keep(database, ACME, {question: kept(NOW + n * HOUR) for question in order})
            for n, order in enumerate(orders)
        )
    )
    assert max(written) == 300
    rows = await answers.read(database, Actor(ACME, OLGA, "org-admin"), questions)
    assert {row.calculated_at for row in rows.values()} == {NOW + 3 * HOUR}


async def test_a_mock_is_never_kept(database: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="never_mocks"):
        await answers.keep(database, ACME, {QUESTION: replace(kept(), origin="MOCK")})


@pytest.mark.parametrize(("value", "withheld"), [(None, None), ("1", "{}")])
async def test_an_answer_says_one_thing(database: Database, value: str | None, withheld: str | None) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="say_one_thing"):
        await answers.keep(database, ACME, {QUESTION: kept(NOW, value, withheld)})


async def test_the_same_question_has_an_answer_of_its_own_in_each_organization(database: Database) -> None:
    market = asked("market", "market")
    await answers.keep(database, ACME, {market: kept(NOW, '"acme"')})
    await answers.keep(database, OTHER, {market: kept(NOW, '"other"')})
    for organization, asker, said in ((ACME, LENA, '"acme"'), (OTHER, SAM, '"other"')):
        found = await answers.read(database, Actor(organization, asker, "learner"), [market])
        assert found[market].value == said


async def test_nobody_reads_what_is_not_theirs(database: Database) -> None:
    await roster.sync(database, acme())
    everyone = [asked("learner", LENA), asked("learner", LARS), asked("course", "algebra")]
    await answers.keep(database, ACME, dict.fromkeys(everyone, kept()))
    readers = {
        Actor(ACME, LENA, "learner"): {LENA},
        Actor(ACME, TOMAS, "trainer"): {LENA},
        Actor(ACME, OLGA, "org-admin"): {LENA, LARS},
        Actor(OTHER, SAM, "org-admin"): set(),
        Actor(OTHER, LENA, "learner"): set(),
        system(ACME): {LENA, LARS, "algebra"},
        system(OTHER): set(),
    }
    for actor, subjects in readers.items():
        assert {question.subject for question in await answers.read(database, actor, everyone)} == subjects


async def test_everybody_hears_which_answers_are_new(database: Database) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with database.listen(answers.CHANNEL, heard.put_nowait):
        await answers.keep(database, ACME, {QUESTION: kept()})
        await answers.keep(database, ACME, {QUESTION: kept()})
        await answers.keep(database, OTHER, {asked("learner", str(n)): kept() for n in range(500)})
        await answers.keep(database, OTHER, {asked("learner", "x" * 50 + str(n)): kept() for n in range(500)})
        first, second, third = await heard.get(), await heard.get(), await heard.get()
    assert answers.changed(first or "") == Changed(database.name, ACME, (QUESTION,))
    assert answers.changed(second or "") == Changed(database.name, OTHER, None, frozenset(map(str, range(500))))
    assert answers.changed(third or "") == Changed(database.name, OTHER, None)
    assert heard.empty()


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@given(st.lists(st.builds(Question, words, words, words, words), max_size=60))
def test_what_is_announced_is_short_and_read_as_it_was_meant(questions: list[Question]) -> None:
    payload = answers.announcement("me", ACME, questions)
    assert len(payload.encode()) <= LONGEST_PAYLOAD
    assert answers.changed(payload) in {
        Changed("me", ACME, tuple(questions)),
        Changed("me", ACME, None, frozenset(question.subject for question in questions)),
        Changed("me", ACME, None),
    }


@pytest.mark.parametrize("role", ["trainer", "org-admin"])
async def test_reading_some_of_many_touches_only_those(database: Database, clone: Clone, role: str) -> None:
    crowd = [user(f"p{n}", f"Person {n}", "learner") for n in range(400)]
    taught = tuple(place(one.id) for one in crowd[::2])
    await roster.sync(database, replace(acme(), people=[*acme().people, *crowd], enrollments={"algebra": taught}))
    rows = {asked("learner", one.id, metric): kept() for one in crowd for metric in ("a", "b", "c", "d", "e")}
    await answers.keep(database, ACME, rows)
    wanted = [asked("learner", place.user_id, "c") for place in taught]
    actor = Actor(ACME, TOMAS if role == "trainer" else OLGA, role)
    application = await connect(clone.app_url)
    async with application.transaction():
        before = await application.fetchrow(TOUCHED)
        columns = zip(*((one.scope, one.subject, one.metric, one.arguments) for one in wanted), strict=True)
        call = "SELECT * FROM read_answers($1, $2, $3, $4, $5, $6, $7)"
        assert len(await application.fetch(call, *actor.settings, *columns)) == len(wanted) == 200
        after = await application.fetchrow(TOUCHED)
    await application.close()
    assert (after["seq"] - before["seq"], after["idx"] - before["idx"]) == (0, 200)


TOUCHED = "SELECT seq_scan AS seq, idx_tup_fetch AS idx FROM pg_stat_xact_user_tables WHERE relname = 'answers'"
