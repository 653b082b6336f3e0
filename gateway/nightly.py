"""The night: begun once, fanned out in parts to whoever works, summed up, and written down as aggregates.

A night waits for its parts without holding a worker: it looks at them, and has itself delivered again. What a
service keeps back is waited for until the next night, and meanwhile the rest is worked out and written down.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from analytics import batch, calibrating
from analytics.batch import STEPS, Part, Tally
from analytics.history import measured
from datasources.postgres import aggregates, jobs, nights, prune
from datasources.postgres.jobs import PLATFORM, Kind, Status, Wanted
from datasources.postgres.session import system
from gateway.jobs import WAITS_FOR, NotNow, Waits

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

BEGINS = timedelta(hours=2)
"""When in the day a night begins, UTC."""

REST = timedelta(minutes=30)
"""How long before the next night what a service keeps back is waited for no more."""

SOONER = timedelta(minutes=10)
"""How much sooner than who waits for it a part of a night is given up."""

PATIENT = 3
"""How often a part is put off in a row before a night goes on without it, for the time being."""

AT_ONCE = 2
"""How many parts a worker is at, at a time: one works while the other reads. More would wait for the processor."""


class Nights:
    """Does the jobs of a night, with everything that lives as long as the process.

    A night `lasts` until shortly before the next one begins, unless said.
    """

    def __init__(self, world: World, *, lasts: timedelta | None = None) -> None:
        self._world = world
        self._database = world.database
        self._lasts = lasts
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
        until = await prune.present(self._database) + (self._lasts or _left(now))
        details = {"night": str(now.date()), "since": now.isoformat(), "until": until.isoformat()}
        wanted = Wanted(once, details=details)
        await jobs.enqueue(self._database, system(PLATFORM), Kind.NIGHTLY, [wanted], priority=COORDINATING)

    async def night(self, work: Work) -> Mapping[str, Any]:
        """The night of every organization, or of one: have the parts done that are not, wait, and sum up.

        Raises:
            Waits: it goes on when others are done.
            NotNow: who is in the organization is not known, or all is done but for what a service keeps back.
        """
        if work.job.organization == PLATFORM:
            return await self._everywhere(work)
        return await self._in(work)

    async def chunk(self, work: Work) -> Mapping[str, Any]:
        """One part of a night.

        Raises:
            NotNow: a service did not answer for some of it, and there is time left to try it again.
        """
        job = work.job
        async with self._places:
            tally = await batch.work_out(self._world, job.organization, Part.read(job.details), work.progress)
        passing = sorted(set(tally.failures) - {batch.FAULTS})
        if passing and not work.last:
            raise NotNow(" and ".join(passing))
        return tally.wire()

    async def views(self, work: Work) -> Mapping[str, Any]:
        """Sum up an organization's answers of the night, and write down at what risk its learners stand."""
        job = work.job
        since = datetime.fromisoformat(job.details["since"])
        day = since.astimezone(UTC).date()
        written = await aggregates.write(self._database, job.organization, day, since - STILL_GOOD, measured())
        # After the sums: they take the place of all that the day had.
        written += await calibrating.write_down(self._world, job.organization, day)
        return {"aggregates": written}

    async def _everywhere(self, work: Work) -> Mapping[str, Any]:
        job = work.job
        once = f"nightly {job.details['night']}"
        under_way = await nights.begin(self._database, once, _sooner(job), priority=COORDINATING)
        late = [one for one in under_way if _is_late(one)]
        if not work.last:
            _settled(under_way, late, 0, 1)
        if not late or job.error is None:
            # Once for what is known by now, and again when all is.
            await aggregates.refresh(self._database)
        _insist(work, late)
        return {**_sum(under_way).wire(), "organizations": len(under_way), "seconds": self._seconds(job)}

    async def _in(self, work: Work) -> Mapping[str, Any]:
        job = work.job
        organization, night = job.organization, job.details["night"]
        since = datetime.fromisoformat(job.details["since"])
        await self._world.roster.ready(organization)
        if missing := await self._world.roster.missing(organization):
            raise NotNow(" and ".join(sorted(missing)))
        chunks = await nights.jobs_of(self._database, organization, Kind.CHUNK, night)
        late = [one for one in chunks.values() if _is_late(one) and one.setbacks >= PATIENT]
        for step in range(len(STEPS)):
            begun = [one for one in chunks.values() if one.details["step"] == step]
            if not begun and not work.last:
                parts = await batch.parts(self._world, organization, step, since)
                await self._hand_out(job, Kind.CHUNK, [part.wire() for part in parts])
                if parts:
                    raise Waits(step, len(STEPS) + 1)
            if not work.last:
                _settled(begun, late, step, len(STEPS) + 1)
        views = await self._views(work, list(chunks.values()), late)
        _insist(work, late)
        written = sum((one.result or {}).get("aggregates", 0) for one in views)
        return {**_sum(chunks.values()).wire(), "aggregates": written, "seconds": self._seconds(job)}

    async def _views(self, work: Work, chunks: Sequence[Job], late: Sequence[Job]) -> Sequence[Job]:
        """What was written down of these chunks: once without what is late, and again when that is done.

        Raises:
            Waits: it is not written yet.
        """
        job = work.job
        found = await nights.jobs_of(self._database, job.organization, Kind.VIEWS, job.details["night"])
        views = list(found.values())
        if work.last:
            return views
        done = max((one.finished_at for one in chunks if one.finished_at), default=job.created_at)
        if not views or (not late and views[-1].created_at < done):
            await self._hand_out(job, Kind.VIEWS, [{"since": job.details["since"]}])
            raise Waits(len(STEPS), len(STEPS) + 1)
        _settled(views, [], len(STEPS), len(STEPS) + 1)
        return views

    async def _hand_out(self, job: Job, kind: Kind, details: Sequence[Mapping[str, Any]]) -> None:
        """Have parts of a night done: all of them are made, or none."""
        night = job.details["night"]
        wanted = [
            Wanted(
                f"{kind.value} {night} {one.get('step', '')} {one.get('scope', '')} {number}",
                details={**_sooner(job), **one},
            )
            for number, one in enumerate(details)
        ]
        await jobs.enqueue(self._database, system(job.organization), kind, wanted, priority=DOING)

    def _seconds(self, job: Job) -> int:
        began = datetime.fromisoformat(job.details["since"])
        return max(0, round((self._world.now() - began).total_seconds()))


