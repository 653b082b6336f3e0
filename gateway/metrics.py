"""Counts and durations for Prometheus, by kind of operation and status, never by person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.core import Metric
    from starlette.types import Receive, Scope, Send

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Count:
    """One number that somebody counts: `label` tells those of a name apart; one that `falls` may get smaller."""

    name: str
    says: str
    label: str
    number: float
    falls: bool = False


class _Counts(Collector):
    """Numbers that are counted elsewhere."""

    def __init__(self, counts: Callable[[], Iterable[Count]], process: str) -> None:
        self._counts = counts
        self._process = process

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: otherwise the numbers would be asked for while they are made."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The numbers as they stand."""
        families: dict[str, Metric] = {}
        for one in self._counts():
            kind = GaugeMetricFamily if one.falls else CounterMetricFamily
            family = families.setdefault(one.name, kind(one.name, one.says, labels=("of", "process")))
            family.add_metric((one.label, self._process), one.number)  # type: ignore[attr-defined]  # of both kinds
        return families.values()


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

    def observe(self, kind: str, status: int, seconds: float) -> None:
        """Count one request: `query`, `mutation`, `batch` or `other`."""
        series = self._series.get((kind, status))
        if series is None:
            # Finding a series costs three times as much as counting in it, and there are only a few.
            counted = self._requests.labels(kind, str(status), self._process)
            series = self._series[kind, status] = counted, self._seconds.labels(kind, self._process)
        series[0].inc()
        series[1].observe(seconds)

    def watch(self, counts: Callable[[], Iterable[Count]]) -> None:
        """Have what somebody else counts said as well, as it stands whenever somebody asks."""
        self._registry.register(_Counts(counts, self._process))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say everything that was counted."""
        response = Response(
            generate_latest(self._registry), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST
        )
        await response(scope, receive, send)
