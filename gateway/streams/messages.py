"""The messages of graphql-transport-ws, read from a client that may send anything."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers

from gateway.refusal import Refused
from gateway.wire import Asked, decoded, shaped

PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 100
LONGEST_REASON = 120
SHOWN = frozenset({"authorization", "x-active-role"})


class Closed(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The socket is closed with this code, and why; a close frame has room for 123 bytes of reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


def invalid(message: str) -> Closed:
    """What becomes of a socket that does not speak the protocol."""
    return Closed(4400, f"Invalid message: {message}")


def message_of(text: str | None) -> dict[str, Any]:
    """A message, which has a type; None is one that is not text.

    Raises:
        Closed: it is none of the protocol.
    """
    if text is None:
        problem = "send JSON as text"
        raise invalid(problem)
    try:
        message = decoded(text.encode(errors="surrogatepass"), "it")
    except Refused as no:
        raise invalid(str(no)) from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        problem = "it must be an object with a type"
        raise invalid(problem)
    return message


def id_of(message: dict[str, Any]) -> str:
    """The operation that a message is about.

    Raises:
        Closed: it says none.
    """
    ident = message.get("id")
    if not isinstance(ident, str) or not 1 <= len(ident) <= LONGEST_ID:
        problem = f"id must be text of 1 to {LONGEST_ID} characters"
        raise invalid(problem)
    return ident


def asked_in(message: dict[str, Any]) -> Asked:
    """The operation that a `subscribe` asks for.

    Raises:
        Closed: its payload has not the shape of one.
    """
    try:
        return shaped(message.get("payload"))
    except Refused as no:
        raise invalid(str(no)) from None


def headers_of(upgrade: Headers, message: dict[str, Any]) -> Headers:
    """The headers that say who it is: those of the payload of `connection_init`, else those of the upgrade.

    Raises:
        Closed: the payload is no object, or says what no header could.
    """
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        problem = "the payload of connection_init must be an object"
        raise invalid(problem)
    told = {
        name.lower(): value
        for name, value in (payload or {}).items()
        if name.lower() in SHOWN and isinstance(value, str)
    }
    shown = {name: upgrade[name] for name in SHOWN if name in upgrade}
    try:
        return Headers(shown | told)
    except UnicodeEncodeError:
        raise Closed(4403, "The token is not valid.") from None
