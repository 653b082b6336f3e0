"""Connections that are opened to be in the way: of their owner alone, and not for long."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from analytics.codec import global_id
from tests.attacks.production import Published, claims, in_production, signed
from tests.cast import LENA
from tests.gateway.served import served, streaming, talking
from tests.river.banks import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone
    from tests.gateway.served import Talk

NOW = Clock().moment
LENAS, LARSS = signed(claims("lena", NOW)), signed(claims("lars", NOW))
LISTEN = "subscription($of: ID!) { answerRefreshed(subject: $of) { metric } }"
OF_LENA = {"of": global_id("Learner", LENA)}
ATTACKER, VISITOR = "192.0.2.66", "192.0.2.7"
IN_THE_LOBBY = 50
EVENTS = "text/event-stream"


@pytest_asyncio.fixture
async def where(clone: Clone) -> AsyncIterator[str]:
    clock = Clock()
    few = {"STREAMS_EACH": "3", "STREAM_OPERATIONS": "4", "STREAM_MESSAGES": "30", "STREAMS": "10"}
    async with (
        in_production(clone.app_url, Published(clock), clock, **few) as gateway,
        served(gateway.app) as place,
    ):
        yield place


async def at(stack: AsyncExitStack, where: str, address: str) -> Talk:
    """A websocket through a proxy that is believed."""
    return await stack.enter_async_context(talking(where, headers={"x-forwarded-for": address}))


async def test_sockets_that_never_say_who_they_are_keep_no_other_address_out(where: str) -> None:
    async with AsyncExitStack() as stack:
        idle = [await at(stack, where, ATTACKER) for _ in range(IN_THE_LOBBY)]
        assert (await (await at(stack, where, ATTACKER)).closed())[0] == 4429
        visitor = await (await at(stack, where, VISITOR)).greet(LENAS)
        await visitor.subscribe("{ viewer { activeRole } }")
        assert (await visitor.hear())["payload"]["data"] == {"viewer": {"activeRole": "LEARNER"}}
        assert all(one.connection.close_code is None for one in idle)


async def test_one_viewer_who_floods_takes_their_own_places_only_whichever_way_they_come(where: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await (await at(stack, where, ATTACKER)).greet(LENAS)
        body = {"query": LISTEN, "variables": OF_LENA}
        await stack.enter_async_context(streaming(where, LENAS, EVENTS, body))
        for address in (ATTACKER, VISITOR):
            one_more = await at(stack, where, address)
            await one_more.say(type="connection_init", payload={"authorization": f"Bearer {LENAS}"})
            assert (await one_more.closed())[0] == 4429
        refused = await stack.enter_async_context(streaming(where, LENAS, EVENTS, body))
        assert refused.status_code == 429
        other = await (await at(stack, where, ATTACKER)).greet(LARSS)
        await other.subscribe("{ viewer { activeRole } }")
        assert (await other.hear())["type"] == "next"


async def test_the_fifth_subscription_of_a_socket_is_refused_and_the_four_go_on(where: str) -> None:
    async with talking(where) as talk:
        await talk.greet(LENAS)
        for n in range(5):
            await talk.subscribe(LISTEN, str(n), variables=OF_LENA)
        said = await talk.hear()
        while said["type"] != "error":
            said = await talk.hear()
        assert said["id"] == "4"
        assert said["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
        await talk.say(type="ping")
        while said["type"] != "pong":
            said = await talk.hear()


async def test_a_flood_of_messages_closes_the_socket(where: str) -> None:
    async with talking(where) as talk:
        await talk.greet(LENAS)
        for _ in range(30):
            await talk.say(type="pong")
        assert (await talk.closed())[0] == 4429


@pytest.mark.parametrize("accept", [EVENTS, "multipart/mixed;subscriptionSpec=1.0"])
async def test_nobody_listens_to_what_is_not_theirs_by_any_stream(where: str, accept: str) -> None:
    async with streaming(where, LARSS, accept, {"query": LISTEN, "variables": OF_LENA}) as response:
        said = (await response.aread()).decode()
    assert "NOT_FOUND" in said
    assert '"metric"' not in said
    async with talking(where) as talk:
        await talk.greet(LARSS)
        await talk.subscribe(LISTEN, variables=OF_LENA)
        heard = await talk.hear()
        said = heard["payload"] if heard["type"] == "error" else heard["payload"]["errors"]
        assert said[0]["extensions"]["code"] == "NOT_FOUND"
