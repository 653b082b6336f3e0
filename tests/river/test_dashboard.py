"""One dashboard, all the way down the river and back: from the services, from memory, and from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from analytics.catalog import METRICS
from analytics.keeping import question
from analytics.policy import Subject
from datasources.postgres import answers
from datasources.postgres.session import system
from datasources.simulator.generated import generate
from tests.campus import AS_OF
from tests.cast import ACME, LENA
from tests.river.banks import FIELDS, Services, running

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway


def of_each(heard: dict[str, Any], part: str) -> set[Any]:
    """What the answers say of their freshness."""
    return {answer["freshness"][part] for answer in heard.values()}


async def test_every_metric_has_a_value_or_a_reason_and_is_live(gateway: Gateway) -> None:
    heard = (await gateway.dashboard()).answers
    assert heard.keys() == FIELDS.keys()
    for answer in heard.values():
        assert (answer["value"] is None) == (answer["withheld"] is not None)
        assert answer["value"] is not None or answer["withheld"]["message"]
        assert answer["freshness"]["sources"]
        assert {source["origin"] for source in answer["freshness"]["sources"]} == {"LIVE"}
        assert answer["freshness"]["asOf"] == AS_OF.isoformat().replace("+00:00", "Z")
    assert {name for name, answer in heard.items() if answer["value"] is None} == {
        "contentEffectiveness",  # a dozen learners are too few to compare
        "timeSpent",  # this campus knows days, not sessions
        "learningPath",  # nor paths
    }
    assert of_each(heard, "origin") == {"LIVE"}
    assert of_each(heard, "tier") == {"SOURCE"}


async def test_lena_of_the_generated_campus_has_sessions_and_a_path(clone: Clone, clock: Clock) -> None:
    campus = generate(30)
    lena = next(person for person in campus.people if person.id == campus.cast["learner"])
    async with running(clone.app_url, Services(campus), clock) as gateway:
        heard = (await gateway.dashboard(lena)).answers
    assert of_each(heard, "origin") == {"LIVE"}
    spent, (path,) = heard["timeSpent"]["value"], heard["learningPath"]["value"]["paths"]
    assert 0 < spent["thisWeek"] < spent["total"]
    assert path["title"] == "Databases and SQL, then Data analysis with Python"
    assert 0.5 < path["progress"] < 1
    assert path["currentStage"]


async def test_it_comes_from_the_services_then_from_memory_then_from_the_database(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as first:
        worked_out, remembered = (await first.dashboard()).answers, (await first.dashboard()).answers
    async with running(clone.app_url, services, clock) as second:
        kept, again = (await second.dashboard()).answers, (await second.dashboard()).answers
    tiers = [of_each(heard, "tier") for heard in (worked_out, remembered, kept, again)]
    assert tiers == [{"SOURCE"}, {"MEMORY"}, {"DATABASE"}, {"MEMORY"}]
    for heard in (worked_out, remembered, kept, again):
        assert of_each(heard, "state") == {"FRESH"}
        assert of_each(heard, "origin") == {"LIVE"}
        for answer in heard.values():
            del answer["freshness"]["tier"]
    assert orjson.dumps(worked_out) == orjson.dumps(remembered) == orjson.dumps(kept) == orjson.dumps(again)


async def test_what_is_kept_is_what_was_said_byte_for_byte(gateway: Gateway) -> None:
    heard = (await gateway.dashboard()).answers
    metrics = {field: METRICS[key] for field, key in FIELDS.items()}
    asked = {field: question(metric, Subject(metric.scope, ACME, LENA), {}) for field, metric in metrics.items()}
    kept = await answers.read(gateway.world.database, system(ACME), list(asked.values()))
    for field, answer in heard.items():
        row = kept[asked[field]]
        assert (row.value is None) == (answer["value"] is None)
        if row.value is not None:
            assert _bytes(orjson.loads(row.value)) == _bytes(answer["value"])


def _bytes(value: Any) -> bytes:
    """A value without the order of its fields, which is the client's."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


async def test_an_argument_is_part_of_the_question(gateway: Gateway) -> None:
    document = (
        "query ($w: Window!) { viewer { learner { analytics { velocity(window: $w) { value { currentPace } "
        "freshness { tier } } } } } }"
    )
    heard = [
        (await gateway.ask(document, w=window)).data["viewer"]["learner"]["analytics"]["velocity"]
        for window in ("WEEK", "MONTH", "WEEK")
    ]
    assert [one["freshness"]["tier"] for one in heard] == ["SOURCE", "SOURCE", "MEMORY"]
    assert heard[0]["value"] == heard[2]["value"] != heard[1]["value"]


async def test_what_lies_after_the_clock_of_the_platform_is_not_in_the_answer(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.dashboard()
        rows = await gateway.kept()
    assert {row.as_of for row in rows} == {AS_OF}
    earlier = AS_OF.replace(month=1, day=20)
    async with running(clone.app_url, services, clock, clock_of_platform=earlier) as gateway:
        heard = (await gateway.dashboard()).answers
    assert of_each(heard, "tier") == {"SOURCE"}, "what is kept of a later moment says too much"
    assert of_each(heard, "asOf") == {"2026-01-20T00:00:00Z"}
