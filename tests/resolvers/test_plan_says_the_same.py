"""A plan says what the ordinary executor says, byte for byte, or nothing at all."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import orjson
from graphql import parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st
from school import as_
from twoways import SCHEMA, Heard, Looking, Shelf, ordinary
from writings import Writer

from analytics.declare import Role
from analytics.planned import Unplanned
from analytics.policy import Viewer
from analytics.record import Tier
from resolvers.plan import compile_plan
from tests.cast import LENA, OLGA, TOMAS

VIEWERS = (as_(LENA, Role.LEARNER), as_(TOMAS, Role.TRAINER), as_(OLGA, Role.ORG_ADMIN))
DOCUMENTS = 12
"""How many documents one example makes."""


async def both(text: str, variables: dict[str, Any], viewer: Viewer, shelf: Shelf, *, remembered: bool = False) -> str:
    """Compare the two ways on one document; what became of it.

    Of single subjects, answers are kept in the database or `remembered` by the process.
    """
    document = parse(text)
    if validate(SCHEMA, document):
        return "invalid"
    plan = compile_plan(SCHEMA, document, None)
    if plan is None:
        return "no plan"
    try:
        turn = plan.turn(variables, viewer)
    except Unplanned:
        return "not compiled"
    remembered = remembered and not turn.ask.listings
    tier = Tier.MEMORY if remembered else Tier.DATABASE
    try:
        planned = turn.render(await Looking(viewer, shelf, remembered).found(turn.ask), Tier.DATABASE)
    except Unplanned:
        return "not plain"
    result = await ordinary(document, None, variables, Heard(viewer, shelf=shelf, mended=True, tier=tier))
    assert not result.errors, text
    assert planned.decode() == orjson.dumps(result.data).decode(), text
    return "planned"


def tried(seed: int) -> Counter[str]:
    """Some documents about one world, and how many went through a plan."""
    random = Random(seed)
    shelf = Shelf(seed, random.choice([0, 0, 0.05, 0.3]))

    async def all_of_them() -> list[str]:
        return [
            await both(
                written.text, written.variables, random.choice(VIEWERS), shelf, remembered=random.random() < 1 / 4
            )
            for written in (Writer(SCHEMA, random).document() for _ in range(DOCUMENTS))
        ]

    return Counter(asyncio.run(all_of_them()))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_plan_says_what_the_executor_says_or_nothing(seed: int) -> None:
    tried(seed)


def test_most_of_what_is_plain_goes_through_a_plan() -> None:
    became = sum((tried(seed) for seed in range(4)), Counter())
    assert became["planned"] >= became.total() / 5
