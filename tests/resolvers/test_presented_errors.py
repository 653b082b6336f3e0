"""Errors as clients see them: a code on each, the inside of none."""

from typing import Any

import pytest
from graphql import GraphQLError
from school import METRICS, Asking, answer, lena

from analytics.policy import NotAllowed, NotFound, Unavailable
from resolvers.errors import BadInput, present
from resolvers.schema import build

SCHEMA = build(METRICS)
PROGRESS = "{ learner { analytics { progress { value { progress stepsDone } } } } }"


async def errors(source: str, who: Asking | None = None, **variables: Any) -> list[GraphQLError]:
    result = await SCHEMA.execute(source, context_value=who or lena(), variable_values=variables)
    return list(result.errors or [])


async def only(source: str, who: Asking | None = None, *, suggestions: bool = True, **variables: Any) -> dict[str, Any]:
    (error,) = await errors(source, who, **variables)
    return present(error, "req-1", suggestions=suggestions)


def raising(error: Exception) -> Asking:
    def how(*_: Any) -> Any:
        raise error

    return lena(how)


async def test_what_cannot_be_parsed_says_so() -> None:
    shown = await only("{ learner ")
    assert shown["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
    assert "Syntax Error" in shown["message"]


async def test_an_unknown_field_says_so_and_may_suggest() -> None:
    shown = await only("{ lerner { id } }")
    assert shown["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert shown["message"].endswith("Did you mean 'learner'?")
    assert shown["locations"] == [{"line": 1, "column": 3}]


@pytest.mark.parametrize(
    "source",
    [
        "{ lerner { id } }",
        "{ learner { analytics { progress(spam: WEEK) { quality { level } } } } }",
        "{ learner { analytics { progress(span: WEAK) { quality { level } } } } }",
        "{ node(id: 1) { ... on Lerner { id } } }",
    ],
)
async def test_suggestions_can_be_kept_back(source: str) -> None:
    assert "Did you mean" in (await only(source))["message"]
    shown = await only(source, suggestions=False)
    assert "Did you mean" not in shown["message"]
    assert shown["message"].endswith(".")


@pytest.mark.parametrize(("type_", "value"), [("Span!", "YEAR"), ("Span!", None), ("Span!", 7), ("Span!", {"a": [1]})])
async def test_a_bad_variable_is_bad_input_and_keeps_its_message(type_: str, value: Any) -> None:
    source = f"query($v: {type_}) {{ learner {{ analytics {{ progress(span: $v) {{ quality {{ level }} }} }} }} }}"
    shown = await only(source, v=value)
    assert shown["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "$v" in shown["message"]


async def test_a_variable_that_is_missing_is_bad_input() -> None:
    shown = await only("query($ids: [ID!]!) { nodes(ids: $ids) { id } }")
    assert shown["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (NotFound("No such learner."), {"code": "NOT_FOUND"}),
        (NotAllowed("Not yours."), {"code": "FORBIDDEN"}),
        (BadInput("Ask for less."), {"code": "BAD_USER_INPUT"}),
        (Unavailable("Not just now."), {"code": "UNAVAILABLE", "retryAfter": 5}),
        (GraphQLError("Too deep.", extensions={"code": "TOO_DEEP", "limit": 9}), {"code": "TOO_DEEP", "limit": 9}),
    ],
)
async def test_what_we_refuse_says_why(error: Exception, extensions: dict[str, Any]) -> None:
    shown = await only(PROGRESS, raising(error))
    assert shown["message"] == str(error)
    assert shown["extensions"] == extensions
    assert shown["path"] == ["learner", "analytics", "progress"]


async def test_what_breaks_inside_stays_inside() -> None:
    (error,) = await errors(PROGRESS, raising(RuntimeError("password=hunter2 at /srv/db")))
    assert present(error, "req-1") == {
        "message": "Something went wrong on our side. Request req-1 is in the log.",
        "locations": [{"line": 1, "column": 25}],
        "path": ["learner", "analytics", "progress"],
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "req-1"},
    }


@pytest.mark.parametrize("odd", [None, "three", 2**40, float("nan")])
async def test_an_answer_of_the_wrong_shape_is_a_fault_of_ours(odd: Any) -> None:
    def how(metric: Any, *_: Any) -> Any:
        said = answer(metric)
        return {**said, "value": {**said["value"], "stepsDone": odd}}

    (error,) = await errors(PROGRESS, lena(how))
    shown = present(error, "req-1")
    assert shown["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert shown["path"] == ["learner", "analytics", "progress", "value", "stepsDone"]
    assert "three" not in shown["message"]


def test_an_error_from_outside_the_execution_is_masked_too() -> None:
    error = GraphQLError("boom at /srv", original_error=RuntimeError("boom at /srv"))
    assert present(error, "req-1")["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "/srv" not in present(error, "req-1")["message"]


def test_an_operation_that_is_not_there_is_bad_input() -> None:
    assert present(GraphQLError("Unknown operation named 'A'."), "r")["extensions"] == {"code": "BAD_USER_INPUT"}
