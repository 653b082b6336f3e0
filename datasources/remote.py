"""One service over HTTP, for the life of the process: bounded, retried, behind its breaker, counted.

Reads only: whatever is sent here may be sent again.
"""

from __future__ import annotations

import asyncio
import functools
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from datasources.breaker import Circuit, State
from datasources.exchange import CallError, Line, Query, SourceError, query_of
from datasources.report import Cause, ServiceReport, Tally
from datasources.wire import Batch

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from datasources.declare import Endpoint, Service

AT_ONCE = 8
"""Calls to one service that are under way at a time; further ones wait for their turn."""

_FIRST_WAIT = 0.1
_PROBE_PATIENCE = 0.25


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and chance, given by whoever starts the process; `monotonic` is in seconds."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    rng: random.Random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Remote:
    """One service. Without a client (the service has no address) nothing is ever called."""

    def __init__(self, service: Service, client: httpx.AsyncClient | None, surroundings: Surroundings) -> None:
        self.service = service
        self.tally = Tally()
        # Half of the whole for one call, so that a call that got lost leaves time for another.
        patience = service.timeout.total_seconds() / 2
        self._line = None if client is None else Line(service.name, client, patience, surroundings.now)
        self._here = surroundings
        self._circuit = Circuit(service.breaker, surroundings.rng)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._probe: asyncio.Event | None = None

    async def read(
        self, endpoint: Endpoint, ids: Sequence[str], deadline: float, headers: Mapping[str, str]
    ) -> Batch[Any]:
        """What the service says of these ids (distinct), by the event loop's time `deadline`; never raises.

        Spoiled are the ids for which there was no answer, or a nonsensical one.
        """
        until = min(deadline, asyncio.get_running_loop().time() + self.service.timeout.total_seconds())
        size = endpoint.at_most if endpoint.batched else 1
        groups = [ids[start : start + size] for start in range(0, len(ids), size)]
        parts = await asyncio.gather(
            *(self._group(query_of(endpoint, group), group, until, headers) for group in groups)
        )
        return Batch(
            {key: fact for part in parts for key, fact in part.facts.items()},
            frozenset().union(*(part.missing for part in parts)),
            frozenset().union(*(part.spoiled for part in parts)),
            sum(part.size for part in parts),
        )

    async def ping(self, deadline: float) -> Cause | None:
        """Why the service cannot be reached, or None: it answers. Neither retried, nor counted, nor held back."""
        if self._line is None:
            return Cause.NOT_CONFIGURED
        try:
            async with asyncio.timeout_at(deadline):
                client = self._line.client
                response = await client.send(client.build_request("GET", "/"), stream=True)
                await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            return Cause.TIMEOUT
        except httpx.HTTPError:
            return Cause.REFUSED
        return Cause.REFUSED if response.is_server_error else None

    def report(self) -> ServiceReport:
        """How the service does."""
        clock = self._here.monotonic()
        reading = self._circuit.read(clock)
        return self.tally.report(
            self.service.name,
            configured=self._line is not None,
            breaker=reading,
            probes_in=(reading.probes_at or clock) - clock,
            now=self._here.now(),
        )

    def reset(self) -> None:
        """Close the breaker."""
        self._circuit.reset()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._line is not None:
            await self._line.client.aclose()

    async def _group(self, query: Query, ids: Sequence[str], until: float, headers: Mapping[str, str]) -> Batch[Any]:
        retrying = AsyncRetrying(
            sleep=self._here.sleep,
            retry=retry_if_exception(lambda error: isinstance(error, CallError) and error.again_in is not None),
            wait=self._wait,
            stop=functools.partial(self._enough, until),
            reraise=True,
        )
        try:
            return await retrying(self._attempt, query, until, headers)
        except SourceError:
            return Batch(spoiled=frozenset(ids))

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        least = error.again_in or 0.0 if isinstance(error, CallError) else 0.0
        return max(least, _FIRST_WAIT * 2.0 ** (state.attempt_number - 1) * self._here.rng.uniform(0.5, 1.5))

    def _enough(self, until: float, state: RetryCallState) -> bool:
        return (
            state.attempt_number >= self.service.attempts
            or not self._circuit.willing(self._here.monotonic())
            or asyncio.get_running_loop().time() + state.upcoming_sleep >= until
        )

    async def _attempt(self, query: Query, until: float, headers: Mapping[str, str]) -> Batch[Any]:
        try:
            batch = await self._behind_breaker(query, until, headers)
        except CallError as error:
            self.tally.failed(error.cause, self._here.now())
            raise
        if batch.spoiled:
            self.tally.failed(Cause.NONSENSE, self._here.now(), len(batch.spoiled))
        return batch

    async def _behind_breaker(self, query: Query, until: float, headers: Mapping[str, str]) -> Batch[Any]:
        """One call, when there is an address, a closed breaker and a free place; its outcome is told to the breaker."""
        if self._line is None:
            raise CallError(self.service.name, Cause.NOT_CONFIGURED, blame=None)
        if not await self._willing(until):
            raise CallError(self.service.name, Cause.OPEN, blame=None)
        async with self._place(until):
            half_open = self._circuit.read(self._here.monotonic()).state is State.HALF_OPEN
            ticket = self._circuit.admit(self._here.monotonic())
            if ticket is None:
                raise CallError(self.service.name, Cause.OPEN, blame=None)
            probe = self._probe = asyncio.Event() if half_open else None
            began = self._here.monotonic()
            blame: bool | None = None
            try:
                batch = await self._line.exchange(query, headers, until)
                blame = False
            except CallError as error:
                blame = error.blame
                raise
            finally:
                ended = self._here.monotonic()
                self.tally.called(ended - began)
                if blame is None:
                    self._circuit.abandoned(ticket)
                elif blame:
                    self._circuit.failed(ticket, ended)
                else:
                    self._circuit.passed(ticket)
                if probe is not None:
                    probe.set()
        return batch

    async def _willing(self, until: float) -> bool:
        """Whether the breaker lets a call through; a probe that is under way is waited for, but not for long.

        What is asked beside the probe belongs to the same dashboard: half of it real and half of it not helps nobody.
        """
        if not self._circuit.willing(self._here.monotonic()) and self._probe is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + _PROBE_PATIENCE)):
                    await self._probe.wait()
        return self._circuit.willing(self._here.monotonic())

    @asynccontextmanager
    async def _place(self, until: float) -> AsyncIterator[None]:
        """A place among the calls under way. Waiting in vain says that we ask much, not that the service is ill."""
        late = CallError(self.service.name, Cause.TIMEOUT, blame=None)
        try:
            async with asyncio.timeout_at(until):
                await self._slots.acquire()
        except TimeoutError as error:
            raise late from error
        try:
            # A free place is had without waiting, and who does not wait is not timed out.
            if asyncio.get_running_loop().time() >= until:
                raise late
            yield
        finally:
            self._slots.release()
