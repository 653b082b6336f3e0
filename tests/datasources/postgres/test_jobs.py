"""Jobs: made once, claimed by one attempt at a time, and nobody's business but their owner's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlmodel import select

from datasources.postgres import deliveries, jobs, roster
from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import Kind, Status, Wanted
from datasources.postgres.session import Actor, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import acme

if TYPE_CHECKING:
    from datasources.postgres.session import Database

LENA_ASKS = Actor(ACME, LENA, "learner")
MOST_OF_ONE = 2_000
OF_LENA = Wanted("refresh lena", "learner", LENA, {"metrics": ["learner-velocity"]})


async def made(database: Database, wanted: Wanted = OF_LENA, actor: Actor = LENA_ASKS) -> jobs.Job:
    return (await jobs.enqueue(database, actor, Kind.REFRESH, [wanted]))[wanted.once].job


async def seen(database: Database, actor: Actor) -> list[str]:
    async with database.session(actor) as session:
        return sorted((await session.exec(select(JobRow.once))).all())


async def delivered(database: Database) -> int:
    rows = await database.fetch("SELECT count(*) AS n FROM queue.pgqueuer")
    found: int = rows[0]["n"]
    return found


async def test_a_job_is_made_once_however_many_ask(database: Database) -> None:
    asked = [jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [OF_LENA, OF_LENA]) for _ in range(20)]
    answers = [answer[OF_LENA.once] for answer in await asyncio.gather(*asked)]
    assert len({answer.job.id for answer in answers}) == 1
    assert await delivered(database) == 1
    assert answers[0].job.status is Status.QUEUED
    assert answers[0].job.details == {"metrics": ["learner-velocity"]}


async def test_the_next_one_is_made_when_the_last_is_over(database: Database) -> None:
    first = await made(database)
    claimed = await jobs.claim(database, ACME, first.id)
    assert claimed is not None
    assert (await made(database)).id == first.id
    assert await jobs.report(database, claimed, Status.COMPLETED, 100, result={"answers": 1})
    second = await made(database)
    assert second.id != first.id
    assert await delivered(database) == 2


async def test_progress_never_goes_back(database: Database) -> None:
    claimed = await jobs.claim(database, ACME, (await made(database)).id)
    assert claimed is not None
    assert claimed.status is Status.RUNNING
    assert claimed.attempts == 1
    for progress in (40, 20):
        assert await jobs.report(database, claimed, Status.RUNNING, progress)
        assert (await made(database)).progress == 40


async def test_a_delivery_that_is_made_again_is_as_urgent_as_the_first(database: Database) -> None:
    await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [OF_LENA], priority=7)
    await database.fetch("DELETE FROM queue.pgqueuer")
    assert await deliveries.redeliver(database, ACME, after=timedelta(0)) == 1
    assert [row["priority"] for row in await database.fetch("SELECT priority FROM queue.pgqueuer")] == [7]


async def test_a_job_whose_delivery_was_lost_is_delivered_again_and_only_once(database: Database) -> None:
    lost = await made(database)
    await jobs.claim(database, ACME, lost.id)
    await database.fetch("DELETE FROM queue.pgqueuer")
    await made(database, Wanted("another", "learner", LENA))
    at_once = timedelta(0)
    assert await deliveries.redeliver(database, ACME, after=timedelta(hours=1)) == 0, "it may be on its way"
    assert await deliveries.redeliver(database, OTHER, after=at_once) == 0
    assert await deliveries.redeliver(database, ACME, after=at_once) == 1
    assert await deliveries.redeliver(database, ACME, after=at_once) == 0
    assert await delivered(database) == 2
    assert await jobs.claim(database, ACME, lost.id)


async def test_a_queued_job_is_cancelled_at_once(database: Database) -> None:
    job = await made(database)
    cancelled = await jobs.cancel(database, LENA_ASKS, job.id)
    assert cancelled is not None
    assert cancelled.status is Status.CANCELLED
    assert await jobs.claim(database, ACME, job.id) is None


async def test_a_running_job_hears_that_it_is_not_wanted(database: Database) -> None:
    claimed = await jobs.claim(database, ACME, (await made(database)).id)
    assert claimed is not None
    assert await jobs.cancel(database, LENA_ASKS, claimed.id)
    assert await jobs.report(database, claimed, Status.RUNNING, 10) is False
    assert await jobs.report(database, claimed, Status.CANCELLED, 10) is False
    assert await jobs.claim(database, ACME, claimed.id) is None


async def test_a_cancelled_job_whose_worker_died_is_not_begun_again(database: Database) -> None:
    claimed = await jobs.claim(database, ACME, (await made(database)).id)
    assert claimed is not None
    await jobs.cancel(database, LENA_ASKS, claimed.id)
    assert await jobs.claim(database, ACME, claimed.id) is None
    ended = await jobs.cancel(database, LENA_ASKS, claimed.id)
    assert ended is not None
    assert ended.status is Status.CANCELLED


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (LENA_ASKS, ["refresh lena"]),
        (Actor(ACME, LARS, "learner"), []),
        (Actor(ACME, TOMAS, "trainer"), ["refresh lena"]),
        (Actor(ACME, TARA, "trainer"), []),
        (Actor(ACME, OLGA, "org-admin"), ["nightly", "refresh lena"]),
        (Actor(OTHER, SAM, "org-admin"), []),
        (Actor(OTHER, LENA, "learner"), []),
        (Actor(ACME, LENA, "nobody"), []),
        (Actor("", "", ""), []),
    ],
)
async def test_a_job_is_seen_by_whom_it_concerns(database: Database, actor: Actor, expected: list[str]) -> None:
    await roster.sync(database, acme())
    await made(database, actor=system(ACME))
    await jobs.enqueue(database, system(ACME), Kind.NIGHTLY, [Wanted("nightly")])
    assert await seen(database, actor) == expected


async def test_a_viewer_makes_refreshes_in_their_own_name_and_nothing_else(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jobs.enqueue(database, LENA_ASKS, Kind.NIGHTLY, [Wanted("nightly")])
    assert await delivered(database) == 0


async def test_a_stranger_cancels_nothing(database: Database) -> None:
    job = await made(database)
    for actor in (Actor(ACME, LARS, "learner"), Actor(OTHER, SAM, "org-admin"), Actor(ACME, OLGA, "org-admin")):
        await jobs.cancel(database, actor, job.id)
    assert (await made(database)).status is Status.QUEUED
    assert not (await made(database)).unwanted


async def fill_the_queue(database: Database, deliveries: int) -> None:
    await database.fetch(
        "INSERT INTO queue.pgqueuer (priority, entrypoint, status) "
        "SELECT 0, 'full', 'queued' FROM generate_series(1, $1::integer)",
        deliveries,
    )


async def test_a_full_queue_takes_no_more_of_what_viewers_ask_for(database: Database) -> None:
    first = await made(database)
    await fill_the_queue(database, 19_998)
    assert (await made(database, Wanted("the last", "learner", LENA))).status is Status.QUEUED
    assert await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one more", "learner", LENA)]) == {}
    # What is on its way already is told of, and what the gateway wants is made.
    assert (await made(database)).id == first.id
    assert await jobs.enqueue(database, system(ACME), Kind.CHUNK, [Wanted("a chunk")])
    assert await delivered(database) == 20_001


async def test_a_job_remembers_the_role_it_was_made_in_whatever_its_details_say(database: Database) -> None:
    job = await made(database, Wanted("forged", "learner", LENA, {"role": "org-admin"}))
    assert job.role == "learner"


@pytest.mark.parametrize("column", ["organization", "id", "kind", "owner", "role", "scope", "subject", "created_at"])
async def test_what_a_job_is_and_whose_is_never_changed(database: Database, column: str) -> None:
    await made(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch(f"UPDATE jobs SET {column} = {column}")  # noqa: S608 - our own words


async def test_a_viewer_has_no_more_than_their_share_of_what_waits(database: Database) -> None:
    wanted = [Wanted(f"answer {number}", "learner", LENA) for number in range(MOST_OF_ONE + 1)]
    assert len(await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, wanted)) == MOST_OF_ONE
    assert await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, [Wanted("one more", "learner", LENA)]) == {}
    assert await jobs.enqueue(database, Actor(ACME, LARS, "learner"), Kind.REFRESH, [Wanted("his", "learner", LARS)])
    assert await jobs.enqueue(database, system(ACME), Kind.REFRESH, [Wanted("ours", "learner", LENA)])
