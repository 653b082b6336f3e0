"""Counts and durations for Prometheus, by kind of operation and status, never by person."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from starlette.types import Receive, Scope, Send

LOG = structlog.get_logger(__name__)
PATIENCE = 1.0
"""Seconds that a scrape waits for numbers that are looked up."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Count:
    """One number that is counted elsewhere: its `labels` tell those of a name apart; one that `falls` may get smaller.

    Every count of a name has the same labels. The process is one of them, unless the number is `shared` by all.
    """

    name: str
    says: str
    number: float
    labels: Mapping[str, str] = field(default_factory=dict)
    falls: bool = False
    shared: bool = False


Watched: TypeAlias = Callable[[], Awaitable[Iterable[Count]]]


class _Requests(Collector):
    """Requests and how long they took. Plain numbers, since one loop counts: locks took longer than counting."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))

    def add(self, kind: str, status: str, seconds: float) -> None:
        """Count one request."""
        self._counts[kind, status] += 1
        self._seconds[kind] += seconds
        self._buckets[kind][bisect_left(BUCKETS, seconds)] += 1

    def collect(self) -> Iterable[Metric]:
        """The numbers as they stand."""
        counts = CounterMetricFamily("gateway_requests", "Requests answered.", labels=("kind", "status", "process"))
        for (kind, status), number in self._counts.items():
            counts.add_metric((kind, status, self._process), number)
        says = "Seconds until the answer was whole."
        took = HistogramMetricFamily("gateway_request_seconds", says, labels=("kind", "process"))
        for kind, each in self._buckets.items():
            until = [*map(str, BUCKETS), "+Inf"]
            took.add_metric((kind, self._process), list(zip(until, accumulate(each), strict=True)), self._seconds[kind])
        return counts, took


class _Told(Collector):
    """Numbers that were counted elsewhere."""

    def __init__(self, counts: Iterable[Count], process: str) -> None:
        self._counts = counts
        self._process = process

    def collect(self) -> Iterable[Metric]:
        """The numbers as they stand."""
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for one in self._counts:
            labels = one.labels if one.shared else {**one.labels, "process": self._process}
            kind = GaugeMetricFamily if one.falls else CounterMetricFamily
            if one.name not in families:
                families[one.name] = kind(one.name, one.says, labels=tuple(labels))
            families[one.name].add_metric(tuple(labels.values()), one.number)
        return families.values()


class Metrics:
    """What one process counted, and the ASGI application behind `/metrics` that says it.

    A scrape reaches one process; its series carry `process`, so that those of several are never mixed up. Belongs to
    one event loop.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._requests = _Requests(process)
        self._operations: Counter[tuple[str, str]] = Counter()
        self._watched: list[Watched] = []

    def watch(self, counts: Watched) -> None:
        """Have what somebody else counts said as well, as it stands whenever somebody asks.

        What a database that does not answer, or not in time, would have to tell is left out.
        """
        self._watched.append(counts)

    def operated(self, kind: str, code: str, _seconds: float) -> None:
        """Count one operation of a websocket: how long it was open says nothing about us."""
        self._operations[kind, code] += 1

    def observe(self, kind: str, status: int, seconds: float) -> None:
        """Count one request: `query`, `mutation`, `batch` or `other`."""
        self._requests.add(kind, str(status), seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say everything that was counted."""
        says = "Operations over websockets that are over; the code of one that went well is OK."
        counts = [
            Count("gateway_socket_operations", says, number, {"kind": kind, "code": code})
            for (kind, code), number in self._operations.items()
        ]
        counts += [one for told in await asyncio.gather(*map(_look, self._watched)) for one in told]
        registry = CollectorRegistry()
        registry.register(self._requests)
        registry.register(_Told(counts, self._process))
        response = Response(
            generate_latest(registry),
            headers={"Cache-Control": "no-store"},
            media_type=CONTENT_TYPE_LATEST,
        )
        await response(scope, receive, send)


async def _look(counts: Watched) -> Iterable[Count]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await counts()
    except UNAVAILABLE as problem:
        LOG.warning("metrics.not_counted", error=type(problem).__name__)
        return ()
