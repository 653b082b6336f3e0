"""How many requests one viewer may send: a bucket that fills steadily and is emptied by asking.

Each process has its own buckets, so with n workers a viewer has up to n times the budget; a limit that must
hold exactly belongs in the database.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from gateway.bounded import Bounded
from gateway.refusal import Refused, error

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """At most `burst` requests at once and `per_second` in the long run, for each of the last `viewers` seen."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float], viewers: int = 10_000) -> None:
        self._rate = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: Bounded[str, tuple[float, float]] = Bounded(viewers, viewers)

    def spend(self, viewer: str) -> None:
        """Take one request out of a viewer's bucket.

        Raises:
            Refused: 429, with the seconds after which there is one again.
        """
        now = self._clock()
        level, then = self._buckets.get(viewer) or (float(self._burst), now)
        level = min(self._burst, level + (now - then) * self._rate)
        if level < 1:
            wait = ceil((1 - level) / self._rate)
            problem = error("RATE_LIMITED", f"Too many requests: again in {wait} s.", retryAfter=wait)
            raise Refused(429, [problem], headers={"Retry-After": str(wait)})
        self._buckets.keep(viewer, (level - 1, now))
