"""The first who looks at a request that came as ASGI: answers what is plain, and lets the rest go on as it came."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.budget import PAID_KEY
from gateway.fast.calls import Call
from gateway.fast.heads import again
from gateway.fast.requests import PATH
from gateway.telemetry import STARTED_KEY

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.fast.way import ShortWay

DOOR = "gateway.door"
"""Where the state of the lifespan holds the door."""
TRIED_KEY = "gateway.tried"
"""In the scope of a request that the short way was asked for before."""


class Door:
    """Where the short way is, while the process is open."""

    way: ShortWay | None = None


class Front:
    """ASGI middleware around everything else; `door.way` is put in place once the process is open."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let pass."""
        way = self._door.way
        if way is not None and scope["type"] == "http" and scope["path"] == PATH:
            if TRIED_KEY not in scope:
                left = await _serve(way, scope, receive, send)
                if left is None:
                    return
                receive = left
            way.statistics().passed_on += 1
        await self._app(scope, receive, send)


async def _serve(way: ShortWay, scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """Answer a request; else what is left of it to read, for the ordinary way, and nothing was done."""
    started = scope[STARTED_KEY] = way.clock()
    raw: bytes | None = scope["query_string"]
    if scope["method"] == "POST":
        raw, receive = await _body(way, receive)
    client = scope.get("client")
    call = raw is not None and Call.of(scope["method"], scope["headers"], raw, client and client[0], started)
    if not call:
        return receive
    reply = way.at_once(call) or await way.answer(call)
    if reply is None:
        if call.paid is not None:
            scope[PAID_KEY] = call.paid
        return receive
    length = (b"content-length", b"%d" % len(reply.body))
    headers = [*reply.head.headers, length, (b"x-request-id", reply.request_id)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
    await way.afterwards(call, reply)
    return None


async def _body(way: ShortWay, receive: Receive) -> tuple[bytes | None, Receive]:
    """The body, and all of the request to read it again; None where it is too large, too slow, or not there."""
    read: list[Message] = []
    size = 0
    try:
        async with asyncio.timeout(way.terms.body_seconds):
            while size <= way.terms.body_bytes:
                message = await receive()
                read.append(message)
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        return None, again(read, receive, late=True)
    whole = size <= way.terms.body_bytes and message["type"] == "http.request"
    return b"".join([one.get("body", b"") for one in read]) if whole else None, again(read, receive)
