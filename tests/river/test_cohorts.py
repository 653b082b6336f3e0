"""Who counts as a peer: nobody who is made up, nobody of another organization, and never fewer than ten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from analytics.catalog import METRICS
from analytics.cohorts import EVERYWHERE
from tests.campus import LEARNERS, PYTHON
from tests.cast import LARS, LENA, SAM
from tests.river.banks import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.conftest import Clone
    from tests.river.banks import Call, Clock, Gateway, Services

K = 10
TAKE_PYTHON = {LENA, *LEARNERS[:13]} - {LEARNERS[7]}
"""Number 8 left."""


def nonsense_about(*learners: str) -> Callable[[Call, Any], Any]:
    """A course service that says nothing of use about these learners, and is well otherwise."""

    def spoil(call: Call, payload: Any) -> Any:
        if call.service == "course" and "items" in payload and call.path != "/api/v1/courses/batch":
            payload["items"] |= {key: "?" for key in learners if key in payload["items"]}
        return payload

    return spoil


def without(learners: Iterable[str]) -> Callable[[Call, Any], Any]:
    """A course service that has never heard of these learners' progress."""
    absent = set(learners)

    def spoil(call: Call, payload: Any) -> Any:
        if call.path == "/api/v1/progress/batch":
            payload["missing"] += [key for key in payload["items"] if key in absent]
            payload["items"] = {key: one for key, one in payload["items"].items() if key not in absent}
        return payload

    return spoil


async def snapshot(gateway: Gateway, metric: str, group: str) -> dict[str, float | None]:
    """The scores of a group's members, as today's snapshot has them, in memory or kept."""
    wanted = ("cohort", group, f"{metric}@{METRICS[metric].version}")
    (found,) = [
        entry.value.said
        for (_, asked), entry in gateway.world.memory._entries.items()
        if (asked.scope, asked.subject, asked.metric) == wanted
    ] or [orjson.loads(row.value) for row in await gateway.kept() if (row.scope, row.subject, row.metric) == wanted]
    return {member: score for member, _, _, score in found["members"]}


async def test_peers_are_those_who_take_the_course_in_the_same_organization(gateway: Gateway) -> None:
    peers = (await gateway.dashboard()).answers["peers"]["value"]
    members = await snapshot(gateway, "learner-engagement", PYTHON)
    assert members.keys() == TAKE_PYTHON
    assert SAM not in members, "takes the same course, elsewhere"
    (engagement,) = [one for one in peers["comparisons"] if one["metric"] == "ENGAGEMENT"]
    assert engagement["rung"] == "COURSE"
    assert engagement["takenOn"] == "2026-11-21"
    assert engagement["peers"] % 5 == 0, "few are counted in fives"


async def test_nobody_whose_facts_are_nonsense_is_somebodys_peer(gateway: Gateway, services: Services) -> None:
    services.spoil = nonsense_about(LEARNERS[0])
    heard = (await gateway.dashboard()).answers
    for metric in ("learner-velocity", "learner-engagement"):
        members = await snapshot(gateway, metric, PYTHON)
        assert members[LEARNERS[0]] is None
        assert [score for score in members.values() if score is not None], "the others are there"
    assert heard["peers"]["value"]
    assert {"service": "course", "origin": None} in [
        {"service": one["service"], "origin": one["origin"]} for one in heard["peers"]["freshness"]["sources"]
    ]
    assert heard["velocity"]["freshness"]["origin"] == "LIVE"
    assert not [row for row in await gateway.kept() if row.scope == "cohort" and "velocity" in row.metric]


async def test_a_mock_about_one_learner_is_heard_by_that_learner_alone(gateway: Gateway, services: Services) -> None:
    services.spoil = nonsense_about(LARS)
    (own,) = [one for name, one in (await gateway.dashboard("lars")).answers.items() if name == "velocity"]
    assert own["freshness"]["origin"] == "MOCK"
    assert own["value"]
    services.spoil = None
    await gateway.dashboard("lena")
    await gateway.dashboard("lars")
    assert LARS not in {row.subject for row in await gateway.kept() if "velocity" in row.metric}
    remembered = gateway.world.memory._entries.items()
    assert all(
        entry.value.value is None
        for (_, asked), entry in remembered
        if asked.subject == LARS and "velocity" in asked.metric
    )


async def test_a_group_of_fewer_than_ten_is_not_spoken_of(gateway: Gateway, services: Services) -> None:
    everyone = [key for key in (*LEARNERS, LARS) if key != LENA]
    services.spoil = without(everyone[K - 1 :])
    heard = (await gateway.dashboard()).answers
    known = [score for key, score in (await snapshot(gateway, "learner-velocity", EVERYWHERE)).items() if key != LENA]
    assert len([score for score in known if score is not None]) < K
    left_out = {one["metric"]: one for one in heard["peers"]["value"]["notCompared"]}
    assert left_out["VELOCITY"] == {"metric": "VELOCITY", "reason": "TOO_FEW_PEERS", "needed": K}
    assert "VELOCITY" not in {one["metric"] for one in heard["peers"]["value"]["comparisons"]}


async def test_too_few_for_every_number_is_withheld_whole(clone: Clone, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        peers = (await gateway.dashboard("sam")).answers["peers"]
    assert peers["value"] is None
    assert peers["withheld"]["reason"] == "TOO_FEW_PEERS"
    assert peers["withheld"]["needed"] == K


async def test_all_who_ask_on_one_day_see_the_same_peers(gateway: Gateway, services: Services) -> None:
    await gateway.dashboard("lena")
    before = await snapshot(gateway, "learner-mastery", PYTHON)
    services.spoil = nonsense_about(*LEARNERS)
    await asyncio.gather(gateway.dashboard("lena"), gateway.dashboard("lars"))
    assert await snapshot(gateway, "learner-mastery", PYTHON) == before
