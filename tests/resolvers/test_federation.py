"""The graph as a subgraph: what a router reads of it, and what it may refer to."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import ObjectTypeDefinitionNode, build_schema, parse, print_schema
from school import METRICS, Asking, lena, olga, stranger, tomas

from resolvers.errors import present
from resolvers.federation import KEYED, LINK, MOST_REFERENCES, subgraph
from resolvers.ids import to_global
from resolvers.schema import build, graphql_schema
from tests.cast import ACME, LARS, LENA, OLGA, TOMAS

SCHEMA = build(METRICS)
GRAPH = graphql_schema(SCHEMA)
ASK = """query ($references: [_Any!]!) { _entities(representations: $references) {
  __typename
  ... on Learner { id learnerName: displayName analytics { progress { value { progress } } } }
  ... on Trainer { id displayName }
  ... on Organization { id name }
} }"""
ROUTERS = """
directive @link(url: String!, import: [String!]) repeatable on SCHEMA
directive @key(fields: String!) repeatable on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
"""
"""What a router brings along."""


async def entities(who: Asking, *references: Any) -> tuple[Any, list[dict[str, Any]]]:
    told = await SCHEMA.execute(ASK, context_value=who, variable_values={"references": list(references)})
    return told.data, [present(error, "req-1") for error in told.errors or []]


def reference(kind: str, ident: str) -> dict[str, str]:
    return {"__typename": kind, "id": to_global(kind, ident)}


async def test_what_another_graph_refers_to_is_found_in_its_order() -> None:
    data, errors = await entities(
        olga(), reference("Trainer", TOMAS), reference("Learner", LENA), reference("Organization", ACME)
    )
    assert errors == []
    trainer, learner, organization = data["_entities"]
    assert trainer == {"__typename": "Trainer", "id": to_global("Trainer", TOMAS), "displayName": "Tomas"}
    assert (learner["learnerName"], organization["name"]) == ("Lena", "Acme")
    assert learner["analytics"]["progress"]["value"] == {"progress": 0.25}


async def test_a_graph_that_knows_only_the_raw_id_may_refer_by_it() -> None:
    data, _ = await entities(lena(), {"__typename": "Learner", "id": LENA})
    assert data["_entities"][0]["id"] == to_global("Learner", LENA)


async def test_what_is_not_the_viewers_to_know_of_is_null_and_takes_nothing_else_along() -> None:
    mine, theirs = reference("Learner", LENA), reference("Learner", LARS)
    data, errors = await entities(tomas(), theirs, mine, reference("Learner", OLGA))
    assert errors == []
    assert [one and one["learnerName"] for one in data["_entities"]] == [None, "Lena", None]
    everything = (mine, theirs, reference("Trainer", TOMAS), reference("Organization", ACME))
    assert await entities(stranger(), *everything) == ({"_entities": [None] * 4}, [])


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "Learner",
        [],
        {},
        {"__typename": "Learner"},
        {"__typename": "Learner", "id": 7},
        {"__typename": "Learner", "id": "x"},
        {"__typename": "Learner", "id": to_global("Trainer", TOMAS)},
        {"__typename": "Job", "id": to_global("Job", LENA)},
        {"__typename": "__Schema", "id": LENA},
    ],
    ids=str,
)
async def test_what_is_no_reference_is_an_error_that_says_what_would_be_one(bad: Any) -> None:
    data, errors = await entities(olga(), bad)
    assert data is None or data["_entities"] is None
    assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]


async def test_references_are_bounded() -> None:
    _, errors = await entities(olga(), *[reference("Learner", LENA)] * (MOST_REFERENCES + 1))
    assert errors[0]["message"] == "representations must be at most 100; they were 101."


async def test_references_may_stand_in_the_document() -> None:
    document = f'{{ _entities(representations: [{{__typename: "Learner", id: "{LENA}"}}]) {{ __typename }} }}'
    told = await SCHEMA.execute(document, context_value=lena())
    assert told.data == {"_entities": [{"__typename": "Learner"}]}


async def test_a_router_reads_the_schema_with_its_keys() -> None:
    told = await SCHEMA.execute("{ _service { sdl } }", context_value=lena())
    assert told.data == {"_service": {"sdl": subgraph(GRAPH)}}
    kinds = {
        one.name.value: one for one in parse(subgraph(GRAPH)).definitions if isinstance(one, ObjectTypeDefinitionNode)
    }
    keyed = {name for name, kind in kinds.items() if any(given.name.value == "key" for given in kind.directives or ())}
    assert keyed == set(KEYED) == {"Learner", "Trainer", "Organization"}
    assert subgraph(GRAPH).startswith(LINK)


def test_what_a_router_reads_is_the_graph_without_what_it_adds_itself() -> None:
    read = build_schema(subgraph(GRAPH).replace(LINK, "") + ROUTERS)
    ours = {name for name in GRAPH.type_map if not name.startswith("_")}
    assert {name for name in read.type_map if not name.startswith("__")} == ours
    assert "_" not in "".join(name[0] for name in read.query_type.fields)  # type: ignore[union-attr]  # it has a root
    assert "@" not in print_schema(GRAPH).replace("@specifiedBy", "").replace("@deprecated", ""), "ours stays plain"
