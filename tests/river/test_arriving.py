"""Coming in: whoever asks for anything finds their own answers on the way, and not twice within the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analytics.catalog import PUBLIC
from analytics.declare import Role, Scope
from datasources.postgres.arrivals import ARRIVED
from datasources.postgres.jobs import Kind
from tests.campus import small_campus
from tests.cast import LENA, OLGA, TOMAS
from tests.river.banks import HOURS, Clock, Services, running
from tests.river.nights_out import jobs_of, through
from tests.river.test_nightly import arrived

if TYPE_CHECKING:
    from datasources.postgres.jobs import Job
    from tests.conftest import Clone
    from tests.river.banks import Gateway

WHO = "{ viewer { roles } }"
LENAS = {one.key for one in PUBLIC.values() if one.scope is Scope.LEARNER and Role.LEARNER in one.roles}


async def made_for(gateway: Gateway, owner: str) -> list[Job]:
    found = await jobs_of(gateway.world, Kind.REFRESH)
    return [job for job in found if job.owner == owner and job.details.get(ARRIVED)]


def keys(found: list[Job]) -> set[Any]:
    return {metric.partition("@")[0] for job in found for metric, _ in job.details["asked"]}


async def test_what_is_missing_of_ones_own_is_worked_out(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        found = await made_for(gateway, LENA)
    assert keys(found) == LENAS
    assert {(job.scope, job.subject) for job in found} == {("learner", LENA)}


async def test_after_a_night_there_is_nothing_to_do_until_it_is_stale(clone: Clone) -> None:
    clock = Clock()
    async with running(clone.app_url, Services(small_campus()), clock) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        before = len(await made_for(gateway, TOMAS))
        await gateway.ask(WHO, "tomas")
        fresh = len(await made_for(gateway, TOMAS))
        clock.pass_by(7 * HOURS)
        await gateway.ask(WHO, "tomas")
        stale = keys(await made_for(gateway, TOMAS))
    assert before == fresh == 0
    assert stale == {one.key for one in PUBLIC.values() if one.scope is Scope.TRAINER}


async def test_it_is_looked_at_once_an_hour_whichever_process_is_asked(clone: Clone) -> None:
    clock = Clock()
    services = Services(small_campus())
    async with running(clone.app_url, services, clock) as one, running(clone.app_url, services, clock) as other:
        await arrived(one)
        await one.ask(WHO, "olga")
        first = await made_for(one, OLGA)
        for gateway in (one, other):
            await gateway.ask(WHO, "olga")
            clock.pass_by(HOURS / 2)
        assert await made_for(one, OLGA) == first
    assert {job.scope for job in first} == {"organization", "market"}


@pytest.mark.parametrize("document", ["{ nothing }", "{ __typename }"])
async def test_who_asks_nothing_has_not_come_in(clone: Clone, document: str) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await gateway.ask("{ viewer { learner { displayName } } }", "sam")
        await gateway.settled()
        await gateway.ask(document, "lena")
        assert await made_for(gateway, LENA) == []
