"""Counts and durations for Prometheus, by kind of operation and status, never by person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
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


class _Counted(Collector):
    """What this process counts by itself, and numbers that were counted elsewhere."""

    def __init__(self, own: CollectorRegistry, counts: Iterable[Count], process: str) -> None:
        self._own = own
        self._counts = counts
        self._process = process

    def collect(self) -> Iterable[Metric]:
        """The numbers as they stand."""
        yield from self._own.collect()
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for one in self._counts:
            labels = one.labels if one.shared else {**one.labels, "process": self._process}
            kind = GaugeMetricFamily if one.falls else CounterMetricFamily
            if one.name not in families:
                families[one.name] = kind(one.name, one.says, labels=tuple(labels))
            families[one.name].add_metric(tuple(labels.values()), one.number)
        yield from families.values()


class Metrics:
    """What one process counted, and the ASGI application behind `/metrics` that says it.

    A scrape reaches one process; its series carry `process`, so that those of several are never mixed up.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._registry = CollectorRegistry()
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "gateway_requests", "Requests answered.", ("kind", "status", "process"), registry=self._registry
        )
        self._seconds = Histogram(
            "gateway_request_seconds",
            "Seconds until the answer was whole.",
            ("kind", "process"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._operations = Counter(
            "gateway_socket_operations",
            "Operations over websockets that are over; the code of one that went well is OK.",
            ("kind", "code", "process"),
            registry=self._registry,
        )
        self._watched: list[Watched] = []

    def watch(self, counts: Watched) -> None:
        """Have what somebody else counts said as well, as it stands whenever somebody asks.

        What a database that does not answer, or not in time, would have to tell is left out.
        """
        self._watched.append(counts)

    def operated(self, kind: str, code: str, _seconds: float) -> None:
        """Count one operation of a websocket: how long it was open says nothing about us."""
        self._operations.labels(kind, code, self._process).inc()

    def observe(self, kind: str, status: int, seconds: float) -> None:
        """Count one request: `query`, `mutation`, `batch` or `other`."""
        series = self._series.get((kind, status))
        if series is None:
            # Finding a series costs three times as much as counting in it, and there are only a few.
            counted = self._requests.labels(kind, str(status), self._process)
            series = self._series[kind, status] = counted, self._seconds.labels(kind, self._process)
        series[0].inc()
        series[1].observe(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say everything that was counted."""
        counts = [one for told in await asyncio.gather(*map(_look, self._watched)) for one in told]
        response = Response(
            generate_latest(_Counted(self._registry, counts, self._process)),
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
