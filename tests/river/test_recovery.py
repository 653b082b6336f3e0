"""A service that was there, is gone, and comes back: last known meanwhile, a breaker between, live again after."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analytics.catalog import METRICS, services_of
from datasources.postgres.answers import Question
from datasources.postgres.jobs import Status
from tests.cast import ACME, LENA
from tests.river.banks import FIELDS, HOURS

if TYPE_CHECKING:
    from tests.river.banks import Clock, Gateway, Services
    from tests.river.workers import Worker

STATES = "{ services { name configured state failuresInARow openings probesAt calls mocks lastKnown lastError } }"
REST = timedelta(seconds=34)
"""Longer than a breaker rests at first, and than an answer that a service is missing from is held."""
ON_COURSE = {field for field, key in FIELDS.items() if "course" in services_of(METRICS[key])}
DAILY = {"skills"}
"""What reads of the course only what is taken once a day."""


async def states(gateway: Gateway) -> dict[str, Any]:
    return {one["name"]: one for one in (await gateway.ask(STATES, "olga")).data["services"]}


def origins(answer: dict[str, Any]) -> dict[str, str | None]:
    return {source["service"]: source["origin"] for source in answer["freshness"]["sources"]}


async def drop_answers(gateway: Gateway) -> None:
    """Have nobody know what was said of Lena; what services said is kept."""
    rows = [row for row in await gateway.kept() if row.subject == LENA]
    told = [Question(row.scope, row.subject, row.metric, row.arguments) for row in rows]
    await gateway.world.forget(ACME, told)


@pytest.mark.parametrize("mode", ["failing", "nonsense"])
async def test_what_a_service_said_last_stands_in_for_it(
    gateway: Gateway, services: Services, clock: Clock, mode: str
) -> None:
    before = (await gateway.dashboard()).answers
    await drop_answers(gateway)
    await services.turn("course", mode)
    clock.pass_by(7 * HOURS)
    await gateway.dashboard()
    heard = (await gateway.dashboard()).answers
    for field, answer in heard.items():
        assert answer["value"] == before[field]["value"]
        assert answer["freshness"]["state"] == "FRESH"
        known = answer["freshness"]["origin"]
        assert known == ("LAST_KNOWN" if field in ON_COURSE - DAILY else "LIVE"), field
        assert origins(answer).get("course", "LAST_KNOWN") == "LAST_KNOWN"
        seen = {one["service"]: one["seenAt"] for one in answer["freshness"]["sources"]}
        assert seen.get("course", "2026-11-21T09:00:00Z") == "2026-11-21T09:00:00Z", "when it was said, not when read"
    assert {row.origin for row in await gateway.kept()} == {"LIVE"}
    assert (await states(gateway))["course"]["lastKnown"] > 0


@pytest.mark.parametrize("mode", ["failing", "nonsense"])
async def test_an_answer_that_cannot_be_renewed_stays_and_is_left_alone_for_a_while(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock, mode: str
) -> None:
    before = (await gateway.dashboard()).answers
    await services.turn("course", mode)
    clock.pass_by(7 * HOURS)
    await gateway.dashboard()
    done = {job.details["asked"][0][0].partition("@")[0]: job for job in await worker.works_off()}
    heard = (await gateway.dashboard()).answers
    for field, answer in heard.items():
        job = done[FIELDS[field]]
        assert answer["value"] == before[field]["value"]
        assert answer["freshness"]["origin"] == "LIVE"
        if field in ON_COURSE - DAILY:
            assert (job.status, job.attempts, job.error) == (Status.FAILED, 1, "course did not answer")
            assert (answer["freshness"]["state"], answer["freshness"]["refreshJob"]) == ("STALE", None)
        else:
            assert job.status is Status.COMPLETED
            assert answer["freshness"]["state"] == "FRESH"
    assert not await worker.works_off(), "nobody tries again what failed a moment ago"


async def test_what_was_said_more_than_a_day_ago_does_not_stand_in(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock
) -> None:
    await gateway.dashboard()
    await services.turn("course", "failing")
    clock.pass_by(25 * HOURS)
    await gateway.dashboard()
    await worker.works_off()
    heard = (await gateway.dashboard()).answers
    assert heard["velocity"]["freshness"]["state"] == "STALE", "an answer of a week is better than a mock"
    assert heard["velocity"]["freshness"]["origin"] == "LIVE"
    assert heard["velocity"]["value"]


async def test_the_breaker_opens_and_keeps_everyone_from_waiting(gateway: Gateway, services: Services) -> None:
    await services.turn("course", "failing")
    await gateway.dashboard()
    opened = await states(gateway)
    assert opened["course"]["state"] == "OPEN"
    assert opened["course"]["openings"] == 1
    assert opened["course"]["lastError"] in {"REFUSED", "OPEN"}
    assert opened["course"]["probesAt"] is not None
    assert {name for name, one in opened.items() if one["state"] != "CLOSED"} == {"course"}
    services.forget()
    await gateway.dashboard()
    assert not [call for call in services.calls if call.service == "course"], "an open breaker lets nothing through"


async def test_after_its_rest_a_service_that_is_back_is_live_again(
    gateway: Gateway, services: Services, clock: Clock
) -> None:
    await services.turn("course", "failing")
    down = (await gateway.dashboard()).answers
    assert down["velocity"]["freshness"]["origin"] == "MOCK"
    await services.turn("course", "ok")
    assert (await gateway.dashboard()).answers["velocity"]["freshness"]["origin"] == "MOCK", "nobody asked it yet"
    clock.pass_by(REST)
    assert (await states(gateway))["course"]["state"] == "HALF_OPEN"
    await gateway.dashboard()
    await gateway.settled()
    assert (await states(gateway))["course"]["state"] == "CLOSED", "one probe went through and was answered"
    clock.pass_by(REST)
    await gateway.dashboard()
    await gateway.settled()
    clock.pass_by(REST)
    heard = (await gateway.dashboard()).answers
    for answer in heard.values():
        assert set(origins(answer).values()) == {"LIVE"}
        assert answer["freshness"]["origin"] == "LIVE"
    assert heard["peers"]["value"], "and everybody's peers are there"
    assert heard["velocity"]["quality"]["level"] == "OK"


async def test_a_service_that_stays_away_rests_longer_each_time(
    gateway: Gateway, services: Services, clock: Clock
) -> None:
    await services.turn("devlab", "failing")
    await gateway.dashboard()
    for opening in (1, 2):
        one = (await states(gateway))["devlab"]
        assert (one["state"], one["openings"]) == ("OPEN", opening)
        clock.pass_by(opening * REST)
        await gateway.dashboard("lars" if opening == 1 else "lena")
    assert (await states(gateway))["devlab"]["openings"] == 3


async def test_a_kept_answer_is_not_replaced_by_a_poorer_one(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock
) -> None:
    before = (await gateway.dashboard()).answers
    await services.turn("content", "failing")
    clock.pass_by(30 * HOURS)
    for state in ("REFRESHING", "STALE", "STALE"):
        engagement = (await gateway.dashboard()).answers["engagement"]
        assert engagement["value"] == before["engagement"]["value"]
        assert (engagement["freshness"]["state"], engagement["freshness"]["origin"]) == (state, "LIVE")
        await worker.works_off()


async def test_what_was_worked_out_without_a_service_says_so_where_nothing_better_is_kept(
    gateway: Gateway, services: Services
) -> None:
    await services.turn("content", "failing")
    for _ in range(2):
        heard = (await gateway.dashboard()).answers
        for field in ("engagement", "dropOffRisk"):
            assert heard[field]["value"]
            assert heard[field]["freshness"]["origin"] == "PARTIAL"
            assert heard[field]["quality"]["level"] == "LOW"
        left_out = {one["metric"]: one["reason"] for one in heard["peers"]["value"]["notCompared"]}
        assert left_out["ENGAGEMENT"] == "SOURCE_DOWN", "a poorer number does not stand beside whole ones"
