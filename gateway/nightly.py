"""The night: begun once, fanned out in parts to whoever works, summed up, and written down as aggregates.

A night waits for its parts without holding a worker: it looks at them, and has itself delivered again.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from analytics import batch
from analytics.batch import STEPS, Part, Tally
from analytics.history import measured
from datasources.postgres import aggregates, jobs, nights
from datasources.postgres.jobs import ATTEMPTS, PLATFORM, Kind, Status, Wanted
from datasources.postgres.session import system
from gateway.jobs import NotNow, Waits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.world import World
    from datasources.postgres.jobs import Job
    from gateway.jobs import Work

log = structlog.get_logger(__name__)

COORDINATING, DOING = -5, -10
"""Whoever waits for an answer goes first, then what hands out the parts, then the parts."""

NOT_DONE = "given up"
STILL_GOOD = timedelta(hours=24)
"""How old an answer may be that is summed up at the end of a night."""


AT_ONCE = 2
"""How many parts a worker is at, at a time: one works while the other reads. More would wait for the processor."""


class Nights:
    """Does the jobs of a night, with everything that lives as long as the process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.database
        self._places = asyncio.Semaphore(AT_ONCE)

    async def nightly(self, at: datetime | None = None) -> None:
        """Begin the batch of the night it is (`at`, else by the world's clock), unless it was begun already.

        By another process, or before a clock was set back.
        """
        now = (at or self._world.now()).astimezone(UTC)
        once = f"nightly {now.date()}"
        if await nights.is_done(self._database, PLATFORM, once):
            log.info("nightly.done_already", night=str(now.date()))
            return
        details = {"night": str(now.date()), "since": now.isoformat()}
        wanted = Wanted(once, details=details)
        await jobs.enqueue(self._database, system(PLATFORM), Kind.NIGHTLY, [wanted], priority=COORDINATING)

    async def night(self, work: Work) -> Mapping[str, Any]:
        """The night of every organization, or of one: have the parts done that are not, wait, and sum up.

        Raises:
            Waits: it goes on when others are done.
            NotNow: who is in the organization is not known.
        """
        if work.job.organization == PLATFORM:
            return await self._everywhere(work.job)
        return await self._in(work.job)

    async def chunk(self, work: Work) -> Mapping[str, Any]:
        """One part of a night.

        Raises:
            NotNow: a service did not answer for some of it, and it has not been tried often enough.
        """
        job = work.job
        async with self._places:
            tally = await batch.work_out(self._world, job.organization, Part.of(job.details), work.progress)
        passing = sorted(set(tally.failures) - {batch.FAULTS})
        if passing and job.attempts < ATTEMPTS:
            raise NotNow(" and ".join(passing))
        return tally.wire()

    async def views(self, work: Work) -> Mapping[str, Any]:
        """Sum up an organization's answers of the night."""
        job = work.job
        since = datetime.fromisoformat(job.details["since"])
        day = since.astimezone(UTC).date()
        written = await aggregates.write(self._database, job.organization, day, since - STILL_GOOD, measured())
        return {"aggregates": written}

    async def _everywhere(self, job: Job) -> Mapping[str, Any]:
        night: str = job.details["night"]
        wanted = Wanted(f"nightly {night}", details=job.details)
        under_way: list[Job] = []
        for organization in await nights.organizations(self._database):
            found = await nights.jobs_of(self._database, organization, Kind.NIGHTLY, night)
            if wanted.once not in found:
                made = await jobs.enqueue(
                    self._database, system(organization), Kind.NIGHTLY, [wanted], priority=COORDINATING
                )
                found = {once: one.job for once, one in made.items()}
            under_way += found.values()
        _all_over(under_way, 0, 1)
        await aggregates.refresh(self._database)
        return {**_sum(under_way).wire(), "organizations": len(under_way), "seconds": self._seconds(job)}

    async def _in(self, job: Job) -> Mapping[str, Any]:
        organization, night = job.organization, job.details["night"]
        since = datetime.fromisoformat(job.details["since"])
        await self._world.roster.ready(organization)
        if missing := await self._world.roster.missing(organization):
            raise NotNow(" and ".join(sorted(missing)))
        chunks = await nights.jobs_of(self._database, organization, Kind.CHUNK, night)
        for step in range(len(STEPS)):
            begun = [one for one in chunks.values() if one.details["step"] == step]
            if not begun:
                parts = await batch.parts(self._world, organization, step, since)
                await self._hand_out(organization, Kind.CHUNK, night, [part.wire() for part in parts])
                if parts:
                    raise Waits(step, len(STEPS) + 1)
            _all_over(begun, step, len(STEPS) + 1)
        views = await nights.jobs_of(self._database, organization, Kind.VIEWS, night)
        if not views:
            await self._hand_out(organization, Kind.VIEWS, night, [{"since": job.details["since"]}])
            raise Waits(len(STEPS), len(STEPS) + 1)
        _all_over(list(views.values()), len(STEPS), len(STEPS) + 1)
        written = sum((one.result or {}).get("aggregates", 0) for one in views.values())
        return {**_sum(chunks.values()).wire(), "aggregates": written, "seconds": self._seconds(job)}

    async def _hand_out(self, organization: str, kind: Kind, night: str, details: Sequence[Mapping[str, Any]]) -> None:
        """Have jobs of a night done: all of them are made, or none."""
        wanted = [
            Wanted(
                f"{kind.value} {night} {one.get('step', '')} {one.get('scope', '')} {number}",
                details={**one, "night": night},
            )
            for number, one in enumerate(details)
        ]
        await jobs.enqueue(self._database, system(organization), kind, wanted, priority=DOING)

    def _seconds(self, job: Job) -> int:
        began = datetime.fromisoformat(job.details["since"])
        return max(0, round((self._world.now() - began).total_seconds()))


def _all_over(found: Sequence[Job], step: int, steps: int) -> None:
    """Go on where all of these jobs are over.

    Raises:
        Waits: they are not.
    """
    done = sum(100 if one.status.over else one.progress for one in found)
    if not all(one.status.over for one in found):
        raise Waits(100 * step + done // len(found), 100 * steps)


def _sum(found: Any) -> Tally:
    """What came of these jobs together; one without a result was given up, or cancelled."""
    tally = Tally()
    for one in found:
        if one.status is Status.COMPLETED and one.result is not None:
            tally.add(one.result)
        else:
            tally.failures[NOT_DONE] += 1
    return tally
