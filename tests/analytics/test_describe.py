from __future__ import annotations

from dataclasses import dataclass

import pytest

from analytics.catalog import METRICS, definition
from analytics.declare import DeclarationError, Ratio
from analytics.describe import describe, measure
from datasources.declare import Count, Score


@dataclass(frozen=True, slots=True)
class Told:
    """A value that says what it means."""

    score: Score
    """How well it went."""
    ratio: Ratio | None
    """Done over due;
    null before anything is due."""
    name: str
    """What it is called."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A value with a field that nobody explained."""

    score: Score
    """How well it went."""
    other: Count


def test_a_field_is_described_by_the_sentence_under_it_with_its_unit_and_range() -> None:
    assert describe(Told) == {
        "score": "How well it went. Unit: points of 100; range: 0 to 100.",
        "ratio": "Done over due;\nnull before anything is due. Unit: ratio, 1 is as planned; range: 0 to 2.",
        "name": "What it is called.",
    }


def test_a_field_without_a_sentence_is_refused_by_name() -> None:
    with pytest.raises(DeclarationError, match=r"Silent\.other needs a sentence"):
        describe(Silent)


def test_what_has_no_unit_promises_none() -> None:
    assert measure(str) == (None, None)
    assert measure(Count) == ("count", "0 to 2,147,483,647")


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_can_be_shown_with_what_it_means(metric: object) -> None:
    told = definition(metric)
    assert told["description"]
    assert told["formula"]
    assert told["fields"]
    assert all(field["description"] for field in told["fields"])
