"""What somebody without a token learns of a gateway in production: that there is one, and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from datasources.postgres.connection import connect
from tests.attacks.production import Published, bearer, claims, in_production, signed
from tests.gateway.edge import SCHEMA as WITH_FAULTS
from tests.gateway.served import PATIENCE, served, talking
from tests.river.banks import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

NOW = Clock().moment
TOKEN = signed(claims("lena", NOW))
INTROSPECTION = "{ __schema { types { name fields { name } } } }"
MEANT = re.compile(r"did you mean", re.IGNORECASE)


@pytest_asyncio.fixture
async def where(clone: Clone) -> AsyncIterator[str]:
    clock = Clock()
    async with in_production(clone.app_url, Published(clock), clock) as gateway, served(gateway.app) as place:
        yield place


async def sent(where: str, method: str = "POST", path: str = "/graphql", **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://{where}", trust_env=False, timeout=PATIENCE) as client:
        return await client.request(method, path, **options)


async def asked(where: str, query: str, token: str | None = None) -> Any:
    reply = await sent(where, json={"query": query}, headers=bearer(token) if token else {})
    return reply.json()


def codes(body: Any) -> set[str]:
    return {problem["extensions"]["code"] for problem in body["errors"]}


@pytest.mark.parametrize(
    "query",
    [
        INTROSPECTION,
        '{ __type(name: "Learner") { fields { name } } }',
        "query A { ...F } fragment F on Query { __schema { queryType { name } } }",
        "{ a: __typename b: __schema { description } }",
    ],
)
async def test_a_stranger_does_not_read_the_schema(where: str, query: str) -> None:
    body = await asked(where, query)
    assert codes(body) == {"UNAUTHENTICATED"}
    assert "data" not in body
    assert "data" in await asked(where, query, TOKEN), "whoever signed in may"
    async with talking(where) as talk:
        await talk.greet(None)
        await talk.subscribe(query)
        assert (await talk.hear())["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "query",
    ["{ lerner }", "{ viewer { learne } }", '{ learner(idd: "x") { id } }', "{ viewer { ... on Learnr { id } } }"],
)
async def test_a_misspelt_name_is_not_put_right_for_anybody(where: str, query: str) -> None:
    for token in (None, TOKEN):
        body = await asked(where, query, token)
        assert "errors" in body
        assert not MEANT.search(str(body))


async def test_every_answer_has_the_marks_of_production_and_says_nothing_of_what_answers(where: str) -> None:
    replies = [
        await sent(where, json={"query": "{ __typename }"}),
        await sent(where, json={"query": "{ viewer { activeRole } }"}, headers=bearer(TOKEN)),
        await sent(where, "GET"),
        await sent(where, "GET", headers={"accept": "text/html"}),
        await sent(where, "GET", "/nothing/here"),
        await sent(where, "PUT"),
        await sent(where, content=b"\xff" * 100, headers={"content-type": "application/json"}),
        await sent(where, json={"query": "{ __typename }"}, headers={"host": "strange.example"}),
        await sent(where, "GET", "/livez"),
        await sent(where, "GET", headers={"x-long": "x" * 40_000}),
    ]
    for reply in replies:
        assert not {"server", "x-powered-by", "via"} & reply.headers.keys()
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert not re.search(r"uvicorn|starlette|python|strawberry|traceback|postgres", reply.text, re.IGNORECASE)
    for reply in replies[:-1]:
        assert "max-age=31536000" in reply.headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/", "/graphql/assets/index.html", "/docs", "/graphiql", "/.env", "/../etc/passwd"])
async def test_there_is_no_page_and_no_file(where: str, path: str) -> None:
    assert (await sent(where, "GET", path, headers={"accept": "text/html"})).status_code == 404


async def test_the_address_of_the_graph_shows_no_page_either(where: str) -> None:
    reply = await sent(where, "GET", headers={"accept": "text/html"})
    assert reply.status_code in {400, 406}
    assert "<" not in reply.text


async def test_a_database_that_is_not_as_it_should_be_is_told_without_its_words(where: str, clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    try:
        await owner.execute("ALTER TABLE jobs RENAME TO elsewhere")
    finally:
        await owner.close()
    reply = await sent(where, json={"query": "{ jobs { totalCount } }"}, headers=bearer(TOKEN))
    assert codes(reply.json()) == {"UNAVAILABLE"}
    assert not re.search(r"relation|exist|asyncpg|select|elsewhere", reply.text, re.IGNORECASE)


async def test_what_breaks_inside_is_told_by_the_id_of_the_request_alone(clone: Clone) -> None:
    clock = Clock()
    async with (
        in_production(clone.app_url, Published(clock), clock, schema=WITH_FAULTS) as gateway,
        served(gateway.app) as where,
    ):
        reply = await sent(where, json={"query": "{ broken }"}, headers=bearer(TOKEN))
    assert codes(reply.json()) == {"INTERNAL_SERVER_ERROR"}
    assert reply.json()["extensions"]["requestId"] == reply.headers["x-request-id"]
    assert "swordfish" not in reply.text
    assert "RuntimeError" not in reply.text


async def test_a_stranger_is_answered_nothing_but_the_public_fields(where: str) -> None:
    for query in (
        "{ viewer { activeRole } }",
        "{ services { name } }",
        "{ leaderboard { total } }",
        "{ market { id } }",
    ):
        body = await asked(where, query)
        assert codes(body) <= {"UNAUTHENTICATED", "GRAPHQL_VALIDATION_FAILED"}
        assert "data" not in body
