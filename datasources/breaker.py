"""When to ask a failing service again: closed, open, half-open. A pure state machine.

Nothing here waits, reads a clock or rolls dice by itself: `now` is seconds on any clock that never
goes back, and the random generator is given.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from datasources.declare import Breaker

JITTER = 0.1
"""A rest is lengthened or shortened by up to this share, so that many processes do not probe as one."""


class State(Enum):
    """What a breaker lets through: everything, nothing, or one probe."""

    CLOSED = "closed"
    """Every call."""
    OPEN = "open"
    """No call: the service failed too often and is left to rest."""
    HALF_OPEN = "half-open"
    """One call, to see whether the service is back."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one call; its outcome is told with it. A ticket from before a change of state no longer counts."""

    era: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A breaker at one moment; `probes_at` is when the next probe may go, None while it is closed."""

    state: State
    failures_in_a_row: int
    openings: int
    probes_at: float | None


class Circuit:
    """The breaker of one service: `admit` before a call, then exactly one of `passed`, `failed`, `abandoned`.

    It opens after `failures_in_a_row` failures, or when `failed_share` of the last `window` calls
    failed. Then it rests: `rest` at first, twice as long after each probe that fails, at most
    `longest_rest`, give or take `JITTER`. After the rest one probe goes through, alone; it closes
    the circuit or opens it again. A probe that is abandoned gives its place to another.
    """

    def __init__(self, policy: Breaker, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self._recent: deque[bool] = deque(maxlen=policy.window)
        self._in_a_row = 0
        self._openings = 0
        self._rests_in_a_row = 0
        self._probes_at: float | None = None
        self._probing = False
        self._era = 0

    def willing(self, now: float) -> bool:
        """Whether `admit` would give a ticket."""
        return self._probes_at is None or (now >= self._probes_at and not self._probing)

    def admit(self, now: float) -> Ticket | None:
        """The ticket for one call, or None: do not call."""
        if not self.willing(now):
            return None
        self._probing = self._probes_at is not None
        return Ticket(self._era)

    def passed(self, ticket: Ticket) -> None:
        """The service answered."""
        if ticket.era != self._era:
            return
        if self._probing:
            self.reset()
            return
        self._in_a_row = 0
        self._recent.append(True)

    def failed(self, ticket: Ticket, now: float) -> None:
        """The service did not answer, or answered nonsense."""
        if ticket.era != self._era:
            return
        self._in_a_row += 1
        self._recent.append(False)
        if self._probing or self._too_much():
            self._open(now)

    def abandoned(self, ticket: Ticket) -> None:
        """The call was given up for reasons that say nothing about the service."""
        if ticket.era == self._era:
            self._probing = False

    def reset(self) -> None:
        """Close, and forget every failure; outcomes of calls under way no longer count."""
        self._era += 1
        self._recent.clear()
        self._in_a_row = 0
        self._rests_in_a_row = 0
        self._probes_at = None
        self._probing = False

    def read(self, now: float) -> Reading:
        """The state at this moment."""
        state = State.CLOSED
        if self._probes_at is not None:
            state = State.OPEN if now < self._probes_at else State.HALF_OPEN
        return Reading(state, self._in_a_row, self._openings, self._probes_at)

    def _too_much(self) -> bool:
        policy = self._policy
        if self._in_a_row >= policy.failures_in_a_row:
            return True
        full = len(self._recent) == policy.window
        return full and self._recent.count(False) >= policy.failed_share * policy.window

    def _open(self, now: float) -> None:
        policy = self._policy
        longest = policy.longest_rest.total_seconds()
        # The exponent is bounded because a float overflows after a thousand doublings.
        rest = min(longest, policy.rest.total_seconds() * 2.0 ** min(self._rests_in_a_row, 30))
        self._era += 1
        self._openings += 1
        self._rests_in_a_row += 1
        self._recent.clear()
        self._probing = False
        self._probes_at = now + rest * self._rng.uniform(1 - JITTER, 1 + JITTER)
