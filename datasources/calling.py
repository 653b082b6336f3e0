"""Actions of a service: sent once and never again, because it may have been done, and bounded like every call."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from datasources.breaker import Circuit
from datasources.catalog import SERVICES
from datasources.exchange import CallError, Line, Query, SourceError, clients
from datasources.report import Cause
from datasources.wire import Batch, wire_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from datasources.declare import Call, Service
    from datasources.remote import Surroundings

AT_ONCE = 20
"""Connections to one service."""

MOST_WAITING = 100
"""The most calls that are under way, or wait to be."""

SAYS_NO = frozenset({400, 401, 403, 422})
"""What a service answers to somebody whom it refuses; any other error says that it cannot judge."""


class Declined(Exception):  # noqa: N818 - it is a verdict of the service, and reads as one
    """The service said no, and would again."""


class Calls:
    """The actions of one service."""

    def __init__(self, service: Service, client: httpx.AsyncClient, surroundings: Surroundings) -> None:
        self._service = service
        self._client = client
        # How long a call may take, the call itself says.
        self._line = Line(service.name, client, math.inf, surroundings.now)
        self._monotonic = surroundings.monotonic
        self._circuit = Circuit(service.breaker, surroundings.rng)
        self._under_way = 0

    async def do(self, call: Call, ask: Any, headers: Mapping[str, str] | None = None) -> Any:
        """What the service answers to `ask`, which is of the type that the call asks with.

        Raises:
            Declined: the service refuses it.
            SourceError: it gave no answer of use within its time, or is not asked just now.
        """
        ticket = self._circuit.admit(self._monotonic()) if self._under_way < MOST_WAITING else None
        if ticket is None:
            raise SourceError(self._service.name, Cause.OPEN)
        until = asyncio.get_running_loop().time() + (call.timeout or self._service.timeout).total_seconds()
        self._under_way += 1
        blame: bool | None = None
        try:
            batch = await self._line.exchange(_query(call, ask), headers or {}, until)
            blame = False
            return batch.facts[""]
        except CallError as error:
            blame = error.blame
            if error.status in SAYS_NO:
                raise Declined from error
            raise
        finally:
            self._under_way -= 1
            self._settle(ticket, blame)

    @property
    def rests(self) -> timedelta:
        """How long the service is left alone from now on; none while it is asked."""
        now = self._monotonic()
        return timedelta(seconds=max(0.0, (self._circuit.read(now).probes_at or now) - now))

    def reset(self) -> None:
        """Close the breaker."""
        self._circuit.reset()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _settle(self, ticket: Any, blame: bool | None) -> None:  # noqa: FBT001 - three outcomes, as a call has them
        if blame is None:
            self._circuit.abandoned(ticket)
        elif blame:
            self._circuit.failed(ticket, self._monotonic())
        else:
            self._circuit.passed(ticket)


def callers(
    urls: Mapping[str, str],
    token: str | None,
    transport: httpx.AsyncBaseTransport | None,
    surroundings: Surroundings,
) -> dict[str, Calls]:
    """The actions of every service that has some, and an address, by its name."""
    client = clients(token, transport, AT_ONCE)
    return {
        service.name: Calls(service, client(urls[service.name]), surroundings)
        for service in SERVICES
        if service.calls and service.name in urls
    }


def _query(call: Call, ask: Any) -> Query:
    wire = wire_of(call.answer)
    return Query("POST", call.path, json.loads(wire_of(call.ask).text(ask)), lambda body: Batch({"": wire.one(body)}))
