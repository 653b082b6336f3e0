"""Subscriptions over plain HTTP, on a real server: Server-Sent Events and multipart, by what the client accepts."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.streams.manners import Manners
from gateway.streams.seats import Seats
from tests.gateway.edge import NOW, Edge, token
from tests.gateway.served import served, streaming, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

SSE = "text/event-stream"
MULTIPART = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
APOLLO = f"{MULTIPART},application/graphql-response+json,application/json;q=0.9"
NEWS = {"query": "subscription { news }"}


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """Server-Sent Events, each with its data; comments are left out."""
    kept = ""
    async for text in response.aiter_text():
        kept += text
        while "\n\n" in kept:
            block, _, kept = kept.partition("\n\n")
            fields = dict(line.split(":", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                data = fields["data"].strip()
                yield fields["event"].strip(), json.loads(data) if data else None


async def parts(response: httpx.Response) -> AsyncIterator[Any]:
    """The parts of a multipart response, as soon as the boundary behind each is there."""
    found = re.search(r'boundary="(.+?)"', response.headers["content-type"])
    assert found is not None
    kept, boundary = "", f"\r\n--{found[1]}"
    async for text in response.aiter_text():
        kept += text
        while boundary in kept:
            part, _, kept = kept.partition(boundary)
            if part.strip():
                head, _, body = part.partition("\r\n\r\n")
                assert "Content-Type: application/json" in head
                yield json.loads(body)
    assert kept.strip() == "--"


async def quiet(edge: Edge) -> None:
    await until(lambda: not edge.hub.subscribers)


async def test_a_subscription_is_a_stream_of_server_sent_events() -> None:
    async with (
        served(Edge().app) as where,
        streaming(where, token(), SSE, {"query": "subscription { ticks(to: 3) }"}) as response,
    ):
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert response.headers["cache-control"] == "no-store"
        said = [one async for one in events(response)]
    assert [kind for kind, _ in said] == ["next", "next", "next", "complete"]
    assert [body["data"]["ticks"] for _, body in said[:3]] == [1, 2, 3]


async def test_a_subscription_is_a_multipart_response_to_who_takes_that() -> None:
    async with (
        served(Edge().app) as where,
        streaming(where, token(), APOLLO, {"query": "subscription { ticks(to: 3) }"}) as response,
    ):
        assert response.headers["content-type"].startswith("multipart/mixed")
        said = [one async for one in parts(response)]
    assert [one["payload"]["data"]["ticks"] for one in said] == [1, 2, 3]


@pytest.mark.parametrize("accept", [URQL, APOLLO, "text/event-stream, */*", "application/json, text/event-stream"])
async def test_a_query_is_answered_as_ever_to_who_takes_streams_among_others(accept: str) -> None:
    async with served(Edge().app) as where, streaming(where, token(), accept, {"query": "{ hello }"}) as response:
        assert "json" in response.headers["content-type"]
        assert json.loads(await response.aread())["data"] == {"hello": "hello you"}


async def test_a_query_of_who_takes_streams_only_is_a_stream_of_one() -> None:
    async with served(Edge().app) as where, streaming(where, token(), SSE, {"query": "{ hello }"}) as response:
        said = [one async for one in events(response)]
    assert [kind for kind, _ in said] == ["next", "complete"]
    assert said[0][1]["data"] == {"hello": "hello you"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($of: String!) { news(of: $of) }", "BAD_USER_INPUT"),
        ("{ " + "me { " * 30 + "hello" + " }" * 30 + " }", "DOCUMENT_LIMIT"),
    ],
)
async def test_what_is_wrong_with_a_document_is_told_in_the_stream(query: str, code: str) -> None:
    async with served(Edge().app) as where, streaming(where, token(), SSE, {"query": query}) as response:
        assert response.status_code == 200
        said = [one async for one in events(response)]
    assert [kind for kind, _ in said] == ["next", "complete"]
    assert "data" not in said[0][1]
    assert said[0][1]["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize("accept", [SSE, APOLLO])
async def test_who_may_not_subscribe_is_refused_before_any_stream(accept: str) -> None:
    async with served(Edge().app) as where:
        async with streaming(where, None, accept, NEWS) as response:
            assert response.status_code == 401
            assert json.loads(await response.aread())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        async with streaming(where, "nonsense", accept, NEWS) as response:
            assert response.status_code == 401


async def test_a_subscription_by_ordinary_post_says_which_ways_there_are() -> None:
    async with served(Edge().app) as where, streaming(where, token(), "*/*", NEWS) as response:
        (problem,) = json.loads(await response.aread())["errors"]
    assert problem["extensions"]["code"] == "SUBSCRIPTION_OVER_HTTP"
    assert "text/event-stream" in problem["message"]


async def test_a_stream_that_breaks_says_so_and_nothing_of_the_inside() -> None:
    with capture_logs():
        async with (
            served(Edge().app) as where,
            streaming(where, token(), SSE, {"query": "subscription { breaks }"}) as response,
        ):
            said = [one async for one in events(response)]
    assert [kind for kind, _ in said] == ["next", "next", "complete"]
    assert said[1][1]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in json.dumps(said)


async def test_a_stream_ends_with_its_token_and_says_why() -> None:
    edge = Edge()
    async with served(edge.app) as where, streaming(where, token(exp=NOW + 0.2), SSE, NEWS) as response:
        said = [one async for one in events(response)]
    assert [kind for kind, _ in said] == ["next", "next", "complete"]
    assert said[1][1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await quiet(edge)


async def test_signs_of_life_come_while_nothing_happens() -> None:
    edge = Edge(options={"manners": Manners(beat=0.02)})
    async with served(edge.app) as where:
        async with streaming(where, token(), SSE, NEWS) as response:
            lines = response.aiter_lines()
            beats = 0
            while beats < 4:
                beats += await anext(lines) == ":"
        async with streaming(where, token(), APOLLO, NEWS) as response:
            told = parts(response)
            assert (await anext(told))["payload"]["data"] == {"news": "listening"}
            assert [await anext(told) for _ in range(2)] == [{}, {}]
    await quiet(edge)


async def test_who_leaves_is_forgotten_at_once_and_their_seat_is_free() -> None:
    edge = Edge(options={"seats": (seats := Seats())})
    async with served(edge.app) as where:
        async with streaming(where, token(), SSE, NEWS) as response:
            assert (await anext(events(response)))[1]["data"] == {"news": "listening"}
            assert seats.taken == 1
        await quiet(edge)
        await until(lambda: not seats.taken)


async def test_one_viewer_has_so_many_streams_and_the_others_keep_their_places() -> None:
    edge = Edge(options={"seats": Seats(total=3, each=2)})
    others = [f"{n}f9619ff-8b86-4d01-b42d-00cf4fc964ff" for n in range(2)]
    async with served(edge.app) as where, AsyncExitStack() as stack:
        wanted = [token()] * 3 + [token(user=one) for one in others]
        got = [await stack.enter_async_context(streaming(where, who, SSE, NEWS)) for who in wanted]
        assert [one.status_code for one in got] == [200, 200, 429, 200, 503]
        assert all(one.headers["retry-after"] == "10" for one in got if one.status_code != 200)


async def test_a_reader_that_does_not_read_is_dropped_and_nothing_piles_up() -> None:
    edge = Edge(options={"manners": Manners(slow=0.2)})
    with capture_logs() as logs:
        async with (
            served(edge.app) as where,
            streaming(where, token(), SSE, {"query": "subscription { flood }"}),
        ):
            await until(lambda: bool(edge.hub.subscribers))
            await quiet(edge)
    assert [one["reason"] for one in logs if one["event"] == "stream.dropped"] == ["it read too slowly"]


async def test_what_is_published_faster_than_it_is_read_is_told_by_its_newest() -> None:
    edge = Edge()
    async with served(edge.app) as where, streaming(where, token(), SSE, NEWS) as response:
        told = events(response)
        await anext(told)
        for number in range(10_000):
            edge.hub.publish("all", f"news {number}")
        assert (await anext(told))[1]["data"] == {"news": "news 9999"}
