"""GraphQL over HTTP: every request, however broken, gets a JSON answer with a code and the right status."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from gateway import wire
from gateway.auth import SCOPE_KEY
from gateway.negotiation import (
    EVENT_STREAM,
    JSON,
    require_json,
    require_preflight,
    response_type,
    takes_answers,
    takes_streams,
)
from gateway.operation import Conductor, Doors, Exchange, alone, within
from gateway.persisted import Persisted
from gateway.porter import Porter, payer_of
from gateway.refusal import Refused, error, refuse
from gateway.streams.manners import Manners
from gateway.streams.over_http import MULTIPART, SSE, Framing, Streamed
from gateway.streams.seats import Seats
from gateway.streams.websocket import Socket
from gateway.telemetry import record_of
from gateway.variables import VariableLimits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from graphql import GraphQLError
    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Receive, Scope, Send

    from analytics.policy import Viewer
    from gateway.auth import Session
    from gateway.budget import Till
    from gateway.documents import Documents
    from gateway.execution import Execution
    from gateway.operation import Admitted, Context
    from gateway.persisted import Texts
    from gateway.wire import Asked

HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept, Authorization, X-Active-Role",
    "X-Content-Type-Options": "nosniff",
}
LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one request may take. Sizes in bytes, times in seconds; a batch shares one `seconds`."""

    body_bytes: int = 64 * 1024
    body_seconds: float = 10.0
    seconds: float = 15.0
    afterwards_seconds: float = 30.0
    batch: int = 10


