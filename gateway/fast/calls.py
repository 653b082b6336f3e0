"""What a request says, what is found out about it, and what is replied: the words of the short way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

    from analytics.at_hand import AtHand
    from gateway.auth import Remembered
    from gateway.budget import Verdict
    from gateway.fast.heads import Head
    from gateway.fast.requests import Planned
    from gateway.refusal import Refused
    from resolvers.plan import Turn


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """What a request says, once it was read: who asks for what, and how it is answered. It holds for its bytes.

    `key` is under what the response is kept, `offered` and `forwarded` the values of `X-Request-Id` and
    `X-Forwarded-For`.
    """

    who: Remembered
    head: Head
    planned: Planned
    key: Hashable
    offered: bytes | None
    forwarded: bytes | None


@dataclass(slots=True, eq=False)
class Call:
    """One request as it came, and what was found out about it on the way.

    `raw` is the body of a POST, the query string of a GET; `started` is by the clock of the way. `paid` is what the
    ordinary way is told: that it was paid for, or that it is refused.
    """

    method: str
    heads: Mapping[bytes, bytes]
    raw: bytes
    address: str | None
    started: float
    paid: Verdict | Refused | None = None
    ticket: Ticket | None = None

    @classmethod
    def of(
        cls, method: str, headers: Collection[tuple[bytes, bytes]], raw: bytes, address: str | None, started: float
    ) -> Self | None:
        """A request with these headers; None where one of them stands there twice."""
        heads = dict(headers)
        return cls(method, heads, raw, address, started) if len(heads) == len(headers) else None


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
