"""The short way, put together from the parts of the ordinary one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analytics.at_hand import Finder
from analytics.hearsay import Hearsay
from datasources.postgres.reading import Reading
from gateway.fast.heads import Heads
from gateway.fast.kept import KeptResponses
from gateway.fast.requests import Requests
from gateway.fast.way import ShortWay
from gateway.metrics import Count
from resolvers.plan.document import compile_plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AsyncExitStack

    from analytics.world import World
    from datasources.postgres.reading import ReadingStatistics
    from gateway.edge import Gate
    from gateway.endpoint import Parts
    from gateway.fast.calls import WayStatistics
    from gateway.fast.kept import KeptStatistics
    from gateway.fast.lines import Lines
    from gateway.metrics import Metrics


def short_way(  # noqa: PLR0913  (what it is made of, all but three by name)
    parts: Parts,
    world: World,
    stack: AsyncExitStack,
    *,
    gate: Gate,
    room: int,
    metrics: Metrics,
    lines: Lines | None,
) -> ShortWay:
    """The short way, in place until the stack is closed; `room` are the bytes of responses that are kept."""
    lanes = world.database.lanes()
    stack.push_async_callback(lanes.close)
    reading = Reading(lanes)
    stack.push_async_callback(reading.close)
    wide = world.database.lanes(giving_way=lambda: reading.busy)
    stack.push_async_callback(wide.close)
    hearsay = Hearsay(world.database)
    stack.push_async_callback(hearsay.close)
    kept = KeptResponses(room, world.now)
    world.watchers.append(kept.drop)
    world.roster.forgetting.append(kept.drop)
    if lines is not None:
        stack.callback(lines.flush)
    finder = Finder(world, reading, wide)
    requests = Requests(parts.documents, parts.texts, parts.variables, partial(compile_plan, parts.graphql))
    way = ShortWay(
        world=world,
        heads=Heads(gate),
        requests=requests,
        kept=kept,
        finder=finder,
        hearsay=hearsay,
        arrivals=parts.arrivals,
        authenticator=parts.identity.authenticator,
        till=parts.till,
        terms=parts.terms,
        lines=lines,
        observe=metrics.observe,
    )
    world.keepers.extend((way.let_go, finder.let_go, requests.let_go))

    async def counts() -> Iterable[Count]:
        return _counts(way.statistics(), kept.statistics(), reading.statistics)

    metrics.watch(counts)
    return way


def _counts(way: WayStatistics, kept: KeptStatistics, reading: ReadingStatistics) -> Iterable[Count]:
    """What the short way counts."""
    says = (
        "Requests by the way they were answered: from what is kept, by a plan (again: those of them whose viewer was "
    )
    says += "known to hear all of it), from what is kept though the database does not answer, or the ordinary way."
    for name in ("kept", "planned", "again", "at_worst", "passed_on"):
        yield Count("gateway_ways", says, getattr(way, name), {"of": name})
    for name in ("hits", "misses", "evictions", "dropped"):
        yield Count("gateway_kept_responses", "What became of kept responses.", getattr(kept, name), {"of": name})
    yield Count("gateway_kept_responses_held", "Kept responses.", kept.items, falls=True)
    yield Count("gateway_kept_responses_bytes", "Bytes of kept responses.", kept.bytes, falls=True)
    says = "Looks into kept answers, and the statements they shared."
    for name in ("looks", "statements"):
        yield Count("gateway_reading", says, getattr(reading, name), {"of": name})
