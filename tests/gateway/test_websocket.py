"""graphql-transport-ws over a real server: what it promises, to those who keep to it and to those who do not."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.budget import Allowance, OwnTill
from gateway.limits import Limits
from gateway.streams.manners import Manners
from gateway.streams.seats import Seats
from tests.cast import LENA
from tests.gateway.edge import NOW, Edge, token
from tests.gateway.served import Talk, served, talking, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def a_talk(edge: Edge | None = None, who: str | None = "") -> AsyncIterator[Talk]:
    """A socket that has greeted, with Lena's token unless told otherwise."""
    async with served((edge or Edge()).app) as where, talking(where) as talk:
        yield await talk.greet(token() if who == "" else who)


def an_edge(**manners: Any) -> Edge:
    return Edge(options={"manners": Manners(**manners)})


async def quiet(edge: Edge) -> None:
    """Wait until nobody listens to anything any more."""
    await until(lambda: not edge.hub.subscribers)


async def test_a_subscription_says_every_event_and_that_it_is_complete() -> None:
    async with a_talk() as talk:
        await talk.subscribe("subscription { ticks(to: 3) }", "a")
        heard = [await talk.hear() for _ in range(4)]
    assert [one["type"] for one in heard] == ["next", "next", "next", "complete"]
    assert [one["payload"]["data"]["ticks"] for one in heard[:3]] == [1, 2, 3]
    assert {one["id"] for one in heard} == {"a"}
    assert heard[0]["payload"]["extensions"]["requestId"]


async def test_queries_and_mutations_go_over_the_socket_as_well() -> None:
    edge = Edge()
    async with a_talk(edge) as talk:
        await talk.subscribe("query Q($n: String!) { hello(name: $n) viewer }", "q", variables={"n": "Ada"})
        said = await talk.hear()
        assert said["payload"]["data"]["hello"] == "hello Ada"
        assert said["payload"]["data"]["viewer"].endswith("learner")
        assert (await talk.hear()) == {"type": "complete", "id": "q"}
        await talk.subscribe("mutation { change }", "m")
        assert (await talk.hear())["payload"]["data"] == {"change": "changed"}


async def test_many_operations_share_a_socket_and_complete_ends_one_of_them() -> None:
    edge = Edge()
    async with a_talk(edge) as talk:
        for name in ("a", "b"):
            await talk.subscribe(f'subscription {{ news(of: "{name}") }}', name)
            assert (await talk.hear())["payload"]["data"] == {"news": "listening"}
        await talk.say(type="complete", id="a")
        await talk.say(type="ping")
        assert (await talk.hear())["type"] == "pong"
        await until(lambda: edge.hub.subscribers == 1)
        edge.hub.publish("b", "still here")
        assert (await talk.hear())["payload"]["data"] == {"news": "still here"}
        await talk.subscribe('subscription { news(of: "a") }', "a")
        assert (await talk.hear())["payload"]["data"] == {"news": "listening"}
    await quiet(edge)


async def test_who_leaves_is_forgotten_at_once() -> None:
    edge = Edge()
    async with a_talk(edge) as talk:
        await talk.subscribe("subscription { news }")
        await talk.hear()
        talk.connection.transport.abort()
        await quiet(edge)
    assert edge.contexts[0].afterwards_calls >= 1


@pytest.mark.parametrize(
    "said",
    [
        "null",
        "[]",
        '"subscribe"',
        "1",
        "{}",
        '{"type": 1}',
        '{"type": "nonsense"}',
        "not json",
        '{"type": "ping", "type": "ping"}',
        '{"type": "ping", "payload": NaN}',
        "[" * 30_000,
        '{"a":' * 10_000,
        b'{"type": "ping"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
        json.dumps({"type": "subscribe", "id": "x" * 101, "payload": {"query": "{ hello }"}}),
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": {}}',
    ],
)
async def test_a_message_that_is_none_closes_the_socket_with_4400(said: str | bytes) -> None:
    async with a_talk() as talk:
        await talk.raw(said)
        code, reason = await talk.closed()
    assert code == 4400
    assert reason.startswith("Invalid message: ")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("null", 4400),
        ('{"type": "connection_init", "payload": []}', 4400),
        ('{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}', 4401),
        ('{"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}', 4403),
        ('{"type": "connection_init", "payload": {"Authorization": "Bearer \\u2603"}}', 4403),
    ],
)
async def test_who_does_not_greet_properly_is_not_let_in(said: str, code: int) -> None:
    async with served(Edge().app) as where, talking(where) as talk:
        await talk.raw(said)
        assert (await talk.closed())[0] == code


