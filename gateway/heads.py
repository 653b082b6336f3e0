"""HTTP/1.1 whose heads are bounded: uvicorn reads a request line and headers of any size, for as long as it takes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.edge import BROWSERS
from gateway.refusal import error

if TYPE_CHECKING:
    import asyncio

AROUND_A_HEADER = 4
"""Bytes between a name and its value, and after them."""


class HeadTooLargeError(Exception):
    """Ends the parsing of a head."""


class BoundedConfig(uvicorn.Config):
    """The configuration of a server whose heads have at most so many bytes, and arrive within so many seconds.

    It goes to each worker process as it is, so the bounds are data and the protocol is a name.
    """

    def __init__(self, app: Any, *, head_bytes: int, head_seconds: float, **options: Any) -> None:
        super().__init__(app, http="gateway.fast.counter:Counter", **options)
        self.head_bytes = head_bytes
        self.head_seconds = head_seconds


class BoundedHeads(HttpToolsProtocol):
    """One connection, whose heads are bounded as its configuration says.

    A connection that never begins is closed after the same time. Trailers are not taken for headers.
    """

    def __init__(self, config: BoundedConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.most = config.head_bytes
        self.seconds = config.head_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._began = False
        self._size = 0
        self._fed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has become too large or is not welcome any more."""
        self._began = False
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self._in_head:
            # The piece that a head begins in may hold the end of a body as well: it is not counted.
            self._fed = 0 if self._began else self._fed + len(data)
            if self._fed > self.most:
                self._refuse_size()
        at_rest = self.cycle is None or self.cycle.response_complete
        # One that was answered at once rests for as long as uvicorn lets any other.
        if self._in_head or (at_rest and self.timeout_keep_alive_task is None):
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = self._began = True
        self._size = 0

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which counts and is left out."""
        # In one step instead of three calls: this is said for each header of each request.
        self._size += len(name) + len(value) + AROUND_A_HEADER
        if self._size > self.most:
            raise HeadTooLargeError
        if self._in_head:
            name = name.lower()
            if name == b"expect":
                super().on_header(name, value)
            else:
                self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is there."""
        self.head_is_there()
        super().on_headers_complete()

    def head_is_there(self) -> None:
        """Wait for it no longer."""
        self._in_head = False
        self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with bytes that are no request, and read no further."""
        if self._size > self.most:
            self._refuse_size()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, error("BAD_REQUEST", msg))

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self.most:
            raise HeadTooLargeError

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        message = f"The head of the request did not arrive within {self.seconds:g} seconds: send it faster."
        told = error("REQUEST_TIMEOUT", message, limit="head.seconds", allowed=self.seconds)
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, told)

    def _refuse_size(self) -> None:
        found = max(self._size, self._fed)
        message = f"The request's head has {found} bytes or more, and {self.most} are the most: send fewer headers."
        told = error("REQUEST_TOO_LARGE", message, limit="head", allowed=self.most, found=found)
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, told)

    def _refuse(self, status: HTTPStatus, told: dict[str, Any]) -> None:
        """Answer below the application, and close; a response that is under way would be spoilt by another."""
        if self.transport.is_closing():
            return
        under_way = self.cycle is not None and not self.cycle.response_complete
        spoilt = under_way and self.cycle.response_started
        if under_way:
            # The application hears that its client has gone, and what it still says is not written.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not spoilt:
            body = orjson.dumps({"errors": [told]})
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                "Connection": "close",
                "Cache-Control": "no-store",
                **BROWSERS,
            }
            lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {said}" for name, said in headers.items())]
            self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
