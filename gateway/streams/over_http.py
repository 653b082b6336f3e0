"""Subscriptions over plain HTTP: Server-Sent Events (GraphQL-SSE, distinct connections) and multipart (Apollo)."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from gateway.auth import ENDED, losing_of
from gateway.refusal import error
from gateway.streams.farewell import STOPPING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

    from gateway.auth import Session
    from gateway.streams.manners import Manners

LOG = structlog.get_logger(__name__)
EXPIRED = error("UNAUTHENTICATED", "The token has expired: subscribe again with a new one.")
TAKEN_BACK = error("UNAUTHENTICATED", ENDED)


@dataclass(frozen=True, slots=True)
class Framing:
    """How one media type marks off the responses of a stream."""

    media: str
    opening: bytes
    before: bytes
    after: bytes
    beat: bytes
    closing: bytes
    wraps: bool = False

    def frame(self, body: dict[str, Any]) -> bytes:
        """One response of the stream."""
        return self.before + orjson.dumps({"payload": body} if self.wraps else body) + self.after


SSE = Framing(
    media="text/event-stream; charset=utf-8",
    opening=b":\n\n",
    before=b"event: next\ndata: ",
    after=b"\n\n",
    beat=b":\n\n",
    closing=b"event: complete\ndata: \n\n",
)
# A part is read when the boundary after it is there, so that boundary is sent with the part.
MULTIPART = Framing(
    media='multipart/mixed; boundary="-"; subscriptionSpec=1.0',
    opening=b"\r\n---",
    before=b"\r\nContent-Type: application/json\r\n\r\n",
    after=b"\r\n---",
    beat=b"\r\nContent-Type: application/json\r\n\r\n{}\r\n---",
    closing=b"--\r\n",
    wraps=True,
)
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept, Authorization, X-Active-Role",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class Streamed:
    """An ASGI response that goes on until the stream ends, the client leaves or reads too slowly, or `seconds` pass.

    It ends as well when the process is told to stop, which `leaving` says, and when the token of the `session` is
    taken back. What comes too fast is not kept here: the next response is asked for when the last one was taken.
    `held` is let go of at the end.
    """

    def __init__(  # noqa: PLR0913 - what is sent, how, and all that ends it
        self,
        bodies: AsyncGenerator[dict[str, Any]],
        framing: Framing,
        *,
        seconds: float,
        manners: Manners,
        held: ExitStack,
        session: Session | None = None,
        leaving: asyncio.Event,
    ) -> None:
        self._session = session
        self._bodies = bodies
        self._held = held
        self._leaving = leaving
        self._framing = framing
        self._seconds = seconds
        self._manners = manners

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, and let go of what is held for it."""
        with self._held:
            async with aclosing(self._bodies):
                await self._stream(receive, send)

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = {"Content-Type": self._framing.media, **HEADERS}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            ended = await asyncio.gather(sending, leaving, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, Exception):
                raise problem

    async def _send(self, send: Send) -> None:
        async def chunk(data: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(self._manners.slow):
                await send({"type": "http.response.body", "body": data, "more_body": more})

        try:
            await chunk(self._framing.opening)
            async with aclosing(self._chunks()) as chunks:
                async for data in chunks:
                    await chunk(data)
            await chunk(self._framing.closing, more=False)
        except TimeoutError:
            LOG.warning("stream.dropped", reason="it read too slowly")

    async def _chunks(self) -> AsyncGenerator[bytes]:
        """The frames, and beats between them, until the stream ends, the time is over or the process stops."""
        loop = asyncio.get_running_loop()
        over = loop.time() + self._seconds
        stopping = asyncio.ensure_future(self._leaving.wait())
        following: asyncio.Future[dict[str, Any]] | None = None
        losing = losing_of(self._session)
        try:
            while True:
                following = following or asyncio.ensure_future(anext(self._bodies))
                left = max(0.0, min(self._manners.beat, over - loop.time()))
                await asyncio.wait((following, losing, stopping), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if losing.done():
                    yield self._framing.frame({"errors": [TAKEN_BACK]})
                    return
                if following.done():
                    with suppress(StopAsyncIteration):
                        yield self._framing.frame(following.result())
                        following = None
                        continue
                    return
                if stopping.done() or over <= loop.time():
                    yield self._framing.frame({"errors": [STOPPING if stopping.done() else EXPIRED]})
                    return
                yield self._framing.beat
        finally:
            losing.cancel()
            stopping.cancel()
            if following is not None:
                following.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
                    await following


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
