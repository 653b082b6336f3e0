"""Rosters from outside: filled when they are first asked for, one statement afterwards, and nobody else's learners."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analytics.rosters import SLICE
from datasources.simulator.generated import generate
from tests.campus import LEARNERS, PYTHON, SQL, STATS
from tests.cast import LARS, LENA, OLGA, TARA, TOMAS
from tests.river.banks import Services, running
from tests.river.test_audit import audit
from tests.river.test_counting import Meter

if TYPE_CHECKING:
    from datasources.simulator.campus import Campus
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway
    from tests.river.bearers import Who

RISKS = """query ($filter: LearnerFilter, $order: LearnerOrder, $first: Int, $after: String) {
  %s { learners(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount unknownCount pageInfo { hasNextPage endCursor }
    edges { node { userId displayName prediction { dropOffRisk { value { riskScore riskLevel } } } } } } } }"""
LISTED = """query ($filter: LearnerFilter, $order: LearnerOrder) {
  %s { learners(filter: $filter, orderBy: $order, first: 50) { unknownCount edges { node { userId } } } } }"""
WORST = {"by": "RISK", "direction": "DESC"}


async def roster(gateway: Gateway, who: Who, of: str = "organization", **variables: Any) -> Any:
    return (await gateway.ask(RISKS % of, who, **variables)).data[of]["learners"]


async def listed(gateway: Gateway, who: Who, of: str = "organization", **variables: Any) -> list[str]:
    found = (await gateway.ask(LISTED % of, who, **variables)).data[of]["learners"]
    return [edge["node"]["userId"] for edge in found["edges"]]


def risks(found: Any) -> list[float | None]:
    values = (edge["node"]["prediction"]["dropOffRisk"]["value"] for edge in found["edges"])
    return [value and value["riskScore"] for value in values]


async def test_a_roster_nobody_asked_for_before_is_in_order_at_once(gateway: Gateway) -> None:
    found = await roster(gateway, "olga", order=WORST, first=50)
    scores = risks(found)
    known = [score for score in scores if score is not None]
    assert found["totalCount"] == len(scores) == len(LEARNERS) + 1
    assert len(set(known)) > 1
    assert known == sorted(known, reverse=True)
    assert scores[len(known) :] == [None] * found["unknownCount"]
    turned = await roster(gateway, "olga", order={"by": "RISK"}, first=50)
    assert risks(turned) == known[::-1] + [None] * found["unknownCount"]


async def test_the_levels_of_a_roster_are_those_of_the_answers(gateway: Gateway) -> None:
    everybody = await roster(gateway, "olga", order=WORST, first=50)
    levels = {
        edge["node"]["userId"]: value["riskLevel"]
        for edge in everybody["edges"]
        if (value := edge["node"]["prediction"]["dropOffRisk"]["value"])
    }
    assert len(set(levels.values())) > 1
    for level in ("LOW", "MODERATE", "HIGH", "CRITICAL"):
        of_level = await listed(gateway, "olga", filter={"riskLevel": [level]})
        assert set(of_level) == {learner for learner, said in levels.items() if said == level}


async def test_a_trainer_orders_their_own_learners_and_finds_no_other_by_any_filter(gateway: Gateway) -> None:
    everybody = await listed(gateway, "olga", order=WORST)
    every_level = {"riskLevel": ["LOW", "MODERATE", "HIGH", "CRITICAL"]}
    assert LARS in await listed(gateway, "olga", filter=every_level)
    for of in ("organization", "trainer"):
        own = await listed(gateway, "tomas", of, order=WORST)
        assert own == [learner for learner in everybody if learner in own]
        assert LENA in own
        assert LARS not in own
        for chosen in (every_level, {"search": "Lars"}, {"course": STATS}, {"course": STATS, **every_level}):
            assert LARS not in await listed(gateway, "tomas", of, filter=chosen, order=WORST)
    assert await listed(gateway, "tara", "trainer", filter=every_level | {"search": "lena"}) == []
    assert set(await listed(gateway, "lena", filter=every_level, order=WORST)) <= {LENA}
    assert await listed(gateway, "lars", filter=every_level | {"search": "Lena"}) == []


async def test_a_kept_roster_is_one_statement_however_it_is_asked_for(
    clone: Clone, campus: Campus, clock: Clock
) -> None:
    services = Services(campus)
    olga = next(person for person in campus.people if person.id == campus.cast["org-admin"])
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.ask("{ organization { name } }", olga)
        await gateway.settled()
        await gateway.ask("{ organization { name } }", olga)
        meter = Meter(gateway, services)
        await listed(gateway, olga, order=WORST)
        cold = meter.read()
        assert cold[1] > 0
        for order in (WORST, {"by": "RISK"}):
            for chosen in ({}, {"riskLevel": ["HIGH"]}, {"search": "a", "riskLevel": ["LOW"]}):
                await listed(gateway, olga, order=order, filter=chosen)
                statements, calls = meter.read()
                assert calls == 0
                assert statements <= 2, "the page, and a line in the audit"
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.ask("{ organization { name } }", olga)
        await gateway.settled()
        await gateway.ask("{ organization { name } }", olga)
        meter = Meter(gateway, services)
        await listed(gateway, olga, order=WORST)
        assert meter.read() == (2, 0), "by a new process: the page, and a line in the audit"


@pytest.fixture(scope="module")
def campus() -> Campus:
    return generate(150, 7)


async def test_filling_a_roster_costs_statements_by_the_slice_and_not_by_the_learner(
    clone: Clone, clock: Clock
) -> None:
    spent = []
    for many in (SLICE // 2, SLICE + SLICE // 2):
        campus = generate(many, 7)
        services = Services(campus)
        olga = next(person for person in campus.people if person.id == campus.cast["org-admin"])
        async with running(clone.app_url, services, clock) as gateway:
            await gateway.ask("{ organization { name } }", olga)
            await gateway.settled()
            await gateway.ask("{ organization { name } }", olga)
            meter = Meter(gateway, services)
            await listed(gateway, olga, order={"by": "ENGAGEMENT"})
            spent.append(meter.read()[0])
        clock.pass_by(timedelta(days=8))
    assert spent[1] <= 2 * spent[0]


async def test_what_nobody_can_work_out_is_unknown_and_last(gateway: Gateway, services: Services) -> None:
    await gateway.ask("{ organization { learners { totalCount } } }", "olga")
    for service in ("course", "assessment", "content"):
        await services.turn(service, "failing")
    found = (await gateway.ask(LISTED % "organization", "olga", order=WORST)).data["organization"]["learners"]
    assert found["unknownCount"] == len(found["edges"]) == len(LEARNERS) + 1


async def test_a_list_that_gives_levels_away_is_written_down(gateway: Gateway) -> None:
    await gateway.ask("{ organization { learners { edges { node { displayName } } } } }", "olga")
    named = await audit(gateway)
    assert {kind for _, _, kind, _, _ in named} == {"person.seen"}
    shown = await listed(gateway, "olga", order=WORST, filter={"engagementLevel": ["LOW", "HIGH", "MODERATE"]})
    rows = (await audit(gateway))[len(named) :]
    assert {(actor, subject) for actor, _, _, subject, _ in rows} == {(OLGA, learner) for learner in shown}
    assert {details["answers"] for *_, details in rows} == {2}


async def test_a_roster_with_courses_is_read_in_one_statement_for_all_of_them(
    gateway: Gateway, services: Services
) -> None:
    asked = """{ organization { learners(first: 50) { edges { node { userId courses(first: 10) { edges { node {
        status course { courseId learnerCount } } } } } } } } }"""
    found = (await gateway.ask(asked, "olga")).data["organization"]["learners"]["edges"]
    await gateway.settled()
    await gateway.ask(asked, "olga")
    meter = Meter(gateway, services)
    await gateway.ask(asked, "olga")
    assert meter.read() == (3, 0), "the page, the courses of everybody on it, and who was seen"
    taken = {
        edge["node"]["userId"]: [one["node"]["course"]["courseId"] for one in edge["node"]["courses"]["edges"]]
        for edge in found
    }
    assert taken[LENA] == [SQL, PYTHON]
    assert taken[LARS] == [STATS]
    own = (await gateway.ask(asked, "tomas")).data["organization"]["learners"]["edges"]
    courses = {one["node"]["course"]["courseId"] for e in own for one in e["node"]["courses"]["edges"]}
    assert courses <= {SQL, PYTHON}
    assert {e["node"]["userId"] for e in own} & {LARS, TARA, TOMAS} == set()
