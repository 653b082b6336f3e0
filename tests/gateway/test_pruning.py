"""Letting go as a job: enqueued by the schedule, done by a worker, by the clock of the database."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from datasources.postgres import answers, jobs, prune, roster
from datasources.postgres.connection import connect
from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import PLATFORM, Kind, Status
from datasources.postgres.session import system
from gateway.jobs import Hands
from gateway.pruning import LOST_AFTER, Pruning
from gateway.queue import Later
from tests.cast import ACME, LENA
from tests.datasources.postgres.rosters import acme, asked, kept

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone


async def waiting(database: Database) -> list[str]:
    async with database.session(system(PLATFORM)) as session:
        return list((await session.exec(select(JobRow.id).where(JobRow.kind == "PRUNE"))).all())


async def done(database: Database) -> jobs.Job:
    """The one job that waits, once hands have been laid on it."""
    pruning = Pruning(database)
    (job,) = await waiting(database)
    await Hands(database, {Kind.PRUNE: pruning.do}, random.Random(7)).work(PLATFORM, job)
    found = await jobs.find(database, system(PLATFORM), job)
    assert found is not None
    return found


async def test_however_many_schedules_are_due_it_is_done_once(database: Database) -> None:
    await asyncio.gather(*(Pruning(database).prune() for _ in range(5)))
    assert len(await waiting(database)) == 1


async def test_one_that_fell_out_of_the_queue_is_put_back_when_the_next_is_due(
    database: Database, clone: Clone
) -> None:
    await Pruning(database).prune()
    await database.fetch("DELETE FROM queue.pgqueuer")
    owner = await connect(clone.owner_url)
    try:
        await owner.execute("ALTER TABLE jobs NO FORCE ROW LEVEL SECURITY")
        await owner.execute("UPDATE jobs SET created_at = created_at - $1::interval", LOST_AFTER)
        await owner.execute("ALTER TABLE jobs FORCE ROW LEVEL SECURITY")
    finally:
        await owner.close()
    await Pruning(database).prune()
    assert len(await waiting(database)) == 1
    assert len(await database.fetch("SELECT FROM queue.pgqueuer")) == 1


async def test_it_says_how_much_went(database: Database) -> None:
    await roster.sync(database, acme())
    now = await prune.present(database)
    for name, age in (("young", timedelta(0)), ("old", timedelta(days=7, minutes=1))):
        await answers.keep(database, ACME, {asked("learner", LENA, name): kept(now - age)})
    await Pruning(database).prune()
    job = await done(database)
    assert (job.status, job.result) == (
        Status.COMPLETED,
        {
            "answers": 1,
            "facts": 0,
            "jobs": 0,
            "reports": 0,
            "sessions": 0,
            "revocations": 0,
            "tombstones": 0,
            "partitionsMade": 0,
            "partitionsDropped": 0,
        },
    )


async def test_a_table_that_is_in_use_is_waited_for(database: Database, clone: Clone) -> None:
    month = (await prune.present(database)).strftime("audit_%Y_%m")
    owner = await connect(clone.owner_url)
    await Pruning(database).prune()
    try:
        await owner.execute(f"DROP TABLE parts.{month}")
        async with owner.transaction():
            await owner.execute("LOCK TABLE audit")
            with pytest.raises(Later):
                await done(database)
        job = await done(database)
    finally:
        await owner.close()
    assert job.status is Status.COMPLETED
    assert job.result is not None
    assert job.result["partitionsMade"] == 1


async def test_what_the_queue_noted_of_old_deliveries_goes(database: Database) -> None:
    insert = (
        "INSERT INTO queue.pgqueuer_log (created, job_id, status, priority, entrypoint) "
        "VALUES (now() - $1::interval, 1, 'successful', 0, 'job')"
    )
    for age in (timedelta(days=1), timedelta(days=8)):
        await database.fetch(insert, age)
    await prune.expired(database, await prune.present(database))
    assert len(await database.fetch("SELECT FROM queue.pgqueuer_log")) == 1


async def test_what_the_queue_counted_of_old_deliveries_goes(database: Database) -> None:
    insert = (
        "INSERT INTO queue.pgqueuer_statistics (created, count, priority, status, entrypoint) "
        "VALUES (now() - $1::interval, 1, 0, 'successful', 'job')"
    )
    for age in (timedelta(days=1), timedelta(days=8)):
        await database.fetch(insert, age)
    await prune.expired(database, await prune.present(database))
    assert len(await database.fetch("SELECT FROM queue.pgqueuer_statistics")) == 1