async def test_who_never_greets_is_closed_with_4408() -> None:
    async with served(an_edge(init=0.05).app) as where, talking(where) as talk:
        await talk.say(type="ping")
        assert (await talk.hear())["type"] == "pong"
        assert await talk.closed() == (4408, "Connection initialisation timeout")


async def test_one_address_has_so_many_sockets_that_have_not_said_who_they_are() -> None:
    lobby = Seats(total=10, each=2)
    async with served(Edge(options={"lobby": lobby}).app) as where, AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(talking(where)) for _ in range(2)]
        await until(lambda: lobby.taken == 2)
        assert (await (await stack.enter_async_context(talking(where))).closed())[0] == 4429
        await talks[0].greet(token())
        await (await stack.enter_async_context(talking(where))).greet(token())


async def test_who_greets_twice_is_closed_with_4429() -> None:
    async with a_talk() as talk:
        await talk.say(type="connection_init")
        assert (await talk.closed())[0] == 4429


async def test_an_id_that_is_in_use_closes_the_socket_with_4409() -> None:
    async with a_talk() as talk:
        await talk.subscribe("subscription { news }", "one")
        await talk.subscribe("subscription { news }", "one")
        assert await talk.closed() == (4409, "Subscriber for one already exists")


@pytest.mark.parametrize("protocols", [("graphql-ws",), ("nonsense", "graphql-ws")])
async def test_another_subprotocol_is_closed_with_4406(protocols: tuple[str, ...]) -> None:
    async with served(Edge().app) as where, talking(where, protocols=protocols) as talk:
        assert (await talk.closed())[0] == 4406


async def test_of_several_subprotocols_ours_is_chosen() -> None:
    async with (
        served(Edge().app) as where,
        talking(where, protocols=("graphql-ws", "graphql-transport-ws")) as talk,
    ):
        assert talk.connection.subprotocol == "graphql-transport-ws"
        await talk.greet(None)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ticks news }", "GRAPHQL_VALIDATION_FAILED"),
        ("query Q($v: Int!) { number(value: $v) }", "BAD_USER_INPUT"),
        ("{ " + "me { " * 12 + "hello" + " }" * 12 + " }", "DOCUMENT_LIMIT"),
        ("{ people(first: 1000) { people(first: 1000) { people { hello } } } }", "DOCUMENT_LIMIT"),
        ("{ " + " ".join(f"a{n}: hello" for n in range(101)) + " }", "DOCUMENT_LIMIT"),
    ],
)
async def test_an_operation_that_is_wrong_is_an_error_for_its_id_only(query: str, code: str) -> None:
    async with a_talk(Edge(Limits(depth=10))) as talk:
        await talk.subscribe("subscription { news }", "fine")
        await talk.hear()
        await talk.subscribe(query, "wrong")
        said = await talk.hear()
        assert (said["type"], said["id"]) == ("error", "wrong")
        assert {one["extensions"]["code"] for one in said["payload"]} == {code}
        await talk.subscribe("{ hello }", "wrong")
        assert (await talk.hear())["payload"]["data"] == {"hello": "hello you"}


