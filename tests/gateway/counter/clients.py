"""A whole gateway on a real socket, in the loop that serves it, and clients that decide where each packet ends."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from gateway.app import create_app
from gateway.fast.counter import Counter
from tests.gateway.served import PATIENCE, served, until
from tests.river.banks import Clock, Gateway, Services, outside_of, settings_of
from tests.river.bearers import token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from contextlib import AbstractAsyncContextManager

    from gateway.fast.lines import Lines

    Serve = Callable[..., AbstractAsyncContextManager["Served"]]

NOTHING_KEPT = {"responses_mib": 0, "memory_mib": 0, "memory_answers": 0}
WAYS: dict[str, dict[str, int]] = {"kept": {}, "looked up": NOTHING_KEPT}
"""What a request that came before is answered from."""
MINE = """{ viewer { learner { displayName analytics {
  engagement { value { overallScore } withheld { reason } } } } } }"""
"""What is kept: their own answers."""


class Response(NamedTuple):
    """What a client reads; without what is another each time it is answered the same."""

    status: int
    headers: frozenset[tuple[bytes, bytes]]
    body: bytes
    request_id: bytes

    @property
    def said(self) -> Any:
        return orjson.loads(self.body)

    @property
    def same(self) -> tuple[int, frozenset[tuple[bytes, bytes]], bytes]:
        headers = frozenset((name, value) for name, value in self.headers if name not in {b"date", b"x-request-id"})
        return self.status, headers, self.body.replace(self.request_id, b"ID") if self.request_id else self.body


@dataclass
class Client:
    """One connection to a served gateway."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    read: list[int]
    """How many bytes the server was handed so far."""

    async def say(self, *pieces: bytes) -> None:
        """Send these pieces, each once the server has read the one before; none after it hung up."""
        for piece in filter(None, pieces):
            if self.reader.at_eof():
                return
            wanted = self.read[0] + len(piece)
            self.writer.write(piece)
            await until(lambda wanted=wanted: self.read[0] >= wanted or self.reader.at_eof())  # type: ignore[misc]  # bound now

    async def hear(self) -> Response:
        """The next response that is the last word on a request."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            status = int(first.split(b" ", 2)[1])
            if status < 200:
                return await self.hear()
            headers = frozenset(
                (name.lower(), value.strip()) for name, _, value in (one.partition(b":") for one in lines)
            )
            known = dict(headers)
            body = await self.reader.readexactly(int(known.get(b"content-length", b"0")))
        return Response(status, headers, body, known.get(b"x-request-id", b""))

    async def ended(self) -> bytes:
        """What is said until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()


@dataclass
class Served:
    """A gateway that is open, and where."""

    gateway: Gateway
    where: str
    read: list[int] = field(default_factory=lambda: [0])
    begun: int = 0
    """How many requests were begun as uvicorn begins them."""
    open: int = 0
    """How many connections are open."""

    @property
    def door(self) -> Any:
        return self.gateway.app.state.door

    @property
    def ways(self) -> Any:
        """How often which way was taken."""
        return self.door.way.statistics()

    @property
    def quick(self) -> int:
        """How many were answered from what is kept, or looked up as they were before."""
        return int(self.ways.kept + self.ways.again)

    def request(
        self, who: str | None = "lena", query: str = MINE, *heads: bytes, body: bytes | None = None, **options: Any
    ) -> bytes:
        """A request as somebody's client writes it; `body` is sent instead of the query."""
        shown = [f"Authorization: Bearer {token(who, self.gateway.clock.now())}".encode()] if who else []
        return written(orjson.dumps({"query": query}) if body is None else body, *shown, *heads, **options)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        host, _, port = self.where.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield Client(reader, writer, self.read)
        finally:
            writer.close()

    async def alone(self, *pieces: bytes) -> Response:
        """What is answered to one request on a connection of its own."""
        async with self.client() as client:
            await client.say(*pieces)
            return await client.hear()

    @contextmanager
    def ordinary(self) -> Iterator[None]:
        """While this is open, everything goes the ordinary way."""
        way, self.door.way = self.door.way, None
        try:
            yield
        finally:
            self.door.way = way

    async def known(self, *requests: bytes) -> None:
        """Have these requests be such that they are answered at the counter: their answers kept, or looked up again."""
        for round_ in range(5):
            for request in requests:
                await self.alone(request)
            await self.gateway.settled()
            # What the first answers changed is heard before the others are kept.
            if round_ < 2:
                await self.gateway.heard()
        quick, begun = self.quick, self.begun
        for request in requests:
            await self.alone(request)
        assert (self.quick, self.begun) == (quick + len(requests), begun)
        assert len(self.door.way.tickets) >= len(requests)


def written(
    body: bytes,
    *heads: bytes,
    line: bytes = b"POST /graphql HTTP/1.1",
    kind: bytes = b"application/json",
    measured: bool = True,
) -> bytes:
    """A request, byte for byte."""
    length = [b"Content-Length: %d" % len(body)] if measured else []
    return b"\r\n".join([line, b"Host: 127.0.0.1", b"Content-Type: " + kind, *heads, *length, b"", body])


def chunked(*parts: bytes) -> bytes:
    """A body in chunks."""
    return b"".join([b"%x\r\n%b\r\n" % (len(one), one) for one in parts if one]) + b"0\r\n\r\n"


def cut(whole: bytes, places: Iterable[int]) -> list[bytes]:
    """Something in pieces, which end at these places."""
    ends = [0, *sorted({one for one in places if 0 < one < len(whole)}), len(whole)]
    return [whole[begin:end] for begin, end in pairwise(ends)]


@asynccontextmanager
async def serving(  # noqa: PLR0913  (all but what it is served from by name)
    url: str,
    services: Services,
    clock: Clock,
    *,
    lines: Lines | None = None,
    patience: float = 5.0,
    options: dict[str, Any] | None = None,
    **ours: Any,
) -> AsyncIterator[Served]:
    """A gateway on a real socket; `options` are more of what uvicorn is told."""
    settings = settings_of(url, port=0, **ours)
    outside = outside_of(services, clock, patience, lines)
    app = create_app(settings, outside)
    one = Served(Gateway(app, clock), "")

    class Read(Counter):
        """Says how many bytes it was handed, so that a client knows when the next are another piece; and counts."""

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            one.read[0] += len(data)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
            super().connection_made(transport)
            one.open += 1

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            one.open -= 1

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            one.begun += 1
            super()._start_asgi_task(cycle, app)

    async with AsyncExitStack() as stack:
        told = {"http": Read, **(options or {})}
        one.where = await stack.enter_async_context(served(app, lifespan=True, settings=settings, options=told))
        yield one
