"""What happened between this process and one service, counted, for people who operate it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from datasources.breaker import Reading, State  # noqa: TC001  # the schema resolves these hints at run time
from datasources.declare import Count, Unit

WINDOW = 1000
"""How many of the latest calls the latencies speak of."""

Milliseconds = Annotated[float, Unit("milliseconds", digits=1)]


class Cause(StrEnum):
    """Why a service gave no fact."""

    TIMEOUT = "timeout"
    """It did not answer in time."""
    REFUSED = "refused"
    """It could not be reached, or answered with an error."""
    NONSENSE = "nonsense"
    """It answered what is no fact."""
    OPEN = "open"
    """It was not asked: its breaker was open."""
    NOT_CONFIGURED = "not configured"
    """It was not asked: no address is set for it."""


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How often one thing went wrong."""

    cause: Cause
    """What went wrong."""
    count: Count
    """How often, since the process started."""


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """How one service does, as this process sees it; counts are since the process started."""

    name: str
    """The service."""
    configured: bool
    """Whether this process knows where the service is."""
    state: State
    """What the circuit breaker lets through."""
    failures_in_a_row: Count
    """Calls that failed since the last one that did not."""
    openings: Count
    """How often the breaker opened."""
    probes_at: datetime | None
    """When the breaker lets the next probe through; null while it is closed."""
    calls: Count
    """Calls made, each retry counted."""
    errors: tuple[ErrorCount, ...]
    """What went wrong, per cause; a call that an open breaker held back counts as well."""
    last_known: Count
    """Facts answered with what the service last said."""
    mocks: Count
    """Facts answered with a mock."""
    last_known_failures: Count
    """How often the last known facts could not be read or kept."""
    latency_p50: Milliseconds | None
    """Half of the latest calls took at most this long; null before the first call."""
    latency_p95: Milliseconds | None
    """Nineteen of twenty of the latest calls took at most this long; null before the first call."""
    last_error: Cause | None
    """What went wrong last."""
    last_error_at: datetime | None
    """When that was."""


class Tally:
    """The running counts of one service."""

    def __init__(self) -> None:
        self.calls = 0
        self.last_known = 0
        self.mocks = 0
        self.last_known_failures = 0
        self._errors: Counter[Cause] = Counter()
        self._seconds: deque[float] = deque(maxlen=WINDOW)
        self._last_error: tuple[Cause, datetime] | None = None

    def called(self, seconds: float) -> None:
        """One call, and how long it took, whatever came of it."""
        self.calls += 1
        self._seconds.append(seconds)

    def failed(self, cause: Cause, at: datetime, count: int = 1) -> None:
        """Something went wrong."""
        self._errors[cause] += count
        self._last_error = cause, at

    def report(
        self, name: str, *, configured: bool, breaker: Reading, probes_in: float, now: datetime
    ) -> ServiceReport:
        """The counts so far; `probes_in` is how many seconds remain until the breaker's next probe."""
        ordered = sorted(self._seconds)
        last, last_at = self._last_error or (None, None)
        return ServiceReport(
            name=name,
            configured=configured,
            state=breaker.state,
            failures_in_a_row=breaker.failures_in_a_row,
            openings=breaker.openings,
            probes_at=None if breaker.probes_at is None else now + timedelta(seconds=max(0.0, probes_in)),
            calls=self.calls,
            errors=tuple(ErrorCount(cause, self._errors[cause]) for cause in Cause if self._errors[cause]),
            last_known=self.last_known,
            mocks=self.mocks,
            last_known_failures=self.last_known_failures,
            latency_p50=_nearest_rank(ordered, 0.50),
            latency_p95=_nearest_rank(ordered, 0.95),
            last_error=last,
            last_error_at=last_at,
        )


def _nearest_rank(ordered: list[float], share: float) -> float | None:
    """The smallest time that this share of the calls did not exceed, in milliseconds."""
    if not ordered:
        return None
    rank = -int(-share * len(ordered) // 1)
    return 1000 * ordered[max(0, rank - 1)]