async def test_the_doors_are_the_same_as_over_http() -> None:
    async with a_talk(who=None) as talk:
        await talk.subscribe("subscription { ticks }", "1")
        said = await talk.hear()
        assert (said["type"], said["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
        await talk.subscribe("{ __schema { queryType { name } } }", "2")
        assert (await talk.hear())["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_in_the_header_of_the_upgrade_does_as_well_and_the_role_is_chosen_there() -> None:
    shown = {"authorization": f"Bearer {token()}", "x-active-role": "learner"}
    async with served(Edge().app) as where, talking(where, headers=shown) as talk:
        await talk.greet(None)
        await talk.subscribe("{ viewer }")
        assert (await talk.hear())["payload"]["data"]["viewer"].endswith("learner")


async def test_a_role_the_token_does_not_have_is_not_let_in() -> None:
    async with served(Edge().app) as where, talking(where) as talk:
        payload = {"authorization": f"Bearer {token()}", "X-Active-Role": "org-admin"}
        await talk.say(type="connection_init", payload=payload)
        assert (await talk.closed())[0] == 4403


async def test_a_stream_that_breaks_says_so_and_nothing_of_the_inside() -> None:
    with capture_logs():
        async with a_talk() as talk:
            await talk.subscribe("subscription { breaks }")
            said = [await talk.hear() for _ in range(3)]
    assert [one["type"] for one in said] == ["next", "next", "complete"]
    assert said[1]["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in json.dumps(said)


async def test_a_subscription_ends_with_its_token() -> None:
    edge = Edge()
    async with a_talk(edge, token(exp=NOW + 0.3)) as talk:
        await talk.subscribe("subscription { news }")
        await talk.hear()
        assert await talk.closed() == (4403, "The token has expired")
    await quiet(edge)


async def test_who_asks_nothing_is_let_go_and_pings_do_not_count_as_asking() -> None:
    async with a_talk(an_edge(idle=0.3)) as talk:
        await talk.say(type="ping")
        assert (await talk.hear())["type"] == "pong"
        assert await talk.closed() == (1000, "Nothing was asked for a while")


async def test_who_has_something_open_may_be_silent_and_time_to_ask_again_starts_when_it_ends() -> None:
    async with a_talk(an_edge(idle=0.2), token(exp=NOW + 1)) as talk:
        await talk.subscribe("subscription { news }")
        await talk.hear()
        # The token ends it, although it was idle for longer than it may have been without a subscription.
        assert (await talk.closed())[0] == 4403
    async with a_talk(an_edge(idle=60), token(exp=NOW + 30)) as talk:
        await talk.subscribe("{ hello }", "1")
        assert [(await talk.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await talk.subscribe("{ hello }", "2")
        assert [(await talk.hear())["type"] for _ in range(2)] == ["next", "complete"]


async def test_a_query_has_the_time_it_has_over_http() -> None:
    async with a_talk(an_edge(answer=0.05)) as talk:
        await talk.subscribe("{ forever }")
        said = await talk.hear()
    assert (said["type"], said["payload"][0]["extensions"]["code"]) == ("error", "DEADLINE_EXCEEDED")


async def test_one_socket_has_so_many_operations_and_no_more() -> None:
    async with a_talk(an_edge(operations=2)) as talk:
        for name in ("a", "b"):
            await talk.subscribe("subscription { news }", name)
            await talk.hear()
        await talk.subscribe("subscription { news }", "c")
        said = await talk.hear()
    assert (said["type"], said["id"], said["payload"][0]["extensions"]["code"]) == ("error", "c", "TOO_MANY_STREAMS")


async def test_who_says_too_much_is_closed_with_4429() -> None:
    async with a_talk(an_edge(messages=5)) as talk:
        for _ in range(6):
            await talk.say(type="ping")
        assert await talk.closed() == (4429, "Too many messages: 5 in 10 s are the most")


async def test_operations_are_paid_for_like_requests() -> None:
    async with a_talk(Edge(options={"till": OwnTill(Allowance(requests=2), lambda: NOW)})) as talk:
        await talk.subscribe("{ hello }", "1")
        assert [(await talk.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await talk.subscribe("{ hello }", "2")
        said = await talk.hear()
    assert (said["type"], said["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")


async def test_one_viewer_has_so_many_sockets_and_one_that_is_closed_makes_room() -> None:
    seats = Seats(total=10, each=2)
    async with served(Edge(options={"seats": seats}).app) as where, AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(talking(where)) for _ in range(3)]
        for talk in talks[:2]:
            await talk.greet(token())
        await talks[2].say(type="connection_init", payload={"authorization": f"Bearer {token()}"})
        assert (await talks[2].closed())[0] == 4429
        await talks[0].connection.close()
        await until(lambda: seats.taken < 2)
        await (await stack.enter_async_context(talking(where))).greet(token())


async def test_a_reader_that_does_not_read_is_dropped_with_a_reason_and_nothing_piles_up() -> None:
    edge = an_edge(slow=0.2)
    with capture_logs() as logs:
        async with served(edge.app) as where, talking(where, max_queue=1) as talk:
            await talk.greet(token())
            await talk.subscribe("subscription { flood }")
            await until(lambda: bool(edge.hub.subscribers))
            await quiet(edge)
            talk.connection.transport.abort()
    assert [one["reason"] for one in logs if one["event"] == "stream.dropped"] == ["it read too slowly"]


async def test_a_message_that_is_too_long_is_not_read() -> None:
    async with a_talk() as talk:
        await talk.subscribe("{ hello } #" + "x" * 100_000)
        assert (await talk.closed())[0] == 1009


async def test_every_operation_has_its_line_in_the_log_which_names_nobody() -> None:
    with capture_logs() as logs:
        async with a_talk() as talk:
            await talk.subscribe("subscription Ticking { ticks(to: 2) }", "1")
            assert [(await talk.hear())["type"] for _ in range(3)] == ["next", "next", "complete"]
            await talk.subscribe("nonsense", "2")
            await talk.hear()
            await until(lambda: len([one for one in logs if one["event"] == "operation"]) == 2)
    told, refused = [one for one in logs if one["event"] == "operation"]
    assert {name: told[name] for name in ("operation", "kind", "role", "events")} == {
        "operation": "Ticking",
        "kind": "subscription",
        "role": "learner",
        "events": 2,
    }
    assert refused["code"] == "GRAPHQL_PARSE_FAILED"
    assert LENA not in json.dumps(logs, default=str)
