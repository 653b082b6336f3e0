"""Jobs in the hands of workers: done once, tried again for a cause that may pass, and given up in the end."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from datasources.postgres import jobs
from datasources.postgres.jobs import Kind, Status, Wanted
from datasources.postgres.session import Actor
from gateway import queue
from gateway.jobs import Hands, NotNow, Work
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from conftest import Clone

    from datasources.postgres.session import Database

LENA_ASKS = Actor(ACME, LENA, "learner")


@asynccontextmanager
async def working(
    clone: Clone,
    database: Database,
    does: Callable[[Work], Awaitable[Mapping[str, Any]]],
    *,
    workers: int = 1,
    heartbeat: timedelta = queue.HEARTBEAT,
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Workers that do refreshes in this way."""
    stopped = [asyncio.Event() for _ in range(workers)]
    hands = Hands(database, {Kind.REFRESH: does}, random.Random(7))
    tasks = [
        asyncio.create_task(
            queue.serve(clone.app_url, hands.work, schedule={}, hands=4, stopped=each, heartbeat=heartbeat)
        )
        for each in stopped
    ]
    yield tasks
    for each in stopped:
        each.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks, return_exceptions=True)


async def ended(database: Database, *ids: str) -> list[jobs.Job]:
    """These jobs, once they are over."""
    heard = asyncio.Event()
    async with asyncio.timeout(30), database.listen(jobs.CHANNEL, lambda _: heard.set()):
        while True:
            found = [await jobs.find(database, LENA_ASKS, each) for each in ids]
            if all(job is not None and job.status.over for job in found):
                return [job for job in found if job is not None]
            await heard.wait()
            heard.clear()


async def test_a_job_is_done_and_says_how_it_ended(clone: Clone, database: Database) -> None:
    async def does(work: Work) -> Mapping[str, Any]:
        await work.progress(1, 2)
        return {"answers": 2}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
        (job,) = await ended(database, made.id)
    assert (job.status, job.progress, job.attempts, job.result) == (Status.COMPLETED, 100, 1, {"answers": 2})


async def test_two_workers_do_each_of_many_jobs_once(clone: Clone, database: Database) -> None:
    done: list[str] = []

    async def does(work: Work) -> Mapping[str, Any]:
        done.append(work.job.id)
        return {}

    async with working(clone, database, does, workers=2):
        wanted = [Wanted(f"job {n}") for n in range(40)]
        made = await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, wanted)
        await ended(database, *(one.job.id for one in made.values()))
    assert sorted(done) == sorted(one.job.id for one in made.values())


async def test_a_fault_fails_at_once_and_is_not_tried_again(clone: Clone, database: Database) -> None:
    async def does(_: Work) -> Mapping[str, Any]:
        message = "a name that must not be told"
        raise KeyError(message)

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
        (job,) = await ended(database, made.id)
    assert (job.status, job.attempts) == (Status.FAILED, 1)
    assert job.error == "a fault of ours; it is in the log"


async def test_a_cause_that_may_pass_is_waited_for(clone: Clone, database: Database) -> None:
    tried: list[int] = []

    async def does(work: Work) -> Mapping[str, Any]:
        tried.append(work.job.attempts)
        if len(tried) == 1:
            cause = "course"
            raise NotNow(cause)
        return {"answers": 1}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
        (job,) = await ended(database, made.id)
    assert (job.status, tried) == (Status.COMPLETED, [1, 2])


async def test_what_the_queue_notes_of_a_second_try_says_nothing_of_the_fault(clone: Clone, database: Database) -> None:
    async def does(work: Work) -> Mapping[str, Any]:
        if work.job.attempts == 1:
            cause = "course"
            raise NotNow(cause) from ValueError(LENA)
        return {}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
        await ended(database, made.id)
    noted = await database.fetch("SELECT traceback::text AS said FROM queue.pgqueuer_log WHERE traceback IS NOT NULL")
    assert noted
    assert not [row["said"] for row in noted if LENA in row["said"]]


async def test_a_job_that_hangs_is_given_up(database: Database) -> None:
    async def hangs(_: Work) -> Mapping[str, Any]:
        await asyncio.get_running_loop().create_future()
        return {}

    made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
    hands = Hands(database, {Kind.REFRESH: hangs}, random.Random(7), longest=timedelta(milliseconds=50))
    await hands.work(ACME, made.id)
    job = await jobs.find(database, LENA_ASKS, made.id)
    assert job is not None
    assert (job.status, job.error) == (Status.FAILED, "it took longer than a job may")


async def test_a_running_job_that_is_cancelled_stops_where_it_says_how_far_it_is(
    clone: Clone, database: Database
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def does(work: Work) -> Mapping[str, Any]:
        begun.set()
        await cancelled.wait()
        await work.progress(1, 2)
        return {}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one")]))["one"].job
        await begun.wait()
        await jobs.cancel(database, LENA_ASKS, made.id)
        cancelled.set()
        (job,) = await ended(database, made.id)
    assert job.status is Status.CANCELLED
