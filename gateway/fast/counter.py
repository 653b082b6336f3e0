"""HTTP/1.1 that hands out what is kept within the step in which a request arrived, without a task or a scope.

Only for requests to `/graphql` that arrive whole, in one piece, on a connection where nothing else is under way. One
that came before, to the letter, is not even read again: what it says is known by the SHA-256 of its bytes, and where
nothing is kept for it, it is looked up as it was before, while the connection waits. Whatever else comes goes through
the cycle of uvicorn; the short way is asked there once more, since it may have to wait, and then the application.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import structlog

from gateway.budget import PAID_KEY
from gateway.fast.calls import Call, address
from gateway.fast.front import DOOR, TRIED_KEY, Door
from gateway.fast.requests import PATH
from gateway.heads import BoundedHeads
from gateway.refusal import Refused
from gateway.telemetry import STARTED_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.budget import Verdict
    from gateway.fast.calls import Reply, Ticket, Waiting
    from gateway.fast.way import ShortWay

P = ParamSpec("P")
T = TypeVar("T")
URL = PATH.encode()
FORWARDED = b"x-forwarded-for"
LOG = structlog.get_logger(__name__)
IN_A_STEP = 16
"""The most requests in one piece of data that are answered before others get their turn."""
LARGEST = 16 * 1024
"""Bytes of a request that is worth being known by its bytes."""


class Counter(BoundedHeads):
    """One connection.

    `_held` are the pieces of a body whose request may be answered at once, None: it may not. `_whole` says whether the
    last request is read to its end, `_begun` how many this piece of data had so far, `_made` what was made of the last,
    `_paid` what was paid for the first, or why it was refused, `_in_vain` whether it was looked up already. `_asked` is
    looked up for a request that came before, `_later` what arrived meanwhile, `_last` whether to close after it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._door: Door = self.app_state.get(DOOR) or Door()
        self._held: list[bytes] | None = None
        self._call: Call | None = None
        self._whole = True
        self._made: Call | None = None
        self._begun = 0
        self._paid: Verdict | Refused | None = None
        self._in_vain = False
        self._started = 0.0
        self._asked: Waiting | None = None
        self._later = b""
        self._last = False

    def data_received(self, data: bytes) -> None:
        """Answer a request that came before; else read on. One that is not here as a whole takes its time."""
        if self._asked is not None:
            self._later += data
            self.flow.pause_reading()
            return
        way, digest = self._door.way, None
        if way is not None and self._whole and self._is_free() and len(data) <= LARGEST:
            digest = sha256(data).digest()
            ticket = way.tickets.get(digest)
            if ticket is not None and (self._handed_out(way, ticket) or self._looked_again(way, ticket, data)):
                return
        made = self._read(data)
        if way is not None and made is not None and self._begun == 1 and self._whole:
            made.digest = digest
            way.tickets.know(made)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.looking.give_up()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close, once what is under way was answered."""
        self._last = True
        if self._asked is None:
            super().shutdown()

    def _read(self, data: bytes) -> Call | None:
        """Read what is no request that came before, or was not answered as one; what was made of the last in it."""
        self._begun, self._made = 0, None
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._begin(None)
        made, self._made = self._made, None
        self._paid, self._in_vain = None, False
        return made

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        # What was answered at once in the same piece of data has begun to wait for the next request, which is here.
        self._unset_keepalive_if_required()
        self._whole = False
        self._begun += 1

    def on_headers_complete(self) -> None:
        """The head is there: the request begins, unless it may be answered as soon as it is whole."""
        if self._door.way is not None and self._is_plain():
            self.head_is_there()
            self._held = []
            self._started = self._door.way.clock()
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
        self._whole = True
        way = self._door.way
        if self._held is not None:
            call = self._made = None if way is None else self._as_call(way)
            reply = None if way is None or call is None else _tried(way.at_once, call)
            if reply is not None and call is not None:
                call.answered = True
                self._held = None
                self._write(reply)
                self.on_response_complete()
                return
            self._begin(call)
        super().on_message_complete()

    def _is_free(self) -> bool:
        """Whether nothing else is under way on this connection, whose client reads what it is sent."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and (self.limit_concurrency is None or len(self.connections) < self.limit_concurrency)
        )

    def _is_plain(self) -> bool:
        """Whether nothing in the head of this request, and nothing else on this connection, speaks against it."""
        parser = self.parser
        return (
            self.url == URL
            and parser.get_method() == b"POST"
            and self._begun <= IN_A_STEP
            and self._is_free()
            and not self.expect_100_continue
            and not self.root_path
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def _handed_out(self, way: ShortWay, ticket: Ticket) -> bool:
        """Whether a request that came before was answered at once; if not, it is read as any other."""
        reply = _tried(way.hand_out, ticket, self._address(ticket.forwarded), way.clock())
        if reply is None or isinstance(reply, Refused):
            self._paid = reply
            return False
        self.head_is_there()
        self._write(reply)
        self.on_response_complete()
        return True

    def _looked_again(self, way: ShortWay, ticket: Ticket, data: bytes) -> bool:
        """Whether what a request asks for is being looked up as it was before; if not, it is read as any other."""
        if self._paid is not None:
            return False
        asked = _tried(way.look_again, ticket, self._address(ticket.forwarded), way.clock())
        if asked is None or isinstance(asked, Refused):
            self._paid = asked
            return False
        self.head_is_there()
        self._unset_keepalive_if_required()
        self._asked = asked
        asked.looking.rows.add_done_callback(partial(self._heard, way, asked, data))
        return True

    def _heard(self, way: ShortWay, asked: Waiting, data: bytes, _: object) -> None:
        """Write what was looked up; where there is nothing to write, read the request as any other."""
        if self._asked is not asked:
            return
        self._asked = None
        try:
            self._go_on(way, asked, data)
        except Exception:
            # Nobody else would close it.
            LOG.exception("connection failed")
            self.transport.close()

    def _go_on(self, way: ShortWay, asked: Waiting, data: bytes) -> None:
        if self._door.way is None:
            # The time that the process had left is over.
            self.transport.close()
            return
        reply = _tried(way.heard, asked)
        if reply is None:
            self._paid, self._in_vain = asked.paid, True
            self._read(data)
            if self._last:
                super().shutdown()
        else:
            self._write(reply, stays=not self._last)
            if self._last:
                self.transport.close()
            self.on_response_complete()
        later, self._later = self._later, b""
        if later and not self.transport.is_closing():
            self.flow.resume_reading()
            self.data_received(later)

    def _as_call(self, way: ShortWay) -> Call | None:
        """The request; None where the short way has nothing to do with it."""
        raw = b"".join(self._held or ())
        if len(raw) > way.terms.body_bytes:
            return None
        call = Call.of("POST", self.headers, raw, None, self._started)
        if call is not None:
            call.address = self._address(call.heads.get(FORWARDED))
            call.paid, self._paid = self._paid, None
            call.in_vain, self._in_vain = self._in_vain, False
        return call

    def _address(self, forwarded: bytes | None) -> str | None:
        """Who asks, or whom a trusted proxy speaks for."""
        return address(self.client[0] if self.client else None, forwarded, getattr(self.app, "trusted_hosts", ()))

    def _begin(self, call: Call | None) -> None:
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
        way = self._door.way
        reply = None if way is None or call.in_vain else await way.answer(call)
        if way is None or reply is None:
            scope[STARTED_KEY], scope[TRIED_KEY] = call.started, True
            if call.paid is not None:
                scope[PAID_KEY] = call.paid
            await app(scope, receive, send)
            return
        call.answered = True
        way.tickets.know(call)
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if not cycle.disconnected:
            self._write(reply, stays=cycle.keep_alive)
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        await way.afterwards(call, reply)

    def _write(self, reply: Reply, *, stays: bool = True) -> None:
        self.transport.write(reply.whole(self.server_state.default_headers, stays=stays))


def _tried(ask: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | None:
    """What is replied; None where we fail. Else the parser, in whose step this is, would call it a bad request."""
    try:
        return ask(*given, **named)
    except Exception:
        LOG.exception("answer at once failed")
        return None
