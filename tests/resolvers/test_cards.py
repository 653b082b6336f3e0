"""Nothing on a dashboard's card is without a source: each field has a place in the graph, or a reason why not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from graphql import GraphQLObjectType, get_named_type

from analytics.catalog import METRICS, PUBLIC
from analytics.codec import camel
from analytics.declare import Family
from resolvers.cards import CARDS
from resolvers.schema import build, graphql_schema

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from resolvers.cards import Card

SCHEMA = graphql_schema(build(METRICS))
every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.analytic)


def fault(schema: GraphQLSchema, path: str) -> str | None:
    """The first step of a path that the schema does not have; None when it has all of them."""
    steps = path.split(".")
    kind = schema.mutation_type if steps[0] == "mutation" else schema.query_type
    for step in steps[1:] if steps[0] == "mutation" else steps:
        name, _, argument = step.rstrip(")").partition("(")
        if not isinstance(kind, GraphQLObjectType) or name not in kind.fields:
            return f"{path}: {kind} has no {name}"
        field = kind.fields[name]
        if argument and argument not in field.args:
            return f"{path}: {name} has no argument {argument}"
        kind = get_named_type(field.type)
    return None


@every_card
def test_every_field_of_a_card_is_where_it_is_said_to_be(card: Card) -> None:
    assert [said for path in card.paths().values() if (said := fault(SCHEMA, path))] == []


@every_card
def test_what_is_nowhere_has_a_reason_and_no_place(card: Card) -> None:
    assert all(reason.endswith(".") for reason in card.absent.values())
    assert Counter([*card.here, *card.elsewhere, *card.absent]).most_common(1)[0][1] == 1


def test_every_public_metric_is_read_by_a_card() -> None:
    read = [path for card in CARDS for path in card.paths().values()]
    for metric in PUBLIC.values():
        group = "" if metric.family is Family.SUBJECT else f"{metric.family.value}."
        place = f"{metric.scope.value}.{group}{camel(metric.name)}."
        assert any(path.startswith(place) for path in read), f"no card reads {metric.key}"


def test_no_card_is_told_twice() -> None:
    assert Counter(card.analytic for card in CARDS).most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    "path", ["learner.analytics.nonsense", "learner.analytics(window)", "learner.id.deeper", "mutation.nonsense"]
)
def test_a_path_that_leads_nowhere_is_found(path: str) -> None:
    assert fault(SCHEMA, path) is not None
