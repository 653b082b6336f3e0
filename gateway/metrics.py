"""Counts and durations for Prometheus, by kind of operation and status, never by person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

LOG = structlog.get_logger(__name__)
PATIENCE = 1.0
"""Seconds that a scrape waits for the length of the queue."""

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
        self._operations = Counter(
            "gateway_socket_operations",
            "Operations over websockets that are over; the code of one that went well is OK.",
            ("kind", "code", "process"),
            registry=self._registry,
        )
        self._streams = Gauge(
            "gateway_open_streams", "Streams and websockets that are open.", ("process",), registry=self._registry
        )
        self._queue = Gauge(
            "gateway_queue_deliveries",
            "Jobs in the queue, of all processes: queued is due or put off, picked is at work.",
            ("status",),
            registry=self._registry,
        )
        self._lengths: Callable[[], Awaitable[Mapping[str, int]]] | None = None

    def watch(self, *, streams: Callable[[], int], queue: Callable[[], Awaitable[Mapping[str, int]]]) -> None:
        """Say, whenever asked, how many streams are open, and how long the queue is by the status of a delivery."""
        self._streams.labels(self._process).set_function(streams)
        self._lengths = queue

    def operated(self, kind: str, code: str, _seconds: float) -> None:
        """Count one operation of a websocket: how long it was open says nothing about us."""
        self._operations.labels(kind, code, self._process).inc()

    def observe(self, kind: str, status: int, seconds: float) -> None:
        """Count one request: `query`, `mutation`, `batch` or `other`."""
        self._requests.labels(kind, str(status), self._process).inc()
        self._seconds.labels(kind, self._process).observe(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say everything that was counted."""
        await self._look()
        response = Response(
            generate_latest(self._registry), headers={"Cache-Control": "no-store"}, media_type=CONTENT_TYPE_LATEST
        )
        await response(scope, receive, send)

    async def _look(self) -> None:
        """Ask how long the queue is; while the database does not answer there is no such series."""
        self._queue.clear()
        if self._lengths is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for status, number in (await self._lengths()).items():
                    self._queue.labels(status).set(number)
        except UNAVAILABLE as problem:
            LOG.warning("metrics.no_queue", error=type(problem).__name__)
