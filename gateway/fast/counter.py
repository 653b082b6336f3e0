"""HTTP/1.1 that hands out what is kept within the step in which a request arrived, without a task or a scope.

Only for requests to `/graphql` that arrive whole, in one piece, on a connection where nothing else is under way.
Whatever is not handed out at once goes through the same cycle of uvicorn as any other request; the short way is asked
there once more, since it may have to wait, and then the application.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.budget import PAID_KEY
from gateway.fast.front import DOOR, TRIED_KEY
from gateway.fast.way import PATH, Call
from gateway.telemetry import STARTED_KEY

if TYPE_CHECKING:
    from gateway.fast.front import Door
    from gateway.fast.way import Reply, ShortWay

URL = PATH.encode()
FORWARDED = b"x-forwarded-for"
OK = STATUS_LINE[200]


class Counter(HttpToolsProtocol):
    """One connection. `_held` are the pieces of a body whose request may be answered at once, None: it may not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door: Door | None = self.app_state.get(DOOR)
        self._held: list[bytes] | None = None
        self._call: Call | None = None
        self._started = 0.0

    def data_received(self, data: bytes) -> None:
        """Read on; a request that is not here as a whole by then takes its time, as any other."""
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._let_go(None)

    def on_headers_complete(self) -> None:
        """The head is there: the request begins, unless it may be answered as soon as it is whole."""
        way = self._door.way if self._door is not None else None
        if way is not None and self._is_plain():
            self._held = []
            self._started = way.clock()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """The request is whole: answer it at once, or let it begin."""
        way = self._door.way if self._door is not None else None
        if self._held is not None:
            call = None if way is None else self._as_call(way)
            reply = None if way is None or call is None else way.at_once(call)
            if reply is not None:
                self._held = None
                self._write(reply)
                self.on_response_complete()
                return
            self._let_go(call)
        super().on_message_complete()

    def _is_plain(self) -> bool:
        """Whether nothing in the head of this request, and nothing else on this connection, speaks against it."""
        parser = self.parser
        return (
            self.url == URL
            and parser.get_method() == b"POST"
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self.root_path
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and (self.limit_concurrency is None or len(self.connections) < self.limit_concurrency)
        )

    def _as_call(self, way: ShortWay) -> Call | None:
        """The request; None where the short way has nothing to do with it."""
        raw = b"".join(self._held or ())
        if len(raw) > way.terms.body_bytes:
            return None
        call = Call.of("POST", self.headers, raw, self.client[0] if self.client else None, self._started)
        if call is not None and FORWARDED in call.heads:
            call.address = self._spoken_for(call.heads[FORWARDED].decode("latin-1"))
        return call

    def _spoken_for(self, forwarded: str) -> str | None:
        """Whom a proxy speaks for, where it is one that is trusted: as uvicorn's own middleware has it."""
        host: str | None = self.client[0] if self.client else None
        trusted = getattr(self.app, "trusted_hosts", ())
        return trusted.get_trusted_client_address(forwarded)[0] or host if host in trusted else host  # type: ignore[union-attr]  # or there are none

    def _let_go(self, call: Call | None) -> None:
        """Have a held request begin, with what is there of it."""
        held, self._held = self._held or (), None
        self._call = call
        try:
            super().on_headers_complete()
        finally:
            self._call = None
        for piece in held:
            super().on_body(piece)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._call is not None and app is self.app:
            app = partial(self._attended, cycle, self._call, app)
        super()._start_asgi_task(cycle, app)

    async def _attended(  # noqa: PLR0913, PLR0917  (three of its own, and those of an application)
        self, cycle: RequestResponseCycle, call: Call, app: Any, scope: Any, receive: Any, send: Any
    ) -> None:
        """Answer a request the short way, else as an application."""
        way = self._door.way if self._door is not None else None
        reply = None if way is None else await way.answer(call)
        if way is None or reply is None:
            scope[STARTED_KEY], scope[TRIED_KEY] = call.started, True
            if call.paid is not None:
                scope[PAID_KEY] = call.paid
            await app(scope, receive, send)
            return
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if not cycle.disconnected:
            self._write(reply)
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        await way.afterwards(call, reply)

    def _write(self, reply: Reply) -> None:
        """The whole response in one piece: each piece is a call of the system, and a packet."""
        said = b"".join([b"%s: %s\r\n" % pair for pair in self.server_state.default_headers])
        length = b"content-length: %d\r\nx-request-id: " % len(reply.body)
        end = b"\r\n\r\n"
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.keep_alive:
            end = b"\r\nconnection: close\r\n\r\n"
        self.transport.write(b"".join((OK, said, reply.head.lines, length, reply.request_id, end, reply.body)))
