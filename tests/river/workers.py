"""A worker that does what is queued when a test says so, and says what it did."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.postgres import job_lists, jobs
from datasources.postgres.jobs import Kind
from datasources.postgres.session import system
from gateway.app import open_world
from gateway.jobs import Hands
from gateway.queue import Later
from gateway.worker import handlers
from tests.cast import ACME
from tests.river.banks import outside_of, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from analytics.world import World
    from datasources.postgres.jobs import Job
    from tests.river.banks import Clock, Services


ONE_TRY = dict.fromkeys(Kind, timedelta(0))
"""No time to try a job again: what fails has failed at once."""


@dataclass
class Worker:
    """A process of its own, as far as memory and connections go."""

    world: World
    hands: Hands

    async def works_off(self) -> list[Job]:
        """Do every job that is queued, also those put off until later, and those they make; how each of them is now."""
        did: list[tuple[str, str]] = []
        while deliveries := await self.world.database.fetch("DELETE FROM queue.pgqueuer RETURNING payload"):
            some = [(organization, job) for organization, job in (json.loads(row["payload"]) for row in deliveries)]
            await asyncio.gather(*(self._does(*one) for one in some))
            did += some
        found = [await jobs.find(self.world.database, system(organization), job) for organization, job in did]
        return [job for job in found if job is not None]

    async def all_over(self, organization: str = ACME) -> list[Job]:
        """Every job of an organization, once each of them is over, whoever does them."""
        heard = asyncio.Event()
        async with asyncio.timeout(60), self.world.database.listen(jobs.CHANNEL, lambda _: heard.set()):
            while True:
                page = await job_lists.page(self.world.database, system(organization), first=10_000)
                if all(job.status.over for job in page.jobs):
                    return list(page.jobs)
                await heard.wait()
                heard.clear()

    async def _does(self, organization: str, job: str) -> None:
        while True:
            try:
                return await self.hands.work(organization, job)
            except Later:
                continue


@asynccontextmanager
async def a_worker(url: str, services: Services, clock: Clock, patience: float = 5.0) -> AsyncIterator[Worker]:
    """A worker over a database, from its start to its end; it tries nothing a second time but what waits for others."""
    async with AsyncExitStack() as stack:
        outside = outside_of(services, clock, patience)
        world = await open_world(settings_of(url), outside, stack)
        yield Worker(world, Hands(world.database, handlers(world), outside.rng, lasts=ONE_TRY))
