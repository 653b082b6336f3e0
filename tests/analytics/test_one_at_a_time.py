"""What is said of thousands is worked out from one of them at a time: nothing of the others is held meanwhile."""

from __future__ import annotations

import copy
import sys
from collections import deque
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from corpus import corpus
from pure import SUBJECTS, Pure

from analytics.catalog import METRICS
from analytics.declare import Many, Metric
from datasources.course import Activity
from datasources.packed import Packed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUPS = {Many.EVERYONE, Many.STARTERS, Many.ITEMS}
WIDE = [metric for metric in METRICS.values() if any(given.many in GROUPS for given in metric.inputs)]
IN_HAND = 3
"""How many of those that were read last a formula may still have in its hands."""
FOR_ALL = 2
"""Of how many a formula may hold a row because it stands for all, like an assessment that all are set."""


def parts(thing: Any) -> Iterator[tuple[Any, ...]]:
    """The rows that a fact or a value is made of."""
    for one in fields(thing):
        rows = getattr(thing, one.name)
        if isinstance(rows, tuple) and rows and is_dataclass(rows[0]):
            yield rows


def is_held(thing: Any) -> bool:
    """Whether somebody but the caller's one name has a thing or a row of it."""
    # The name in the caller, the one here, and the question.
    if sys.getrefcount(thing) > 3:
        return True
    # The tuple, and the question.
    return any(sys.getrefcount(rows[place]) > 2 for rows in parts(thing) for place in range(len(rows)))


@dataclass
class Reader:
    """Reads one group's things, each anew, and notes of whom something is still held a little later."""

    things: Mapping[str, Any]
    held: set[str]
    lately: deque[tuple[str, Any]] = field(default_factory=deque)

    def read(self, packed: bytes) -> Any:
        key = packed.decode()
        thing = copy.deepcopy(self.things[key])
        self.lately.append((key, thing))
        if len(self.lately) > IN_HAND:
            before, earlier = self.lately.popleft()
            if is_held(earlier):
                self.held.add(before)
        return thing


def one_at_a_time(held: set[str]) -> Pure:
    """The corpus with groups whose things are read anew each time, and who is held in the end."""

    def group(things: Mapping[str, Any]) -> Mapping[str, Any]:
        return Packed({key: key.encode() for key in things}, Reader(things, held).read, few=0)

    return Pure(corpus(), group=group)


@pytest.fixture(scope="module")
def pure() -> Pure:
    return Pure(corpus())


@pytest.mark.parametrize("metric", WIDE, ids=lambda metric: metric.key)
def test_a_formula_about_many_says_the_same_of_them_one_at_a_time_and_holds_none_of_them(
    metric: Metric, pure: Pure
) -> None:
    for subject in SUBJECTS[metric.scope]:
        held: set[str] = set()
        assert one_at_a_time(held).ask(metric, subject) == pure.ask(metric, subject)
        assert len(held) <= FOR_ALL, f"{metric.key} holds what it read of {len(held)}: take what is needed of each"


def test_a_formula_that_held_them_would_be_found_out() -> None:
    facts = {learner: fact for (kind, learner), fact in corpus().facts.items() if kind is Activity}
    whole, rows, numbers = (set[str]() for _ in range(3))
    assert list(one_at_a_time(whole).group(facts).values())
    assert [day for fact in one_at_a_time(rows).group(facts).values() for day in fact.days]
    assert [day.actions for fact in one_at_a_time(numbers).group(facts).values() for day in fact.days]
    assert len(whole) == len(facts) - IN_HAND
    assert len(rows) == sum(bool(fact.days) for fact in list(facts.values())[:-IN_HAND])
    assert numbers == set()
