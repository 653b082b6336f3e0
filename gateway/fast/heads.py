"""What a request says before its question, and how it is handed on once somebody has read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.negotiation import require_json, response_type, takes_streams
from gateway.refusal import Refused

if TYPE_CHECKING:
    from starlette.types import Message, Receive


def media_of(accept: bytes | None, content_type: bytes | None) -> str | None:
    """The media type to answer in; None where the ordinary way is to say so, or to refuse. A GET has no content."""
    wanted = None if accept is None else accept.decode("latin-1")
    try:
        if content_type is not None:
            require_json(content_type.decode("latin-1"), None)
        elif wanted is not None and "text/html" in wanted:
            return None
        return None if takes_streams(wanted) is not None else response_type(wanted)
    except Refused:
        return None


def again(read: list[Message], receive: Receive, *, late: bool = False) -> Receive:
    """What is left to read, beginning with what was read already; what was too `late` is so again."""
    waiting = iter(read)

    async def replayed() -> Message:
        message = next(waiting, None)
        if message is not None:
            return message
        if late:
            raise TimeoutError
        return await receive()

    return replayed