def _left(now: datetime) -> timedelta:
    """How long it is from now until shortly before the night of the next day."""
    return datetime.combine(now.date(), time(tzinfo=UTC)) + timedelta(days=1) + BEGINS - REST - now


def _sooner(job: Job) -> Mapping[str, Any]:
    """What the parts of a night carry: the same, and a deadline before its own."""
    until = datetime.fromisoformat(job.details["until"]) - SOONER
    return {**job.details, "until": until.isoformat()}


def _is_late(job: Job) -> bool:
    """Whether a part was put off, for a cause that its error names."""
    return not job.status.over and job.error is not None


def _settled(found: Sequence[Job], late: Sequence[Job], step: int, steps: int) -> None:
    """Go on where all of these jobs are over, but for those that are late.

    Raises:
        Waits: they are not.
    """
    waiting = {one.id for one in found if not one.status.over} - {one.id for one in late}
    if waiting:
        done = sum(one.progress if one.id in waiting else 100 for one in found)
        raise Waits(100 * step + done // len(found), 100 * steps)


def _insist(work: Work, late: Sequence[Job]) -> None:
    """Go on where nothing is late, or there is no time left to wait for it.

    Raises:
        NotNow: something is; the cause names what it waits for.
    """
    if late and not work.last:
        causes = {one.error.removeprefix(WAITS_FOR) for one in late if one.error}
        raise NotNow(" and ".join(sorted({name for cause in causes for name in cause.split(" and ")})))


def _sum(found: Any) -> Tally:
    """What came of these jobs together; one without a result was given up, or cancelled."""
    tally = Tally()
    for one in found:
        if one.status is Status.COMPLETED and one.result is not None:
            tally.add(one.result)
        else:
            tally.failures[NOT_DONE] += 1
    return tally
