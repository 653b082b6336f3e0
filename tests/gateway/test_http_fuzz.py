"""Whatever arrives, the answer is JSON, has a code where it fails, and is never a 5xx."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.gateway.edge import Edge

EDGE = Edge()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["{", "}", "(", ")", "hello", "me", "people", "first", ":", "1", "$v", "...", "fragment F on Query", "query",
     "mutation", "subscription", "@skip(if: true)", '"', '"""', "#", "\n", "[", "]", "!", "=", "a:", "__typename",
     "__schema", "\x00", "\ud7ff", "🏃", "-", "1e5", "&", "|", "on"]
)  # fmt: skip
REQUESTS = st.fixed_dictionaries(
    {"query": JSON_VALUES | st.lists(WORDS, max_size=25).map(" ".join)},
    optional={
        "variables": JSON_VALUES,
        "operationName": JSON_VALUES,
        "extensions": JSON_VALUES | st.fixed_dictionaries({"persistedQuery": JSON_VALUES}),
    },
)


def holds(status: int, content: bytes) -> None:
    body = json.loads(content)
    assert status < 500
    for one in body if isinstance(body, list) else [body]:
        assert ("data" in one) != any("path" not in error for error in one.get("errors", ()))
        assert all(error["extensions"]["code"] for error in one.get("errors", ()))
        assert one["extensions"]["requestId"]


def ask(content: bytes, **headers: str) -> None:
    answer = asyncio.run(EDGE.post(content, **headers))
    holds(answer.status_code, answer.content)


@given(st.binary(max_size=300))
@example(b'{"query":"{hello}","variables":' + b"[" * 900 + b"]" * 900 + b"}")
@example(b'{"query":"{number(value:' + b"9" * 6_000 + b')}"}')
@example(b'{"query":"{people(first:' + b"9" * 6_000 + b'){hello}}"}')
@example(b'{"query":"{' + b"me{" * 1_500 + b'"}')
@example(b'{"query":"query($v:Int!){number(value:$v)}","variables":{"v":' + b"[" * 900 + b"]" * 900 + b"}}")
def test_any_bytes_get_a_proper_answer(content: bytes) -> None:
    ask(content)


@given(REQUESTS)
def test_any_request_gets_a_proper_answer(request: dict[str, Any]) -> None:
    ask(json.dumps(request).encode("utf-8", "surrogatepass"))


@given(st.lists(REQUESTS, min_size=1, max_size=3))
def test_any_batch_gets_a_proper_answer(requests: list[dict[str, Any]]) -> None:
    ask(json.dumps(requests).encode("utf-8", "surrogatepass"), accept="application/graphql-response+json")


@given(st.sampled_from(["accept", "content_type", "authorization", "x_active_role", "content_encoding"]), st.text(
    st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60
))  # fmt: skip
def test_any_header_gets_a_proper_answer(name: str, value: str) -> None:
    ask(b'{"query":"{hello}"}', **{name: value})


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=80))
@example("query={hello}&variables=%7B%22a%22:%ED%A0%80%7D")
def test_any_query_string_gets_a_proper_answer(text: str) -> None:
    async def get() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/graphql", "query_string": text.encode(), "headers": []}
        await EDGE.app(scope, lambda: asyncio.sleep(0, {"type": "http.disconnect"}), send)
        holds(sent[0]["status"], sent[1]["body"])

    asyncio.run(get())
