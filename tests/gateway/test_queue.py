"""Jobs in the hands of workers: done once, tried again for a cause that may pass, and given up in the end."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from datasources.postgres import jobs
from datasources.postgres.jobs import Kind, Status, Wanted
from datasources.postgres.session import Actor, Database
from gateway import queue
from gateway.jobs import Hands, NotNow, Waits, Work
from gateway.queue import Later
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from conftest import Clone


LENA_ASKS = Actor(ACME, LENA, "learner")
ONE = Wanted("one", "learner", LENA)


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
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
        (job,) = await ended(database, made.id)
    assert (job.status, job.progress, job.attempts, job.result) == (Status.COMPLETED, 100, 1, {"answers": 2})


async def test_two_workers_do_each_of_many_jobs_once(clone: Clone, database: Database) -> None:
    done: list[str] = []

    async def does(work: Work) -> Mapping[str, Any]:
        done.append(work.job.id)
        return {}

    async with working(clone, database, does, workers=2):
        wanted = [Wanted(f"job {n}", "learner", LENA) for n in range(40)]
        made = await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, wanted)
        await ended(database, *(one.job.id for one in made.values()))
    assert sorted(done) == sorted(one.job.id for one in made.values())


async def test_a_fault_fails_at_once_and_is_not_tried_again(clone: Clone, database: Database) -> None:
    async def does(_: Work) -> Mapping[str, Any]:
        message = "a name that must not be told"
        raise KeyError(message)

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
        (job,) = await ended(database, made.id)
    assert (job.status, job.attempts) == (Status.FAILED, 1)
    assert job.error == "a fault of ours; it is in the log"


async def test_a_cause_that_may_pass_is_waited_for(clone: Clone, database: Database) -> None:
    tried: list[int] = []

    async def does(work: Work) -> Mapping[str, Any]:
        tried.append(work.job.turn)
        if len(tried) == 1:
            cause = "course"
            raise NotNow(cause)
        return {"answers": 1}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
        (job,) = await ended(database, made.id)
    assert (job.status, tried) == (Status.COMPLETED, [1, 2])


async def test_what_the_queue_notes_of_a_second_try_says_nothing_of_the_fault(clone: Clone, database: Database) -> None:
    async def does(work: Work) -> Mapping[str, Any]:
        if work.job.turn == 1:
            cause = "course"
            raise NotNow(cause) from ValueError(LENA)
        return {}

    async with working(clone, database, does):
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
        await ended(database, made.id)
    noted = await database.fetch("SELECT traceback::text AS said FROM queue.pgqueuer_log WHERE traceback IS NOT NULL")
    assert noted
    assert not [row["said"] for row in noted if LENA in row["said"]]


async def test_a_job_that_hangs_is_given_up(database: Database) -> None:
    async def hangs(_: Work) -> Mapping[str, Any]:
        await asyncio.get_running_loop().create_future()
        return {}

    made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
    hands = Hands(database, {Kind.REFRESH: hangs}, random.Random(7), longest=timedelta(milliseconds=50))
    await hands.work(ACME, made.id)
    job = await jobs.find(database, LENA_ASKS, made.id)
    assert job is not None
    assert (job.status, job.error) == (Status.FAILED, "it took longer than a job may")


async def made(database: Database) -> jobs.Job:
    return (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job


async def state_of(database: Database, job: jobs.Job) -> jobs.Job:
    found = await jobs.find(database, LENA_ASKS, job.id)
    assert found is not None
    return found


async def test_a_cause_that_may_pass_is_no_attempt_however_long_it_takes(database: Database) -> None:
    """An outage of hours: tried again and again, later each time and never later than in five minutes or so."""

    async def away(_: Work) -> Mapping[str, Any]:
        cause = "course"
        raise NotNow(cause)

    job = await made(database)
    hands = Hands(database, {Kind.REFRESH: away}, random.Random(7))
    waits = []
    for _ in range(20):
        with pytest.raises(Later) as later:
            await hands.work(ACME, job.id)
        waits.append(later.value.delay)
    assert timedelta(seconds=7) < waits[0] < timedelta(seconds=13)
    assert timedelta(seconds=30) <= waits[1] <= timedelta(seconds=50)
    assert max(waits) <= timedelta(minutes=2), "it is tried for the last time when its time is over"
    job = await state_of(database, job)
    assert (job.status, job.attempts, job.error) == (Status.QUEUED, 0, "waits for course")


async def test_a_cause_that_does_not_pass_ends_a_job_when_its_time_is_over(database: Database) -> None:
    async def away(work: Work) -> Mapping[str, Any]:
        assert work.last
        cause = "course"
        raise NotNow(cause)

    job = await made(database)
    over = {Kind.REFRESH: timedelta(0)}
    await Hands(database, {Kind.REFRESH: away}, random.Random(7), lasts=over).work(ACME, job.id)
    job = await state_of(database, job)
    assert (job.status, job.error) == (Status.FAILED, "course did not answer")


async def test_a_database_that_was_away_costs_a_job_nothing(database: Database) -> None:
    """Whatever could not be reported: the process that comes back for the job did not die of it."""

    async def cut_off(_: Work) -> Mapping[str, Any]:
        raise ConnectionError

    job = await made(database)
    hands = Hands(database, {Kind.REFRESH: cut_off}, random.Random(7))
    for _ in range(2 * jobs.ATTEMPTS):
        claimed = await jobs.claim(database, ACME, job.id)
        assert claimed is not None
        assert claimed.attempts == 1
    with pytest.raises(Later):
        await hands.work(ACME, job.id)
    assert (await state_of(database, job)).attempts == 0


async def test_who_was_taken_for_dead_does_not_put_back_what_another_is_at(clone: Clone, database: Database) -> None:
    """A delivery that it put back would take the job from the one who is at it."""
    alive: list[jobs.Job | None] = []

    async def taken_over(work: Work) -> Mapping[str, Any]:
        other = await Database.open(clone.app_url, size=1)
        alive.append(await jobs.claim(other, ACME, work.job.id))
        await other.close()
        cause = "course"
        raise NotNow(cause)

    job = await made(database)
    await Hands(database, {Kind.REFRESH: taken_over}, random.Random(7)).work(ACME, job.id)
    (other,) = alive
    assert other is not None
    assert await jobs.report(database, other, Status.COMPLETED, 100)


async def test_a_job_that_is_delivered_twice_to_one_process_counts_both_times(database: Database) -> None:
    """What stops a process from saying that it lives is no reason to begin the job there for ever."""
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow(_: Work) -> Mapping[str, Any]:
        begun.set()
        await done.wait()
        return {}

    job = await made(database)
    hands = Hands(database, {Kind.REFRESH: slow}, random.Random(7))
    first = asyncio.create_task(hands.work(ACME, job.id))
    await begun.wait()
    begun.clear()
    second = asyncio.create_task(hands.work(ACME, job.id))
    await begun.wait()
    assert (await state_of(database, job)).attempts == 2
    done.set()
    await asyncio.gather(first, second)
    assert (await state_of(database, job)).status is Status.COMPLETED


async def test_who_waits_for_others_looks_less_often_while_they_come_no_further(database: Database) -> None:
    done = 0

    async def waits(_: Work) -> Mapping[str, Any]:
        raise Waits(done, 100)

    job = await made(database)
    hands = Hands(database, {Kind.REFRESH: waits}, random.Random(7))
    pauses = []
    for done in (0, 0, 0, 0, 0, 0, 0, 0, 10):  # noqa: B007 - it is what the job says
        with pytest.raises(Later) as later:
            await hands.work(ACME, job.id)
        pauses.append(later.value.delay.total_seconds())
    assert pauses[:8] == sorted(pauses[:8])
    assert (pauses[7], pauses[8]) == (30, 3)


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
        made = (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [ONE]))[ONE.once].job
        await begun.wait()
        await jobs.cancel(database, LENA_ASKS, made.id)
        cancelled.set()
        (job,) = await ended(database, made.id)
    assert job.status is Status.CANCELLED
