"""How many connections may stay open: in all, and for one payer, so that nobody takes the others' places."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.refusal import Refused, error

if TYPE_CHECKING:
    from collections.abc import Iterator


class Seats:
    """The places of one process."""

    def __init__(self, *, total: int = 1_000, each: int = 20) -> None:
        self._total = total
        self._each = each
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return self._taken.total()

    @contextmanager
    def take(self, payer: str) -> Iterator[None]:
        """Hold a place while the context is open.

        Raises:
            Refused: 429 or 503, the payer or the process has no place left.
        """
        if self._taken[payer] >= self._each:
            message = f"You have {self._each} open streams already, which is the most: close one first."
            raise self._refused(429, message, self._each)
        if self.taken >= self._total:
            message = f"All {self._total} places for streams are taken here: try again soon."
            raise self._refused(503, message, self._total)
        self._taken[payer] += 1
        try:
            yield
        finally:
            self._taken[payer] -= 1
            if not self._taken[payer]:
                del self._taken[payer]

    @staticmethod
    def _refused(status: int, message: str, allowed: int) -> Refused:
        problem = error("TOO_MANY_STREAMS", message, limit="streams", allowed=allowed, found=allowed + 1)
        return Refused(status, [problem], headers={"Retry-After": "10"})
