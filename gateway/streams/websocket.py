"""Subscriptions over a websocket: the graphql-transport-ws protocol, one socket for many operations.

Whatever a client sends gets what the protocol says: an `error` for an operation that is wrong, a close
with its code for a message that is. Nothing is kept for a client that does not read.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.websockets import WebSocketDisconnect, WebSocketState

from gateway.auth import ENDED, SCOPE_KEY, losing_of
from gateway.operation import Exchange, within
from gateway.porter import address_of, payer_of
from gateway.refusal import Refused, error
from gateway.streams.farewell import WORDS
from gateway.streams.manners import Manners
from gateway.streams.messages import PROTOCOL, Closed, asked_in, headers_of, id_of, invalid, message_of
from gateway.telemetry import Record, new_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.websockets import WebSocket

    from gateway.auth import Session
    from gateway.operation import Conductor
    from gateway.porter import Porter
    from gateway.streams.seats import Seats
    from gateway.wire import Asked

LOG = structlog.get_logger(__name__)
WINDOW = 10.0
"""The ten seconds of `Manners.messages`."""


class Socket:
    """One client. Every operation is a task; all that is sent goes through one lock, and is waited for.

    `now` is the wall clock that tokens expire by, in seconds since 1970; `leaving` is set when the process stops.
    `observe` hears (kind, code, seconds) of each operation.
    """

    def __init__(  # noqa: PLR0913 - the parts it works with, most by name
        self,
        websocket: WebSocket,
        conductor: Conductor,
        porter: Porter,
        *,
        seats: Seats,
        lobby: Seats,
        now: Callable[[], float],
        leaving: asyncio.Event,
        observe: Callable[[str, str, float], None] | None = None,
        manners: Manners | None = None,
    ) -> None:
        self._websocket = websocket
        self._conductor = conductor
        self._porter = porter
        self._seats = seats
        self._lobby = lobby
        self._leaving = leaving
        self._observe = observe
        self._now = now
        self._manners = manners or Manners()
        self._lock = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._session: Session | None = None
        self._broken: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._window, self._heard = 0.0, 0

    async def serve(self) -> None:
        """Talk to the client until one of the two has had enough."""
        offered = PROTOCOL in self._websocket.scope.get("subprotocols", [])
        try:
            await self._websocket.accept(PROTOCOL if offered else None)
            if not offered:
                raise Closed(4406, f"Subprotocol not acceptable: {PROTOCOL} is spoken here")  # noqa: TRY301 - one way out
            with ExitStack() as held:
                await self._greet(held)
                await self._converse()
        except Closed as closed:
            await self._close(closed)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has gone: there is nobody to tell
        finally:
            await self._stop()

    async def _greet(self, held: ExitStack) -> None:
        """Wait for `connection_init`, and learn who it is."""
        try:
            # Until then it is whoever has this address, and may not take the places of those who say who they are.
            with self._lobby.take(address_of(self._websocket)):
                await self._learn()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        except Refused as no:
            raise Closed(4429 if no.code in {"TOO_MANY_STREAMS", "RATE_LIMITED"} else 4403, str(no)) from None
        try:
            held.enter_context(self._seats.take(self._payer()))
        except Refused as no:
            raise Closed(4429, str(no)) from None
        await self._send({"type": "connection_ack"})

    async def _learn(self) -> None:
        async with asyncio.timeout(self._manners.init):
            while (message := await self._receive())["type"] != "connection_init":
                await self._chat(message, "Unauthorized: send connection_init first")
            shown = headers_of(self._websocket.headers, message)
            self._session = self._websocket.scope[SCOPE_KEY] = await self._porter.session(self._websocket, shown)

    async def _chat(self, message: dict[str, Any], early: str) -> None:
        """Answer what may be said before the greeting."""
        match message["type"]:
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe" | "complete":
                raise Closed(4401, early)
            case _:
                problem = "there is no such type"
                raise invalid(problem)

    async def _converse(self) -> None:
        """Hear messages until the client leaves, the token expires, or something is wrong."""
        loop = asyncio.get_running_loop()
        busy_at = loop.time()
        expires = busy_at + (self._session.expires - self._now() if self._session else self._manners.longest)
        hearing: asyncio.Task[dict[str, Any]] | None = None
        losing = losing_of(self._session)
        stopping = asyncio.create_task(self._leaving.wait())
        try:
            while True:
                hearing = hearing or asyncio.create_task(self._receive())
                busy = bool(self._running)
                until = expires if busy else min(expires, busy_at + self._manners.idle)
                events: list[asyncio.Future[Any]] = [hearing, stopping, losing, self._broken, *self._running.values()]
                await asyncio.wait(
                    events,
                    timeout=max(0.0, until - loop.time()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if self._broken.done():
                    raise self._broken.result()
                if stopping.done():
                    raise Closed(1012, WORDS)
                if expires <= loop.time():
                    raise Closed(4403, "The token has expired" if self._session else "This took too long")
                if losing.done():
                    raise Closed(4403, ENDED)
                if hearing.done():
                    message, hearing = hearing.result(), None
                    busy = await self._hear(message) or busy
                elif not busy and until <= loop.time():
                    raise Closed(1000, "Nothing was asked for a while")
                if busy:
                    busy_at = loop.time()
        finally:
            losing.cancel()
            stopping.cancel()
            if hearing is not None:
                hearing.cancel()

    async def _hear(self, message: dict[str, Any]) -> bool:
        """Do what a message says; whether it asked for something."""
        match message["type"]:
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case "subscribe":
                await self._subscribe(id_of(message), asked_in(message))
                return True
            case "complete":
                self._drop(id_of(message))
            case _:
                await self._chat(message, "")
        return False

    async def _subscribe(self, ident: str, asked: Asked) -> None:
        if ident in self._running:
            raise Closed(4409, f"Subscriber for {ident} already exists")
        if len(self._running) >= self._manners.operations:
            message = f"This connection has {self._manners.operations} operations open, which is the most."
            await self._send({"type": "error", "id": ident, "payload": [error("TOO_MANY_STREAMS", message)]})
            return
        task = asyncio.create_task(self._operate(ident, asked))
        self._running[ident] = task
        task.add_done_callback(lambda done: self._done(ident, done))

    def _drop(self, ident: str) -> None:
        """Let go of an operation that the client wants no more; one that is over already is no mistake of theirs."""
        task = self._running.pop(ident, None)
        if task is not None:
            task.cancel()
            self._ending.add(task)

    def _done(self, ident: str, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if self._running.get(ident) is task:
            del self._running[ident]
        if task.cancelled() or (problem := task.exception()) is None or self._broken.done():
            return
        if isinstance(problem, Closed):
            self._broken.set_result(problem)
        elif not isinstance(problem, (WebSocketDisconnect, RuntimeError)):
            LOG.error("an operation failed", exc_info=problem)
            self._broken.set_result(Closed(1011, "Something failed here"))

    async def _operate(self, ident: str, asked: Asked) -> None:
        """Run one operation, and send what it says."""
        viewer = self._session.viewer if self._session else None
        record = Record(new_request_id(), role=viewer.role.value if viewer else None)
        exchange = Exchange(self._websocket, record, "", viewer, self._payer())
        began, events = time.perf_counter(), 0
        try:
            async with aclosing(await within(self._manners.answer, self._begun(asked, exchange))) as bodies:
                async for body in bodies:
                    await self._send({"type": "next", "id": ident, "payload": body})
                    events += 1
                    # Between two events others may speak.
                    await asyncio.sleep(0)
            await self._send({"type": "complete", "id": ident})
        except Refused as no:
            record.code = no.code
            await self._send({"type": "error", "id": ident, "payload": list(no.errors)})
        finally:
            seconds = time.perf_counter() - began
            LOG.info("operation", events=events, ms=round(seconds * 1000, 2), **record.said)
            if self._observe is not None:
                self._observe(record.kind or "other", record.code or "OK", seconds)
            await self._conductor.afterwards(exchange)

    async def _begun(self, asked: Asked, exchange: Exchange) -> AsyncGenerator[dict[str, Any]]:
        return await self._conductor.open(await self._conductor.admit(asked, exchange), exchange)

    async def _receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            Closed: it is none of the protocol.
            WebSocketDisconnect: the client has gone.
        """
        told = await self._websocket.receive()
        if told["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(told.get("code", 1005))
        now = asyncio.get_running_loop().time()
        if now - self._window > WINDOW:
            self._window, self._heard = now, 0
        self._heard += 1
        if self._heard > self._manners.messages:
            most = self._manners.messages
            raise Closed(4429, f"Too many messages: {most} in {WINDOW:g} s are the most")
        return message_of(told.get("text"))

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._manners.slow), self._lock:
                await self._websocket.send_text(orjson.dumps(message).decode())
        except TimeoutError:
            LOG.warning("stream.dropped", reason="it read too slowly")
            raise Closed(1013, "You read too slowly") from None

    async def _close(self, closed: Closed) -> None:
        if self._websocket.application_state is WebSocketState.DISCONNECTED:
            return
        with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(1):
                await self._websocket.close(closed.code, closed.reason)

    async def _stop(self) -> None:
        tasks = {*self._running.values(), *self._ending}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._broken.cancel()

    def _payer(self) -> str:
        return payer_of(self._websocket, self._session)
