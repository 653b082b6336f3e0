"""Doing a job: claimed, done by its kind, and told of as it goes, so that it ends whatever happens to the worker."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from datasources.postgres import jobs
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Kind, Status
from gateway.queue import Later

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping

    from datasources.postgres.jobs import Job
    from datasources.postgres.session import Database

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=3)
"""How long a job that waits for others waits before it looks at them again, while they come further."""

LOOK_LATER = timedelta(seconds=30)
"""How long it waits at most, when they do not."""

FIRST_WAIT = timedelta(seconds=10)
"""How long a job that could not be done waits for its second try; each further try waits four times as long."""

LONGEST_WAIT = timedelta(minutes=5)
"""How long it waits at most: services that were away for hours are found back within minutes."""

LONGEST = timedelta(hours=1)
"""How long one attempt at a job may take: what hangs lets go of its hand at last."""

WAITS_FOR = "waits for "
"""How the error of a job begins that is tried again; the cause follows."""

MOST_STEPS = 10
"""How often a wait grows: by then it is as long as it may be."""

LASTS: Mapping[Kind, timedelta] = {
    Kind.REFRESH: timedelta(minutes=2),
    Kind.EXPORT: timedelta(minutes=15),
    Kind.PRUNE: timedelta(hours=1),
}
"""How long after it was made a job is tried again where a cause may pass, if its details say no `until`.

A refresh is short: somebody waits for it, and whoever asks again has it made again.
"""


class Unwanted(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """Somebody cancelled the job."""


class Superseded(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """Another worker goes on with the job: this one was taken for dead."""


class NotNow(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """What the job needs does not answer; `cause` names it, and trying again later may help."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Waits(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The job goes on when others are done: `done` `of` all are; looking again is no attempt."""

    def __init__(self, done: int, of: int) -> None:
        super().__init__(f"{done} of {of}")
        self.done = done
        self.of = of


class Work:
    """A claimed job in the hands of what does it; `last` says that there is no time left to try it again."""

    def __init__(self, database: Database, job: Job, *, last: bool) -> None:
        self._database = database
        self.job = job
        self.last = last

    async def progress(self, done: int, of: int) -> None:
        """Say that so much of the job is done.

        Raises:
            Unwanted: somebody cancelled it.
            Superseded: another worker has it.
        """
        wanted = await jobs.report(self._database, self.job, Status.RUNNING, percent(done, of))
        if wanted is None:
            raise Superseded
        if not wanted:
            raise Unwanted


def percent(done: int, of: int) -> int:
    """How much of a job is done while it is not all done: 0 to 99."""
    return min(99, 100 * done // max(1, of))


def deadline(job: Job, lasts: Mapping[Kind, timedelta] = LASTS) -> datetime:
    """Until when a job is tried again where a cause may pass, by the database's clock."""
    until: str | None = job.details.get("until")
    return datetime.fromisoformat(until) if until else job.created_at + lasts.get(job.kind, timedelta(0))


class Hands:
    """Does jobs by their kind. `longest` is how long one attempt may take, `lasts` how long a job is tried again."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[Kind, Callable[[Work], Awaitable[Mapping[str, Any]]]],
        rng: random.Random,
        *,
        longest: timedelta = LONGEST,
        lasts: Mapping[Kind, timedelta] = LASTS,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._rng = rng
        self._longest = longest
        self._lasts = lasts
        self._held: Counter[str] = Counter()

    async def work(self, organization: str, job_id: str) -> None:
        """Do one job, if it is still to be done, and say how it ended.

        Raises:
            Later: it could not be done now, for a cause that may pass.
        """
        try:
            job = await jobs.claim(self._database, organization, job_id, at_it=self._held[job_id] > 0)
        except UNAVAILABLE as error:
            raise Later(FIRST_WAIT) from error
        if job is None:
            log.info("job.not_claimed", job=job_id)
            return
        self._held[job_id] += 1
        try:
            await self._do(job)
        finally:
            self._held[job_id] -= 1
            if not self._held[job_id]:
                del self._held[job_id]

    async def _do(self, job: Job) -> None:
        work = Work(self._database, job, last=self._left(job) <= timedelta(0))
        try:
            async with asyncio.timeout(self._longest.total_seconds()) as limit:
                result = await self._handlers[job.kind](work)
            await self._end(job, Status.COMPLETED, result=result)
        except Superseded:
            log.warning("job.superseded", job=job.id, kind=job.kind.value)
        except Unwanted:
            await self._end(job, Status.CANCELLED)
        except Waits as error:
            await self._wait(job, error)
        except NotNow as error:
            await self._again(job, error.cause)
        except UNAVAILABLE:
            if limit.expired():
                await self._end(job, Status.FAILED, error="it took longer than a job may")
            else:
                await self._again(job, "database")
        except Exception as error:
            log.exception("job.fault", job=job.id, kind=job.kind.value, error=type(error).__name__)
            await self._end(job, Status.FAILED, error="a fault of ours; it is in the log")

    def _left(self, job: Job) -> timedelta:
        """How much time there was, when the job was claimed, to try it again."""
        return deadline(job, self._lasts) - (job.claimed_at or job.created_at)

    async def _wait(self, job: Job, waits: Waits) -> None:
        """Have a job looked at again soon; one that nobody wants any more ends."""
        done = percent(waits.done, waits.of)
        idle = 0 if done > job.progress else job.setbacks + 1
        look = min(LOOK * 1.5 ** min(idle, MOST_STEPS), LOOK_LATER)
        await self._put_back(job, done, look)

    async def _again(self, job: Job, cause: str) -> None:
        """Have a job tried again, later each time, until its deadline; then it is tried for the last time."""
        left = self._left(job)
        if left <= timedelta(0):
            await self._end(job, Status.FAILED, error=f"{cause} did not answer")
            return
        log.warning("job.put_off", job=job.id, kind=job.kind.value, cause=cause)
        wait = min(FIRST_WAIT * 4 ** min(job.setbacks, MOST_STEPS), LONGEST_WAIT) * self._rng.uniform(0.75, 1.25)
        await self._put_back(job, job.progress, min(wait, left), error=WAITS_FOR + cause)

    async def _put_back(self, job: Job, progress: int, wait: timedelta, *, error: str | None = None) -> None:
        """Have a job delivered again after a while; where another one is at it by now, it is left to them.

        Raises:
            Later: it is to be delivered again.
        """
        try:
            wanted = await jobs.report(self._database, job, Status.QUEUED, progress, error=error)
        except UNAVAILABLE as lost:
            raise Later(wait) from lost
        if wanted is not None:
            raise Later(wait)
        log.warning("job.superseded", job=job.id, kind=job.kind.value)

    async def _end(
        self, job: Job, status: Status, *, result: Mapping[str, Any] | None = None, error: str | None = None
    ) -> None:
        try:
            await jobs.report(
                self._database,
                job,
                status,
                100 if status is Status.COMPLETED else job.progress,
                result=result,
                error=error,
            )
        except UNAVAILABLE as lost:
            # Not told, it is not over: it is delivered again, and what was done already is found done.
            raise Later(FIRST_WAIT) from lost
        log.info("job.ended", job=job.id, kind=job.kind.value, status=status.value, attempts=job.attempts)
