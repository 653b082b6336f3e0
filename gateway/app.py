"""The application: its parts, how they hang together, and how long each lives."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute

from analytics.arriving import Arrivals
from analytics.catalog import METRICS
from analytics.roster import PATIENCE, Roster
from analytics.world import REQUEST_SECONDS, World
from datasources.fetch import Services
from datasources.memory import Memory
from datasources.postgres import deliveries
from datasources.postgres.facts import KeptFacts
from datasources.postgres.replica import Replica
from datasources.postgres.session import Database
from gateway import settings as settings_module
from gateway.auth import Authenticator
from gateway.budget import Budget
from gateway.checks import checks
from gateway.context import Context, Nobody
from gateway.documents import Documents
from gateway.execution import Execution
from gateway.health import Alive, Readiness
from gateway.hearing import hear
from gateway.http import GraphQLEndpoint, Terms
from gateway.keys import OneKey, PublishedKeys, development_secret, secret_key
from gateway.limits import Limits
from gateway.metrics import Metrics
from gateway.operation import Doors
from gateway.page import assets
from gateway.streams.farewell import told_to_stop
from gateway.streams.manners import Manners
from gateway.streams.seats import Seats
from gateway.tabs import opening
from gateway.telemetry import Telemetry, record_of
from resolvers.errors import present
from resolvers.schema import build

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import strawberry
    from starlette.requests import HTTPConnection, Request
    from starlette.types import Receive, Scope, Send

    from analytics.policy import Viewer
    from gateway.keys import Keys
    from gateway.settings import Settings

SCHEMA = build(METRICS)


def now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outside:
    """What the process takes from the world around it: clocks, chance, waiting, and the way to the services.

    `now` is the real time, `monotonic` seconds that never go back, `transport` what carries calls to services
    (None: the network), `patience` how many seconds one request waits for them all together.
    """

    now: Callable[[], datetime] = now
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    transport: httpx.AsyncBaseTransport | None = None
    patience: float = REQUEST_SECONDS


def from_environment() -> Starlette:
    """The application as the process environment describes it; what each worker process of uvicorn calls.

    A cold dashboard makes a hundred thousand small facts that all die with their request. Python's default would
    look through everything else for cycles meanwhile, which stopped such a request for a quarter of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return create_app(settings_module.read(os.environ))


def create_app(settings: Settings, outside: Outside | None = None, *, schema: strawberry.Schema = SCHEMA) -> Starlette:
    """The gateway as an ASGI application; everything it opens is opened by its lifespan and closed by it.

    The settings must name a database: `gateway serve` starts an embedded one first where they do not.
    While it is open, its `World` is `state.world`.
    """
    around = outside or Outside()
    metrics = Metrics(str(os.getpid()))
    graphql = _Later()
    ready = _Later()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            leaving = asyncio.Event()
            stack.enter_context(told_to_stop(leaving))
            world = app.state.world = await open_world(settings, around, stack)
            keys = await _keys(settings, stack)
            endpoint = _endpoint(
                settings, around, world, keys, schema=schema, leaving=leaving, observe=metrics.operated
            )
            graphql.app = endpoint
            metrics.watch(streams=lambda: endpoint.streams, queue=lambda: deliveries.lengths(world.database))
            ready.app = Readiness(checks(settings, world))
            yield

    routes: list[Route | WebSocketRoute | Mount] = [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        Route("/livez", Alive()),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]
    if settings.shows_page:
        routes += [Mount("/graphql/assets", assets()), Route("/", _to_the_page)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(Telemetry, observe=metrics.observe)])


async def open_world(settings: Settings, outside: Outside, stack: AsyncExitStack) -> World:
    """Everything that lives as long as the process, closed with the stack."""
    if settings.database_url is None:
        msg = "The settings name no database."
        raise ValueError(msg)
    database = await Database.open(settings.database_url.get_secret_value())
    stack.push_async_callback(database.close)
    services = Services(
        settings.services,
        token=settings.service_token.get_secret_value() if settings.service_token else None,
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

    world = World(database, services, memory, roster, clock, outside.now, outside.patience, replica=replica)
    await hear(world, stack)
    return world


async def _keys(settings: Settings, stack: AsyncExitStack) -> Keys:
    if settings.keys_url is not None:
        client = await stack.enter_async_context(httpx.AsyncClient())
        keys = PublishedKeys(client, settings.keys_url, time.monotonic)
        stack.push_async_callback(keys.close)
        return keys
    secret = settings.token_key.get_secret_value() if settings.token_key else development_secret(settings.home)
    return OneKey(secret_key(secret))


def _endpoint(  # noqa: PLR0913 - everything that lives as long as the process
    settings: Settings,
    outside: Outside,
    world: World,
    keys: Keys,
    *,
    schema: strawberry.Schema,
    leaving: asyncio.Event,
    observe: Callable[[str, str, float], None],
) -> GraphQLEndpoint:
    per_second = settings.budgeted_per_second
    execution = Execution(schema)
    limits = Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        fields=settings.max_fields,
        aliases=settings.max_aliases,
        cost=settings.max_cost,
    )

    arrivals = Arrivals(world)

    async def context_for(request: HTTPConnection, viewer: Viewer | None) -> Context | Nobody:
        return Context(world, viewer, record_of(request.scope).request_id, arrivals) if viewer else Nobody()

    return GraphQLEndpoint(
        Documents(
            execution.graphql,
            limits,
            suggestions=settings.suggests,
            count=settings.documents,
            mebibytes=settings.documents_mib,
        ),
        execution,
        context_for,
        authenticate=Authenticator(
            keys,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            now=lambda: outside.now().timestamp(),
            leeway=settings.token_leeway,
        ).session,
        present=lambda error, request_id: present(error, request_id, suggestions=settings.suggests),
        terms=Terms(
            body_bytes=settings.body_kib * 1024,
            body_seconds=settings.body_seconds,
            seconds=settings.request_seconds,
            batch=settings.batch_size,
        ),
        doors=Doors(
            everyone_introspects=settings.introspectors == "everyone",
            viewers_introspect=settings.introspectors != "nobody",
        ),
        budget=Budget(per_second, settings.requests_burst, outside.monotonic) if per_second else None,
        page=opening(settings, outside.now) if settings.shows_page else None,
        now=lambda: outside.now().timestamp(),
        manners=Manners(
            idle=settings.stream_idle_seconds,
            slow=settings.stream_slow_seconds,
            answer=settings.request_seconds,
            operations=settings.stream_operations,
            messages=settings.stream_messages,
        ),
        seats=Seats(total=settings.streams, each=settings.streams_each),
        leaving=leaving,
        observe=observe,
    )


async def _to_the_page(_: Request) -> RedirectResponse:
    return RedirectResponse("/graphql")


class _Later:
    """An ASGI application that the lifespan puts in place."""

    app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
