"""Counts and durations for Prometheus, by kind of operation and status, never by person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What one process counted, and the ASGI application behind `/metrics` that says it.

    A scrape reaches one process; its series carry `process`, so that those of several are never mixed up.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._registry = CollectorRegistry()
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
        self._requests.labels(kind, str(status), self._process).inc()
        self._seconds.labels(kind, self._process).observe(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say everything that was counted."""
        response = Response(
            generate_latest(self._registry), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST
        )
        await response(scope, receive, send)
