"""Attempts at a job: counted while it comes no further, and only the last turn is heard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from datasources.postgres import jobs
from datasources.postgres.jobs import ATTEMPTS, Kind, Status, Wanted
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

LENA_ASKS = Actor(ACME, LENA, "learner")
OF_LENA = Wanted("refresh lena", "learner", LENA)


async def made(database: Database) -> jobs.Job:
    return (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [OF_LENA]))[OF_LENA.once].job


@asynccontextmanager
async def another(clone: Clone) -> AsyncIterator[Database]:
    """The database as another process has it, which ends with the block."""
    opened = await Database.open(clone.app_url, size=1)
    yield opened
    await opened.close()


async def test_a_worker_that_was_taken_for_dead_is_not_heard_any_more(database: Database, clone: Clone) -> None:
    job = await made(database)
    dead = await jobs.claim(database, ACME, job.id)
    async with another(clone) as process:
        alive = await jobs.claim(process, ACME, job.id)
    assert dead is not None
    assert alive is not None
    assert alive.attempts == 2
    assert await jobs.report(database, dead, Status.COMPLETED, 100) is None
    assert (await made(database)).status is Status.RUNNING
    assert await jobs.report(database, alive, Status.COMPLETED, 100)


async def killed(clone: Clone, job: jobs.Job) -> jobs.Job | None:
    """What a process that dies of a job was given to do; None where it got nothing."""
    async with another(clone) as process:
        return await jobs.claim(process, ACME, job.id)


async def test_a_job_that_kills_its_workers_is_given_up(database: Database, clone: Clone) -> None:
    job = await made(database)
    for _ in range(ATTEMPTS):
        assert await killed(clone, job)
    assert await killed(clone, job) is None
    ended = await jobs.cancel(database, LENA_ASKS, job.id)
    assert ended is not None
    assert ended.status is Status.FAILED
    assert ended.error == "given up after 3 attempts"
    assert await jobs.claim(database, ACME, job.id) is None


async def test_a_job_that_comes_further_each_time_is_not_given_up(database: Database, clone: Clone) -> None:
    job = await made(database)
    for progress in range(10, 100, 10):
        async with another(clone) as process:
            claimed = await jobs.claim(process, ACME, job.id)
            assert claimed is not None
            assert claimed.attempts <= 2
            assert await jobs.report(process, claimed, Status.RUNNING, progress)
    for _ in range(ATTEMPTS - 1):
        assert await killed(clone, job)
    assert await killed(clone, job) is None, "three in a row without headway are three"


async def test_who_was_at_it_before_is_not_heard_though_the_count_begins_anew(database: Database, clone: Clone) -> None:
    job = await made(database)
    first = await jobs.claim(database, ACME, job.id)
    assert first is not None
    async with another(clone) as process:
        second = await jobs.claim(process, ACME, job.id)
        assert second is not None
        assert await jobs.report(process, second, Status.RUNNING, 10)
    assert (await made(database)).attempts == first.attempts
    assert await jobs.report(database, first, Status.COMPLETED, 100) is None


async def test_what_waits_for_a_cause_says_so_until_it_comes_further(database: Database) -> None:
    job = await made(database)
    claimed = await jobs.claim(database, ACME, job.id)
    assert claimed is not None
    await jobs.report(database, claimed, Status.QUEUED, 20, error="waits for course")
    claimed = await jobs.claim(database, ACME, job.id)
    assert claimed is not None
    for progress, error in ((10, "waits for course"), (20, "waits for course"), (21, None)):
        await jobs.report(database, claimed, Status.RUNNING, progress)
        assert (await made(database)).error == error
