"""Large bodies of one service: read beside the event loop, one after the other."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import httpx

from datasources.exchange import Line, Query
from datasources.wire import Batch

BODY = b" " * (2 * 2**20)
TIMES = 4


async def test_large_bodies_are_read_one_at_a_time_and_not_by_the_event_loop() -> None:
    under_way, readers = threading.Semaphore(1), set[int]()
    alone: list[bool] = []

    def parse(body: bytes) -> Batch[Any]:
        readers.add(threading.get_ident())
        alone.append(under_way.acquire(blocking=False))
        # Long enough for others to begin meanwhile, if they could.
        sum(body)
        if alone[-1]:
            under_way.release()
        return Batch({"a": len(body)})

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=BODY))
    async with httpx.AsyncClient(transport=transport, base_url="http://course.test") as client:
        line = Line("course", client, 60.0, lambda: datetime.now(UTC))
        query = Query("GET", "/progress", None, parse)
        until = asyncio.get_running_loop().time() + 60
        found = await asyncio.gather(*(line.exchange(query, {}, until) for _ in range(TIMES)))
    assert [one.facts for one in found] == [{"a": len(BODY)}] * TIMES
    assert alone == [True] * TIMES
    assert threading.get_ident() not in readers
