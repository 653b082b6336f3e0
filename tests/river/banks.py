"""Both banks of the river: the nine services on one side, people with tokens on the other, the gateway between."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from sqlmodel import select

from analytics.catalog import PUBLIC
from analytics.codec import camel
from analytics.declare import Family, Scope
from datasources.catalog import SERVICES
from datasources.postgres import roster
from datasources.postgres.session import system
from datasources.postgres.tables import AnswerRow
from datasources.simulator.accounts import Issuer
from datasources.simulator.server import create_simulator
from gateway.app import SCHEMA, Outside, create_app
from gateway.settings import Settings
from tests.campus import AS_OF
from tests.cast import ACME
from tests.river.bearers import SECRET, token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import strawberry

    from analytics.world import World
    from datasources.simulator.campus import Campus
    from gateway.fast.lines import Lines
    from tests.river.bearers import Who

DASHBOARD = (Path(__file__).parent.parent / "operations" / "learner-dashboard.graphql").read_text()
SERVICE_TOKEN = "the-token-of-the-services"
ISSUER = Issuer(Settings.model_fields["token_issuer"].default, Settings.model_fields["token_audience"].default)
HOURS = timedelta(hours=1)

OF_A_LEARNER = {camel(metric.name): metric for metric in PUBLIC.values() if metric.scope is Scope.LEARNER}
FIELDS = {name: metric.key for name, metric in OF_A_LEARNER.items()}
"""The answers of a learner dashboard, and the keys of their metrics."""


@dataclass
class Clock:
    """The real time of a test, which passes when it is told to."""

    moment: datetime = datetime(2026, 11, 21, 9, tzinfo=UTC)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, time: timedelta) -> None:
        self.moment += time
        self.seconds += time.total_seconds()


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service, and the ids in it."""

    service: str
    path: str
    ids: tuple[str, ...]


