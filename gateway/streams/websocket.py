"""Subscriptions over a websocket: the graphql-transport-ws protocol, one socket for many operations.

Whatever a client sends gets what the protocol says: an `error` for an operation that is wrong, a close
with its code for a message that is. Nothing is kept for a client that does not read.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.websockets import WebSocketDisconnect, WebSocketState

from gateway.operation import Exchange
from gateway.refusal import Refused, error
from gateway.telemetry import Record, new_request_id
from gateway.wire import shaped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket

    from gateway.auth import Session
    from gateway.budget import Budget
    from gateway.operation import Conductor
    from gateway.streams.seats import Seats

LOG = structlog.get_logger(__name__)
PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 100


class Closed(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The socket is closed with this code, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Manners:
    """What one socket may take. Times in seconds; `messages` is how many a client may send in ten of them."""

    init: float = 10.0
    idle: float = 300.0
    slow: float = 15.0
    operations: int = 50
    messages: int = 200


class Socket:
    """One client. Every operation is a task; all that is sent goes through one lock, and is waited for."""

    def __init__(  # noqa: PLR0913 - the parts it works with, most by name
        self,
        websocket: WebSocket,
        conductor: Conductor,
        authenticate: Callable[[Headers], Awaitable[Session | None]],
        *,
        budget: Budget | None,
        seats: Seats,
        now: Callable[[], float],
        afterwards: Callable[[Exchange], Awaitable[None]],
        manners: Manners | None = None,
    ) -> None:
        self._websocket = websocket
        self._conductor = conductor
        self._authenticate = authenticate
        self._budget = budget
        self._seats = seats
        self._now = now
        self._afterwards = afterwards
        self._manners = manners or Manners()
        self._lock = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._session: Session | None = None
        self._broken: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Talk to the client until one of the two has had enough."""
        offered = PROTOCOL in self._websocket.scope.get("subprotocols", [])
        await self._websocket.accept(PROTOCOL if offered else None)
        try:
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
            async with asyncio.timeout(self._manners.init):
                message = await self._receive()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise Closed(4401, "Unauthorized")
        try:
            self._session = await self._authenticate(_headers(self._websocket.headers, message.get("payload")))
            held.enter_context(self._seats.take(self._payer()))
        except Refused as no:
            raise Closed(4403 if no.status in {401, 403} else 4429, str(no)[:120]) from None
        await self._send({"type": "connection_ack"})

    async def _converse(self) -> None:
        """Hear messages until the client leaves, the token expires, or something is wrong."""
        loop = asyncio.get_running_loop()
        expires = loop.time() + (self._session.expires - self._now() if self._session else self._manners.idle)
        window, heard = loop.time(), 0
        hearing: asyncio.Task[dict[str, Any]] | None = None
        try:
            while True:
                hearing = hearing or asyncio.create_task(self._receive())
                left = expires - loop.time()
                patience = left if self._running else min(left, self._manners.idle)
                events: list[asyncio.Future[Any]] = [hearing, self._broken, *self._running.values()]
                await asyncio.wait(
                    events,
                    timeout=max(0.0, patience),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if self._broken.done():
                    raise self._broken.result()
                if hearing.done():
                    message, hearing = hearing.result(), None
                    if loop.time() - window > 10:  # noqa: PLR2004 - the ten seconds of `Manners.messages`
                        window, heard = loop.time(), 0
                    heard += 1
                    if heard > self._manners.messages:
                        raise Closed(4429, "Too many messages")
                    await self._hear(message)
                elif expires <= loop.time():
                    raise Closed(4401, "The token has expired")
                elif not self._running and patience <= self._manners.idle:
                    raise Closed(1000, "Nothing was asked for a while")
        finally:
            if hearing is not None:
                hearing.cancel()

    async def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case "subscribe":
                await self._subscribe(_id(message), message.get("payload"))
            case "complete":
                task = self._running.pop(_id(message), None)
                if task is not None:
                    task.cancel()
            case _:
                raise Closed(4400, "Invalid message: there is no such type")

    async def _subscribe(self, ident: str, payload: Any) -> None:
        if ident in self._running:
            raise Closed(4409, f"Subscriber for {ident} already exists")
        if len(self._running) >= self._manners.operations:
            message = f"This connection has {self._manners.operations} operations open, which is the most."
            await self._send({"type": "error", "id": ident, "payload": [error("TOO_MANY_STREAMS", message)]})
            return
        task = asyncio.create_task(self._operate(ident, payload))
        self._running[ident] = task
        task.add_done_callback(lambda done: self._done(ident, done))

    def _done(self, ident: str, task: asyncio.Task[None]) -> None:
        if self._running.get(ident) is task:
            del self._running[ident]
        if task.cancelled() or (problem := task.exception()) is None or self._broken.done():
            return
        if isinstance(problem, Closed):
            self._broken.set_result(problem)
        elif not isinstance(problem, (WebSocketDisconnect, RuntimeError)):
            LOG.error("an operation failed", exc_info=problem)
            self._broken.set_result(Closed(1011, "Something failed here"))

    async def _operate(self, ident: str, payload: Any) -> None:
        """Run one operation, and send what it says."""
        record = Record(new_request_id())
        viewer = self._session.viewer if self._session else None
        exchange = Exchange(self._websocket, record, "", viewer, self._payer())
        try:
            if self._budget is not None:
                self._budget.spend(exchange.payer)
            async for body in await self._conductor.open(shaped(payload), exchange):
                await self._send({"type": "next", "id": ident, "payload": body})
                # Between two events others may speak.
                await asyncio.sleep(0)
            await self._send({"type": "complete", "id": ident})
        except Refused as no:
            await self._send({"type": "error", "id": ident, "payload": list(no.errors)})
        finally:
            await self._afterwards(exchange)

    async def _receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            Closed: it is none of the protocol.
            WebSocketDisconnect: the client has gone.
        """
        told = await self._websocket.receive()
        if told["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(told.get("code", 1005))
        text = told.get("text")
        try:
            message = orjson.loads(text) if text is not None else None
        except (orjson.JSONDecodeError, RecursionError):
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "Invalid message: send JSON text, an object with a type")
        return message

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
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._broken.cancel()

    def _payer(self) -> str:
        if self._session is not None:
            return self._session.viewer.user
        return self._websocket.client.host if self._websocket.client else ""


def _id(message: dict[str, Any]) -> str:
    ident = message.get("id")
    if not isinstance(ident, str) or not 1 <= len(ident) <= LONGEST_ID:
        raise Closed(4400, f"Invalid message: id must be text of 1 to {LONGEST_ID} characters")
    return ident


def _headers(upgrade: Headers, payload: Any) -> Headers:
    """The headers that say who it is: those of the payload of `connection_init`, else those of the upgrade."""
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "Invalid message: the payload of connection_init must be an object")
    told = {
        name.lower(): value
        for name, value in (payload or {}).items()
        if name.lower() in {"authorization", "x-active-role"} and isinstance(value, str)
    }
    shown = {name: upgrade[name] for name in ("authorization", "x-active-role") if name in upgrade}
    return Headers(shown | told)
