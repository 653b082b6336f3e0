"""The application: its parts, how they hang together, and how long each lives."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute

from analytics.catalog import METRICS
from analytics.models.committed import read_models
from analytics.roster import PATIENCE, Roster
from analytics.standing import Standings
from analytics.world import REQUEST_SECONDS, World
from datasources.calling import callers
from datasources.fetch import Services
from datasources.memory import Memory
from datasources.postgres import deliveries
from datasources.postgres.facts import KeptFacts
from datasources.postgres.replica import Replica
from datasources.postgres.session import Database
from datasources.remote import Surroundings
from gateway import pen
from gateway import settings as settings_module
from gateway.checks import checks
from gateway.edge import Edge, gate_of
from gateway.endpoint import endpoint, parts_of
from gateway.fast.front import DOOR, Door, Front
from gateway.fast.lines import Lines
from gateway.fast.opening import short_way
from gateway.health import Alive, Readiness
from gateway.hearing import hear
from gateway.identity import open_identity
from gateway.insiders import Insiders
from gateway.metrics import Count, Metrics
from gateway.page import assets
from gateway.streams.farewell import told_to_stop
from gateway.telemetry import Telemetry
from resolvers.schema import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    import httpx
    import strawberry
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from gateway.http import GraphQLEndpoint
    from gateway.settings import Settings

SCHEMA = build(METRICS)


def now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outside:
    """What the process takes from the world around it: clocks, chance, waiting, and the way to the services.

    `now` is the real time, `monotonic` seconds that never go back, `transport` what carries calls to services
    (None: the network), `patience` how many seconds one request waits for them all together. `lines` takes the
    line of each request that is answered the short way; None: as other lines. `closed` is told once all is closed.
    """

    now: Callable[[], datetime] = now
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    transport: httpx.AsyncBaseTransport | None = None
    patience: float = REQUEST_SECONDS
    lines: Lines | None = None
    closed: Callable[[], None] = lambda: None


def from_environment() -> Starlette:
    """The application as the process environment describes it; what each worker process of uvicorn calls.

    A cold dashboard makes a hundred thousand small facts that all die with their request. Python's default would
    look through everything else for cycles meanwhile, which stopped such a request for a quarter of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    settings = settings_module.read(os.environ)
    log = pen.of_process()
    return create_app(settings, Outside(lines=Lines(log) if settings.says_requests else None, closed=log.close))


def create_app(settings: Settings, outside: Outside | None = None, *, schema: strawberry.Schema = SCHEMA) -> Starlette:
    """The gateway as an ASGI application; everything it opens is opened by its lifespan and closed by it.

    The settings must name a database: `gateway serve` starts an embedded one first where they do not.
    While it is open, its `World` is `state.world`.
    """
    around = outside or Outside()
    metrics = Metrics(str(os.getpid()))
    told = settings.metrics_token
    graphql = _Later()
    ready = _Later()
    door = Door()
    gate = gate_of(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with AsyncExitStack() as stack:
            stack.callback(around.closed)
            leaving = asyncio.Event()
            stack.enter_context(told_to_stop(leaving))
            app.state.door = door
            world = app.state.world = await open_world(settings, around, stack)
            identity = await open_identity(settings, around, world, stack)
            parts = await parts_of(settings, around, world, schema, identity=identity, stack=stack)
            graphql.app = serving = endpoint(
                settings, around, world, schema, parts=parts, leaving=leaving, observe=metrics.operated
            )
            stack.push_async_callback(serving.close)
            metrics.watch(partial(_open_streams, serving))
            metrics.watch(partial(_queued, world.database))
            ready.app = Readiness(checks(settings, world))
            room = settings.responses_mib << 20
            door.way = short_way(parts, world, stack, gate=gate, room=room, metrics=metrics, lines=around.lines)
            yield {DOOR: door}
            door.way = None

    routes: list[Route | WebSocketRoute | Mount] = [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        Route("/livez", Alive()),
        Route("/readyz", ready),
        Route("/metrics", Insiders(metrics, told.get_secret_value() if told else None)),
    ]
    if settings.shows_page:
        routes += [Mount("/graphql/assets", assets()), Route("/", _to_the_page)]
    middleware = [Middleware(Front, door), Middleware(Telemetry, observe=metrics.observe), Middleware(Edge, gate)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=middleware)


async def open_world(settings: Settings, outside: Outside, stack: AsyncExitStack) -> World:
    """Everything that lives as long as the process, closed with the stack."""
    if settings.database_url is None:
        msg = "The settings name no database."
        raise ValueError(msg)
    # Whoever asks first would have everybody wait for the disk.
    await asyncio.to_thread(read_models)
    database = await Database.open(settings.database_url.get_secret_value())
    stack.push_async_callback(database.close)
    token = settings.service_token.get_secret_value() if settings.service_token else None
    services = Services(
        settings.services,
        token=token,
        last_known=KeptFacts(database),
        mocks=settings.mocking,
        now=outside.now,
        monotonic=outside.monotonic,
        rng=outside.rng,
        sleep=outside.sleep,
        transport=outside.transport,
        leisure=max(1.0, outside.patience / REQUEST_SECONDS),
    )
    stack.push_async_callback(services.aclose)
    surroundings = Surroundings(outside.now, outside.monotonic, outside.rng)
    calls = callers(settings.services, token, outside.transport, surroundings)
    for actions in calls.values():
        stack.push_async_callback(actions.aclose)
    memory: Memory[Any, Any] = Memory(
        items=settings.memory_answers, room=settings.memory_mib << 20, size=lambda answer: answer.size, now=outside.now
    )

    def clock() -> datetime:
        return settings.clock or outside.now()

    roster = Roster(
        database, services, clock=clock, now=outside.now, patience=PATIENCE * outside.patience / REQUEST_SECONDS
    )
    stack.push_async_callback(roster.close)

    replica = None
    if settings.replica_url is not None:
        replica_url = settings.replica_url.get_secret_value()
        replica = Replica(database, lambda: Database.open(replica_url), outside.monotonic)
        await stack.enter_async_context(replica.watched())

    standings = Standings(
        database, services.remotes["directory"], now=outside.now, lasts=timedelta(seconds=settings.standing_seconds)
    )
    stack.push_async_callback(standings.close)

    world = World(
        database,
        services,
        memory,
        roster,
        clock,
        outside.now,
        outside.patience,
        replica=replica,
        standings=standings,
        calls=calls,
    )
    await hear(world, stack)
    return world


async def _open_streams(serving: GraphQLEndpoint) -> Iterable[Count]:
    says = "Streams and websockets that are open."
    return [Count("gateway_open_streams", says, serving.streams, falls=True)]


async def _queued(database: Database) -> Iterable[Count]:
    says = "Jobs in the queue, of all processes: queued is due or put off, picked is at work."
    lengths = await deliveries.lengths(database)
    return [
        Count("gateway_queue_deliveries", says, number, {"status": status}, falls=True, shared=True)
        for status, number in lengths.items()
    ]


async def _to_the_page(_: Request) -> RedirectResponse:
    return RedirectResponse("/graphql")


class _Later:
    """An ASGI application that the lifespan puts in place."""

    app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
