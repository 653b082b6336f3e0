"""Variables, pages and weights: what one operation may bring along, and what it is held to cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.catalog import METRICS
from gateway.documents import Documents
from gateway.limits import Limits
from gateway.refusal import Refused
from gateway.variables import VariableLimits
from resolvers.schema import build, graphql_schema
from resolvers.weights import CALL, METRIC, OBJECT, PAGE, weight
from tests.gateway.edge import SCHEMA, Edge, token
from tests.gateway.served import served, talking

LIMITS = VariableLimits(bytes=200, depth=4, items=5)
PEOPLE = "query($n: Int) { people(first: $n) { me { hello } } }"


def extensions(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["errors"][0]["extensions"]
    return found


@pytest.mark.parametrize(
    ("good", "bad", "limit"),
    [
        ({"a": "x" * 192}, {"a": "x" * 193}, "bytes"),
        ({"a": [[{}]]}, {"a": [[{"b": []}]]}, "depth"),
        ({"a": [1] * 5}, {"a": [1] * 6}, "items"),
        ({"a": {str(n): n for n in range(5)}}, {"a": {str(n): n for n in range(6)}}, "items"),
        ({str(n): n for n in range(5)}, {str(n): n for n in range(6)}, "items"),
    ],
)
def test_each_limit_of_variables_lets_its_own_number_pass_and_no_more(good: Any, bad: Any, limit: str) -> None:
    LIMITS.check(good)
    with pytest.raises(Refused) as refused:
        LIMITS.check(bad)
    told = refused.value.errors[0]["extensions"]
    assert (told["code"], told["limit"]) == ("VARIABLES_LIMIT", f"variables.{limit}")
    assert told["found"] == told["allowed"] + 1


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.recursive(
            st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=8),
            max_leaves=30,
        ),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=60)
def test_what_passes_is_within_every_limit_and_what_does_not_is_over_one(variables: dict[str, Any]) -> None:
    def inside(value: Any) -> list[Any]:
        parts = value.values() if isinstance(value, dict) else value
        return [part for part in parts if isinstance(part, (dict, list))]

    def deep(value: Any) -> int:
        return 1 + max(map(deep, inside(value)), default=0)

    def longest(value: Any) -> int:
        return max(len(value), *map(longest, inside(value)), 0)

    try:
        VariableLimits(bytes=10_000, depth=3, items=6).check(variables)
        passed = True
    except Refused:
        passed = False
    assert passed == (not variables or (deep(variables) <= 3 and longest(variables) <= 6))


async def test_variables_that_are_too_large_are_refused_on_every_way_in() -> None:
    edge = Edge(options={"variables": LIMITS})
    asked = {"query": "query($v: Int!) { number(value: $v) }", "variables": {"v": 1, "w": [0] * 6}}
    assert extensions((await edge.post(asked)).json())["limit"] == "variables.items"
    async with served(edge.app) as where, talking(where) as talk:
        await talk.greet(token())
        await talk.say(type="subscribe", id="1", payload=asked)
        said = await talk.hear()
        assert (said["type"], said["payload"][0]["extensions"]["limit"]) == ("error", "variables.items")
    assert edge.contexts == []


@pytest.mark.parametrize(
    ("variables", "cost"),
    [
        (None, 201),
        ({}, 201),
        ({"n": None}, 201),
        ({"n": 7}, 8),
        ({"n": "seven"}, 201),
        ({"n": True}, 201),
        ({"n": -7}, 1),
        ({"n": [1, 2, 3]}, 4),
        ({"m": 7}, 201),
    ],
)
def test_a_page_costs_what_its_variable_says(variables: Any, cost: int) -> None:
    document = Documents(SCHEMA._schema, Limits()).get(PEOPLE, variables)
    assert document.operations[None].tally.cost == cost


def test_a_document_may_pass_with_small_pages_and_not_with_large_ones() -> None:
    documents = Documents(SCHEMA._schema, Limits(cost=100))
    (over,) = documents.get(PEOPLE, {"n": 100}).errors
    assert (over["extensions"]["limit"], over["extensions"]["found"]) == ("cost", 101)
    assert documents.get(PEOPLE, {"n": 99}).errors == ()
    assert documents.get(PEOPLE).errors != ()
    assert documents.get(PEOPLE, {"n": 99}) is documents.get(PEOPLE, {"n": 99})
    assert documents.get(PEOPLE.replace("hello", "nothing"), {"n": 9}).errors[0]["extensions"]["code"] == (
        "GRAPHQL_VALIDATION_FAILED"
    )


def test_a_default_counts_where_all_operations_agree_that_there_is_one() -> None:
    documents = Documents(SCHEMA._schema, Limits())
    both = "query A($n: Int = 7) { ...F } query B($n: Int) { ...F } fragment F on Query { people(first: $n) { hello } }"
    assert documents.get(both).operations["A"].tally.cost == 1
    page = both.replace("hello", "me { hello }")
    assert documents.get(page).operations["A"].tally.cost == 201
    assert documents.get(page.replace("B($n: Int)", "B($n: Int = 9)")).operations["A"].tally.cost == 10


def test_a_field_costs_by_what_it_takes_to_answer_it() -> None:
    kinds = graphql_schema(build(METRICS)).type_map
    assert weight(kinds["Learner"].fields["displayName"]) == 0
    assert weight(kinds["Learner"].fields["organization"]) == OBJECT
    assert weight(kinds["LearnerAnalytics"].fields["velocity"]) == METRIC
    assert weight(kinds["Organization"].fields["learners"]) == PAGE
    assert weight(kinds["Query"].fields["nodes"]) == PAGE
    assert weight(kinds["Query"].fields["_entities"]) == PAGE
    assert weight(kinds["Mutation"].fields["askAssistant"]) == CALL


async def test_an_operation_with_many_roots_is_refused() -> None:
    many = "{" + " ".join(f"a{n}: hello" for n in range(21)) + "}"
    told = extensions((await Edge().post({"query": many})).json())
    assert told == {"code": "DOCUMENT_LIMIT", "limit": "roots", "allowed": 20, "found": 21}
