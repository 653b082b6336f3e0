"""What both ways of answering share: what one of them has read, checked or counted, the other need not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.arriving import Arrivals
from gateway.auth import Authenticator
from gateway.budget import Budget
from gateway.documents import Documents
from gateway.http import Terms
from gateway.limits import Limits
from gateway.persisted import Persisted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphql import GraphQLSchema

    from analytics.world import World
    from gateway.keys import Keys
    from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts, each as long-lived as the process."""

    graphql: GraphQLSchema
    documents: Documents
    persisted: Persisted
    authenticator: Authenticator
    budget: Budget | None
    terms: Terms
    arrivals: Arrivals


def parts_of(  # noqa: PLR0913  (what they are made of, the clocks by name)
    settings: Settings,
    world: World,
    keys: Keys,
    graphql: GraphQLSchema,
    *,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Parts:
    """The parts as the settings describe them."""
    limits = Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        fields=settings.max_fields,
        aliases=settings.max_aliases,
        cost=settings.max_cost,
    )
    documents = Documents(
        graphql, limits, suggestions=settings.suggests, count=settings.documents, mebibytes=settings.documents_mib
    )
    authenticator = Authenticator(
        keys,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        now=lambda: now().timestamp(),
        leeway=settings.token_leeway,
    )
    per_second = settings.budgeted_per_second
    terms = Terms(
        body_bytes=settings.body_kib * 1024,
        body_seconds=settings.body_seconds,
        seconds=settings.request_seconds,
        batch=settings.batch_size,
    )
    budget = Budget(per_second, settings.requests_burst, monotonic) if per_second else None
    return Parts(graphql, documents, Persisted(), authenticator, budget, terms, Arrivals(world))
