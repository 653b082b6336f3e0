"""Facts from services: live, else what was last known, else a mock; each marked as what it is.

`Services` lives as long as the process, `Facts` as long as one request.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from aiodataloader import DataLoader

from datasources.catalog import SERVICES, SOURCES
from datasources.declare import Endpoint, Origin
from datasources.exchange import SourceError, clients
from datasources.last_known import LastKnown
from datasources.mock import mock
from datasources.packed import ROOM, Room, pack
from datasources.remote import AT_ONCE, Remote, Surroundings
from datasources.report import Cause, ServiceReport
from datasources.wire import NonsenseError, wire_of

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import httpx

__all__ = ["Cause", "Facts", "Fetched", "LastKnown", "ServiceReport", "Services", "SourceError"]

F = TypeVar("F")

STILL_KNOWN = timedelta(hours=24)
"""How long what a service said may stand in for what it would say now."""

FOR_EVERYONE = timedelta(minutes=10)
"""How long a process remembers a fact that is about nobody in particular, like what the market asks for."""

KEPT_AT_ONCE = 100
"""How many facts are turned into text, and kept, at a time."""

_PATIENCE = 1.0
_LONGEST_ID = 100
_EVERYONE = "market"


@dataclass(frozen=True, slots=True)
class Fetched(Generic[F]):
    """A fact and where it comes from.

    LIVE without a fact: the service answered and knows no such id. No origin: nothing live, nothing
    last known, and no mock was wanted. `seen_at` is when the service said it.
    """

    fact: F | None
    origin: Origin | None
    service: str
    seen_at: datetime | None


class Services:
    """The nine services, as this process reaches them; `urls` says where, by name. Belongs to one event loop.

    `leisure` is how many times as long as declared a call may take, where nobody waits for it. `room` is how many
    bytes of answers about groups are held read, by all requests together.

    Raises:
        ValueError: a URL for a service that nobody declared.
    """

    def __init__(  # noqa: PLR0913  # the whole outer world arrives here, and only here
        self,
        urls: Mapping[str, str],
        *,
        token: str | None,
        last_known: LastKnown,
        mocks: bool,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        leisure: float = 1.0,
        room: int = ROOM,
    ) -> None:
        if unknown := urls.keys() - {service.name for service in SERVICES}:
            msg = f"no such service: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        here = Surroundings(now, monotonic, rng, sleep)
        client = clients(token, transport, AT_ONCE)
        self.now = now
        self.last_known = last_known
        self.mocks = mocks
        self.room = Room(room)
        self.about_everyone: dict[type[Any], Fetched[Any]] = {}
        self.remotes = {
            service.name: Remote(service, client(urls[service.name]) if service.name in urls else None, here)
            for service in (replace(one, timeout=one.timeout * leisure) for one in SERVICES)
        }
        for fact_type in SOURCES:
            wire_of(fact_type)

    def facts(self, organization: str, *, at: datetime, deadline: float, request_id: str | None = None) -> Facts:
        """The facts of one request on behalf of one organization; no service is waited for after `deadline`.

        `at` is the platform's clock, `deadline` a time of the event loop.
        """
        return Facts(self, organization, at, deadline, request_id)

    def report(self) -> list[ServiceReport]:
        """How each service does, in the order of the catalog."""
        return [remote.report() for remote in self.remotes.values()]

    def reset(self, service: str) -> None:
        """Close a service's breaker. Raises KeyError when there is no such service."""
        self.remotes[service].reset()

    async def ping(self, deadline: float) -> dict[str, Cause | None]:
        """For each service why it cannot be reached, or None: it answers, whatever it says."""
        causes = await asyncio.gather(*(remote.ping(deadline) for remote in self.remotes.values()))
        return dict(zip(self.remotes, causes, strict=True))

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(remote.aclose() for remote in self.remotes.values()))


