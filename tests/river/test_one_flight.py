"""Many who ask for the same thing at once: it is worked out once, and whoever leaves takes nobody along."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from datasources.postgres.jobs import Status
from tests.cast import LENA
from tests.river.banks import FIELDS, HOURS, running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services
    from tests.river.workers import Worker

CROWD = 20
STANDING = ("directory", "/api/v1/users/batch")
"""Where is asked whether somebody is active still, apart from what is said of them."""


def each_once(asked: Mapping[tuple[str, str, str], int]) -> bool:
    """Whether each endpoint was asked once for each id; whether they are active still may be once more."""
    return all(n == 1 + (n > 1 and (service, path) == STANDING) for (service, path, _), n in asked.items())


async def test_a_crowd_that_asks_at_once_is_one_question_to_every_service(gateway: Gateway, services: Services) -> None:
    replies = await asyncio.gather(*(gateway.dashboard() for _ in range(CROWD)))
    assert each_once(services.asked)
    said = [{name: answer["value"] for name, answer in reply.answers.items()} for reply in replies]
    assert all(one == said[0] for one in said)
    assert said[0]["velocity"]


@pytest.mark.parametrize("who_leaves", [[0], [1], [0, 2, 3]], ids=["the-first", "a-follower", "several"])
async def test_whoever_leaves_takes_nobody_along(gateway: Gateway, services: Services, who_leaves: list[int]) -> None:
    await gateway.ask("{ organization { name } }", "olga")
    services.forget()
    services.gate.clear()
    crowd = [asyncio.create_task(gateway.dashboard()) for _ in range(5)]
    await services.called.wait()
    for number in who_leaves:
        crowd[number].cancel()
    services.gate.set()
    replies = await asyncio.gather(*crowd, return_exceptions=True)
    for number, reply in enumerate(replies):
        if number in who_leaves:
            assert isinstance(reply, asyncio.CancelledError)
            continue
        assert not isinstance(reply, BaseException)
        assert {answer["freshness"]["origin"] for answer in reply.answers.values()} == {"LIVE"}
    assert each_once(services.asked)
    assert len([row for row in await gateway.kept() if row.subject == LENA]) == len(FIELDS), "and it is kept"


ROSTERS = {"/organizations/batch", "/organizations/members/batch", "/courses/batch", "/courses/enrollments/batch"}
"""What each process asks for itself, to know who is where."""


def for_answers(services: Services) -> dict[tuple[str, str, str], int]:
    """How often each id was asked of each endpoint that no roster is made of."""
    return {asked: n for asked, n in services.asked.items() if asked[1].removeprefix("/api/v1") not in ROSTERS}


def asked_for_answers(services: Services) -> bool:
    """Whether a fact was asked for that no roster is made of."""
    return any(path == "/api/v1/progress/batch" for _, path in services.per_endpoint)


async def test_a_stale_answer_is_served_at_once_and_worked_out_again_by_a_worker(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock
) -> None:
    first = (await gateway.dashboard()).answers
    clock.pass_by(7 * HOURS)
    services.forget()
    stale = (await gateway.dashboard()).answers
    assert not asked_for_answers(services), "nobody was asked in this process"
    done = await worker.works_off()
    assert {job.status for job in done} == {Status.COMPLETED}
    assert sum((job.result or {})["answers"] for job in done) == len(stale)
    assert each_once(for_answers(services)), "and each service once for each, as for one dashboard"
    for name, answer in stale.items():
        assert answer["freshness"]["state"] == "REFRESHING"
        assert answer["freshness"]["tier"] == "DATABASE"
        assert answer["freshness"]["calculatedAt"] == first[name]["freshness"]["calculatedAt"]
        assert answer["value"] == first[name]["value"]
    for answer in (await gateway.dashboard()).answers.values():
        assert (answer["freshness"]["state"], answer["freshness"]["tier"]) == ("FRESH", "DATABASE")
        assert answer["freshness"]["calculatedAt"] == clock.now().isoformat().replace("+00:00", "Z")


async def test_a_crowd_that_meets_a_stale_answer_has_it_worked_out_once(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock
) -> None:
    await gateway.dashboard()
    clock.pass_by(7 * HOURS)
    services.forget()
    crowd = await asyncio.gather(*(gateway.dashboard() for _ in range(CROWD)))
    assert {answer["freshness"]["state"] for reply in crowd for answer in reply.answers.values()} == {"REFRESHING"}
    assert len(await worker.works_off()) == len(crowd[0].answers)
    assert each_once(for_answers(services))


async def test_what_was_worked_out_again_is_kept_for_the_next_process(
    clone: Clone, worker: Worker, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.dashboard()
        clock.pass_by(7 * HOURS)
        await gateway.dashboard()
    await worker.works_off()
    async with running(clone.app_url, services, clock) as gateway:
        kept = (await gateway.dashboard()).answers
    for answer in kept.values():
        assert (answer["freshness"]["state"], answer["freshness"]["tier"]) == ("FRESH", "DATABASE")


async def test_after_a_week_a_kept_answer_is_no_answer(gateway: Gateway, clock: Clock) -> None:
    await gateway.dashboard()
    clock.pass_by(timedelta(days=7, seconds=1))
    for answer in (await gateway.dashboard()).answers.values():
        assert (answer["freshness"]["state"], answer["freshness"]["tier"]) == ("FRESH", "SOURCE")
