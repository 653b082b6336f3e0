"""The short way and the ordinary one: the same budget, the same audit, the same headers, and the same door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from sqlmodel import select

from datasources.postgres import sessions
from datasources.postgres.session import Actor
from datasources.postgres.tables import AuditRow
from resolvers.ids import to_global
from tests.campus import small_campus
from tests.cast import ACME, LARS, LENA, OLGA, TOMAS
from tests.river.banks import Clock, Gateway, Services, running
from tests.river.bearers import token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone
    from tests.river.bearers import Who

MINUTE = timedelta(minutes=1)
ONE = "query ($id: ID) { learner(id: $id) { displayName analytics { engagement { value { overallScore } } } } }"
NAME = "query ($id: ID) { learner(id: $id) { displayName } }"
TWICE = """query ($id: ID, $other: ID) {
  a: learner(id: $id) { analytics { engagement { value { overallScore } } velocity { withheld { reason } } } }
  b: learner(id: $id) { analytics { engagement { quality { level } } } }
  c: learner(id: $other) { userId } }"""
NODE = """query ($id: ID!) { node(id: $id) { ... on Learner { analytics { engagement { withheld { reason } } } } } }"""
TRAINER = "query ($id: ID) { trainer(id: $id) { displayName analytics { courseHealth { withheld { reason } } } } }"
NAMED = """query ($id: ID) { trainer(id: $id) { displayName analytics { studentDistribution {
  value { atRisk { learnerId riskScore } } withheld { reason } } courseHealth { value { status } } } } }"""
LISTED = "query ($n: Int) { organization { learners(first: $n) { totalCount edges { node { %s } } } } }"
TRAINERS = "query ($n: Int) { organization { trainers(first: $n) { edges { node { %s } } } } }"
CHOSEN = """query ($level: [EngagementLevel!], $search: String) { organization {
  learners(first: 5, filter: {engagementLevel: $level, search: $search}, orderBy: {by: RISK}) { edges { node {
    displayName analytics { engagement { value { level } } } } } } } }"""
COUNTED = "{ organization { departments { name learnerCount } branches { name learnerCount } } }"
OWN = "{ viewer { learner { displayName analytics { engagement { value { overallScore } } } } } }"
SOME = "analytics { engagement { value { overallScore } } }"

ASKED: dict[str, tuple[str, Who, dict[str, Any]]] = {
    "of a learner": (ONE, "olga", {"id": LENA}),
    "of a learner, by their trainer": (ONE, "tomas", {"id": LENA}),
    "of the name alone": (NAME, "tomas", {"id": LENA}),
    "of somebody twice, and of another": (TWICE, "olga", {"id": LENA, "other": LARS}),
    "of a node": (NODE, "olga", {"id": to_global("Learner", LENA)}),
    "of a trainer": (TRAINER, "olga", {"id": TOMAS}),
    "of a trainer, and of learners whom their numbers name": (NAMED, "olga", {"id": TOMAS}),
    "of learners whom one's own numbers name": (NAMED, "tomas", {"id": TOMAS}),
    "of a list of names": (LISTED % "displayName", "olga", {"n": 4}),
    "of a list of answers": (LISTED % SOME, "olga", {"n": 4}),
    "of a list of trainers": (TRAINERS % "displayName", "olga", {"n": 2}),
    "of a list that is chosen by answers": (CHOSEN, "olga", {"level": None}),
    "of a list that nobody is on": (CHOSEN, "olga", {"level": ["LOW"], "search": "nobody is called that"}),
    "of how many belong where": (COUNTED, "olga", {}),
    "of oneself": (OWN, "lena", {}),
    "of oneself, with a budget": (ONE, "lena", {}),
}


@dataclass
class Both:
    """A gateway with its short way switched off and on, and what is asked of it so often that the short way answers."""

    gateway: Gateway
    requests: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, asked: str) -> httpx.Response:
        """One of what is asked, with an id of its own."""
        document, who, variables = ASKED[asked]
        self.requests += 1
        bearer = f"Bearer {token(who, self.gateway.clock.now())}"
        headers = {"authorization": bearer, "x-request-id": f"request-{self.requests}", **self.headers}
        transport = httpx.ASGITransport(self.gateway.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post("/graphql", json={"query": document, "variables": variables}, headers=headers)

    async def ordinary(self, asked: str) -> httpx.Response:
        """The same, as if there were no short way."""
        door = self.gateway.app.state.door
        way, door.way = door.way, None
        try:
            return await self.ask(asked)
        finally:
            door.way = way

    async def warm(self, asked: str) -> None:
        """Have the document known, and its answers kept."""
        await self.ordinary(asked)
        await self.gateway.settled()
        await self.ordinary(asked)
        self.gateway.world.memory.clear()

    @property
    def ways(self) -> Any:
        """How often which way was taken."""
        return self.gateway.app.state.door.way.statistics()

    async def audit(self) -> list[tuple[Any, ...]]:
        """The rows since the last time, in no order."""
        await self.gateway.settled()
        known = getattr(self, "_last", 0)
        async with self.gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
            rows = (await session.exec(select(AuditRow).where(AuditRow.id > known))).all()
        self._last = max([known, *(row.id for row in rows)])
        said = [(r.actor, r.role, r.kind, r.subject, r.details, r.address, r.request_id) for r in rows]
        return sorted(said, key=str)


@pytest.fixture
async def both(gateway: Gateway) -> Both:
    return Both(gateway)


@pytest.mark.parametrize("asked", ASKED)
async def test_both_ways_leave_the_same_rows_in_the_audit(both: Both, asked: str) -> None:
    await both.warm(asked)
    await both.audit()
    ordinary = await both.ordinary(asked)
    of_ordinary = await both.audit()
    planned = await both.ask(asked)
    of_plan = await both.audit()
    kept = await both.ask(asked)
    of_kept = await both.audit()
    assert (both.ways.planned, both.ways.kept, both.ways.passed_on) == (1, 1, 0)
    assert "errors" not in ordinary.json()
    assert planned.json()["data"] == ordinary.json()["data"]
    assert kept.status_code == 200
    at = both.requests
    for rows, request in ((of_ordinary, at - 2), (of_plan, at - 1), (of_kept, at)):
        assert {row[-1] for row in rows} <= {f"request-{request}"}
    assert [row[:-1] for row in of_plan] == [row[:-1] for row in of_kept] == [row[:-1] for row in of_ordinary]
    assert bool(of_ordinary) == (asked not in {"of how many belong where", "of oneself", "of oneself, with a budget"})


async def test_what_is_told_again_within_a_second_is_one_row_that_says_how_often_and_first_in_which(
    both: Both,
) -> None:
    await both.warm("of a learner")
    await both.audit()
    first = both.requests + 1
    for _ in range(3):
        await both.ask("of a learner")
    told = {"answers": 3, "requests": 3}
    assert await both.audit() == [
        (OLGA, "org-admin", "answers.heard", LENA, told, "127.0.0.1", f"request-{first}"),
    ]


@pytest.mark.parametrize("limits", [{"cost_per_minute": 150}, {"requests_per_hour": 7}, {"cost_per_minute": 90}])
async def test_both_ways_take_the_same_from_the_budget_and_say_the_same(
    clone: Clone, services: Services, clock: Clock, limits: dict[str, int]
) -> None:
    said = []
    for short in (False, True):
        async with running(clone.app_url, services, clock, **limits) as gateway:
            both = Both(gateway)
            asking = both.ask if short else both.ordinary
            asked = ["of oneself, with a budget"] * 9
            replies = [await asking(one) for one in asked]
            said.append([(one.status_code, one.json(), _without_id(one)) for one in replies])
            if short:
                assert both.ways.kept + both.ways.planned > 0
    assert said[0] == said[1]
    assert {status for status, _, _ in said[0]} == {200, 429}
    (limit,) = limits
    assert said[0][0][1]["extensions"]["cost"]["budget"].keys() == {limit.partition("_")[0]}


def _without_id(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}


@pytest.fixture(params=[(), ("https://app.example",)], ids=["own pages", "listed pages"])
async def neighbour(
    clone: Clone, services: Services, clock: Clock, request: pytest.FixtureRequest
) -> AsyncIterator[Both]:
    async with running(clone.app_url, services, clock, allowed_origins=request.param) as gateway:
        yield Both(gateway)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://gateway"},
        {"origin": "HTTP://GATEWAY"},
        {"origin": "https://app.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"host": "gateway:8000"},
        {"accept": "application/graphql-response+json", "origin": "https://app.example"},
    ],
    ids=str,
)
async def test_both_ways_mark_their_answers_alike_and_turn_the_same_away(
    neighbour: Both, headers: dict[str, str]
) -> None:
    asked = "of oneself"
    await neighbour.warm(asked)
    neighbour.headers = headers
    ordinary = await neighbour.ordinary(asked)
    short = [await neighbour.ask(asked) for _ in range(3)]
    assert {(one.status_code, tuple(sorted(_without_id(one).items()))) for one in short} == {
        (ordinary.status_code, tuple(sorted(_without_id(ordinary).items())))
    }
    assert neighbour.ways.passed_on == (0 if ordinary.status_code == 200 else 3)
    assert ("access-control-allow-origin" in ordinary.headers) == ("origin" in headers and ordinary.status_code == 200)


async def test_a_page_of_another_origin_does_not_ask_by_a_link_either(neighbour: Both) -> None:
    await neighbour.warm("of oneself")
    url = f"/graphql?query={quote(OWN)}"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(neighbour.gateway.app), base_url="http://gateway"
    ) as client:
        bearer = {"authorization": f"Bearer {token('lena', neighbour.gateway.clock.now())}"}
        assert [(await client.get(url, headers=bearer)).status_code for _ in range(3)] == [200] * 3
        refused = [(await client.get(url, headers={**bearer, "origin": "https://evil.example"})) for _ in range(3)]
    assert {one.status_code for one in refused} == {403}


async def test_who_was_revoked_is_told_nothing_that_is_kept(clone: Clone) -> None:
    clock = Clock()
    async with running(clone.app_url, Services(small_campus(), clock.now), clock) as gateway:
        both = Both(gateway)
        await both.warm("of oneself")
        assert [(await both.ask("of oneself")).status_code for _ in range(3)] == [200] * 3
        assert both.ways.kept == 2
        await sessions.revoke(gateway.world.database, LENA)
        clock.pass_by(MINUTE)
        refused = await both.ask("of oneself")
        assert (refused.status_code, both.ways.kept) == (401, 2)


async def test_who_is_deactivated_is_told_nothing_that_is_kept_a_minute_later(clone: Clone) -> None:
    clock = Clock()
    services = Services(small_campus(), clock.now)
    async with running(clone.app_url, services, clock, standing_seconds=5) as gateway:
        both = Both(gateway)
        await both.warm("of oneself")
        await both.ask("of oneself")

        def spoil(call: Any, body: Any) -> Any:
            if call.path == "/api/v1/users/batch" and LENA in body["items"]:
                return {**body, "items": {**body["items"], LENA: body["items"][LENA] | {"isActive": False}}}
            return body

        services.spoil = spoil
        clock.pass_by(timedelta(seconds=6))
        refused = await both.ask("of oneself")
        assert (refused.status_code, both.ways.kept) == (401, 0)
