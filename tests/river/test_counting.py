"""What an answer costs: statements and calls, whatever the number of learners and metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from datasources.catalog import SERVICES
from datasources.simulator.generated import generate
from tests.cast import ACME
from tests.river.banks import Gateway, Services, running

if TYPE_CHECKING:
    from datasources.simulator.campus import Campus
    from tests.conftest import Clone
    from tests.river.banks import Clock

LEARNERS = 150
AT_MOST = {
    (service.name, endpoint.batch_path if endpoint.batched else endpoint.path): endpoint.at_most
    for service in SERVICES
    for endpoint in service.endpoints
}
WHO = "{ viewer { learner { id organization { name } } } }"
ROSTER = """
query ($first: Int) { organization { learners(first: $first) { totalCount edges { node {
  analytics { velocity { value { paceRatio } ...Where } engagement { value { overallScore } ...Where } }
  prediction { dropOffRisk { value { riskScore } ...Where } }
} } } } }
fragment Where on Answer { freshness { tier origin } withheld { reason } }
"""


class Meter:
    """Statements and calls since it was last read."""

    def __init__(self, gateway: Gateway, services: Services) -> None:
        self._gateway = gateway
        self._services = services
        self.read()

    def read(self) -> tuple[int, int]:
        before = getattr(self, "_before", (0, 0))
        self._before = self._gateway.world.database.statements, len(self._services.calls)
        return self._before[0] - before[0], self._before[1] - before[1]


async def test_a_kept_dashboard_costs_one_statement_and_a_remembered_one_none(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.dashboard()
    async with running(clone.app_url, services, clock) as gateway:
        meter = Meter(gateway, services)
        await gateway.ask(WHO)
        await gateway.settled()
        gateway.world.roster.forget(ACME)
        meter.read()
        await gateway.ask(WHO)
        assert meter.read() == (3, 0), "who is asking: one statement for the person, two for the organization"
        await gateway.dashboard()
        assert meter.read() == (1, 0), "kept: one statement for every answer"
        await gateway.dashboard()
        assert meter.read() == (0, 0), "remembered: nothing"


async def test_no_service_is_asked_the_same_thing_twice_for_a_cold_dashboard(
    gateway: Gateway, services: Services
) -> None:
    await gateway.ask("{ viewer { activeRole } }")
    services.forget()  # whether she is still active is asked apart from what is said of her
    await gateway.dashboard()
    assert set(services.asked.values()) == {1}
    assert services.per_endpoint.keys() <= AT_MOST.keys()
    for endpoint, calls in services.per_endpoint.items():
        ids = sum(1 for service, path, _ in services.asked if (service, path) == endpoint)
        waves = 2  # the learner, and then the learner's peers, who are known a statement later
        assert calls <= math.ceil(ids / AT_MOST[endpoint]) + waves - 1, endpoint


@pytest.fixture(scope="module")
def campus() -> Campus:
    return generate(LEARNERS, 7)


async def test_a_roster_costs_one_statement_for_answers_whatever_its_length(
    clone: Clone, campus: Campus, clock: Clock
) -> None:
    services = Services(campus)
    olga = next(person for person in campus.people if person.id == campus.cast["org-admin"])
    async with running(clone.app_url, services, clock) as gateway:
        cold = await gateway.ask(ROSTER, olga, first=200)
        there = cold.data["organization"]["learners"]
        calls = services.per_endpoint
    n = there["totalCount"]
    assert n == len(there["edges"]) > AT_MOST["course", "/api/v1/progress/batch"]
    assert set(services.asked.values()) == {1}
    for path in ("/api/v1/progress/batch", "/api/v1/activity/batch"):
        assert calls["course", path] == math.ceil(n / AT_MOST["course", path])
    spent = {}
    for first in (10, 200):
        async with running(clone.app_url, services, clock) as gateway:
            meter = Meter(gateway, services)
            await gateway.ask("{ organization { name } }", olga)
            await gateway.settled()
            await gateway.ask("{ organization { name } }", olga)
            meter.read()
            kept = await gateway.ask(ROSTER, olga, first=first)
            spent[first] = meter.read()
            rows = kept.data["organization"]["learners"]["edges"]
            assert len(rows) == min(first, n)
            tiers = {
                answer["freshness"]["tier"]
                for row in rows
                for family in row["node"].values()
                for answer in family.values()
            }
            assert tiers == {"DATABASE"}
            await gateway.ask(ROSTER, olga, first=first)
            assert meter.read() == (1, 0), "the page; what was heard goes into the audit a moment later"
    assert spent == {10: (3, 0), 200: (3, 0)}, "kept: the page, the answers, and a line in the audit"


async def test_many_people_are_read_together_and_their_courses_too(clone: Clone, campus: Campus, clock: Clock) -> None:
    services = Services(campus)
    olga = next(person for person in campus.people if person.id == campus.cast["org-admin"])
    asked = "... on Learner { displayName prediction { dropOffRisk { withheld { reason } } } }"
    document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {asked} }} }}"
    spent = {}
    for many in (5, 40):
        async with running(clone.app_url, services, clock) as gateway:
            listed = await gateway.ask(
                "query ($n: Int!) { organization { learners(first: $n) { edges { node { id } } } } }", olga, n=many
            )
            ids = [edge["node"]["id"] for edge in listed.data["organization"]["learners"]["edges"]]
            await gateway.settled()
            meter = Meter(gateway, services)
            reply = await gateway.ask(document, olga, ids=ids)
            spent[many] = meter.read()[0]
            assert len(reply.data["nodes"]) == many
    # Five more learners may be in one more course, whose pulse is looked for and kept.
    assert spent[40] <= spent[5] + 6
