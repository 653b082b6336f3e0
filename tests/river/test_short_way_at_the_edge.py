"""Whatever a request looks like, it is answered as if there were no short way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from tests.cast import LENA
from tests.river.bearers import token

if TYPE_CHECKING:
    from tests.river.banks import Gateway

QUERY = "query Q($id: ID) { learner(id: $id) { displayName analytics { engagement { value { overallScore } } } } }"
BODY = {"query": QUERY, "variables": {"id": LENA}}
JSON = {"content-type": "application/json"}

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"json": BODY},
    "of an operation by name": {"json": {**BODY, "operationName": "Q"}},
    "of no such operation": {"json": {**BODY, "operationName": "R"}},
    "a batch": {"json": [BODY, BODY]},
    "an empty body": {"content": b"", "headers": JSON},
    "no JSON": {"content": b"{", "headers": JSON},
    "a member twice": {"content": b'{"query":"{ __typename }","query":"{ __typename }"}', "headers": JSON},
    "variables that are none": {"json": {**BODY, "variables": [1]}},
    "a variable of another type": {"json": {**BODY, "variables": {"id": {"a": 1}}}},
    "an id that is none": {"json": {**BODY, "variables": {"id": "nobody"}}},
    "text": {"content": orjson.dumps(BODY), "headers": {"content-type": "text/plain"}},
    "compressed": {"content": b"x", "headers": {**JSON, "content-encoding": "gzip"}},
    "in the newer media type": {"json": BODY, "headers": {"accept": "application/graphql-response+json"}},
    "in no media type of ours": {"json": BODY, "headers": {"accept": "image/png"}},
    "as a stream": {"json": BODY, "headers": {"accept": "text/event-stream"}},
    "with a role that is not theirs": {"json": BODY, "headers": {"x-active-role": "org-admin"}},
    "with a role in capitals": {"json": BODY, "headers": {"x-active-role": " LEARNER "}},
    "with a bad token": {"json": BODY, "headers": {"authorization": "Bearer x"}},
    "with a token of another kind": {"json": BODY, "headers": {"authorization": "Basic x"}},
    "too large": {"json": {**BODY, "extensions": {"x": "x" * 70_000}}},
    "a mutation": {"json": {"query": 'mutation { cancelJob(id: "x") { __typename } }'}},
    "a subscription": {"json": {"query": 'subscription { jobProgress(id: "x") { status } }'}},
    "introspection": {"json": {"query": "{ __schema { queryType { name } } }"}},
    "a document that is wrong": {"json": {"query": "{ nothing }"}},
    "an unknown hash": {"json": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}},
    "a url": {"method": "GET", "url": "/graphql?" + urlencode({"query": QUERY, "variables": f'{{"id":"{LENA}"}}'})},
    "a url without a query": {"method": "GET", "url": "/graphql"},
    "a url of a browser": {"method": "GET", "url": "/graphql", "headers": {"accept": "text/html"}},
    "another method": {"method": "PUT", "json": BODY},
    "a head": {"method": "HEAD", "url": "/graphql?" + urlencode({"query": "{ __typename }"})},
    "with an id of its own": {"json": BODY, "headers": {"x-request-id": "of-the-client"}},
    "with an id that is none": {"json": BODY, "headers": {"x-request-id": "<script>"}},
}


def comparable(response: httpx.Response) -> tuple[Any, ...]:
    headers = {**response.headers}
    ours = headers.pop("x-request-id")
    taken = ours if "client" in ours else None
    return response.status_code, response.content.replace(ours.encode(), b"ID"), headers, taken


@pytest.mark.parametrize("name", REQUESTS)
async def test_it_is_answered_as_if_there_were_no_short_way(gateway: Gateway, name: str) -> None:
    given = {"method": "POST", "url": "/graphql", **REQUESTS[name]}
    bearer = {"authorization": f"Bearer {token('lena', gateway.clock.now())}"}
    given["headers"] = {**bearer, **given.get("headers", {})}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:

        async def sent() -> tuple[Any, ...]:
            return comparable(await client.request(**given))

        await client.post("/graphql", json=BODY, headers=bearer)
        await gateway.settled()
        short = [await sent() for _ in range(4)]
        way, gateway.app.state.door.way = gateway.app.state.door.way, None
        ordinary = await sent()
        gateway.app.state.door.way = way
        assert short == [ordinary] * 4
        if name in {"plain", "a url", "in the newer media type", "with an id of its own", "with a role in capitals"}:
            assert way.statistics().kept >= 1


async def test_a_body_that_comes_in_pieces_and_one_that_never_ends(gateway: Gateway) -> None:
    head = [
        (b"authorization", f"Bearer {token('lena', gateway.clock.now())}".encode()),
        *_encoded({**JSON, "host": "gateway"}),
    ]
    raw = orjson.dumps(BODY)
    whole = [_part(raw[:10], more=True), _part(raw[10:], more=False)]
    assert await _asked(gateway, head, whole) == [200] * 3
    assert await _asked(gateway, head, [_part(raw[:10], more=True), {"type": "http.disconnect"}]) == []


async def _asked(gateway: Gateway, head: list[tuple[bytes, bytes]], parts: list[dict[str, Any]]) -> list[int]:
    """The statuses of three requests alike."""
    statuses: list[int] = []
    for _ in range(3):
        left = iter(parts)

        async def receive(left: Any = left) -> dict[str, Any]:
            message: dict[str, Any] = next(left)
            return message

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": head, "query_string": b""}
        async with asyncio.timeout(10):
            await gateway.app({**scope, "client": ("here", 1), "root_path": "", "http_version": "1.1"}, receive, send)
    return statuses


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _part(content: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}
