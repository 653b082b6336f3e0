"""What is heard is written together, number for number, also when the database comes back late."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
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
HERE, THERE = "192.0.2.1", "2001:db8::1"


class Pages:
    """A database that notes what it is told; while it is `away`, it does not answer.

    A row is by whom, from where, and about whom: with the answers, the requests, and the id of the first of them.
    """

    def __init__(self) -> None:
        self.away = False
        self.statements = 0
        self.rows: list[tuple[str, str | None, str, int, int, str]] = []

    async def fetch(self, _: str, *arguments: Any) -> list[Any]:
        if self.away:
            raise DatabaseError
        self.statements += 1
        for user, address, *texts in zip(arguments[1], *arguments[3:], strict=True):
            for person, answers, requests, one in zip(*(text.split(SEPARATOR) for text in texts), strict=True):
                self.rows.append((user, address, person, int(answers), int(requests), one))
        return []

    @property
    def heard(self) -> dict[tuple[str, str], int]:
        counted: Counter[tuple[str, str]] = Counter()
        for user, _, person, answers, _, _ in self.rows:
            counted[user, person] += answers
        return counted


def told(pages: Pages) -> Hearsay:
    database: Database = pages  # type: ignore[assignment]  # all of it that is asked
    return Hearsay(database)


async def test_what_many_heard_is_one_statement() -> None:
    pages = Pages()
    one = told(pages)
    roster = {LENA: 3, LARS: 3}
    for n in range(1_000):
        one.heard(OLGA_RULES, roster, HERE, f"request-{n}")
    one.heard(TOMAS_TEACHES, {LENA: 2}, HERE, "another")
    one.heard(TOMAS_TEACHES, {}, HERE, "none")
    await one.close()
    assert pages.statements == 1
    assert pages.rows == [
        (OLGA, HERE, LENA, 3_000, 1_000, "request-0"),
        (OLGA, HERE, LARS, 3_000, 1_000, "request-0"),
        (TOMAS, HERE, LENA, 2, 1, "another"),
    ]


async def test_addresses_are_never_put_together_nor_is_what_was_seen_with_what_was_heard() -> None:
    pages = Pages()
    one = told(pages)
    page = {LENA: 1, LARS: 0}
    one.heard(OLGA_RULES, page, HERE, "first")
    one.heard(OLGA_RULES, page, THERE, "second")
    one.heard(OLGA_RULES, {LARS: 4, LENA: 2}, HERE, "third")
    one.heard(OLGA_RULES, {LENA: 0}, None, "fourth")
    await one.close()
    assert sorted(pages.rows, key=str) == sorted(
        [
            (OLGA, HERE, LENA, 3, 2, "first"),
            (OLGA, HERE, LARS, 0, 1, "first"),
            (OLGA, HERE, LARS, 4, 1, "third"),
            (OLGA, THERE, LENA, 1, 1, "second"),
            (OLGA, THERE, LARS, 0, 1, "second"),
            (OLGA, None, LENA, 0, 1, "fourth"),
        ],
        key=str,
    )


async def test_it_waits_for_a_database_that_is_away() -> None:
    pages = Pages()
    one = told(pages)
    pages.away = True
    one.heard(OLGA_RULES, {LENA: 1}, HERE, "first")
    await one.write_all()
    one.heard(OLGA_RULES, {LENA: 1, LARS: 5}, HERE, "second")
    await one.write_all()
    pages.away = False
    await one.close()
    assert pages.rows == [(OLGA, HERE, LENA, 2, 2, "first"), (OLGA, HERE, LARS, 5, 1, "second")]


async def test_what_is_told_again_and_again_is_written_at_once_and_then_only_now_and_then() -> None:
    pages = Pages()
    one = told(pages)
    roster = {LENA: 3}

    async def looked() -> None:
        await one._add_up(everything=False)
        await one._write()

    for n in range(3 * hearsay.AGAIN):
        one.heard(OLGA_RULES, roster, HERE, f"request-{n}")
        one.heard(OLGA_RULES, roster, HERE, f"{n}, again")
        await looked()
        if n == 0:
            assert pages.rows == [(OLGA, HERE, LENA, 6, 2, "request-0")]
    assert [requests for *_, requests, _ in pages.rows] == [2, 2 * hearsay.AGAIN, 2 * hearsay.AGAIN]
    assert [first for *_, first in pages.rows] == ["request-0", "request-1", f"request-{hearsay.AGAIN + 1}"]
    await one.close()
    assert sum(requests for *_, requests, _ in pages.rows) == 6 * hearsay.AGAIN
    written = len(pages.rows)
    await looked()
    assert (len(pages.rows), one._again) == (written, {}), "nobody is told of it any more, so it is not held"


async def test_what_waits_has_a_bound_and_those_with_little_are_not_given_up() -> None:
    pages = Pages()
    one = told(pages)
    pages.away = True
    one.heard(TOMAS_TEACHES, {LENA: 1}, HERE, "first")
    one.heard(OLGA_RULES, {f"{n}": 1 for n in range(hearsay.MOST)}, HERE, "second")
    await one.write_all()
    pages.away = False
    await one.close()
    assert (TOMAS, LENA) in pages.heard
    assert len(pages.rows) <= hearsay.MOST


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([OLGA_RULES, TOMAS_TEACHES]),
            st.dictionaries(st.text("abc"), st.integers(0, 9)),
            st.sampled_from([HERE, THERE, None]),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_nothing_is_lost_or_told_twice(steps: list[tuple[Actor, dict[str, int], str | None, bool]]) -> None:
    pages = Pages()
    expected: dict[Any, tuple[int, int, str]] = {}

    async def tell() -> None:
        one = told(pages)
        for n, (actor, people, address, away) in enumerate(steps):
            kept: Mapping[str, int] = people
            request = f"request-{n}"
            one.heard(actor, kept, address, request)
            for person, answers in people.items():
                key = (actor.user, address, person, answers > 0)
                before = expected.get(key, (0, 0, request))
                expected[key] = (before[0] + answers, before[1] + 1, before[2])
            if away:
                pages.away = True
                await one.write_all()
                pages.away = False
            await asyncio.sleep(0)
        await one.close()

    asyncio.run(tell())
    found = defaultdict(list)
    for user, address, person, answers, requests, first in pages.rows:
        found[user, address, person, answers > 0].append((answers, requests, first))
    assert found == {key: [one] for key, one in expected.items()}
