"""What is heard is written together, number for number, also when the database comes back late."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import hearsay
from analytics.hearsay import Hearsay
from datasources.postgres.audit import SEPARATOR
from datasources.postgres.connection import DatabaseError
from datasources.postgres.session import Actor
from tests.cast import ACME, LARS, LENA, OLGA, TOMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasources.postgres.session import Database

OLGA_RULES = Actor(ACME, OLGA, "org-admin")
TOMAS_TEACHES = Actor(ACME, TOMAS, "trainer")


class Pages:
    """A database that notes what it is told; while it is `away`, it does not answer."""

    def __init__(self) -> None:
        self.away = False
        self.statements = 0
        self.most = 0
        self.heard: Counter[tuple[str, str]] = Counter()

    async def fetch(self, _: str, *arguments: Any) -> list[Any]:
        if self.away:
            raise DatabaseError
        self.statements += 1
        rows = 0
        for user, learners, numbers in zip(arguments[1], arguments[3], arguments[4], strict=True):
            for learner, number in zip(learners.split(SEPARATOR), numbers.split(SEPARATOR), strict=True):
                self.heard[user, learner] += int(number)
                rows += 1
        self.most = max(self.most, rows)
        return []


def told(pages: Pages) -> Hearsay:
    database: Database = pages  # type: ignore[assignment]  # all of it that is asked
    return Hearsay(database)


async def test_what_many_heard_is_one_statement() -> None:
    pages = Pages()
    one = told(pages)
    roster = {LENA: 3, LARS: 3}
    for _ in range(1_000):
        one.heard(OLGA_RULES, roster)
    one.heard(TOMAS_TEACHES, {LENA: 2})
    one.heard(TOMAS_TEACHES, {})
    await one.close()
    assert pages.statements == 1
    assert pages.heard == {(OLGA, LENA): 3_000, (OLGA, LARS): 3_000, (TOMAS, LENA): 2}


async def test_it_waits_for_a_database_that_is_away() -> None:
    pages = Pages()
    one = told(pages)
    pages.away = True
    one.heard(OLGA_RULES, {LENA: 1})
    await one._write()
    one.heard(OLGA_RULES, {LENA: 1, LARS: 5})
    await one._write()
    pages.away = False
    await one.close()
    assert pages.heard == {(OLGA, LENA): 2, (OLGA, LARS): 5}


async def test_what_waits_has_a_bound_and_those_with_little_are_not_given_up() -> None:
    pages = Pages()
    one = told(pages)
    pages.away = True
    one.heard(TOMAS_TEACHES, {LENA: 1})
    one.heard(OLGA_RULES, {f"{n}": 1 for n in range(hearsay.MOST)})
    await one._write()
    pages.away = False
    await one.close()
    assert (TOMAS, LENA) in pages.heard
    assert len(pages.heard) <= hearsay.MOST


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([OLGA_RULES, TOMAS_TEACHES]), st.dictionaries(st.text("abc"), st.integers(1, 9))),
        max_size=20,
    )
)
def test_nothing_is_lost_or_told_twice(steps: list[tuple[Actor, dict[str, int]]]) -> None:
    pages = Pages()
    expected: Counter[tuple[str, str]] = Counter()

    async def tell() -> None:
        one = told(pages)
        for actor, answers in steps:
            heard: Mapping[str, int] = answers
            one.heard(actor, heard)
            expected.update({(actor.user, learner): number for learner, number in answers.items()})
            await asyncio.sleep(0)
        await one.close()

    asyncio.run(tell())
    assert pages.heard == expected
