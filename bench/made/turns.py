"""Gateways that this process serves, and that are asked by turns: whatever the machine does, it does to all of them."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn

from gateway.serving import uvicorn_config
from gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.applications import Starlette

WARM = 30
"""Rounds that do not count."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A way to ask for the dashboard: where, and with which bytes each time."""

    where: str
    request: Callable[[], bytes]


@asynccontextmanager
async def served(whole: Starlette) -> AsyncIterator[str]:
    """Where an application is served while the context is open."""
    config = uvicorn_config(Settings.model_validate({"port": 0}), whole)
    config.loop = "none"
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    serving = asyncio.create_task(server.serve([socket]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if serving.done():
                sys.exit("a gateway did not start")
        yield f"127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def written(token: str, document: str, **variables: Any) -> bytes:
    """A request, as it goes over the wire."""
    body = orjson.dumps({"query": document, "variables": variables})
    head = (
        "POST /graphql HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Authorization: Bearer {token}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*head, "", ""]).encode() + body


class Line:
    """A connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, where: str) -> Line:
        """A connection to a gateway."""
        host, _, port = where.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=1 << 20))

    async def ask(self, request: bytes) -> tuple[float, bytes]:
        """Milliseconds until the answer is whole, and the answer."""
        begun = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        return 1000 * (time.perf_counter() - begun), body


async def by_turns(ways: Mapping[str, Asked], rounds: int) -> dict[str, list[float]]:
    """The milliseconds of each way in each round, in another order every time."""
    lines = {name: await Line.to(way.where) for name, way in ways.items()}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    rng = random.Random(11)
    for n in range(WARM + rounds):
        rng.shuffle(order)
        for name in order:
            took, body = await lines[name].ask(ways[name].request())
            if b'"errors"' in body:
                sys.exit(f"{name}: {body[:500].decode()}")
            if n >= WARM:
                spent[name].append(took)
    return spent
