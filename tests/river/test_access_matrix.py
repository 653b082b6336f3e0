"""Every field of the graph, asked from outside by everybody of the cast: answered as the table of permissions says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from analytics.declare import Role, Scope
from analytics.policy import Subject, Viewer
from gateway.access_page import about, rows
from resolvers.ids import from_global, to_global
from resolvers.permissions import Reach, Verdict, verdict
from tests.campus import small_campus
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.gateway.served import served, talking
from tests.river.banks import Clock, Gateway, Services, running
from tests.river.bearers import token
from tests.river.every_field import CODES, STREAMED, WAYS, documents, found
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.conftest import Clone

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = rows()
SUBJECTS = {
    "Learner": Subject(Scope.LEARNER, ACME, LENA, frozenset({TOMAS})),
    "Trainer": Subject(Scope.TRAINER, ACME, TOMAS),
    "Organization": Subject(Scope.ORGANIZATION, ACME, ACME),
}
CAST: dict[str, Viewer | None] = {
    name: Viewer(user, organization, frozenset({role}), role)
    for name, user, organization, role in (
        ("lena", LENA, ACME, Role.LEARNER),
        ("lars", LARS, ACME, Role.LEARNER),
        ("tomas", TOMAS, ACME, Role.TRAINER),
        ("tara", TARA, ACME, Role.TRAINER),
        ("olga", OLGA, ACME, Role.ORG_ADMIN),
        ("sam", SAM, OTHER, Role.ORG_ADMIN),
    )
} | {"nobody": None}

NEVER_HERE = {"CircuitBreakerReset", "ReportRefused", "SignedIn", "SessionRefreshed", "SignOutRefused"}
"""What nobody of the cast is answered here: its fields are asked for, and not seen."""
ANSWERED = {reach: {Verdict.ABSENT} for reach in Reach} | {Reach.PUBLIC: {Verdict.SAID}}
SECOND = timedelta(seconds=1)

EXPORT = """mutation ($format: ReportFormat!) {
  exportReport(input: {format: $format}) { ... on ReportQueued { job { id } } } }"""
REFRESH = "mutation { refreshAnalytics(input: {}) { ... on RefreshQueued { job { id } } } }"
LISTENING = {
    "Subscription.jobProgress": "subscription ($id: ID!) { jobProgress(id: $id) { status } }",
    "Subscription.answerRefreshed": (
        "subscription ($id: ID!) { answerRefreshed(subject: $id) { subject metric answer { __typename } } }"
    ),
}


@dataclass
class Seen:
    """What was answered: by field, by whom, which verdict; None where there was nothing to ask it of."""

    gateway: Gateway
    ids: Mapping[str, str]
    verdicts: dict[str, dict[str, Verdict | None]] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, dict[str, Verdict | None]]:
        return {at: said for at, said in self.verdicts.items() if at.partition(".")[0] == kind}

    def token(self, name: str) -> str | None:
        viewer = CAST[name]
        return None if viewer is None else token(name, self.gateway.clock.now(), roles=viewer.roles)

    async def ask(self, kind: str) -> None:
        """Ask for every field of a type, as everybody."""
        for document, names in documents(kind, self.ids):
            for who in CAST:
                shown = self.token(who)
                headers = {"authorization": f"Bearer {shown}"} if shown else {}
                body = (await self.gateway.send(document, {}, headers)).body
                if "signOut" in document:
                    self.gateway.clock.pass_by(SECOND)  # what comes next needs another token
                assert "data" in body or who == "nobody", body
                for name in names:
                    said = found(body, kind, name) if "data" in body else CODES[body["errors"][0]["extensions"]["code"]]
                    self.verdicts.setdefault(f"{kind}.{name}", {})[who] = said


def expected(coordinate: str, viewer: Viewer | None) -> Verdict:
    """What the table says: the first field on the way that is refused with an error decides."""
    way = (*WAYS.get(coordinate.partition(".")[0], ()), coordinate)
    if ROWS[way[0]].reach is Reach.PUBLIC:
        return Verdict.HEARD
    said = Verdict.HEARD
    for step in way:
        subject = about(step)
        said = verdict(ROWS[step], viewer, SUBJECTS[subject] if subject else None)
        if said in CODES.values():
            return said
    return said


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(module_clone: Clone) -> AsyncIterator[Seen]:
    """What everybody was answered to everything, with jobs and a report of Lena's to ask about."""
    services, clock = Services(small_campus()), Clock()
    async with running(module_clone.app_url, services, clock, allowed_hosts=("gateway", "127.0.0.1")) as gateway:
        job = (await gateway.ask(REFRESH)).data["refreshAnalytics"]["job"]["id"]
        done = (await gateway.ask(EXPORT, format="CSV")).data["exportReport"]["job"]["id"]
        async with a_worker(module_clone.app_url, services, clock) as worker:
            await worker.works_off()
        waiting = (await gateway.ask(EXPORT, format="JSON")).data["exportReport"]["job"]["id"]
        told = Seen(gateway, {"job": job, "waiting": waiting, "report": from_global(done).uuid})
        for kind in WAYS:
            await told.ask(kind)
        yield told


async def test_every_row_of_the_table_is_asked_for() -> None:
    assert {row.partition(".")[0] for row in ROWS} == WAYS.keys() | STREAMED


@pytest.mark.parametrize("kind", WAYS)
async def test_everybody_is_answered_what_the_table_says(seen: Seen, kind: str) -> None:
    for coordinate, verdicts in seen.of(kind).items():
        for who, viewer in CAST.items():
            wanted, said = expected(coordinate, viewer), verdicts[who]
            # What may be null is no less an answer; an empty list, or another result, has nothing to ask it of. Who
            # has no token may sign in, and is refused as the result.
            told = said is wanted or (said in {None, *ANSWERED[ROWS[coordinate].reach]} and wanted is Verdict.HEARD)
            assert told, f"{who} asked for {coordinate}: {said} where the table says {wanted}"


@pytest.mark.parametrize("kind", sorted(WAYS.keys() - NEVER_HERE))
async def test_every_field_is_heard_by_somebody(seen: Seen, kind: str) -> None:
    answered = {Verdict.HEARD, Verdict.ABSENT} | ({Verdict.SAID} if kind == "Mutation" else set())
    assert [at for at, verdicts in seen.of(kind).items() if not answered & set(verdicts.values())] == []


@pytest.mark.parametrize("coordinate", LISTENING)
async def test_everybody_listens_to_what_the_table_says(seen: Seen, coordinate: str) -> None:
    ident = seen.ids["job"] if coordinate.endswith("Progress") else to_global("Learner", LENA)
    async with served(seen.gateway.app) as where:
        for who, viewer in CAST.items():
            async with talking(where) as talk:
                await talk.greet(seen.token(who))
                await talk.subscribe(LISTENING[coordinate], variables={"id": ident})
                payload = (await talk.hear())["payload"]
            errors = payload if isinstance(payload, list) else payload.get("errors", [])
            said = CODES[errors[0]["extensions"]["code"]] if errors else Verdict.HEARD
            assert said is expected(coordinate, viewer), who
