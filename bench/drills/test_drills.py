"""Faults on real processes. After each: no job lost or doubled, no half-written answer, and back by itself soon.

`make drills` runs them; each prints how long it took until all was well again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from bench.drills.site import SECRET, a_drill, a_site
from datasources.postgres import jobs
from datasources.postgres.connection import connect
from datasources.postgres.jobs import PLATFORM, Kind, Status, Wanted
from datasources.postgres.session import Actor
from gateway.nightly import Nights
from gateway.worker import schedule
from tests.gateway.processes import answers, until
from tests.river.banks import DASHBOARD
from tests.river.bearers import token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from bench.drills.site import Drill, Site
    from datasources.simulator.campus import Person

NIGHT = (Kind.NIGHTLY, Kind.CHUNK, Kind.VIEWS)
UNDISTURBED: dict[tuple[str, ...], tuple[str | None, str | None]] = {}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with a_site() as found:
        yield found


@pytest_asyncio.fixture
async def drill(site: Site) -> AsyncIterator[Drill]:
    async with a_drill(site) as found:
        yield found


def over(night: Sequence[jobs.Job]) -> bool:
    """Whether the night of the platform is over, and with it all its parts."""
    return any(job.organization == PLATFORM and job.status.over for job in night)


def under_way(night: Sequence[jobs.Job]) -> bool:
    """Whether some of the work of a night is done, and some is being done."""
    parts = [job for job in night if job.kind is Kind.CHUNK]
    return any(job.status is Status.COMPLETED for job in parts) and any(job.status is Status.RUNNING for job in parts)


async def undisturbed(site: Site) -> dict[tuple[str, ...], tuple[str | None, str | None]]:
    """What is kept after a night in which nothing happens."""
    if not UNDISTURBED:
        async with a_drill(site) as quiet:
            quiet.worker()
            await Nights(quiet.world).nightly()
            await quiet.when(over, *NIGHT)
            UNDISTURBED.update(await quiet.values())
    return UNDISTURBED


async def all_is_well(drill: Drill, since: float) -> None:
    """Every job of the night was done, once, and what is kept is what an undisturbed night keeps."""
    await drill.when(over, *NIGHT)
    seconds = time.monotonic() - since
    night = await drill.jobs(*NIGHT)
    assert {job.status for job in night} == {Status.COMPLETED}
    assert len({(job.organization, job.kind, str(job.details)) for job in night}) == len(night)
    assert max(job.attempts for job in night) <= 2  # noqa: PLR2004 - once for the fault
    assert [job.organization for job in night if job.kind is Kind.NIGHTLY].count(PLATFORM) == 1
    (platform,) = (job for job in night if job.organization == PLATFORM)
    assert platform.result is not None
    assert platform.result["failures"] == []
    kept, expected = await drill.values(), await undisturbed(drill.site)
    assert kept == expected
    print(f"\n  the night was over {seconds:.0f} s after the fault: {len(kept)} answers")


async def test_a_worker_is_killed_in_the_middle_of_a_batch(drill: Drill) -> None:
    first = drill.worker()
    await Nights(drill.world).nightly()
    await drill.when(under_way, *NIGHT)
    first.kill()
    since = time.monotonic()
    drill.worker()
    await all_is_well(drill, since)


async def test_postgres_crashes_under_load(drill: Drill) -> None:
    url = drill.gateway()
    drill.worker()
    await Nights(drill.world).nightly()
    await drill.when(under_way, *NIGHT)
    drill.site.crash_postgres()
    since = time.monotonic()
    await asyncio.to_thread(until, lambda: answers(f"{url}/readyz"), 20, what="the gateway is ready again")
    print(f"\n  the gateway was ready {time.monotonic() - since:.1f} s after the crash")
    await all_is_well(drill, since)


@pytest.mark.parametrize("mode", ["failing", "hanging", "nonsense"])
async def test_a_service_is_ill_for_a_part_of_a_batch(drill: Drill, mode: str) -> None:
    drill.worker()
    drill.site.turn("assessment", mode)
    try:
        await Nights(drill.world).nightly()
        put_off = lambda night: any(job.error and "assessment" in job.error for job in night)  # noqa: E731 - one word
        await drill.when(put_off, *NIGHT)
    finally:
        drill.site.turn("assessment", "ok")
    await drill.when(over, *NIGHT)
    night = await drill.jobs(*NIGHT)
    assert {job.status for job in night} == {Status.COMPLETED}
    (platform,) = (job for job in night if job.organization == PLATFORM)
    assert platform.result is not None
    # What could not be worked out is told by its cause, and what is kept is the whole truth.
    assert {one["cause"] for one in platform.result["failures"]} <= {"assessment"}
    kept, expected = await drill.values(), await undisturbed(drill.site)
    assert kept.items() <= expected.items()
    assert len(kept) >= platform.result["answers"]
    print(f"\n  kept {len(kept)} of {len(expected)} answers; not worked out: {platform.result['failures']}")


async def test_two_schedulers_begin_one_night(drill: Drill) -> None:
    drill.worker()
    drill.worker()
    await drill.when(lambda pruned: any(job.status.over for job in pruned), Kind.PRUNE)
    due = "UPDATE queue.pgqueuer_schedules SET next_run = now() WHERE entrypoint = 'nightly' RETURNING 1"
    async with asyncio.timeout(30):
        while not await drill.world.database.fetch(due):
            pass
    since = time.monotonic()
    await all_is_well(drill, since)


async def test_a_night_is_begun_once_however_a_clock_jumps(drill: Drill) -> None:
    """Four schedulers: one is right, one a day ahead, one an hour behind, one a month behind."""
    jumps = (timedelta(0), timedelta(days=1), timedelta(hours=-1), timedelta(days=-30))
    worlds = [replace(drill.world, now=lambda jump=jump: datetime.now(UTC) + jump) for jump in jumps]
    await asyncio.gather(*(schedule(world)["0 2 * * *"]() for world in worlds))
    drill.worker()
    since = time.monotonic()
    await drill.when(over, *NIGHT)
    for world in worlds:
        await schedule(world)["0 2 * * *"]()
    await all_is_well(drill, since)


async def test_everyone_is_answered_while_every_connection_is_taken(drill: Drill) -> None:
    url = drill.gateway()
    learners = [person for person in drill.site.campus.people if "learner" in person.roles][:4]
    owner = await connect(drill.owner_url)
    try:
        async with owner.transaction():
            # Whoever reads or keeps an answer now holds a connection of the pool until its time is over.
            await owner.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
            since = time.monotonic()
            asked = (asyncio.to_thread(dashboard, url, learner) for learner in learners for _ in range(8))
            numbers = await asyncio.gather(*asked)
            print(f"\n  {len(numbers)} dashboards at once in {time.monotonic() - since:.1f} s")
            assert all(any(one["value"] for one in answers) for answers in numbers)
    finally:
        await owner.close()
    since = time.monotonic()
    await asyncio.to_thread(until, lambda: answers(f"{url}/readyz"), 20, what="the gateway is ready again")
    assert await asyncio.to_thread(dashboard, url, learners[0])
    print(f"\n  as before {time.monotonic() - since:.1f} s after the lock was let go")


async def test_a_gateway_that_gets_no_connection_goes_on_answering(drill: Drill) -> None:
    url = drill.gateway()
    learner = next(person for person in drill.site.campus.people if "learner" in person.roles)
    inside = await connect(drill.environment["GATEWAY_DATABASE_URL"])
    owner = await connect(drill.owner_url)
    try:
        await owner.execute("ALTER ROLE gateway_app CONNECTION LIMIT 0")
        await inside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'gateway_app' AND pid <> pg_backend_pid()"
        )
        since = time.monotonic()
        numbers = await asyncio.to_thread(dashboard, url, learner)
        print(f"\n  a dashboard of {len(numbers)} answers in {time.monotonic() - since:.1f} s without a database")
        assert {one["freshness"]["state"] for one in numbers} == {"FRESH"}
        assert any(one["value"] for one in numbers)
    finally:
        await owner.execute("ALTER ROLE gateway_app CONNECTION LIMIT -1")
        await owner.close()
        await inside.close()
    since = time.monotonic()
    await asyncio.to_thread(until, lambda: answers(f"{url}/readyz"), 20, what="the gateway is ready again")
    print(f"\n  the gateway was ready {time.monotonic() - since:.1f} s after it could connect again")


async def test_a_full_queue_turns_viewers_away_and_not_the_gateway(drill: Drill) -> None:
    await drill.world.database.fetch(
        "INSERT INTO queue.pgqueuer (priority, entrypoint, status) "
        "SELECT 0, 'full', 'queued' FROM generate_series(1, 20000)"
    )
    url = drill.gateway()
    learner = next(person for person in drill.site.campus.people if "learner" in person.roles)
    viewer, one_more = Actor(learner.organization, learner.id, "learner"), Wanted("one more", "learner", learner.id)
    assert await jobs.enqueue(drill.world.database, viewer, Kind.REFRESH, [one_more]) == {}
    assert await asyncio.to_thread(dashboard, url, learner)
    await drill.world.database.fetch("DELETE FROM queue.pgqueuer WHERE entrypoint = 'full'")
    assert await jobs.enqueue(drill.world.database, viewer, Kind.REFRESH, [one_more])


def dashboard(url: str, learner: Person) -> list[dict[str, Any]]:
    """The answers of a learner's own dashboard, which come without an error."""
    bearer = token(learner, datetime.now(UTC), secret=SECRET)
    reply = httpx.post(
        f"{url}/graphql",
        json={"query": DASHBOARD},
        headers={"authorization": f"Bearer {bearer}"},
        timeout=20,
        trust_env=False,
    )
    body = reply.json()
    assert reply.status_code == httpx.codes.OK, reply.text
    assert "errors" not in body, body["errors"]
    return list(_answers(body["data"]))


def _answers(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        if "freshness" in found:
            yield found
        else:
            for below in found.values():
                yield from _answers(below)