class Facts:
    """One loader per endpoint, for one request: what is asked in one tick is one batch, and nothing is asked twice."""

    def __init__(  # the whole outer world arrives here, and only here
        self, services: Services, organization: str, at: datetime, deadline: float, request_id: str | None
    ) -> None:
        self._services = services
        self._organization = organization
        self._at = at
        self._deadline = deadline
        # A name that is no header would look like a fault of the service.
        sendable = request_id is not None and request_id.isascii() and request_id.isprintable()
        self._headers: dict[str, str] = {"X-Request-Id": request_id or ""} if sendable else {}
        self._loaders: dict[tuple[type[Any], bool], DataLoader[str, Fetched[Any]]] = {}
        self._loaded: dict[type[Any], dict[str, asyncio.Future[Fetched[Any]]]] = {}
        self._mocks: dict[tuple[type[Any], str], Fetched[Any]] = {}
        self._live: list[tuple[type[Any], str, Any, datetime]] = []
        self._taken = 0

    async def load(self, fact_type: type[F], key: str, *, mock: bool = True) -> Fetched[F]:
        """The fact of one id; a mock when there is none, `mock` is true and the process serves mocks. Never raises."""
        return (await self.load_many(fact_type, (key,), mock=mock))[key]

    async def load_many(self, fact_type: type[F], keys: Sequence[str], *, mock: bool = False) -> dict[str, Fetched[F]]:
        """The facts of many ids, in their order, each once. Never raises; a cancelled caller cancels nobody else."""
        loader = self._loader(fact_type)
        everyone = _is_about_everyone(SOURCES[fact_type][1])
        waiting = {key: loader.load(_EVERYONE if everyone else key) for key in keys}
        answers = {}
        for key, future in waiting.items():
            fetched = await _result(future)
            if isinstance(fetched.fact, bytes):
                # Held read from now on: who asks for one asks for it often.
                fetched = replace(fetched, fact=wire_of(fact_type).unpacked(fetched.fact))
                loader.clear(key).prime(key, fetched)
            answers[key] = self._mocked(fact_type, key, fetched) if mock and fetched.origin is None else fetched
        return answers

    async def load_packed(self, fact_type: type[F], keys: Sequence[str]) -> dict[str, Fetched[F | bytes]]:
        """The facts of as many ids as there are; else as `load_many` without mocks.

        They are packed (`datasources.packed`), but for those that there is room to hold read; of the others no more
        are held read at any time than of eight calls. None is about the market.
        """
        loader = self._loader(fact_type, packed=True)
        waiting = {key: loader.load(key) for key in keys}
        return {key: await _result(future) for key, future in waiting.items()}

    async def keep(self) -> None:
        """Keep what services said since the last call, for the day they do not; never raises."""
        live, self._live = self._live, []
        for start in range(0, len(live), KEPT_AT_ONCE):
            # What is said of thousands is not also held as text, all of it at once.
            some = live[start : start + KEPT_AT_ONCE]
            rows = await asyncio.to_thread(_rows, some)
            try:
                await self._services.last_known.keep(self._organization, rows)
            except Exception:  # noqa: BLE001  # whatever ails the store, a fallback must not fail; it is counted
                for name in {SOURCES[fact_type][0].name for fact_type, *_ in some}:
                    self._services.remotes[name].tally.last_known_failures += 1

    def let_go(self) -> None:
        """Hold nothing of what was read: loaders and facts hold each other until somebody looks for cycles."""
        self._loaders, self._loaded = {}, {}
        self._services.room.give(self._taken)
        self._taken = 0

    # Whoever never came to its end gives its room back all the same.
    __del__ = let_go

    def _loader(self, fact_type: type[Any], *, packed: bool = False) -> DataLoader[str, Fetched[Any]]:
        """What loads a fact, for one or for all; nothing that either has loaded is asked again by the other."""
        if (fact_type, packed) not in self._loaders:
            # A further batch begins when one is packed: what is held as it was said does not grow with the ids.
            places = asyncio.Semaphore(AT_ONCE) if packed else nullcontext()

            async def batch(keys: list[str]) -> list[Fetched[Any]]:
                async with places:
                    return await self._fetch(fact_type, keys, packed=packed)

            most = SOURCES[fact_type][1].at_most if packed else None
            cache = self._loaded.setdefault(fact_type, {})
            self._loaders[fact_type, packed] = DataLoader(batch, max_batch_size=most, cache_map=cache)
        return self._loaders[fact_type, packed]

    async def _fetch(self, fact_type: type[Any], keys: Sequence[str], *, packed: bool) -> list[Fetched[Any]]:
        service, endpoint = SOURCES[fact_type]
        remembered = self._services.about_everyone.get(fact_type)
        if remembered is not None and cast("datetime", remembered.seen_at) > self._services.now() - FOR_EVERYONE:
            return [remembered] * len(keys)
        askable = [key for key in keys if _askable(key)]
        batch = await self._services.remotes[service.name].read(endpoint, askable, self._deadline, self._headers)
        seen_at = self._services.now()
        whole = not packed or self._services.room.take(batch.size)
        self._taken += batch.size * (packed and whole)
        facts = batch.facts if whole else await asyncio.to_thread(_all_packed, fact_type, batch.facts)
        self._live.extend((fact_type, key, fact, seen_at) for key, fact in facts.items())
        known = await self._last_known(fact_type, list(batch.spoiled), packed=packed) if batch.spoiled else {}
        nothing: Fetched[Any] = Fetched(None, None, service.name, None)
        answers: dict[str, Fetched[Any]] = dict.fromkeys(keys, Fetched(None, Origin.LIVE, service.name, seen_at))
        answers.update((key, Fetched(fact, Origin.LIVE, service.name, seen_at)) for key, fact in facts.items())
        answers.update((key, known.get(key, nothing)) for key in batch.spoiled)
        if _is_about_everyone(endpoint) and _EVERYONE in batch.facts:
            self._services.about_everyone[fact_type] = answers[_EVERYONE]
        return list(answers.values())

    async def _last_known(self, fact_type: type[Any], keys: Sequence[str], *, packed: bool) -> dict[str, Fetched[Any]]:
        """What is still known of these ids; a store that fails, or takes too long, knows nothing."""
        name = SOURCES[fact_type][0].name
        tally = self._services.remotes[name].tally
        not_before = self._services.now() - STILL_KNOWN
        try:
            async with asyncio.timeout(_PATIENCE):
                kept = await self._services.last_known.read(self._organization, _endpoint(fact_type), keys, not_before)
        except Exception:  # noqa: BLE001  # whatever ails the store, a fallback must not fail; it is counted
            tally.last_known_failures += 1
            return {}
        known = {}
        for key, (payload, seen_at) in kept.items():
            try:
                fact = wire_of(fact_type).one(payload)
            except NonsenseError:
                # Kept by a release that knew another shape of this fact.
                continue
            if seen_at >= not_before:
                known[key] = Fetched(pack(payload.encode()) if packed else fact, Origin.LAST_KNOWN, name, seen_at)
        tally.last_known += len(known)
        return known

    def _mocked(self, fact_type: type[F], key: str, nothing: Fetched[F]) -> Fetched[F]:
        if not self._services.mocks:
            return nothing
        if (fact_type, key) not in self._mocks:
            self._services.remotes[nothing.service].tally.mocks += 1
            fact = mock(fact_type, nothing.service, key, self._at)
            self._mocks[fact_type, key] = Fetched(fact, Origin.MOCK, nothing.service, None)
        return cast("Fetched[F]", self._mocks[fact_type, key])


async def _result(future: asyncio.Future[Fetched[Any]]) -> Fetched[Any]:
    if not future.done():
        # Waiting for a shared future, unlike awaiting it, does not cancel it with us.
        await asyncio.wait((future,))
    return future.result()


def _rows(live: Sequence[tuple[type[Any], str, Any, datetime]]) -> list[tuple[str, str, str, datetime]]:
    return [(_endpoint(kind), key, wire_of(kind).text(fact), seen_at) for kind, key, fact, seen_at in live]


def _all_packed(fact_type: type[Any], facts: Mapping[str, Any]) -> dict[str, bytes]:
    return {key: wire_of(fact_type).packed(fact) for key, fact in facts.items()}


def _endpoint(fact_type: type[Any]) -> str:
    return f"{SOURCES[fact_type][0].name}/{fact_type.__name__}"


def _is_about_everyone(endpoint: Endpoint) -> bool:
    return "{id}" not in endpoint.path


def _askable(key: str) -> bool:
    """Whether a service can know this id: what is not an id is not asked for, least of all as a part of a path."""
    return 0 < len(key) <= _LONGEST_ID and key.isprintable() and key not in {".", ".."}
