"""What a request says before its question, what its response does, and how it is handed on once somebody read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from starlette.datastructures import Headers, MutableHeaders

from gateway.bounded import Bounded
from gateway.http import HEADERS
from gateway.negotiation import require_json, require_preflight, response_type, takes_streams
from gateway.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive

    from gateway.edge import Gate


class Head(NamedTuple):
    """The headers of a response, but for its length and its id; `lines` are the same as they are sent."""

    headers: tuple[tuple[bytes, bytes], ...]
    lines: bytes


KINDS, KINDS_KIB = 500, 256


class Heads:
    """How requests of a kind are answered, each kind worked out once: as the edge and the ordinary way would.

    Bounded by count and KiB, since clients make the kinds.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._known: Bounded[tuple[str | bytes | None, ...], Head | Literal[False]] = Bounded(KINDS, KINDS_KIB << 10)

    def of(self, method: str, heads: Mapping[bytes, bytes]) -> Head | None:
        """The head of the response; None where the ordinary way is to say so, or to refuse.

        What decides how a request is answered are its method and four of its headers.
        """
        say = heads.get
        key = (method, say(b"host"), say(b"origin"), say(b"accept"), say(b"content-type"))
        found = self._known.get(key)
        if found is None:
            found = self._head(method, heads) or False
            self._known.keep(key, found, sum(len(one or "") for one in key))
        return found or None

    def _head(self, method: str, heads: Mapping[bytes, bytes]) -> Head | None:
        given = Headers(raw=list(heads.items()))
        accept = given.get("accept")
        try:
            origin = self._gate.enter(given)
            if method == "POST":
                require_json(given.get("content-type"), None)
            elif method != "GET" or "text/html" in (accept or ""):
                return None
            else:
                require_preflight(given)
            if takes_streams(accept) is not None:
                return None
            media = response_type(accept)
        except Refused:
            return None
        marked = MutableHeaders({**HEADERS, "Content-Type": f"{media}; charset=utf-8"})
        self._gate.mark(marked, origin)
        return Head(tuple(marked.raw), b"".join([b"%s: %s\r\n" % pair for pair in marked.raw]))


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
