"""What a request says, what is found out about it, and what is replied: the words of the short way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from gateway.telemetry import new_request_id, taken_over

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping

    from analytics.at_hand import AtHand, Looking
    from gateway.auth import Remembered
    from gateway.budget import Verdict
    from gateway.fast.heads import Head
    from gateway.fast.requests import Planned
    from gateway.refusal import Refused
    from resolvers.plan import Turn


OK = b"HTTP/1.1 200 OK\r\n"
AROUND = 500
"""Bytes that a ticket costs beside what it holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """What a request says, once it was read: who asks for what, and how it is answered. It holds for its bytes.

    `key` is under what the response is kept, `offered` and `forwarded` the values of `X-Request-Id` and
    `X-Forwarded-For`. Nothing of it is remembered once the `era` is over in which it was made.
    """

    who: Remembered
    head: Head
    planned: Planned
    key: Hashable
    offered: bytes | None
    forwarded: bytes | None
    era: int

    @property
    def size(self) -> int:
        """Bytes it takes, roughly, with what it may be the last to hold of the request that was read."""
        return AROUND + len(self.forwarded or b"") + self.planned.size

    def request_id(self) -> str:
        """The id of a request: the one that it brought, if it is one; else a new one."""
        return new_request_id() if self.offered is None else taken_over(self.offered)


@dataclass(slots=True, eq=False)
class Call:
    """One request as it came, and what was found out about it on the way.

    `raw` is the body of a POST, the query string of a GET; `started` is by the clock of the way. `paid` is what the
    ordinary way is told: that it was paid for, or that it is refused. `digest` is the SHA-256 of all its bytes, where
    it may be known by them. One that was looked up `in_vain` is for the ordinary way.
    """

    method: str
    heads: Mapping[bytes, bytes]
    raw: bytes
    address: str | None
    started: float
    paid: Verdict | Refused | None = None
    ticket: Ticket | None = None
    digest: bytes | None = None
    answered: bool = False
    in_vain: bool = False

    @classmethod
    def of(
        cls, method: str, headers: Collection[tuple[bytes, bytes]], raw: bytes, address: str | None, started: float
    ) -> Self | None:
        """A request with these headers; None where one of them stands there twice."""
        heads = dict(headers)
        return cls(method, heads, raw, address, started) if len(heads) == len(headers) else None


@dataclass(slots=True)
class WayStatistics:
    """How many requests were answered from what is kept, by a plan, by what is kept for the worst, or passed on.

    Of the planned, `again` were looked up as they had been before, without asking once more who may hear what.
    """

    kept: int = 0
    planned: int = 0
    again: int = 0
    at_worst: int = 0
    passed_on: int = 0


class Look(NamedTuple):
    """How data was looked up, before which mark."""

    turn: Turn
    found: AtHand
    mark: int
    data: bytes


class Reply(NamedTuple):
    """A response of status 200: its headers but for its length and its id, which are `request_id` and of `body`.

    `look` says how the data was looked up, unless it was kept.
    """

    head: Head
    request_id: bytes
    body: bytes
    look: Look | None = None

    def whole(self, before: Iterable[tuple[bytes, bytes]], *, stays: bool) -> bytes:
        """All of it in HTTP/1.1, these headers first, in one piece: each is a call of the system, and a packet."""
        said = b"".join([b"%b: %b\r\n" % pair for pair in before])
        if not stays:
            said += b"connection: close\r\n"
        length = b"content-length: %d\r\nx-request-id: " % len(self.body)
        return b"".join((OK, said, self.head.lines, length, self.request_id, b"\r\n\r\n", self.body))


class Waiting(NamedTuple):
    """A request whose answers are looked up as they were before, and how they are told."""

    ticket: Ticket
    address: str | None
    started: float
    paid: Verdict | None
    turn: Turn
    looking: Looking


def address(host: str | None, forwarded: bytes | None, trusted: Any) -> str | None:
    """Who asks, or whom a trusted proxy speaks for: as uvicorn's own middleware has it."""
    if forwarded is None or host not in trusted:
        return host
    return trusted.get_trusted_client_address(forwarded.decode("latin-1"))[0] or host
