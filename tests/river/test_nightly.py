"""The night: everyone's answers worked out once, by whoever works, and only the rest after an accident."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from analytics import batch
from analytics.batch import STEPS, Part, rank
from analytics.catalog import METRICS, PRODUCERS
from analytics.declare import Many, Scope
from datasources.postgres import jobs, nights
from datasources.postgres.jobs import PLATFORM, Kind, Status
from datasources.postgres.session import system
from gateway.nightly import SOONER, Nights
from gateway.queue import Later
from gateway.worker import PATIENCE
from tests.campus import PYTHON, small_campus
from tests.cast import ACME, OTHER
from tests.river.banks import HOURS, Clock, Services, running
from tests.river.nights_out import MOST_LOOKS, NIGHT, hands_of, jobs_of, looked, through, to_its_end

if TYPE_CHECKING:
    from datasources.postgres.jobs import Job
    from gateway.jobs import Hands
    from tests.conftest import Clone
    from tests.river.banks import Gateway

as_a_worker = partial(running, patience=PATIENCE)
"""Nobody waits for an answer: what a loaded machine is slow to say is waited for, as in a worker."""

COMPARED = "{ organization { comparison(metric: LEARNER_ENGAGEMENT, by: COURSE) { name } } }"


async def arrived(gateway: Gateway) -> None:
    """The organizations are known."""
    for who in ("lena", "sam"):
        await gateway.ask("{ viewer { learner { displayName } } }", who)
    await gateway.settled()


async def night_of(gateway: Gateway, organization: str = PLATFORM) -> Job:
    (night,) = [job for job in await jobs_of(gateway.world, Kind.NIGHTLY) if job.organization == organization]
    return night


async def calculated(gateway: Gateway) -> dict[tuple[str, ...], datetime]:
    """When each answer of ACME was worked out, but for snapshots."""
    return {
        (row.scope, row.subject, row.metric, row.arguments): row.calculated_at
        for row in await gateway.kept()
        if row.scope != "cohort"
    }


def test_every_metric_is_in_a_step_after_the_groups_it_reads() -> None:
    assert sorted(m.key for step in STEPS for metrics in step.values() for m in metrics) == sorted(METRICS)
    for metric in METRICS.values():
        for given in metric.inputs:
            if (producer := PRODUCERS.get(given.type)) is not None:
                assert rank(producer) + (given.many is not Many.ONE) <= rank(metric)


async def test_a_night_works_out_everything_and_says_how_much(clone: Clone) -> None:
    clock = Clock()
    async with as_a_worker(clone.app_url, Services(small_campus()), clock) as gateway:
        await arrived(gateway)
        clock.pass_by(HOURS)
        began = clock.now()
        await through(gateway.world)
        night = await night_of(gateway)
        kept = [row for org in (ACME, OTHER) for row in await gateway.kept(org) if row.scope != "cohort"]
    assert night.status is Status.COMPLETED
    assert night.result is not None
    assert night.result["failures"] == []
    assert night.result["organizations"] == 2
    tonight = [row for row in kept if row.calculated_at >= began]
    assert night.result["answers"] == len(tonight)
    assert night.result["withheld"] == sum(row.withheld is not None for row in tonight)
    assert night.result["withheld"] < night.result["answers"]


async def test_the_morning_after_a_night_asks_nothing_of_the_services(clone: Clone) -> None:
    clock = Clock()
    services = Services(small_campus())
    async with as_a_worker(clone.app_url, services, clock) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        gateway.world.memory.clear()
        services.forget()
        reply = await gateway.dashboard()
    assert {answer["freshness"]["state"] for answer in reply.answers.values()} == {"FRESH"}
    assert services.calls == []


async def test_another_process_does_the_rest_only_and_the_totals_are_those_of_an_undisturbed_night(
    clone: Clone,
) -> None:
    clock = Clock()
    services = Services(small_campus())
    async with as_a_worker(clone.app_url, services, clock) as first:
        await arrived(first)
        hands = hands_of(first.world)
        await Nights(first.world).nightly()
        await looked(first.world, hands, Kind.NIGHTLY)
        await looked(first.world, hands, Kind.NIGHTLY)
        parts = [job for job in await jobs_of(first.world, Kind.CHUNK) if job.organization == ACME]
        lost = next(job for job in parts if job.details["scope"] == Scope.LEARNER.name)
        # This worker dies when all is worked out, and before it can say so; of another it had done a part.
        assert await jobs.claim(first.world.database, ACME, lost.id)
        await batch.work_out(first.world, ACME, Part.read(lost.details), _nobody)
        before = await calculated(first)
    clock.pass_by(HOURS / 60)
    async with as_a_worker(clone.app_url, services, clock) as second:
        await to_its_end(second.world, hands_of(second.world))
        night, after = await night_of(second, ACME), await calculated(second)
    assert before
    assert {key: after[key] for key in before} == before
    assert night.result is not None
    assert night.result["answers"] == len(after)
    assert night.result["failures"] == []


async def _nobody(_done: int, _of: int) -> None:
    """Nobody is told how far it is."""


async def test_a_night_that_is_asked_for_again_is_the_same_night(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await Nights(gateway.world).nightly()
        await Nights(gateway.world).nightly()
        assert len(await jobs_of(gateway.world, Kind.NIGHTLY)) == 1
        await through(gateway.world)
        await Nights(gateway.world).nightly()
        nights = await jobs_of(gateway.world, Kind.NIGHTLY)
    assert sorted(job.organization for job in nights) == sorted([PLATFORM, ACME, OTHER])
    assert {job.status for job in nights} == {Status.COMPLETED}


async def test_waiting_for_its_parts_is_no_attempt_of_a_night(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await Nights(gateway.world).nightly()
        for _ in range(5):
            await looked(gateway.world, hands_of(gateway.world), Kind.NIGHTLY)
        night = await night_of(gateway, ACME)
        parts = [job for job in await jobs_of(gateway.world, Kind.CHUNK) if job.organization == ACME]
    assert (night.status, night.attempts) == (Status.QUEUED, 0)
    assert parts
    assert {job.details["step"] for job in parts} == {0}


async def put_off(gateway: Gateway) -> Hands:
    """A night that was begun and waits for a service: by then whatever can be done is done."""
    hands = hands_of(gateway.world)
    await Nights(gateway.world).nightly()
    for _ in range(MOST_LOOKS):
        # Nights look at their parts more often than those come further.
        await looked(gateway.world, hands, Kind.NIGHTLY)
        await looked(gateway.world, hands, *NIGHT)
        if (await night_of(gateway)).error:
            break
    return hands


async def test_what_a_service_kept_back_is_told_by_its_name_when_there_is_no_time_left(clone: Clone) -> None:
    services = Services(small_campus())
    async with as_a_worker(clone.app_url, services, Clock()) as gateway:
        await arrived(gateway)
        await services.turn("assessment", "failing")
        # So little time that the parts have none to try it again.
        await Nights(gateway.world, lasts=2 * SOONER).nightly()
        await to_its_end(gateway.world, hands_of(gateway.world))
        night, platform = await night_of(gateway, ACME), await night_of(gateway)
    for job in (night, platform):
        assert job.status is Status.COMPLETED
        assert job.result is not None
        assert {one["cause"] for one in job.result["failures"]} == {"assessment"}
        assert job.result["answers"] > 0


async def test_a_night_that_begins_late_is_given_up_before_the_next_one_all_the_same(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await Nights(gateway.world).nightly()
        night = await night_of(gateway)
    # It is nine, seven hours late; half past one is sixteen and a half hours away.
    left = datetime.fromisoformat(night.details["until"]) - night.created_at
    assert abs(left - 16.5 * HOURS) < HOURS / 60


async def test_a_service_that_is_away_for_hours_is_waited_for_and_costs_the_rest_nothing(clone: Clone) -> None:
    services = Services(small_campus())
    # Which week is compared with the last is said by the database's clock.
    clock = Clock(datetime.now(UTC))
    async with as_a_worker(clone.app_url, services, clock) as gateway:
        await arrived(gateway)
        await services.turn("assessment", "failing")
        hands = await put_off(gateway)
        compared = (await gateway.ask(COMPARED, "olga")).data["organization"]["comparison"]
        waiting, platform = await night_of(gateway, ACME), await night_of(gateway)
        parts = await jobs_of(gateway.world, Kind.CHUNK)
        views = [job for job in await jobs_of(gateway.world, Kind.VIEWS) if job.organization == ACME]
        without = {row.metric for row in await gateway.kept() if row.scope != "cohort"}
        await services.turn("assessment", "ok")
        clock.pass_by(HOURS)
        await to_its_end(gateway.world, hands)
        night = await night_of(gateway, ACME)
        again = [job for job in await jobs_of(gateway.world, Kind.VIEWS) if job.organization == ACME]
        kept = [row for row in await gateway.kept() if row.scope != "cohort"]
    assert [(job.status, job.error) for job in (waiting, platform)] == [(Status.QUEUED, "waits for assessment")] * 2
    assert {job.details["step"] for job in parts if job.organization == ACME} == set(range(len(STEPS)))
    assert [job.status for job in views] == [Status.COMPLETED], "what is known is written down"
    assert PYTHON in [one["name"] for one in compared], "and compared"
    assert night.status is Status.COMPLETED
    assert night.result is not None
    assert night.result["failures"] == []
    assert night.result["answers"] == len(kept)
    assert {row.metric for row in kept} > without
    assert len(again) == 2, "and once more when all is known"


async def test_a_worker_whose_clock_is_behind_does_not_find_its_own_work_undone(clone: Clone) -> None:
    clock = Clock()
    async with as_a_worker(clone.app_url, Services(small_campus()), clock) as gateway:
        await arrived(gateway)
        part = Part(0, Scope.LEARNER, 0, 1, clock.now() + HOURS)
        tally = await batch.work_out(gateway.world, ACME, part, _nobody)
    assert not tally.failures
    assert tally.answers > 0


async def test_a_cancelled_night_ends_and_so_do_its_parts_in_every_organization(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await Nights(gateway.world).nightly()
        await looked(gateway.world, hands_of(gateway.world), Kind.NIGHTLY)
        await looked(gateway.world, hands_of(gateway.world), Kind.NIGHTLY)
        database = gateway.world.database
        running_one = next(job for job in await jobs_of(gateway.world, Kind.CHUNK) if job.organization == ACME)
        claimed = await jobs.claim(database, ACME, running_one.id)
        assert claimed is not None
        await jobs.cancel(database, system(PLATFORM), (await night_of(gateway)).id)
        found = await jobs_of(gateway.world, *NIGHT)
        wanted = await jobs.report(database, claimed, Status.RUNNING, 1)
    assert {job.organization for job in found} == {PLATFORM, ACME, OTHER}
    assert {job.status for job in found if job.id != claimed.id} == {Status.CANCELLED}
    assert wanted is False, "what is being done hears of it when it looks up"


async def test_a_platform_of_many_organizations_is_looked_at_in_one_statement(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await Nights(gateway.world).nightly()
        platform, database = await night_of(gateway), gateway.world.database
        before = database.statements
        with pytest.raises(Later):
            await hands_of(gateway.world).work(PLATFORM, platform.id)
        assert database.statements - before == 3, "claimed, looked, put back"
        assert len(await jobs_of(gateway.world, Kind.NIGHTLY)) == 3


async def test_no_part_of_a_night_names_anybody(clone: Clone) -> None:
    async with as_a_worker(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        told = " ".join(f"{job.details} {job.result}" for job in await jobs_of(gateway.world, *NIGHT))
        people = await nights.people(gateway.world.database, ACME, "learner")
    assert people
    assert not [one for one in people if one in told]


@pytest.mark.parametrize("shares", [1, 3, 31])
def test_everyone_is_in_one_part_whoever_comes_in_between(shares: int) -> None:
    parts = [Part(0, Scope.LEARNER, number, shares, Clock().now()) for number in range(shares)]
    everyone = [f"person-{number}" for number in range(500)]
    assert [sum(part.has(one) for part in parts) for one in everyone] == [1] * 500
