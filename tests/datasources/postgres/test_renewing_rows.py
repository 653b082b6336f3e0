"""Newer answers asked for: whose job it is stays with whom it concerns, and what failed a moment ago rests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.postgres import deliveries, jobs
from datasources.postgres.connection import connect
from datasources.postgres.jobs import Job, Kind, Status, Wanted
from datasources.postgres.session import Actor
from tests.cast import ACME, LARS, LENA, OTHER, SAM

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone

MARKET = Wanted("answer market", "market", ACME, {"asked": []})
ELSE = Wanted("answer else", "market", ACME, {"asked": []})


async def renewed(database: Database, who: str, *wanted: Wanted, organization: str = ACME) -> list[Job | bool]:
    actor = Actor(organization, who, "learner")
    found = await jobs.renew(database, actor, wanted, priority=1, rest=timedelta(minutes=1))
    return [found[one.once] for one in wanted]


async def test_another_persons_job_is_known_to_be_there_and_no_more(database: Database) -> None:
    (hers,) = await renewed(database, LENA, MARKET)
    assert isinstance(hers, Job)
    his, his_own = await renewed(database, LARS, MARKET, ELSE)
    assert his is True
    assert isinstance(his_own, Job)
    assert (await renewed(database, LENA, MARKET)) == [hers]
    (abroad,) = await renewed(database, SAM, replace(MARKET, subject=OTHER), organization=OTHER)
    assert isinstance(abroad, Job)
    assert abroad.id != hers.id


async def test_what_failed_a_moment_ago_rests_and_is_tried_again_later(database: Database, clone: Clone) -> None:
    (made,) = await renewed(database, LENA, MARKET)
    assert isinstance(made, Job)
    claimed = await jobs.claim(database, ACME, made.id)
    assert claimed is not None
    await jobs.report(database, claimed, Status.FAILED, 0, error="course did not answer")
    resting, other = await renewed(database, LARS, MARKET, ELSE)
    assert resting is False
    assert isinstance(other, Job)
    await let_time_pass(clone, "UPDATE jobs SET finished_at = finished_at - interval '1 minute'")
    (again,) = await renewed(database, LARS, MARKET)
    assert isinstance(again, Job)
    assert again.id != made.id


async def test_jobs_that_wait_while_nobody_works_are_counted(database: Database, clone: Clone) -> None:
    await jobs.enqueue(database, Actor(ACME, LENA, "learner"), Kind.REFRESH, [MARKET, ELSE])
    assert await deliveries.unattended(database) == 0
    await let_time_pass(clone, "UPDATE queue.pgqueuer SET execute_after = execute_after - interval '2 minutes'")
    assert await deliveries.unattended(database) == 2
    first = "SELECT min(id) FROM queue.pgqueuer"
    await let_time_pass(
        clone,
        f"UPDATE queue.pgqueuer SET status = 'picked', heartbeat = now() WHERE id = ({first})",  # noqa: S608 - ours
    )
    assert await deliveries.unattended(database) == 0


async def let_time_pass(clone: Clone, statement: str) -> None:
    """Have what is written be older than it is."""
    connection = await connect(clone.app_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT act_as($1, 'system', 'system')", ACME)
            await connection.execute(statement)
    finally:
        await connection.close()
