"""Requests that are answered within the step they arrived in: nobody can tell, however they are cut into packets."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from resolvers.ids import to_global
from tests.campus import small_campus
from tests.cast import LENA
from tests.gateway.counter.clients import MINE, WAYS, Client, Response, Served, chunked, cut, serving, written
from tests.river.banks import Clock, Services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Clone
    from tests.gateway.counter.clients import Serve

SOCKET = b"\r\n".join(
    [b"GET /graphql HTTP/1.1", b"Host: 127.0.0.1", b"Connection: Upgrade", b"Upgrade: websocket",
     b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
     b"Sec-WebSocket-Protocol: graphql-transport-ws", b"", b""]
)  # fmt: skip


def kinds(one: Served) -> dict[str, bytes]:
    """Requests of every kind that keep their connection, by name."""
    mine = one.request()
    body = mine.partition(b"\r\n\r\n")[2]
    chunks: dict[str, Any] = {"measured": False}
    return {
        "lena's": mine,
        "olga's": one.request("olga"),
        "lars's": one.request("lars"),
        "nobody's": one.request(None),
        "after an empty line": b"\r\n" + mine,
        "in chunks": one.request(
            "lena", MINE, b"Transfer-Encoding: chunked", body=chunked(body[:9], body[9:]), **chunks
        ),
        "with an id": one.request("lena", MINE, b"X-Request-Id: of-the-client"),
        "that waits to go on": one.request("lena", MINE, b"Expect: 100-continue"),
        "in a role": one.request("lena", MINE, b"X-Active-Role: trainer"),
        "with a bad token": written(body, b"Authorization: Bearer x"),
        "of a document that is read each time": one.request("lena", "{ __typename }"),
        "whose body is a request": one.request(body=mine),
        "whose text is a request": one.request(body=mine, kind=b"text/plain"),
        "whose chunk is a request": one.request(
            "lena", MINE, b"Transfer-Encoding: chunked", body=chunked(b" ", mine, b" "), **chunks
        ),
        "whose trailer is a header": one.request(
            "lena",
            MINE,
            b"Transfer-Encoding: chunked",
            body=chunked(body)[:-2] + b"X-Active-Role: trainer\r\n\r\n",
            **chunks,
        ),
        "no JSON": one.request(body=b"{"),
        "a probe": b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "a url": b"GET /graphql?query={__typename} HTTP/1.1\r\nHost: 127.0.0.1\r\nGraphQL-Require-Preflight: 1\r\n\r\n",
    }


NAMES = ("lena's", "olga's", "lars's", "in chunks", "after an empty line")
"""The requests that are handed out at once."""


class Law:
    """A gateway on the loop that production has, and what each request is told alone, the ordinary way."""

    def __init__(self, runner: asyncio.Runner, served: Served, alone: dict[str, Response]) -> None:
        self.runner = runner
        self.served = served
        self.requests = kinds(served)
        self.alone = alone


@pytest.fixture(scope="module", params=WAYS)
def law(module_clone: Clone, request: pytest.FixtureRequest) -> Iterator[Law]:
    async def told(one: Served) -> dict[str, Response]:
        await one.known(*(kinds(one)[name] for name in NAMES))
        with one.ordinary():
            return {name: await one.alone(request) for name, request in kinds(one).items()}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        clock = Clock()
        held = serving(module_clone.app_url, Services(small_campus(), clock.now), clock, **WAYS[request.param])
        one = runner.run(held.__aenter__())
        yield Law(runner, one, runner.run(told(one)))
        runner.run(held.__aexit__(None, None, None))


def marks(whole: bytes) -> list[int]:
    """Where something begins or ends in a row of requests: a request, a head, or what looks like one in a body."""
    words = (b"POST /graphql", b"GET /", b"\r\n\r\n")
    found = [place for word in words for place in range(len(whole)) if whole.startswith(word, place)]
    return sorted({place for one in found for place in (one, one + 2, one + 4)})


# What fails is a response that does not come: each step of shrinking would wait for it.
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    names=st.lists(st.sampled_from(NAMES) | st.integers(0, 17), max_size=6),
    at_marks=st.sets(st.integers(0, 60)),
    places=st.sets(st.integers(0, 6_000), max_size=6),
)
@example(names=["lena's"] * 6, at_marks=set(range(60)), places=set())
@example(names=["lena's", "olga's", "lars's"], at_marks=set(), places=set())
@example(names=["whose body is a request", "lena's"], at_marks=set(range(60)), places=set())
@example(names=["whose text is a request", "lena's"], at_marks=set(range(60)), places=set())
@example(names=["whose chunk is a request", "lena's"], at_marks=set(range(60)), places=set())
@example(names=["lena's", "that waits to go on", "olga's"], at_marks=set(), places=set())
@example(names=["in chunks", "whose trailer is a header", "lena's"], at_marks=set(), places=set())
def test_however_requests_are_cut_each_is_answered_as_if_it_came_alone_the_ordinary_way(
    law: Law, names: list[str | int], at_marks: set[int], places: set[int]
) -> None:
    asked = [one if isinstance(one, str) else list(law.requests)[one] for one in names]
    whole = b"".join(law.requests[name] for name in asked)
    known = marks(whole)
    chosen = {known[number % len(known)] for number in at_marks} if known else set()

    async def heard() -> list[Response]:
        async with law.served.client() as client:
            await client.say(*cut(whole, chosen | {place % (len(whole) or 1) for place in places}))
            return [await client.hear() for _ in asked]

    told = law.runner.run(heard())
    assert [one.same for one in told] == [law.alone[name].same for name in asked]
    ids = [one.request_id for name, one in zip(asked, told, strict=True) if name != "with an id"]
    assert len(set(ids)) == len(ids)


async def test_bytes_that_are_known_are_known_only_where_a_request_begins(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    quick = served.quick
    for body, more in ((mine, {}), (chunked(mine), {"measured": False})):
        heads = () if not more else (b"Transfer-Encoding: chunked",)
        whole = served.request("lars", MINE, *heads, body=body, **more)
        begin = whole.index(mine)
        async with served.client() as client:
            await client.say(*cut(whole, [begin, begin + len(mine)]))
            told = await client.hear()
            assert (told.status, told.said["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
            assert served.quick == quick
            await client.say(mine)
            assert (await client.hear()).status == 200
        quick += 1
        assert served.quick == quick


async def test_what_is_left_of_a_body_that_was_refused_is_not_a_request(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    quick = served.quick
    whole = served.request(body=mine, kind=b"text/plain")
    begin = whole.index(mine)
    async with served.client() as client:
        await client.say(whole[:begin])
        assert (await client.hear()).status == 415, "the head is enough to say so"
        await client.say(mine, mine)
        assert (await client.hear()).status == 200
        assert served.quick == quick + 1


async def test_one_that_goes_on_is_not_cut_off_by_the_rest_of_one_that_was_answered_at_once(serve: Serve) -> None:
    async with serve(options={"timeout_keep_alive": 0.2}) as one:
        mine = one.request()
        await one.known(mine)
        stream = one.request(
            "lena",
            f'subscription {{ answerRefreshed(subject: "{to_global("Learner", LENA)}") {{ metric }} }}',
            b"Accept: text/event-stream",
        )
        async with one.client() as client, one.client() as other:
            await client.say(mine + stream)
            assert (await client.hear()).status == 200
            assert (await client.hear()).status == 200
            await other.say(mine)
            await other.hear()
            ended = asyncio.create_task(client.ended())
            assert await other.ended() == b"", "it began to rest later"
            await one.alone(mine)
            assert not ended.done()
            ended.cancel()


async def test_what_follows_a_change_of_protocol_that_we_do_not_know_is_not_read(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    quick = served.quick
    async with served.client() as client:
        await client.say(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + mine)
        told = await client.hear()
        assert (told.status, dict(told.headers)[b"connection"]) == (200, b"close")
        assert await client.ended() == b""
    assert served.quick == quick


@pytest.mark.parametrize("serve", ["kept"], indirect=True)
async def test_a_socket_is_opened_only_where_everything_before_it_was_answered(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    async with served.client() as client:
        await client.say(served.request("lena", "{ __typename }") + SOCKET)
        assert (await client.hear()).said["data"] == {"__typename": "Query"}
        assert (await client.hear()).status == 403, "a request like any other, and not one that pages may make"
    async with served.client() as client:
        await client.say(mine + SOCKET)
        assert (await client.hear()).status == 200
        async with asyncio.timeout(10):
            assert b" 101 " in await client.reader.readline()


@pytest.mark.parametrize("line", [b"POST /graphql HTTP/1.0", b"POST /graphql HTTP/1.1"])
async def test_who_wants_to_be_hung_up_on_is(served: Served, line: bytes) -> None:
    mine = served.request()
    await served.known(mine)
    asked = served.request("lena", MINE, b"Connection: close", line=line)
    async with served.client() as client:
        await client.say(asked + mine)
        told = await client.hear()
        assert (told.status, dict(told.headers)[b"connection"]) == (200, b"close")
        assert await client.ended() == b""


async def test_who_does_not_read_is_not_answered_on_and_on(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    quick, many = served.quick, 6_000
    async with served.client() as client:
        small(client)
        client.writer.write(mine * many)
        other = served.request("olga")
        still = before = 0
        while still < 10:
            assert (await served.alone(other)).status == 200
            before, now = served.read[0] - before, served.read[0]
            still, before = (still + 1 if before == len(other) else 0), now
        assert served.quick - quick < many / 2
        assert served.read[0] < len(mine) * many / 2, "nor read on and on, to be held until then"


def small(client: Client) -> None:
    """Have a client's system take little that it does not read."""
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
