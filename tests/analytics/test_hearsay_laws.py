"""Nothing that was heard is lost or written twice, whatever goes on beside it, and there is a bound on what is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from analytics import hearsay
from tests.analytics.hearing import HERE, LOST, OLGA_RULES, TOMAS_TEACHES, Pages, told
from tests.cast import LARS, LENA

if TYPE_CHECKING:
    from analytics.hearsay import Hearsay

KEPT = (
    (OLGA_RULES, {LENA: 3, LARS: 0}),
    (OLGA_RULES, {LENA: 1, LARS: 2}),
    (OLGA_RULES, {f"{n}": 1 for n in range(4)}),
    (TOMAS_TEACHES, {LENA: 3, LARS: 0}),
    (TOMAS_TEACHES, {LENA: 0}),
)
"""Whom each mapping is told to."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KEPT),
        st.sampled_from([HERE, None]),
        st.sampled_from(["", "look", "look", "write all", "away", "back", "cancel"]),
        st.integers(0, 2),
    ),
    max_size=30,
)
"""Who is told, from where; what is done then; and how many turns of the loop go by."""


async def lived(steps: list[Any], pages: Pages, one: Hearsay) -> dict[Any, tuple[int, set[str]]]:
    """Do all these, looks beside each other and beside what is told; the answers and the requests that were told."""
    expected: dict[Any, tuple[int, set[str]]] = {}
    looks: list[asyncio.Task[None]] = []
    for n, ((actor, people), address, act, turns) in enumerate(steps):
        one.heard(actor, people, address, f"request-{n}")
        for person, answers in people.items():
            before, ids = expected.setdefault((actor.user, address, person, answers > 0), (0, set()))
            expected[actor.user, address, person, answers > 0] = before + answers, {*ids, f"request-{n}"}
        pages.when_asked()
        if act in {"look", "write all"}:
            looks.append(asyncio.create_task(one.look(everything=act == "write all")))
        elif act == "cancel" and looks:
            looks[-1].cancel()
        elif act in {"away", "back"}:
            pages.away = act == "away"
        for _ in range(turns):
            await asyncio.sleep(0)
    pages.away = False
    await one.close()
    await asyncio.gather(*looks, return_exceptions=True)
    return expected


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 3))
def test_nothing_is_lost_or_told_twice(steps: list[Any], turns: int) -> None:
    pages = Pages(turns=turns)

    async def live() -> dict[Any, tuple[int, set[str]]]:
        return await lived(steps, pages, told(pages))

    expected = asyncio.run(live())
    counted: dict[Any, tuple[int, int]] = {}
    ids: dict[Any, list[str]] = {}
    for user, address, person, answers, requests, first in pages.rows:
        key = user, address, person, answers > 0
        before = counted.get(key, (0, 0))
        counted[key] = before[0] + answers, before[1] + requests
        ids.setdefault(key, []).append(first)
    assert counted == {key: (answers, len(those)) for key, (answers, those) in expected.items()}
    for key, found in ids.items():
        assert len(set(found)) == len(found), "each row has another request"
        assert set(found) <= expected[key][1]


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 3), st.integers(0, 3 * hearsay.LEAST), st.integers(4, 12))
def test_what_is_held_has_a_bound_at_every_moment(steps: list[Any], turns: int, counted: int, most: int) -> None:
    pages = Pages(turns=turns)
    held: list[int] = []

    async def live() -> dict[Any, tuple[int, set[str]]]:
        one = told(pages, counted=counted, most=most)
        pages.when_asked = lambda: held.append(one.held)
        return await lived(steps, pages, one)

    with capture_logs() as logs:
        expected = asyncio.run(live())
    assert max(held, default=0) <= counted + most
    lost = sum(line["rows"] for line in logs if line["event"] == LOST)
    assert (pages.requests < sum(len(those) for _, those in expected.values())) == (lost > 0)
