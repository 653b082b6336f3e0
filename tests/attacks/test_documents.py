"""Documents and variables made to cost us much and their author little: refused by their limit, by either door."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
import pytest_asyncio

from tests.attacks.production import Published, bearer, claims, in_production, signed
from tests.gateway.served import PATIENCE, served, talking
from tests.river.banks import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = signed(claims("lena", Clock().moment))
REFUSALS = {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "QUERY_TOO_COMPLEX", "BAD_USER_INPUT"}
LEARNERS = "query($f: LearnerFilter) { organization { learners(filter: $f) { totalCount } } }"


def doubling(levels: int) -> str:
    """Fragments of which each is spread twice in the one before: 2 to the power of `levels` fields."""
    spreads = [f"fragment F{n} on Learner {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "{ viewer { learner { ...F0 } } } " + " ".join(spreads) + f" fragment F{levels} on Learner {{ id }}"


def nested(levels: int, value: Any = 1) -> Any:
    for _ in range(levels):
        value = [value]
    return value


DOCUMENTS = {
    "fragments that double thirty times": doubling(30),
    "fragments in a circle": "{ viewer { learner { ...A } } } fragment A on Learner { ...B } "
    "fragment B on Learner { ...A }",
    "a fragment in itself": "{ viewer { learner { ...A } } } fragment A on Learner { id ...A }",
    "a chain of a thousand fragments": doubling(0).replace("{ id }", "{ ...G0 }")
    + " ".join(f"fragment G{n} on Learner {{ ...G{n + 1} }}" for n in range(1_000))
    + " fragment G1000 on Learner { id }",
    "ten thousand aliases": "{ " + " ".join(f"a{n}: __typename" for n in range(10_000)) + " }",
    "two hundred aliases of one field": "{ viewer { " + " ".join(f"a{n}: activeRole" for n in range(200)) + " } }",
    "thirty roots": "{ " + " ".join(f"a{n}: viewer {{ activeRole }}" for n in range(30)) + " }",
    "thousands of directives": "{ __typename " + "@include(if: true) " * 3_000 + "}",
    "the same directive twice": "{ viewer { activeRole @skip(if: false) @skip(if: false) } }",
    "the same field a thousand times": "{ viewer { " + "activeRole " * 3_000 + "} }",
    "a field nested a thousand deep": "{ " + "viewer { " * 1_000 + "x" + " }" * 1_000 + " }",
    "a list nested ten thousand deep": "{ nodes(ids: " + "[" * 10_000 + "]" * 10_000 + ") { id } }",
    "an object nested a thousand deep": "{ organization { learners(filter: " + "{a: " * 1_000 + "1" + "}" * 1_000
    + ") { totalCount } } }",
    "a huge page": "{ organization { learners(first: 2147483647) { edges { node { id } } } } }",
    "a page beyond all integers": "{ organization { learners(first: " + "9" * 400 + ") { totalCount } } }",
    "pages of pages": "{ organization { learners(first: 500) { edges { node { courses(first: 500) { edges { node "
    "{ id } } } } } } } }",
    "a thousand operations": " ".join(f"query Q{n} {{ __typename }}" for n in range(2_000)),
    "comments by the thousand": "#\n" * 20_000 + "{ __typename }",
    "a text without end": '{ learner(id: "' + "x" * 50_000,
    "a null character": "{ viewer { active\u0000Role } }",
    "introspection that goes in circles": "{ __schema { types { "
    + "fields { type { " * 12 + "name" + " } }" * 12 + " } } }",
}  # fmt: skip
VARIABLES: dict[str, Any] = {
    "a list nested deep": nested(200),
    "a huge integer": 10**30,
    "an integer beyond all": float("1e308"),
    "a list of thousands": ["x"] * 5_000,
    "a text of 20 KB": "x" * 20_000,
    "an object nested deep": orjson.loads('{"search":' * 200 + "1" + "}" * 200),
    "members that nobody declared": {f"m{n}": n for n in range(100)},
    "a text where an object belongs": "search",
}
BODIES = {
    "letters that are no UTF-8": b'{"query":"{ viewer { \xff\xfe } }"}',
    "half of a pair of letters": rb'{"query":"{ a(b: \"\ud800\") }"}',
    "a number that is none": b'{"query":"{ __typename }","variables":{"a":NaN}}',
    "a member twice": b'{"query":"{ __typename }","query":"{ viewer { activeRole } }"}',
    "arrays without end": b"[" * 50_000,
    "objects without end": b'{"a":' * 12_000,
    "nothing": b"",
    "zeros": bytes(1_000),
    "a batch of a thousand": orjson.dumps([{"query": "{ __typename }"}] * 1_000),
    "batches in a batch": orjson.dumps([[{"query": "{ __typename }"}]]),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def where(module_clone: Clone) -> AsyncIterator[str]:
    clock = Clock()
    plenty = {"COST_PER_MINUTE": "100000000", "REQUESTS_PER_HOUR": "100000"}
    async with (
        in_production(module_clone.app_url, Published(clock), clock, **plenty) as gateway,
        served(gateway.app) as place,
    ):
        yield place


async def posted(where: str, content: bytes) -> httpx.Response:
    headers = bearer(TOKEN, content_type="application/json")
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return await client.post(f"http://{where}/graphql", content=content, headers=headers)


async def over_the_socket(where: str, query: str, variables: Any = None) -> dict[str, Any]:
    async with talking(where) as talk:
        await talk.greet(TOKEN)
        await talk.subscribe(query, variables=variables or {})
        return await talk.hear()


def refusals(said: Any) -> set[str]:
    return {problem["extensions"]["code"] for problem in said}


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_a_document_that_costs_too_much_is_refused_before_it_is_executed(where: str, what: str) -> None:
    content = orjson.dumps({"query": DOCUMENTS[what]})
    reply = await posted(where, content)
    assert reply.status_code in {200, 400, 413}, reply.text[:300]
    body = reply.json()
    assert not body.get("data"), body
    found = refusals(body["errors"])
    assert "INTERNAL_SERVER_ERROR" not in found
    if len(content) < 60_000:
        heard = await over_the_socket(where, DOCUMENTS[what])
        said = heard["payload"] if heard["type"] == "error" else heard["payload"]["errors"]
        assert refusals(said) == found


@pytest.mark.parametrize("what", VARIABLES)
async def test_variables_that_cost_too_much_are_refused_before_anything_is_executed(where: str, what: str) -> None:
    reply = await posted(where, json.dumps({"query": LEARNERS, "variables": {"f": VARIABLES[what]}}).encode())
    assert reply.status_code in {200, 400}, reply.text[:300]
    assert not reply.json().get("data")
    assert "INTERNAL_SERVER_ERROR" not in refusals(reply.json()["errors"])
    heard = await over_the_socket(where, LEARNERS, {"f": VARIABLES[what]})
    assert heard["type"] == "error"


@pytest.mark.parametrize("what", BODIES)
async def test_a_body_that_is_no_request_is_refused_as_it_is(where: str, what: str) -> None:
    reply = await posted(where, BODIES[what])
    assert reply.status_code == 400
    assert "INTERNAL_SERVER_ERROR" not in reply.text
    assert "data" not in reply.json()


async def test_what_was_refused_makes_nobody_else_wait_and_is_refused_again(where: str) -> None:
    for _ in range(3):
        assert not (await posted(where, orjson.dumps({"query": doubling(30)}))).json().get("data")
    assert (await posted(where, b'{"query":"{ viewer { activeRole } }"}')).json()["data"]["viewer"]
