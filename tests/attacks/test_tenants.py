"""Whatever is Acme's, held by somebody of another organization in every role: nothing comes of it, anywhere.

Every place that takes text, found by walking the schema, is given every id and every cursor of Acme's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from sqlmodel import select

from analytics.declare import Role
from datasources.postgres.job_tables import JobRow
from datasources.postgres.session import system
from resolvers.ids import to_global
from tests.attacks.places import PLACES, everything
from tests.campus import LEARNERS, PYTHON, SQL, STATS, small_campus
from tests.cast import ACME, LARS, LENA, OLGA, SAM, TARA, TOMAS
from tests.gateway.served import served, talking
from tests.river.banks import Clock, Services, running
from tests.river.bearers import token
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Clone
    from tests.river.banks import Gateway, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ("Lena", "Lars", "Tomas", "Tara", "Olga", "Acme", *(f"Learner {n}" for n in range(1, 14)))
PEOPLE = (LENA, LARS, TOMAS, TARA, OLGA, *LEARNERS[:13])
REFRESH = "mutation { refreshAnalytics(input: {}) { ... on RefreshQueued { job { id } } } }"
EXPORT = "mutation { exportReport(input: {format: CSV}) { ... on ReportQueued { job { id } } } }"
REPORTS = "{ reports { edges { node { id } } } }"
CURSORS = """{
  organization { learners { edges { cursor } } trainers { edges { cursor } } courses { edges { cursor } } }
  jobs { edges { cursor } } reports { edges { cursor } } %s }"""
OF_ADMINS = "auditLog { edges { cursor } }"
OF_LEARNERS = "viewer { learner { courses { edges { cursor } } } }"
RISKIEST = """{ organization { learners(orderBy: {by: RISK, direction: DESC}) { edges { cursor } } } }"""
LISTENING = {
    "jobProgress": "subscription($id: ID!) { jobProgress(id: $id) { status progress } }",
    "answerRefreshed": "subscription($id: ID!) { answerRefreshed(subject: $id) { subject metric } }",
}


@dataclass(frozen=True, slots=True)
class Theirs:
    """What Acme has: its ids and cursors, and its jobs."""

    gateway: Gateway
    held: tuple[str, ...]
    jobs: tuple[str, ...]

    async def ask(self, document: str, variables: dict[str, Any], role: Role) -> Reply:
        """What Sam is answered, in a role."""
        shown = token("sam", self.gateway.clock.now(), roles=[role])
        return await self.gateway.send(document, variables, {"authorization": f"Bearer {shown}"})


def cursors(found: Any) -> Iterator[str]:
    """Every cursor in an answer."""
    if isinstance(found, dict):
        yield from ([found["cursor"]] if "cursor" in found else [])
        found = list(found.values())
    for one in found if isinstance(found, list) else ():
        yield from cursors(one)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(module_clone: Clone) -> AsyncIterator[Theirs]:
    services, clock = Services(small_campus()), Clock()
    async with running(module_clone.app_url, services, clock) as gateway:
        for who in ("lena", "sam"):
            await gateway.dashboard(who)
        await gateway.settled()
        done = (await gateway.ask(EXPORT)).data["exportReport"]["job"]["id"]
        async with a_worker(module_clone.app_url, services, clock) as worker:
            await worker.works_off()
        waiting = (await gateway.ask(REFRESH)).data["refreshAnalytics"]["job"]["id"]
        report = (await gateway.ask(REPORTS)).data["reports"]["edges"][0]["node"]["id"]
        places = {
            *cursors((await gateway.ask(CURSORS % OF_ADMINS, "olga")).data),
            *cursors((await gateway.ask(CURSORS % OF_LEARNERS)).data),
            *cursors((await gateway.ask(RISKIEST, "tomas")).data),
        }
        assert len(places) > 20
        ids = {
            *PEOPLE[:5],
            ACME,
            *(to_global("Learner", one) for one in (LENA, LEARNERS[0])),
            *(to_global("Trainer", one) for one in (TOMAS, TARA)),
            to_global("Organization", ACME),
            *(to_global("Course", one) for one in (SQL, STATS)),
            STATS,
            "Lena",
            "Engineering",
            report,
            done,
            waiting,
        }
        yield Theirs(gateway, (*sorted(ids), *sorted(places)), (done, waiting))


async def jobs_of(gateway: Gateway) -> set[tuple[str, str]]:
    """The jobs of Acme and how they stand: nobody else makes one, or cancels one."""
    async with gateway.world.database.session(system(ACME)) as session:
        return {(row.id, row.status) for row in await session.exec(select(JobRow))}


@pytest.mark.parametrize("coordinate", PLACES)
async def test_nothing_of_another_organization_comes_of_its_ids_and_cursors(theirs: Theirs, coordinate: str) -> None:
    before = await jobs_of(theirs.gateway)
    assert len(before) >= len(theirs.jobs)
    # The audit of Sam's own organization says which ids Sam asked for: what it must not say is whose they are.
    secret = {*NAMES, *theirs.jobs, *(() if "auditLog" in coordinate else (*PEOPLE, ACME))}
    roles = list(Role) if not coordinate.startswith("Mutation.") else [Role.ORG_ADMIN]
    for given in theirs.held:
        document, variables = PLACES[coordinate].asked(given, everything)
        for role in roles:
            reply = await theirs.ask(document, variables, role)
            assert not reply.codes & {"INTERNAL_SERVER_ERROR", "GRAPHQL_VALIDATION_FAILED"}, reply.text
            said = reply.text.replace(given, "").replace("Learner 14", "")
            told = {one for one in secret if one in said and one not in given}
            assert not told, f"{coordinate} of {given!r} told Sam as {role} of {told}: {reply.text[:500]}"
    assert await jobs_of(theirs.gateway) == before


@pytest.mark.parametrize(
    ("coordinate", "given"),
    [
        ("Query.learner(id)", LENA),
        ("Query.node(id)", to_global("Learner", LENA)),
        ("Query.trainer(id)", TOMAS),
        ("Organization.learners(filter.search)", "Lena"),
        ("Organization.learners(filter.course)", STATS),
    ],
)
async def test_the_same_documents_tell_whose_it_is(theirs: Theirs, coordinate: str, given: str) -> None:
    document, variables = PLACES[coordinate].asked(given, everything)
    reply = await theirs.gateway.ask(document, "olga", **variables)
    assert any(name in reply.text for name in NAMES), reply.text


@pytest.mark.parametrize("role", Role)
async def test_nobody_listens_to_another_organization(theirs: Theirs, role: Role) -> None:
    subjects = (to_global("Learner", LENA), to_global("Trainer", TOMAS), to_global("Organization", ACME))
    tries = [("jobProgress", one) for one in theirs.jobs] + [("answerRefreshed", one) for one in subjects]
    async with served(theirs.gateway.app) as where, talking(where) as talk:
        await talk.greet(token("sam", theirs.gateway.clock.now(), roles=[role]))
        for number, (name, given) in enumerate(tries):
            await talk.subscribe(LISTENING[name], str(number), variables={"id": given})
            heard = await talk.hear()
            said = heard["payload"] if heard["type"] == "error" else heard["payload"]["errors"]
            assert {problem["extensions"]["code"] for problem in said} == {"NOT_FOUND"}, heard
            if heard["type"] == "next":
                assert (await talk.hear())["type"] == "complete"


async def test_a_course_that_both_take_is_a_course_of_ones_own_people_alone(theirs: Theirs) -> None:
    document = """query($id: ID!) { organization { learners(filter: {course: $id}) { totalCount
      edges { node { userId } } } } }"""
    said = (await theirs.ask(document, {"id": PYTHON}, Role.ORG_ADMIN)).data["organization"]["learners"]
    assert {edge["node"]["userId"] for edge in said["edges"]} == {SAM, LEARNERS[13]}
