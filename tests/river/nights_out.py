"""A night in the hands of as many workers as a test wants, without waiting for the time of day."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select

from datasources.postgres import nights
from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import PLATFORM, Kind, of_row
from datasources.postgres.session import system
from gateway.jobs import Hands
from gateway.nightly import Nights
from gateway.queue import Later

if TYPE_CHECKING:
    from analytics.world import World
    from datasources.postgres.jobs import Job

NIGHT = (Kind.NIGHTLY, Kind.CHUNK, Kind.VIEWS)
"""What a night is made of."""

MOST_LOOKS = 60
"""How often a night is looked at until it is over, at most."""


def hands_of(world: World) -> Hands:
    """A worker that does what a night is made of."""
    at_night = Nights(world)
    handlers = {Kind.NIGHTLY: at_night.night, Kind.CHUNK: at_night.chunk, Kind.VIEWS: at_night.views}
    return Hands(world.database, handlers, random.Random(7))


async def jobs_of(world: World, *kinds: Kind) -> list[Job]:
    """Every job of these kinds, in every organization and the platform, the oldest first."""
    found = []
    for organization in [PLATFORM, *await nights.organizations(world.database)]:
        wanted = select(JobRow).where(col(JobRow.kind).in_([kind.value for kind in kinds]))
        async with world.database.session(system(organization)) as session:
            rows = (await session.exec(wanted.order_by(col(JobRow.created_at), col(JobRow.id)))).all()
        found += [of_row(row.model_dump()) for row in rows]
    return found


async def looked(world: World, hands: Hands, *kinds: Kind) -> int:
    """Have every job of these kinds that is not over looked at once; how many were."""
    under_way = [job for job in await jobs_of(world, *kinds) if not job.status.over]
    for job in under_way:
        try:
            await hands.work(job.organization, job.id)
        except Later:
            continue
    return len(under_way)


async def through(world: World) -> None:
    """Begin a night and see it through."""
    await Nights(world).nightly()
    await to_its_end(world, hands_of(world))


async def to_its_end(world: World, hands: Hands) -> None:
    """See a night through that was begun."""
    for _ in range(MOST_LOOKS):
        if not await looked(world, hands, *NIGHT):
            return
    errors = [job.error for job in await jobs_of(world, *NIGHT) if not job.status.over]
    pytest.fail(f"the night does not end: {errors}")
