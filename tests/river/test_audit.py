"""Who heard whose answers: written down for others, never for oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import select

from analytics.declare import Role
from analytics.policy import Viewer
from analytics.trail import Trail
from datasources.postgres.session import Actor
from datasources.postgres.tables import AuditRow
from resolvers.ids import from_global, to_global
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.gateway.served import served, talking
from tests.river.bearers import token

if TYPE_CHECKING:
    from tests.river.banks import Gateway
    from tests.river.workers import Worker

TWO = """query ($id: ID) { learner(id: $id) { analytics {
  velocity { value { paceRatio } } mastery { value { masteryProgress } }
} } }"""
LISTED = "{ organization { learners { totalCount edges { node { %s } } } } }"


async def audit(gateway: Gateway, organization: str = ACME) -> list[Any]:
    await gateway.settled()
    async with gateway.world.database.session(Actor(organization, OLGA, "org-admin")) as session:
        rows = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()
    return [(row.actor, row.role, row.kind, row.subject, row.details) for row in rows]


async def test_what_others_hear_is_written_down_and_what_one_hears_of_oneself_is_not(gateway: Gateway) -> None:
    await gateway.dashboard("lena")
    await gateway.ask(TWO, "lena", id=LENA)
    assert await audit(gateway) == []
    assert (await gateway.ask(TWO, "tomas", id=LENA)).data["learner"]
    await gateway.ask(TWO, "olga", id=LENA)
    await gateway.ask(TWO, "olga", id=LARS)
    assert sorted(await audit(gateway), key=str) == [
        (TOMAS, "trainer", "answers.heard", LENA, {"answers": 2}),
        (OLGA, "org-admin", "answers.heard", LENA, {"answers": 2}),
        (OLGA, "org-admin", "answers.heard", LARS, {"answers": 2}),
    ]


async def test_a_list_is_a_line_for_each_learner_in_it(gateway: Gateway) -> None:
    await gateway.ask(LISTED % "displayName", "olga")
    named = await audit(gateway)
    heard = await gateway.ask(LISTED % "analytics { velocity { withheld { reason } } }", "olga")
    total = heard.data["organization"]["learners"]["totalCount"]
    rows = (await audit(gateway))[len(named) :]
    assert [(kind, subject) for _, _, kind, subject, _ in named] == [("person.seen", row[3]) for row in rows]
    assert len({subject for *_, subject, _ in rows}) == len(rows) == total
    assert {tuple(details.items()) for *_, details in rows} == {(("answers", 1),)}


async def test_what_a_stranger_did_not_hear_is_not_said_to_have_been_heard(gateway: Gateway) -> None:
    await gateway.ask(TWO, "sam", id=LENA)
    await gateway.ask(TWO, "tara", id=LENA)
    refused = {"what": "learner", "why": "not-found", "times": 1}
    assert await audit(gateway) == [(TARA, "trainer", "refused", LENA, refused)]
    assert await audit(gateway, OTHER) == [(SAM, "learner", "refused", LENA, refused)], "where the stranger is at home"
    await gateway.ask(TWO, "sam", id=SAM)
    assert len(await audit(gateway, OTHER)) == 1


async def test_what_is_refused_is_written_down_once_for_a_request_with_how_often(gateway: Gateway) -> None:
    await gateway.ask("{ organization { history: comparison(metric: LEARNER_ENGAGEMENT) { name } } }", "tomas")
    await gateway.ask("{ auditLog { totalCount } }", "lena")
    await gateway.ask("{ organization { a: analytics { performance { withheld { reason } } } } }", "lars")
    await gateway.ask(f'{{ a: learner(id: "{LARS}") {{ id }} b: learner(id: "{LARS}") {{ userId }} }}', "tomas")
    assert [(actor, subject, details) for actor, _, _, subject, details in await audit(gateway)] == [
        (TOMAS, None, {"what": "Organization.comparison", "why": "not-allowed", "times": 1}),
        (LENA, None, {"what": "Query.auditLog", "why": "not-allowed", "times": 1}),
        (LARS, ACME, {"what": "org-performance", "why": "not-allowed", "times": 1}),
        (TOMAS, LARS, {"what": "learner", "why": "not-found", "times": 2}),
    ]


async def test_what_is_changed_and_taken_along_is_written_down(gateway: Gateway, worker: Worker) -> None:
    refresh = "mutation ($id: ID!) { refreshAnalytics(input: {subject: $id}) { ... on RefreshQueued { job { id } } } }"
    cancel = "mutation ($id: ID!) { cancelJob(input: {job: $id}) { __typename } }"
    export = "mutation { exportReport(input: {format: CSV}) { ... on ReportQueued { job { id } } } }"
    asked = (await gateway.ask(refresh, "tomas", id=to_global("Learner", LENA))).data["refreshAnalytics"]["job"]["id"]
    await gateway.ask(cancel, "tomas", id=asked)
    await gateway.ask(cancel, "lena", id=asked)
    made = (await gateway.ask(export, "lena")).data["exportReport"]["job"]["id"]
    await worker.works_off()
    await gateway.ask("query ($id: ID!) { report(id: $id) { content } }", "lena", id=from_global(made).uuid)
    told = [(actor, kind, subject) for actor, _, kind, subject, _ in await audit(gateway)]
    assert told == [
        (TOMAS, "person.seen", LENA),
        (TOMAS, "job.asked", LENA),
        (TOMAS, "job.cancelled", LENA),
        (LENA, "refused", from_global(asked).uuid),
        (LENA, "export.asked", None),
        (LENA, "export.made", None),
        (LENA, "export.read", None),
    ]


async def test_whom_a_leaderboard_names_is_written_down(gateway: Gateway) -> None:
    board = (await gateway.ask("{ leaderboard(window: ALL_TIME) { entries { isYou } } }", "lena")).data["leaderboard"]
    others = [entry for entry in board["entries"] if not entry["isYou"]]
    seen = [(kind, subject) for _, _, kind, subject, _ in await audit(gateway)]
    assert others
    assert [kind for kind, _ in seen] == ["person.seen"] * len(others)
    assert LENA not in {subject for _, subject in seen}


async def test_an_event_says_where_it_came_from(gateway: Gateway) -> None:
    shown = {"authorization": f"Bearer {token('tomas', gateway.clock.now())}", "x-request-id": "the-request-of-tomas"}
    await gateway.send(TWO, {"id": LENA}, shown)
    async with gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
        (row,) = (await session.exec(select(AuditRow))).all()
    assert (row.address, row.request_id) == ("127.0.0.1", "the-request-of-tomas")


async def test_a_change_says_where_it_came_from_too(gateway: Gateway) -> None:
    shown = {"authorization": f"Bearer {token('lena', gateway.clock.now())}", "x-request-id": "the-request-of-lena"}
    change = "mutation { setLeaderboardVisibility(input: {visible: false}) { __typename } }"
    decide = 'mutation { decideRecommendation(input: {recommendation: "x", decision: DONE}) { __typename } }'
    for document in (change, decide):
        await gateway.send(document, {}, shown)
    async with gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
        rows = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(row.kind, row.address, row.request_id) for row in rows] == [
        ("leaderboard.hidden", "127.0.0.1", "the-request-of-lena"),
        ("recommendation.done", "127.0.0.1", "the-request-of-lena"),
    ]


async def test_who_asks_in_a_role_they_do_not_have_is_written_down(gateway: Gateway) -> None:
    shown = {"authorization": f"Bearer {token('lena', gateway.clock.now())}", "x-active-role": "org-admin"}
    assert (await gateway.send(TWO, {"id": LARS}, shown)).status == 403
    async with served(gateway.app) as where, talking(where) as talk:
        await talk.say(type="connection_init", payload=shown)
        assert (await talk.closed())[0] == 4403
    refused = {"what": "role", "why": "not-allowed", "times": 1}
    assert await audit(gateway) == [(LENA, "learner", "refused", None, refused)] * 2


async def test_each_operation_of_a_socket_is_written_down_by_its_own_id(gateway: Gateway) -> None:
    async with served(gateway.app) as where, talking(where) as talk:
        await talk.greet(token("tomas", gateway.clock.now()))
        told = []
        for ident in ("a", "b"):
            await talk.subscribe(TWO, ident, variables={"id": LENA})
            told.append((await talk.hear())["payload"]["extensions"]["requestId"])
            assert (await talk.hear())["type"] == "complete"
    await gateway.settled()
    async with gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
        rows = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()
    assert [row.request_id for row in rows] == told


async def test_a_request_is_one_statement_of_the_audit_whatever_it_saw(gateway: Gateway) -> None:
    trail = Trail(gateway.world.database, Viewer(OLGA, ACME, frozenset({Role.ORG_ADMIN}), Role.ORG_ADMIN))
    for n in range(500):
        trail.seen(f"person {n}")
        trail.heard(f"person {n % 100}")
    before = gateway.world.database.statements
    await trail.afterwards()
    assert gateway.world.database.statements == before + 1
    assert len(await audit(gateway)) == 500, "who was heard of was seen"
    before = gateway.world.database.statements
    await trail.afterwards()
    assert gateway.world.database.statements == before
