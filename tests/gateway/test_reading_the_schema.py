"""What it costs to ask for the schema: about as much as is told of it, and one document tells it once."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import get_introspection_query, graphql_sync

from gateway.app import SCHEMA
from gateway.documents import Document, Documents
from gateway.limits import Limits
from resolvers.schema import graphql_schema
from resolvers.weights import weight

WHOLE = get_introspection_query()
GRAPHIQL = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    one_of=True,
)
THE_GRAPH = graphql_schema(SCHEMA)
NAMES = " ".join(f"n{number}: name" for number in range(90))


def of_the_graph(text: str) -> Document:
    return Documents(THE_GRAPH, Limits(), weigh=weight).get(text)


def asked_by(n: int, field: str) -> str:
    """A field of the schema, asked for n times."""
    return " ".join(f"a{number}: {field}" for number in range(n))


@pytest.mark.parametrize("text", [WHOLE, GRAPHIQL], ids=["the standard query", "what GraphiQL asks"])
def test_the_schema_may_be_read_whole_once_in_a_document_and_not_twice(text: str) -> None:
    assert of_the_graph(text).errors == ()
    (error,) = of_the_graph(text.replace("__schema {", "__schema { again: types { ...FullType }", 1)).errors
    assert error["extensions"]["limit"] == "cost"


@pytest.mark.parametrize(
    "text",
    [
        f"{{ __schema {{ {asked_by(60, 'types { ...T }')} }} }} fragment T on __Type {{ name fields {{ name }} }}",
        f"{{ __schema {{ types {{ {asked_by(60, 'fields { type { name } }')} }} }} }}",
        f"{{ __schema {{ types {{ fields {{ {NAMES} }} }} }} }}",
    ],
    ids=["one fragment again and again", "lists within lists", "many leaves"],
)
def test_a_schema_that_is_read_again_and_again_is_refused_before_it_is_read(text: str) -> None:
    (error,) = of_the_graph(text).errors
    assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("DOCUMENT_LIMIT", "cost")


def fields_of(said: Any) -> int:
    if isinstance(said, list):
        return sum(map(fields_of, said))
    return sum(1 + fields_of(one) for one in said.values()) if isinstance(said, dict) else 0


@pytest.mark.parametrize(
    "selection",
    [
        "types { name }",
        "types { fields { name args { name } } }",
        "types { fields { type { ofType { fields { name } } } } }",
        "types { interfaces { possibleTypes { name kind description } } }",
        "types { fields { type { ofType { enumValues { name } } } } }",
        "directives { locations args { name } }",
    ],
)
def test_what_is_read_of_the_schema_costs_about_as_much_as_it_is(selection: str) -> None:
    text = f"{{ __schema {{ {selection} }} }}"
    cost = of_the_graph(text).operations[None].tally.cost
    read = fields_of(graphql_sync(THE_GRAPH, text).data)
    assert read / 6 <= cost <= read
