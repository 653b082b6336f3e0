"""What is heard is written together, number for number, also when the database comes back late."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from analytics import hearsay
from tests.analytics.hearing import HERE, LOST, OLGA_RULES, THERE, TOMAS_TEACHES, Pages, told
from tests.cast import LARS, LENA, OLGA, TOMAS


async def test_what_many_heard_is_one_statement() -> None:
    pages = Pages()
    one = told(pages)
    roster = {LENA: 3, LARS: 3}
    for n in range(1_000):
        one.heard(OLGA_RULES, roster, HERE, f"request-{n}")
    one.heard(TOMAS_TEACHES, {LENA: 2}, HERE, "another")
    one.heard(TOMAS_TEACHES, {}, HERE, "none")
    await one.close()
    assert len(pages.parts) == 1
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


@settings(deadline=None, max_examples=60)
@given(st.lists(st.booleans(), max_size=12))
def test_who_stops_asking_is_on_record_by_the_second_look(asked: list[bool]) -> None:
    pages = Pages()

    async def tell() -> None:
        one = told(pages)
        roster = {LENA: 3}
        for n, asks in enumerate(asked):
            if asks:
                one.heard(OLGA_RULES, roster, HERE, f"request-{n}")
            await one.look()
            in_a_row = asked[max(0, n - hearsay.OFTEN) : n + 1]
            if len(in_a_row) <= hearsay.OFTEN or not all(in_a_row):
                assert pages.requests == sum(asked[: n + 1]), "nothing is put off of what is not told again and again"
        await one.look()
        assert (pages.requests, one.held) == (sum(asked), 0), "nobody is told of it any more, so it is not held"
        await one.close()

    asyncio.run(tell())


async def test_what_is_told_again_and_again_is_written_now_and_then() -> None:
    pages = Pages()
    one = told(pages)
    roster = {LENA: 3}
    looks = hearsay.OFTEN + 2 * hearsay.AGAIN
    for n in range(looks):
        one.heard(OLGA_RULES, roster, HERE, f"request-{n}")
        one.heard(OLGA_RULES, roster, HERE, f"{n}, again")
        await one.look()
        assert 2 * (n + 1) - pages.requests < 2 * hearsay.AGAIN
    often = list(range(hearsay.OFTEN))
    rare = [hearsay.OFTEN, hearsay.OFTEN + hearsay.AGAIN]
    assert [row[4:] for row in pages.rows] == [
        *((2, f"request-{n}") for n in often),
        *((2 * hearsay.AGAIN, f"request-{n}") for n in rare),
    ]
    assert pages.heard == {(OLGA, LENA): 6 * looks}
    await one.close()


async def test_what_waits_has_a_bound_and_those_with_little_are_not_given_up() -> None:
    pages = Pages()
    one = told(pages, most=1_000)
    pages.away = True
    one.heard(TOMAS_TEACHES, {LENA: 1}, HERE, "first")
    for n in range(3):
        one.heard(OLGA_RULES, {f"{n}-{m}": 1 for m in range(400)}, HERE, "second")
    with capture_logs() as logs:
        await one.write_all()
    assert [(line["rows"], line["waiting"]) for line in logs if line["event"] == LOST] == [(1_200, 1)]
    pages.away = False
    await one.close()
    assert pages.heard == {(TOMAS, LENA): 1}


async def test_what_there_is_no_room_to_count_is_written_nonetheless() -> None:
    pages = Pages()
    one = told(pages, counted=2 * hearsay.LEAST)
    kept = [{f"{n}": 1} for n in range(5)]
    for mapping in kept * 2:
        one.heard(OLGA_RULES, mapping, HERE, "request")
        assert one.held <= 2 * hearsay.LEAST + len(kept)
    await one.close()
    assert pages.heard == {(OLGA, f"{n}"): 2 for n in range(5)}


async def test_much_is_written_by_parts() -> None:
    pages = Pages()
    one = told(pages)
    size, number = 200, 250
    waiting: list[int] = []
    pages.when_asked = lambda: waiting.append(one._waiting.number)
    for n in range(number):
        one.heard(OLGA_RULES if n % 2 else TOMAS_TEACHES, {f"{n} {m}": 1 for m in range(size)}, HERE, "request")
    await one.close()
    assert len(pages.rows) == pages.requests == size * number
    assert max(pages.parts) <= hearsay.AT_ONCE
    assert max(waiting) < hearsay.AT_ONCE + size, "rows are made as they are written, not all of them before"


async def test_others_get_their_turn_while_rows_are_made_for_a_database_that_is_away() -> None:
    pages = Pages(away=True)
    one = told(pages)
    made: list[int] = []
    for n in range(100):
        one.heard(OLGA_RULES, {f"{n} {m}": 1 for m in range(100)}, HERE, "request")
    looking = asyncio.create_task(one.look())
    while not looking.done():
        made.append(one._waiting.number)
        await asyncio.sleep(0)
    steps = [later - before for before, later in pairwise(made)]
    assert max(steps) <= hearsay.AT_ONCE
    pages.away = False
    await one.close()
    assert pages.requests == 100 * 100


async def test_what_is_lost_at_the_end_is_logged_as_a_number() -> None:
    one = told(Pages(away=True))
    one.heard(OLGA_RULES, {LENA: 1, LARS: 0}, HERE, "request")
    with capture_logs() as logs:
        await one.close()
    assert [line["rows"] for line in logs if line["event"] == LOST] == [2]