class GraphQLEndpoint:
    """The ASGI application behind `/graphql`.

    `context_for` makes what one operation carries, `authenticate` says who asks (nobody is None) or refuses,
    `present` turns an error of the execution into what the client may read of it, `page` is shown to a
    browser that asks for HTML without a query. `lobby` are the places of websockets that have not said who they
    are yet, for each address. When `leaving` is set, whatever streams says so and ends. `observe` hears (kind, code,
    seconds) of each operation of a websocket; the code of one that went well is OK. `turned_away` hears of whom we know
    and do not let in.
    """

    def __init__(  # noqa: PLR0913  (the parts it is made of, all but three by name)
        self,
        documents: Documents,
        execution: Execution,
        context_for: Callable[[HTTPConnection, Viewer | None, str], Awaitable[Context]],
        *,
        authenticate: Callable[[Headers], Awaitable[Session | None]],
        present: Callable[[GraphQLError, str], dict[str, Any]],
        terms: Terms | None = None,
        doors: Doors | None = None,
        texts: Texts | None = None,
        variables: VariableLimits | None = None,
        till: Till | None = None,
        page: ASGIApp | None = None,
        now: Callable[[], float] = time.time,
        manners: Manners | None = None,
        seats: Seats | None = None,
        lobby: Seats | None = None,
        leaving: asyncio.Event | None = None,
        observe: Callable[[str, str, float], None] | None = None,
        turned_away: Callable[[Viewer, HTTPConnection], Awaitable[None]] | None = None,
    ) -> None:
        self._terms = terms or Terms()
        self._conductor = Conductor(
            documents=documents,
            execution=execution,
            texts=texts or Persisted(),
            context_for=context_for,
            present=present,
            doors=doors or Doors(),
            variables=variables or VariableLimits(),
            till=till,
            afterwards_seconds=self._terms.afterwards_seconds,
        )
        self._now = now
        self._manners = manners or Manners()
        self._seats = seats or Seats()
        self._lobby = lobby or Seats(total=200, each=50)
        self._leaving = leaving or asyncio.Event()
        self._observe = observe
        self._porter = Porter(authenticate, till, turned_away)
        self._page = page

    @property
    def streams(self) -> int:
        """How many streams and websockets are open."""
        return self._seats.taken

    async def close(self) -> None:
        """Wait for what is left to do for those who have gone; it is bounded."""
        await self._conductor.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, then do what can wait."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        request = Request(scope, receive)
        if self._page is not None and wants_page(request):
            await self._page(scope, receive, send)
            return
        exchange = Exchange(request, record_of(scope), JSON)
        try:
            response = await self._answer(request, exchange)
        except ClientDisconnect:
            return
        except Refused as no:
            exchange.record.code = no.code
            response = rendered(refusal(no, exchange), exchange.media, status(no, exchange.media), no.headers)
        except Exception:
            LOG.exception("request failed", request_id=exchange.record.request_id)
            problem = error("INTERNAL_SERVER_ERROR", "Something failed here; the request id finds it in the log.")
            response = rendered(refusal(Refused(500, [problem]), exchange), exchange.media, 500)
        try:
            await response(scope, receive, send)
        finally:
            await self._conductor.afterwards(exchange)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(
            WebSocket(scope, receive, send),
            self._conductor,
            self._porter,
            seats=self._seats,
            lobby=self._lobby,
            leaving=self._leaving,
            observe=self._observe,
            now=self._now,
            manners=self._manners,
        )
        await socket.serve()

    async def _answer(self, request: Request, exchange: Exchange) -> Response | Streamed:
        accept = ", ".join(request.headers.getlist("accept")) or None
        stream = takes_streams(accept)
        only = stream is not None and not takes_answers(accept)
        exchange.media = JSON if only else response_type(accept)
        asked = await self._read(request)
        session = request.scope[SCOPE_KEY] = await self._porter.session(request, request.headers)
        viewer = exchange.viewer = session.viewer if session else None
        exchange.record.role = viewer.role.value if viewer else None
        exchange.payer = payer_of(request, session)
        if isinstance(asked, list):
            return await within(self._terms.seconds, self._batch(asked, exchange))
        framing = SSE if stream == EVENT_STREAM else MULTIPART
        try:
            admitted = await within(self._terms.seconds, self._conductor.admit(asked, exchange, request.method))
        except Refused as no:
            # A client of streams reads the errors of its document where it reads everything else.
            if not (only and no.well_formed):
                raise
            return self._told(no, exchange, framing)
        if stream is not None and (only or admitted.streams):
            return await self._stream(admitted, exchange, framing, session)
        body = await within(self._terms.seconds, self._conductor.answer(admitted, exchange))
        return rendered(body, exchange.media)

    def _told(self, no: Refused, exchange: Exchange, framing: Framing) -> Streamed:
        """A refusal as a stream of one response."""
        exchange.record.code = no.code
        bodies = alone(refusal(no, exchange))
        return Streamed(
            bodies,
            framing,
            seconds=self._manners.longest,
            manners=self._manners,
            held=ExitStack(),
            leaving=self._leaving,
        )

    async def _stream(
        self, admitted: Admitted, exchange: Exchange, framing: Framing, session: Session | None
    ) -> Streamed:
        """The responses of a subscription as one response that goes on, for as long as the token holds."""
        with ExitStack() as held:
            held.enter_context(self._seats.take(exchange.payer))
            try:
                bodies = await within(self._terms.seconds, self._conductor.open(admitted, exchange))
            except Refused as no:
                if not no.well_formed:
                    raise
                return self._told(no, exchange, framing)
            left = session.expires - self._now() if session else self._manners.longest
            seconds = min(left, self._manners.longest)
            return Streamed(
                bodies,
                framing,
                seconds=seconds,
                manners=self._manners,
                held=held.pop_all(),
                session=session,
                leaving=self._leaving,
            )

    async def _batch(self, asked: list[Asked], exchange: Exchange) -> Response:
        """The answers of a batch, in order, one after the other; a status that all of them share is its own."""
        bodies: list[dict[str, Any]] = []
        statuses: set[int] = set()
        headers: dict[str, str] = {}
        for one in asked:
            try:
                bodies.append(await self._conductor.answer(await self._conductor.admit(one, exchange), exchange))
                statuses.add(HTTPStatus.OK)
            except Refused as no:
                bodies.append(refusal(no, exchange))
                statuses.add(status(no, exchange.media))
                headers |= no.headers
        exchange.record.kind, exchange.record.operation = "batch", None
        return rendered(bodies, exchange.media, statuses.pop() if len(statuses) == 1 else HTTPStatus.OK, headers)

    async def _read(self, request: Request) -> Asked | list[Asked]:
        if request.method == "GET":
            require_preflight(request.headers)
            return wire.from_query_string(request.scope["query_string"], self._terms.body_bytes)
        if request.method != "POST":
            raise refuse(405, "METHOD_NOT_ALLOWED", "Use POST, or GET for a query.", Allow="GET, POST")
        require_json(request.headers.get("content-type"), request.headers.get("content-encoding"))
        raw = await wire.body(request, self._terms.body_bytes, self._terms.body_seconds)
        return wire.from_body(raw, self._terms.batch)


def status(no: Refused, media: str) -> int:
    """The status of a refusal: plain JSON says 200 for every request that is well-formed."""
    return HTTPStatus.OK if no.well_formed and media == JSON else no.status


def refusal(no: Refused, exchange: Exchange) -> dict[str, Any]:
    """The response of a request that was not executed: no `data` at all."""
    return {"errors": no.errors, "extensions": {"requestId": exchange.record.request_id}}


def rendered(body: Any, media: str, code: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """A response as bytes."""
    return Response(orjson.dumps(body), code, {**HEADERS, **(headers or {})}, media_type=f"{media}; charset=utf-8")


def wants_page(request: Request) -> bool:
    """Whether this is a browser that wants to look, not a client that asks."""
    return (
        request.method == "GET"
        and "query" not in request.query_params
        and "text/html" in request.headers.get("accept", "")
    )