class Services(httpx.AsyncBaseTransport):
    """The way to the nine services of a campus, which notes every call and can spoil what comes back.

    `called` is set by the next call; while `gate` is not set, calls wait.
    """

    def __init__(self, campus: Campus, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        simulator = create_simulator(campus, token=SERVICE_TOKEN, issuer=ISSUER, now=now)
        self._transport = httpx.ASGITransport(simulator)
        self.calls: list[Call] = []
        self.spoil: Callable[[Call, Any], Any] | None = None
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def asked(self) -> Counter[tuple[str, str, str]]:
        """How often each id was asked of each endpoint."""
        return Counter((call.service, call.path, key) for call in self.calls for key in call.ids)

    @property
    def per_endpoint(self) -> Counter[tuple[str, str]]:
        """How often each endpoint was called."""
        return Counter((call.service, call.path) for call in self.calls)

    def forget(self) -> None:
        """Note calls anew."""
        self.calls.clear()
        self.called.clear()

    async def turn(self, service: str, mode: str, seconds: float = 2.0) -> None:
        """Switch a service to `ok`, `slow`, `failing`, `hanging` or `nonsense`."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://simulator") as client:
            told = {"service": service, "mode": mode, "seconds": seconds}
            (await client.post("/switches", json=told)).raise_for_status()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _, service, path = request.url.path.split("/", 2)
        body = await request.aread()
        call = Call(service, f"/{path}", tuple(json.loads(body).get("ids", ())) if body else (path.rpartition("/")[2],))
        self.calls.append(call)
        self.called.set()
        await self.gate.wait()
        response = await self._transport.handle_async_request(request)
        if self.spoil is None or not response.is_success:
            return response
        return httpx.Response(200, json=self.spoil(call, orjson.loads(await response.aread())))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client is answered."""

    status: int
    body: Mapping[str, Any]
    text: str

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> set[str]:
        return {error["extensions"]["code"] for error in self.body.get("errors", ())}

    @property
    def answers(self) -> dict[str, Any]:
        """The answers of a learner dashboard, by the name of their metric."""
        learner = self.data["viewer"]["learner"]
        return {
            name: (learner if metric.family is Family.SUBJECT else learner[metric.family.value])[name]
            for name, metric in OF_A_LEARNER.items()
        }


@dataclass
class Gateway:
    """One process of the gateway."""

    app: Any
    clock: Clock
    sent: list[Any] = field(default_factory=list)
    when_sent: Callable[[], Any] = lambda: None

    @property
    def world(self) -> World:
        world: World = self.app.state.world
        return world

    async def ask(self, document: str, who: Who | None = "lena", /, **variables: Any) -> Reply:
        """What somebody of the cast, or of a campus, is answered; None has no token."""
        headers = {} if who is None else {"authorization": f"Bearer {token(who, self.clock.now())}"}
        return await self.send(document, variables, headers)

    async def kept(self, organization: str = ACME) -> list[Any]:
        """Every answer that the database keeps for an organization, as the gateway itself may read it."""
        async with self.world.database.session(system(organization)) as session:
            return list((await session.exec(select(AnswerRow))).all())

    async def settled(self) -> None:
        """Wait for what is under way behind the answers: copies of rosters, and the audit of what was heard."""
        await asyncio.gather(*self.world.roster._copies.values())
        await self.app.state.door.way._hearsay.write_all()

    async def heard(self) -> None:
        """Wait until the process has heard all that was told so far: what is told is heard in its order."""
        heard = asyncio.Event()
        self.world.roster.forgetting.append(lambda _: heard.set())
        await self.world.database.fetch("SELECT pg_notify($1, $2)", roster.CHANNEL, ACME)
        async with asyncio.timeout(10):
            await heard.wait()
        self.world.roster.forgetting.pop()

    async def dashboard(self, who: Who = "lena") -> Reply:
        return await self.ask(DASHBOARD, who)

    async def send(self, document: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        return await self.post({"query": document, "variables": variables}, headers)

    async def post(self, asked: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """What is answered to a body of the client's own."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._noting), base_url="http://gateway") as client:
            # Escaped, so that half a character can be sent as well.
            told = {"content-type": "application/json", **headers}
            response = await client.post("/graphql", content=json.dumps(asked), headers=told)
        return Reply(response.status_code, response.json(), response.text)

    async def _noting(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, and what `when_sent` says at the moment each answer goes out."""

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.body":
                self.sent.append(self.when_sent())
            await send(message)

        await self.app(scope, receive, noting)


async def _at_once(_: float) -> None:
    """Wait for a retry as long as the other tasks need to go on."""
    await asyncio.sleep(0)


@asynccontextmanager
async def running(  # noqa: PLR0913 - one argument for each thing a test changes
    url: str,
    services: Services,
    clock: Clock,
    *,
    patience: float = 5.0,
    clock_of_platform: datetime = AS_OF,
    schema: strawberry.Schema = SCHEMA,
    **settings: Any,
) -> AsyncIterator[Gateway]:
    """A process of the gateway, from its start to its end."""
    told = settings_of(url, clock_of_platform, **settings)
    outside = outside_of(services, clock, patience)
    app = create_app(told, outside, schema=schema)
    async with app.router.lifespan_context(app):
        yield Gateway(app, clock)


def outside_of(services: Services, clock: Clock, patience: float = 5.0, lines: Lines | None = None) -> Outside:
    """What a process of a test takes from the world around it."""
    return Outside(clock.now, clock.monotonic, random.Random(7), _at_once, services, patience, lines)


def settings_of(url: str, clock_of_platform: datetime = AS_OF, **settings: Any) -> Settings:
    """The settings of a process of a test."""
    told = {
        "database_url": url,
        "services": {service.name: f"http://simulator/{service.name}" for service in SERVICES},
        "service_token": SERVICE_TOKEN,
        "token_key": SECRET,
        "clock": clock_of_platform,
        "graphiql": False,
        "allowed_hosts": ("gateway", "127.0.0.1"),
        **settings,
    }
    return Settings.model_validate(told)
