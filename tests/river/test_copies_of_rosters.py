"""A copy of a roster is made once for all processes, and again when it is old."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.roster import EVERY
from tests.cast import ACME
from tests.river.banks import running

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services

OWN = "{ viewer { learner { displayName analytics { engagement { value { overallScore } } } } } }"
NAME = "{ viewer { learner { displayName } } }"
MINUTE = timedelta(minutes=1)


def copies(services: Services) -> int:
    """How often the members of an organization were asked for."""
    return services.per_endpoint["directory", "/api/v1/organizations/members/batch"]


async def asked(gateway: Gateway, document: str = NAME) -> None:
    assert (await gateway.ask(document)).data["viewer"]["learner"]["displayName"] == "Lena"
    await gateway.settled()


async def test_a_fresh_process_serves_from_the_copy_of_another_and_the_short_way_at_once(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as first:
        await asked(first, OWN)
    made = copies(services)
    assert made > 0
    clock.pass_by(EVERY - MINUTE)
    async with running(clone.app_url, services, clock) as fresh:
        await asked(fresh, OWN)
        fresh.world.memory.clear()
        await asked(fresh, OWN)
        assert fresh.app.state.door.way.statistics().planned == 1
        assert copies(services) == made
        clock.pass_by(MINUTE)
        await asked(fresh)
        assert copies(services) > made, "ten minutes after it was made, by whomever"


async def test_of_many_processes_one_makes_the_next_copy(clone: Clone, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock) as one, running(clone.app_url, services, clock) as another:
        await asked(one)
        await asked(another)
        clock.pass_by(EVERY)
        before = copies(services)
        await asked(one)
        once = copies(services)
        await asked(another)
        assert before < once == copies(services)


async def test_a_process_hears_that_another_made_a_copy(clone: Clone, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock) as one, running(clone.app_url, services, clock) as another:
        await asked(one)
        heard = asyncio.Event()
        one.world.roster.forgetting.append(lambda organization: heard.set() if organization == ACME else None)
        clock.pass_by(EVERY)
        await asked(another)
        async with asyncio.timeout(10):
            await heard.wait()


async def test_a_copy_from_a_clock_ahead_of_ours_is_made_anew_all_the_same(
    clone: Clone, services: Services, clock: Clock
) -> None:
    clock.pass_by(timedelta(days=2))
    async with running(clone.app_url, services, clock) as ahead:
        await asked(ahead)
    clock.pass_by(-timedelta(days=2))
    made = copies(services)
    async with running(clone.app_url, services, clock) as fresh:
        await asked(fresh)
        assert copies(services) > made
