"""A page read from end to end says what the same page says whose people are looked for one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasources.postgres import roster
from datasources.postgres.connection import connect, connect_application
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, NOW, acme, other, place, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.conftest import Clone

    Kept = Mapping[tuple[tuple[str, str, str], str, str], "Answer"]

PUPILS = tuple(f"pupil-{n}" for n in range(6))
SUBJECTS = (LENA, LARS, SAM, *PUPILS)
TAUGHT = frozenset({LENA, *PUPILS[::2]})
"""Whom Tomas teaches."""

QUESTION = ("learner", "m@1", "")
ASKED = QUESTION[1:]
OTHERS = (("learner", "m@2", ""), ("learner", "m@1", '{"window":"MONTH"}'), ("trainer", "m@1", ""))
"""Questions to which there are answers as well, which are none to the one that is asked."""

KEEP = """
    INSERT INTO answers (organization, scope, metric, arguments, subject, value, withheld, about, origin,
                         as_of, calculated_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $6::text IS NULL THEN '[]' END, '{}', 'LIVE', $7, $8, $9)
"""
SIZED = """
    INSERT INTO syncs (organization, synced_at, people) VALUES ($1, now(), $2)
    ON CONFLICT (organization) DO UPDATE SET people = excluded.people
"""
EACH = """
    SELECT subject, brief, as_of, calculated_at, expires_at FROM answers
    WHERE organization = $1 AND scope = 'learner' AND metric = $2 AND arguments = $3
"""
CROWD = """
    INSERT INTO answers (organization, scope, metric, arguments, subject, value, about, origin,
                         as_of, calculated_at, expires_at)
    SELECT $1, 'learner', $2, $3, concat('of the crowd ', n), '{}', '{}', 'LIVE', $4, $4, $4
    FROM generate_series(1, 1000) n ON CONFLICT DO NOTHING
"""
TOGETHER = "SELECT number, told, as_of, calculated_at, expires_at FROM briefs_of_many($1, $2, $3, $4)"
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody, and the learners of their organization of whom they may hear."""

    actor: Actor
    hears: frozenset[str]


ASKERS = (
    Asker(Actor(ACME, OLGA, "org-admin"), frozenset(SUBJECTS)),
    Asker(system(ACME), frozenset(SUBJECTS)),
    Asker(Actor(ACME, TOMAS, "trainer"), TAUGHT),
    Asker(Actor(ACME, LENA, "learner"), frozenset({LENA})),
    Asker(Actor(ACME, OLGA, "nobody"), frozenset()),
    Asker(Actor(OTHER, SAM, "org-admin"), frozenset(SUBJECTS)),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept: the text of a value, or None where it is withheld, and its times."""

    value: str | None
    as_of: datetime
    calculated_at: datetime
    expires_at: datetime


NUMBERS = st.integers(0, 99)
MOMENTS = st.integers(-10_000, 10_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
VALUES = st.one_of(
    NUMBERS.map('{{"n":{}}}'.format),
    NUMBERS.map('{{"n":{},"parts":[1]}}'.format),
    # Of these nothing brief is kept: one is too long, one has no names.
    st.sampled_from([f'{{"words":"{"long " * 300}"}}', "7"]),
    st.none(),
)
ANSWERS = st.builds(Answer, VALUES, MOMENTS, MOMENTS, MOMENTS)
KEPT = st.dictionaries(
    st.tuples(
        st.sampled_from([QUESTION, QUESTION, QUESTION, *OTHERS]),
        st.sampled_from([ACME, ACME, OTHER]),
        st.sampled_from(SUBJECTS),
    ),
    ANSWERS,
    min_size=6,
    max_size=24,
)


@pytest_asyncio.fixture
async def application(module_clone: Clone) -> AsyncIterator[Any]:
    """A connection of the application, to a database that knows who teaches whom, and keeps much beside the page."""
    database = await Database.open(module_clone.app_url, size=1)
    here = acme()
    people = [*here.people, *(user(one, one, "learner") for one in PUPILS)]
    taught = tuple(place(one) for one in sorted(TAUGHT))
    await roster.sync(database, replace(here, people=people, enrollments={ALGEBRA: taught}))
    await roster.sync(database, other())
    await database.close()
    connection = await connect_application(module_clone.app_url)
    async with connection.transaction():
        await become(connection, system(ACME))
        await connection.execute(CROWD, ACME, *ASKED, NOW)
    # Of a table that it knows to be large, the planner reads what comes in the order of the index, not of the page.
    owner = await connect(module_clone.owner_url)
    await owner.execute("ANALYZE answers")
    await owner.close()
    yield connection
    await connection.close()


async def become(application: Any, actor: Actor) -> None:
    await application.execute("SELECT act_as($1, $2, $3)", *actor.settings)


async def keep(application: Any, kept: Kept) -> None:
    for (question, organization, subject), one in kept.items():
        await become(application, system(organization))
        times = one.as_of, one.calculated_at, one.expires_at
        await application.execute(KEEP, organization, *question, subject, one.value, *times)


async def heard(application: Any, asker: Asker, organization: str, page: Sequence[str]) -> tuple[Any, ...]:
    """What somebody is to be told of a page, put together of all that is kept."""
    await become(application, system(organization))
    each = {row["subject"]: row for row in await application.fetch(EACH, organization, *ASKED)}
    hears = asker.hears if asker.actor.organization == organization else frozenset()
    rows = [each[one] for one in page if one in each and one in hears]
    briefs = [row["brief"] for row in rows if row["brief"] is not None]
    return (
        len(briefs),
        f"[{','.join(briefs)}]",
        max((row["as_of"] for row in rows), default=None),
        min((row["calculated_at"] for row in rows), default=None),
        min((row["expires_at"] for row in rows), default=None),
    )


async def told(application: Any, asker: Asker, organization: str, page: Sequence[str]) -> list[tuple[Any, ...]]:
    await become(application, asker.actor)
    return [tuple(row) for row in await application.fetch(TOGETHER, organization, page, *ASKED)]


@pytest.mark.parametrize("asker", ASKERS, ids=lambda asker: "-".join(asker.actor.settings))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kept=KEPT,
    page=st.lists(st.sampled_from([*SUBJECTS, "nobody"]), max_size=14),
    organization=st.sampled_from([ACME, ACME, OTHER]),
)
async def test_a_page_says_the_same_however_many_people_its_organization_has(
    application: Any, asker: Asker, kept: Kept, page: list[str], organization: str
) -> None:
    # Of up to eight people for each of the page, all is read from end to end. Of more, or of nobody knows how many,
    # each of the page is looked for.
    sizes = (0, 8 * len(page), 8 * len(page) + 1, MOST, None)
    transaction = application.transaction()
    await transaction.start()
    try:
        await keep(application, kept)
        wanted = await heard(application, asker, organization, page)
        await application.execute("DELETE FROM syncs")
        assert await told(application, asker, organization, page) == [wanted]
        for people in sizes:
            await become(application, system(organization))
            await application.execute(SIZED, organization, people)
            assert await told(application, asker, organization, page) == [wanted], f"of {people} people"
    finally:
        await transaction.rollback()
