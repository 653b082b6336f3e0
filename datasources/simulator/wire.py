"""HTTP for the simulator: bodies in, JSON out, and the three shapes of a request."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from datasources.simulator.reads import Payload, Read

    Answer = Callable[[Request], Awaitable[Payload]]

AT_MOST = 500
"""The most ids one batch may ask for."""


def single(read: Read) -> Answer:
    """`GET path`: the payload for the id in the path, or 404."""

    async def answer(request: Request) -> Payload:
        key = request.path_params.get("id", "")
        payload = read.answer(key)
        if payload is None:
            raise HTTPException(404, f"{read.subject} {key} is not known here")
        return payload

    return answer


def batch(read: Read) -> Answer:
    """`POST batch_path {"ids": [...]}`: what is known by id, and the ids that are not known, each once."""

    async def answer(request: Request) -> Payload:
        ids = (await body_of(request)).get("ids")
        if not isinstance(ids, list) or not all(isinstance(key, str) for key in ids):
            raise HTTPException(400, '`ids` is a list of texts: {"ids": ["...", "..."]}')
        if len(ids) > AT_MOST:
            raise HTTPException(413, f"at most {AT_MOST} ids in one batch, not {len(ids)}")
        answers = {key: read.answer(key) for key in ids}
        return {
            "items": {key: payload for key, payload in answers.items() if payload is not None},
            "missing": [key for key, payload in answers.items() if payload is None],
        }

    return answer


def call(act: Callable[[Payload], Payload]) -> Answer:
    """`POST path {...}`: an action on the body."""

    async def answer(request: Request) -> Payload:
        return act(await body_of(request))

    return answer


async def body_of(request: Request) -> Payload:
    """The JSON object in a request, or 400."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "send a JSON object")
    return body


def text_in(body: Payload, name: str) -> str:
    """A text in a body, or 400."""
    value = body.get(name)
    if not isinstance(value, str):
        raise HTTPException(400, f"`{name}` is a text")
    return value


def said(content: Any, status: int = 200) -> Response:
    """A JSON response; bytes are taken as they are."""
    raw = content if isinstance(content, bytes) else orjson.dumps(content)
    return Response(raw, status, media_type="application/json")


def is_near(request: Request) -> bool:
    """Whether the caller is on this machine."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
