"""The outer world of a test: services that answer as told, a store of last known facts, a clock that is set."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from datasources.catalog import SERVICES
from datasources.fetch import Facts, Services
from datasources.mock import mock
from datasources.packed import ROOM
from datasources.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from datasources.declare import Endpoint

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TENANT = "acme"
URLS = {service.name: f"http://{service.name}.test" for service in SERVICES}


def payload(endpoint: Endpoint, key: str) -> Any:
    """What a service could say of an id, as plain JSON."""
    return json.loads(wire_of(endpoint.fact).text(mock(endpoint.fact, "some", key, AT)))


def asked(request: httpx.Request) -> list[str]:
    """The ids in a call to a batch twin."""
    return list(json.loads(request.content)["ids"])


class Shelf:
    """Last known facts in a dict; `fails` makes it a database that is down."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], tuple[str, datetime]] = {}
        self.reads = 0
        self.keeps = 0
        self.fails = False

    async def read(
        self, organization: str, endpoint: str, ids: Sequence[str], not_before: datetime
    ) -> Mapping[str, tuple[str, datetime]]:
        self.reads += 1
        if self.fails:
            raise ConnectionError
        found = {
            key: self.rows[organization, endpoint, key] for key in ids if (organization, endpoint, key) in self.rows
        }
        return {key: row for key, row in found.items() if row[1] >= not_before}

    async def keep(self, organization: str, rows: Sequence[tuple[str, str, str, datetime]]) -> None:
        self.keeps += 1
        if self.fails:
            raise ConnectionError
        for endpoint, key, text, seen_at in rows:
            self.rows[organization, endpoint, key] = text, seen_at


class World:
    """Everything outside the process. `answer` is what every service does with a request."""

    def __init__(
        self,
        answer: Callable[[httpx.Request], Any],
        *,
        mocks: bool = True,
        urls: Mapping[str, str] = URLS,
        room: int = ROOM,
    ) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.seconds = 0.0
        self.under_way = 0
        self.most_under_way = 0
        self.shelf = Shelf()
        self.services = Services(
            urls,
            token="service-token",
            last_known=self.shelf,
            mocks=mocks,
            now=lambda: AT + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            rng=random.Random(7),
            sleep=self._wait,
            transport=httpx.MockTransport(self._serve),
            room=room,
        )

    def facts(self, *, within: float = 60.0, organization: str = TENANT, request_id: str | None = None) -> Facts:
        deadline = asyncio.get_running_loop().time() + within
        return self.services.facts(organization, at=AT, deadline=deadline, request_id=request_id)

    def errors(self, service: str) -> dict[str, int]:
        report = next(report for report in self.services.report() if report.name == service)
        return {error.cause.value: error.count for error in report.errors}

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            answer = self.answer(request)
            return await answer if asyncio.iscoroutine(answer) else answer
        finally:
            self.under_way -= 1


def knows_everything(endpoint: Endpoint) -> Callable[[httpx.Request], httpx.Response]:
    """A service that has a payload for every id of one endpoint."""

    def answer(request: httpx.Request) -> httpx.Response:
        if endpoint.batched:
            return httpx.Response(
                200, json={"items": {key: payload(endpoint, key) for key in asked(request)}, "missing": []}
            )
        return httpx.Response(200, json=payload(endpoint, "any"))

    return answer
