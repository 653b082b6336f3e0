"""The graph as it is served: its documents, limits, doors and streams, put together as the settings say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.arriving import Arrivals
from analytics.policy import NotAllowed
from analytics.trail import WHY, Trail
from datasources.postgres.audit import Whence
from gateway import trusted
from gateway.auth import SCOPE_KEY
from gateway.budget import OwnTill
from gateway.context import Context, Nobody
from gateway.documents import Documents
from gateway.execution import Execution
from gateway.http import GraphQLEndpoint, Terms
from gateway.limits import Limits
from gateway.operation import Doors
from gateway.persisted import Persisted, Trusted
from gateway.streams.manners import Manners
from gateway.streams.seats import Seats
from gateway.tabs import opening
from gateway.telemetry import record_of
from gateway.variables import VariableLimits
from resolvers.errors import present
from resolvers.permissions import TABLE, public
from resolvers.schema import graphql_schema
from resolvers.weights import weight

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    import strawberry
    from graphql import GraphQLSchema
    from starlette.requests import HTTPConnection

    from analytics.policy import Viewer
    from analytics.world import World
    from gateway.app import Outside
    from gateway.budget import Till
    from gateway.identity import Identity
    from gateway.persisted import Texts
    from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What both ways of answering share: what one of them has read, checked or counted, the other need not."""

    graphql: GraphQLSchema
    documents: Documents
    texts: Texts
    variables: VariableLimits
    till: Till | None
    terms: Terms
    arrivals: Arrivals
    identity: Identity


async def parts_of(  # noqa: PLR0913 - what they are made of
    settings: Settings,
    outside: Outside,
    world: World,
    schema: strawberry.Schema,
    *,
    identity: Identity,
    stack: AsyncExitStack,
) -> Parts:
    """The parts as the settings describe them, each as long-lived as the process; closed with the stack.

    Raises:
        TrustError: the list of trusted documents cannot be read.
    """
    texts: Texts = Persisted()
    if settings.trusted_documents is not None:
        texts = Trusted(await asyncio.to_thread(trusted.read, settings.trusted_documents))
    parts = Parts(
        graphql=graphql_schema(schema),
        documents=documents(settings, schema),
        texts=texts,
        variables=VariableLimits(
            bytes=settings.variables_kib * 1024, depth=settings.variables_depth, items=settings.variables_items
        ),
        till=till(settings, outside, stack),
        terms=Terms(
            body_bytes=settings.body_kib * 1024,
            body_seconds=settings.body_seconds,
            seconds=settings.request_seconds,
            batch=settings.batch_size,
        ),
        arrivals=Arrivals(world),
        identity=identity,
    )
    world.keepers.extend((parts.documents.let_go, parts.texts.let_go, identity.authenticator.let_go))
    return parts


def endpoint(  # noqa: PLR0913 - the parts it is made of
    settings: Settings,
    outside: Outside,
    world: World,
    schema: strawberry.Schema,
    *,
    parts: Parts,
    leaving: asyncio.Event,
    observe: Callable[[str, str, float], None],
) -> GraphQLEndpoint:
    """What answers at /graphql; its streams end when it is `leaving`."""

    async def context_for(request: HTTPConnection, viewer: Viewer | None, request_id: str) -> Context | Nobody:
        address = request.client.host if request.client else None
        visit = parts.identity.desk.visit(address, request_id, request.scope.get(SCOPE_KEY))
        if viewer is None:
            return Nobody(visit)
        return Context(world, viewer, visit, parts.arrivals)

    async def turned_away(viewer: Viewer, request: HTTPConnection) -> None:
        whence = Whence(request.client.host if request.client else None, record_of(request.scope).request_id)
        trail = Trail(world.database, viewer, whence)
        trail.refused("role", None, WHY[NotAllowed])
        await trail.afterwards()

    return GraphQLEndpoint(
        parts.documents,
        Execution(schema),
        context_for,
        authenticate=parts.identity.authenticator.session,
        present=lambda error, request_id: present(error, request_id, suggestions=settings.suggests),
        terms=parts.terms,
        doors=Doors(
            everyone_introspects=settings.introspectors == "everyone",
            viewers_introspect=settings.introspectors != "nobody",
            public=public(TABLE),
        ),
        texts=parts.texts,
        variables=parts.variables,
        till=parts.till,
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
        turned_away=turned_away,
    )


def documents(settings: Settings, schema: strawberry.Schema) -> Documents:
    """How documents are read, and what they may ask for."""
    limits = Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        fields=settings.max_fields,
        roots=settings.max_roots,
        aliases=settings.max_aliases,
        cost=settings.max_cost,
    )
    return Documents(
        graphql_schema(schema),
        limits,
        weigh=weight,
        suggestions=settings.suggests,
        count=settings.documents,
        mebibytes=settings.documents_mib,
    )


def till(settings: Settings, outside: Outside, stack: AsyncExitStack) -> Till | None:
    """Where it is counted what viewers take: nowhere, in this process, or in Redis."""
    allowance = settings.allowance
    if allowance is None:
        return None

    def clock() -> float:
        return outside.now().timestamp()

    own = OwnTill(allowance.share(settings.workers), clock)
    if settings.redis_url is None:
        return own
    from gateway.shared_budget import SharedTill, connected  # noqa: PLC0415 - its client is 5 MiB, and few have Redis

    redis = connected(settings.redis_url.get_secret_value())
    stack.push_async_callback(redis.aclose)
    return SharedTill(redis, allowance, own, now=clock, monotonic=outside.monotonic)
