"""Requests that are known by their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.bounded import Bounded
from gateway.fast.calls import Ticket

if TYPE_CHECKING:
    from gateway.fast.calls import Call

COUNT, MIB = 20_000, 32


class Tickets(Bounded[bytes, Ticket]):
    """What requests say that were answered lately, by the SHA-256 of all their bytes; none where they are not `wanted`.

    With each `clear` an era begins: what a request of an earlier one says is not brought back.
    """

    __slots__ = ("era",)

    def __init__(self, *, wanted: bool) -> None:
        super().__init__(COUNT if wanted else 0, MIB << 20)
        self.era = 0

    def know(self, call: Call) -> None:
        """Know a request that was answered, unless it names itself: then it never comes a second time."""
        ticket = call.ticket
        if ticket is None or call.digest is None or not call.answered or ticket.offered is not None:
            return
        if ticket.era == self.era:
            self.keep(call.digest, ticket, ticket.size)

    def clear(self) -> None:
        """Forget everything, and what is under way."""
        self.era += 1
        super().clear()
