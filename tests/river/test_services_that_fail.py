"""One bad service never breaks a dashboard: what stands on it is marked, and the rest does not notice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analytics.catalog import METRICS, services_of
from datasources.declare import Origin
from tests.river.banks import AS_OF, FIELDS, running

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services

STANDS_ON = {field: services_of(METRICS[key]) for field, key in FIELDS.items()}
EACH = sorted(frozenset[str]().union(*STANDS_ON.values()))
each_service = pytest.mark.parametrize("service", EACH)


def test_the_dashboard_stands_on_seven_services() -> None:
    assert EACH == ["assessment", "content", "course", "devlab", "directory", "learner-ai", "skills"]


def is_marked(answer: dict[str, Any], service: str) -> bool:
    """Whether an answer says that it had to do without what this service would have said."""
    origins = {source["service"]: source["origin"] for source in answer["freshness"]["sources"]}
    return service in origins and origins[service] != "LIVE"


def check(heard: dict[str, Any], service: str) -> None:
    """Exactly what stands on the service is marked, and nothing of a mock passes for real."""
    for field, answer in heard.items():
        freshness, origins = answer["freshness"], [one["origin"] for one in answer["freshness"]["sources"]]
        assert (answer["value"] is None) == (answer["withheld"] is not None)
        if service in STANDS_ON[field]:
            assert is_marked(answer, service), field
        else:
            assert set(origins) == {"LIVE"}, field
            assert freshness["origin"] == "LIVE"
        if answer["withheld"]:
            down = answer["withheld"]["reason"] == "SOURCE_DOWN"
            assert down == (service in STANDS_ON[field]), field
            assert not down or (service in answer["withheld"]["message"] and answer["withheld"]["retryAfter"] == 30)
        if None in origins and "MOCK" not in origins:
            assert freshness["origin"] == "PARTIAL"
        if "MOCK" in origins:
            assert freshness["origin"] == "MOCK"
            assert answer["quality"] == {"observations": 0, "coverageDays": 0, "level": "NONE"}


async def check_that_no_mock_stays(gateway: Gateway) -> None:
    for row in await gateway.kept():
        assert row.origin == "LIVE"
        assert "MOCK" not in row.about
        assert "null" not in row.about.partition('"sources"')[2], "what a service is missing from is not kept either"
    remembered = [entry.value for entry in gateway.world.memory._entries.values()]
    assert remembered
    assert all(source.origin is not Origin.MOCK for answer in remembered for source in answer.sources)


@each_service
@pytest.mark.parametrize("mode", ["failing", "nonsense"])
async def test_only_what_stands_on_a_bad_service_is_marked(
    gateway: Gateway, services: Services, mode: str, service: str
) -> None:
    await services.turn(service, mode)
    check((await gateway.dashboard()).answers, service)
    check((await gateway.dashboard()).answers, service)
    await check_that_no_mock_stays(gateway)


@each_service
async def test_only_what_stands_on_a_hanging_service_is_marked(
    clone: Clone, services: Services, clock: Clock, service: str
) -> None:
    async with running(clone.app_url, services, clock, patience=4.0) as gateway:
        await services.turn(service, "hanging")
        check((await gateway.dashboard()).answers, service)
        await check_that_no_mock_stays(gateway)


@each_service
async def test_a_slow_service_is_waited_for(gateway: Gateway, services: Services, service: str) -> None:
    await services.turn(service, "slow", 0.02)
    check((await gateway.dashboard()).answers, "none of them")


async def test_without_mocks_there_is_a_reason_instead(clone: Clone, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock, mocks=False) as gateway:
        await services.turn("course", "failing")
        heard = (await gateway.dashboard()).answers
    down = {field for field, answer in heard.items() if (answer["withheld"] or {}).get("reason") == "SOURCE_DOWN"}
    assert down == {field for field, answer in heard.items() if answer["withheld"]} - {"timeSpent", "learningPath"}
    assert down == {
        "velocity",
        "engagement",
        "contentEffectiveness",
        "peers",
        "skills",
        "dropOffRisk",
        "performanceForecast",
        "recommendations",
        "gamification",
    }
    for answer in heard.values():
        assert "MOCK" not in {source["origin"] for source in answer["freshness"]["sources"]}


async def test_a_learning_path_is_never_made_of_mocks(gateway: Gateway, services: Services) -> None:
    await services.turn("learner-ai", "failing")
    path = (await gateway.dashboard()).answers["learningPath"]
    assert path["value"] is None
    assert path["withheld"]["reason"] == "SOURCE_DOWN"
    assert path["freshness"]["origin"] == "PARTIAL"


async def test_a_directory_that_never_told_costs_names_and_groups_only(gateway: Gateway, services: Services) -> None:
    await services.turn("directory", "failing")
    reply = await gateway.dashboard()
    assert reply.data["viewer"]["learner"]["organization"]["name"].startswith("Organization ")
    marked = {field for field, answer in reply.answers.items() if is_marked(answer, "directory")}
    assert marked == {field for field, services in STANDS_ON.items() if "directory" in services}
    assert not marked & {"velocity", "skillGap", "engagement", "mastery", "performance", "learningPath"}
    assert reply.answers["peers"]["withheld"]["reason"] == "SOURCE_DOWN"
    refused = await gateway.ask("{ organization { learners { totalCount } } }", "olga")
    assert refused.codes == {"UNAVAILABLE"}, "nobody knows how many there are, and that is not none"
    assert not any("directory" in row.about for row in await gateway.kept())


async def test_everything_down_is_still_a_dashboard(gateway: Gateway, services: Services) -> None:
    for service in EACH:
        await services.turn(service, "failing")
    heard = (await gateway.dashboard()).answers
    assert heard["velocity"]["freshness"]["origin"] == "MOCK"
    for field, answer in heard.items():
        assert all(is_marked(answer, service["service"]) for service in answer["freshness"]["sources"]), field
        assert (answer["value"] is None) == (answer["withheld"] is not None)
    assert await gateway.kept() == []


async def test_a_reason_that_no_missing_service_could_change_is_told_as_it_is(
    clone: Clone, services: Services, clock: Clock
) -> None:
    later = AS_OF + timedelta(days=400)
    async with running(clone.app_url, services, clock, mocks=False, clock_of_platform=later) as gateway:
        await services.turn("learner-ai", "failing")
        await services.turn("content", "failing")
        over = (await gateway.dashboard("lena")).answers
        await services.turn("course", "failing")
        unknown = (await gateway.dashboard("sam")).answers
    for field in ("recommendations", "dropOffRisk", "performanceForecast"):
        # All courses of Lena are over, whatever would be suggested or was opened; Sam's courses are not known.
        assert over[field]["withheld"]["reason"] == "NOT_ENOUGH_DATA"
        assert "running now" in over[field]["withheld"]["message"]
        assert over[field]["freshness"]["origin"] == "PARTIAL"
        assert unknown[field]["withheld"]["reason"] == "SOURCE_DOWN"
