"""A process that is told to stop: whoever listens hears why, at once, and nobody waits for them."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from gateway.streams.farewell import WORDS, told_to_stop
from tests.gateway.edge import Edge, token
from tests.gateway.served import served, streaming, talking, until
from tests.gateway.test_streams_over_http import APOLLO, NEWS, SSE, events, parts

LAST_WORD: dict[str, Any] = {"errors": [{"message": WORDS, "extensions": {"code": "STOPPING"}}]}


async def test_a_stream_of_events_ends_with_the_reason() -> None:
    leaving = asyncio.Event()
    edge = Edge(options={"leaving": leaving})
    async with served(edge.app) as where, streaming(where, token(), SSE, NEWS) as response:
        await until(lambda: bool(edge.hub.subscribers))
        leaving.set()
        said = [one async for one in events(response)]
    assert said[-2:] == [("next", LAST_WORD), ("complete", None)]
    assert not edge.hub.subscribers


async def test_a_multipart_stream_ends_with_the_reason() -> None:
    leaving = asyncio.Event()
    edge = Edge(options={"leaving": leaving})
    async with served(edge.app) as where, streaming(where, token(), APOLLO, NEWS) as response:
        await until(lambda: bool(edge.hub.subscribers))
        leaving.set()
        said = [one async for one in parts(response)]
    assert said[-1] == {"payload": LAST_WORD}


async def test_a_websocket_is_closed_with_the_reason() -> None:
    leaving = asyncio.Event()
    edge = Edge(options={"leaving": leaving})
    async with served(edge.app) as where, talking(where) as talk:
        await talk.greet(token())
        await talk.subscribe("subscription { news }")
        await until(lambda: bool(edge.hub.subscribers))
        leaving.set()
        assert await talk.closed() == (1012, WORDS)


async def test_a_signal_that_is_handled_is_heard_and_handed_on() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        leaving = asyncio.Event()
        with told_to_stop(leaving):
            signal.raise_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                await leaving.wait()
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM] * 2


@pytest.mark.skipif(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, reason="somebody handles it already here")
async def test_a_signal_that_nobody_handles_still_ends_the_process() -> None:
    with told_to_stop(asyncio.Event()):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
