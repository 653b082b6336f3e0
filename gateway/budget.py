"""What one viewer may take: so much cost in a minute, so many operations in an hour.

Both are counted in a sliding window: what was taken in this minute, and of the minute before it as much as the
last sixty seconds still cover. Two numbers a viewer, and room comes back steadily instead of all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.bounded import Bounded
from gateway.refusal import Refused, error

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITLESS = 2**53
"""More than anybody takes, and still exact as a floating-point number."""
PAID_KEY = "gateway.paid"
"""In the scope of a request that was paid for before it came here: the verdict, or the refusal."""
HINTS = {
    "requests": "Ask for several things in one document.",
    "cost": "Ask for smaller pages, or for fewer answers at once.",
}


class Taken(NamedTuple):
    """What was taken of one thing: in the window of this number, and in the one before it."""

    seconds: int
    window: int = 0
    current: int = 0
    before: int = 0

    def at(self, now: float) -> Taken:
        """The same, seen from the window of this moment; a window that a faster clock has begun is this one too."""
        window = int(now // self.seconds)
        if self.window >= window:
            return self
        return Taken(self.seconds, window, 0, self.current if self.window == window - 1 else 0)

    def plus(self, more: int) -> Taken:
        """The same after taking this much more."""
        return Taken(self.seconds, self.window, self.current + more, self.before)

    def share(self, now: float) -> float:
        """How much of the window before still counts, 0 to 1."""
        return 1 - now % self.seconds / self.seconds

    def counted(self, now: float) -> int:
        """What counts at this moment, which lies in this window."""
        return self.current + int(self.before * self.share(now)) if self.before else self.current

    def wait(self, now: float, room: int) -> int:
        """Whole seconds until no more than `room` counts, if nothing else is taken; `room` is not negative."""
        past = now % self.seconds
        if self.current <= room:
            falls = 1 - (room + 1 - self.current) / self.before if self.before else 0.0
            return max(0, int(self.seconds * falls - past)) + 1
        return int(self.seconds - past + self.seconds * max(0.0, 1 - (room + 1) / self.current)) + 1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one viewer may take: cost in a minute, operations in an hour; None is any number."""

    cost: int | None = None
    requests: int | None = None

    def share(self, processes: int) -> Allowance:
        """What each of several processes gives that do not know of each other: together never more than this."""
        return Allowance(
            self.cost and max(1, self.cost // processes), self.requests and max(1, self.requests // processes)
        )


class Account(NamedTuple):
    """What one viewer took."""

    cost: Taken = Taken(60)
    requests: Taken = Taken(3_600)

    def at(self, now: float) -> Account:
        """The same at this moment."""
        cost, requests = self.cost.at(now), self.requests.at(now)
        return self if cost is self.cost and requests is self.requests else Account(cost, requests)

    def take(self, cost: int, requests: int) -> Account:
        """The same after taking this much more."""
        return Account(self.cost.plus(cost), self.requests.plus(requests))


class Verdict(NamedTuple):
    """An account after one operation was asked for, and the limit that refused it: `cost`, `requests` or none."""

    account: Account
    allowance: Allowance
    now: float
    over: str | None = None

    def left(self, name: str) -> int | None:
        """What is left of a limit; None where there is none."""
        limit: int | None = getattr(self.allowance, name)
        taken: Taken = getattr(self.account, name)
        return None if limit is None else max(0, limit - taken.counted(self.now))

    @property
    def said(self) -> dict[str, Any]:
        """What is left, for the extensions of a response."""
        said: dict[str, Any] = {}
        if self.allowance.cost is not None:
            said["cost"] = _left(self.account.cost, self.allowance.cost, self.now)
        if self.allowance.requests is not None:
            said["requests"] = _left(self.account.requests, self.allowance.requests, self.now)
        return said


def _left(taken: Taken, limit: int, now: float) -> dict[str, int]:
    return {"left": max(0, limit - taken.counted(now)), "limit": limit, "seconds": taken.seconds}


def judge(account: Account, allowance: Allowance, cost: int, now: float) -> Verdict:
    """Take one operation and its cost from an account.

    An operation that is one too many takes nothing. One that costs too much counts as an operation, so that
    asking over and over for what is refused comes to its end.
    """
    there = account.at(now)
    if there.requests.counted(now) + 1 > (allowance.requests or LIMITLESS):
        return Verdict(there, allowance, now, "requests")
    if there.cost.counted(now) + cost > (allowance.cost or LIMITLESS):
        return Verdict(there.take(0, 1), allowance, now, "cost")
    return Verdict(there.take(cost, 1), allowance, now)


class Till(Protocol):
    """Where it is counted what viewers take."""

    async def take(self, payer: str, cost: int) -> Verdict:
        """One more operation of a viewer, and what it costs."""


class OwnTill:
    """The till of one process: the last `viewers` that were seen, by a digest of who they are.

    So whoever is forgotten need not be looked for here. `now` is in seconds since 1970.
    """

    def __init__(self, allowance: Allowance, now: Callable[[], float], viewers: int = 10_000) -> None:
        self._allowance = allowance
        self._now = now
        self._accounts: Bounded[bytes, Account] = Bounded(viewers, viewers)

    async def take(self, payer: str, cost: int) -> Verdict:
        """One more operation of a viewer, and what it costs."""
        return self.take_now(payer, cost)

    def take_now(self, payer: str, cost: int) -> Verdict:
        """The same at once."""
        key = sha256(payer.encode()).digest()
        verdict = judge(self._accounts.get(key) or Account(), self._allowance, cost, self._now())
        self._accounts.keep(key, verdict.account)
        return verdict


async def spend(till: Till, payer: str, cost: int) -> Verdict:
    """Take one operation and its cost, and say what is left.

    Raises:
        Refused: 429, naming the limit, the value, and the seconds after which it would pass.
    """
    verdict = await till.take(payer, cost)
    refused = refusal_of(verdict, cost)
    if refused is not None:
        raise refused
    return verdict


def refusal_of(verdict: Verdict, cost: int) -> Refused | None:
    """Why a verdict does not let an operation of this cost pass, as `spend` raises it; None: it does."""
    if verdict.over is None:
        return None
    wanted = cost if verdict.over == "cost" else 1
    limit: int = getattr(verdict.allowance, verdict.over)
    taken: Taken = getattr(verdict.account, verdict.over)
    left = verdict.left(verdict.over)
    of = {"cost": f"This costs {cost}", "requests": "This is one operation"}[verdict.over]
    message = f"{of}, and {left} of {limit} in {taken.seconds} s are left: "
    extensions = {"limit": verdict.over, "allowed": limit, "left": left, "found": wanted}
    if wanted > limit:
        return Refused(429, [error("RATE_LIMITED", message + HINTS[verdict.over], **extensions)])
    wait = taken.wait(verdict.now, limit - wanted)
    problem = error("RATE_LIMITED", f"{message}again in {wait} s. {HINTS[verdict.over]}", retryAfter=wait, **extensions)
    return Refused(429, [problem], headers={"Retry-After": str(wait)})
