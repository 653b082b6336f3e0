"""The audit as admins read it: their organization's, the newest first, all of it and nothing twice."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from analytics.declare import Role
from datasources.postgres import audit
from datasources.postgres.audit import Event, Whence
from datasources.postgres.session import Actor
from resolvers.ids import to_global
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TOMAS
from tests.river.bearers import token

if TYPE_CHECKING:
    from tests.river.banks import Gateway

LOG = """query ($first: Int, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node { at actor role kind subject details { name value } address requestId } } } }"""
TOMAS_ASKS = Actor(ACME, TOMAS, "trainer")
FROM_HOME = Whence("192.0.2.7", "the-request")


async def happen(gateway: Gateway, count: int = 1) -> None:
    events = [Event("answers.heard", LENA, {"answers": n}) for n in range(1, count + 1)]
    await audit.record(gateway.world.database, TOMAS_ASKS, events, FROM_HOME)


async def read(gateway: Gateway, **variables: Any) -> list[dict[str, Any]]:
    log = (await gateway.ask(LOG, "olga", **variables)).data["auditLog"]
    return [edge["node"] for edge in log["edges"]]


async def test_an_admin_reads_who_did_what_about_whom_when_and_from_where(gateway: Gateway) -> None:
    await happen(gateway)
    (event,) = await read(gateway)
    assert event.pop("at").endswith("Z")
    assert event == {
        "actor": TOMAS,
        "role": "trainer",
        "kind": "answers.heard",
        "subject": LENA,
        "details": [{"name": "answers", "value": "1"}],
        "address": "192.0.2.7",
        "requestId": "the-request",
    }


async def test_that_it_was_read_is_in_it_too(gateway: Gateway) -> None:
    await happen(gateway)
    await read(gateway, filter={"subject": LENA})
    newest = (await read(gateway))[0]
    assert (newest["actor"], newest["kind"], newest["subject"]) == (OLGA, "audit.read", LENA)


async def test_its_pages_hold_every_event_once_while_others_come_in(gateway: Gateway) -> None:
    await happen(gateway, 25)
    heard, after, pages = [], None, 0
    while True:
        chosen = {"kind": "answers.heard"}
        log = (await gateway.ask(LOG, "olga", first=10, after=after, filter=chosen)).data["auditLog"]
        heard += [int(edge["node"]["details"][0]["value"]) for edge in log["edges"]]
        assert log["pageInfo"]["hasPreviousPage"] is (pages > 0)
        await happen(gateway)
        pages, after = pages + 1, log["pageInfo"]["endCursor"]
        if not log["pageInfo"]["hasNextPage"]:
            break
    assert (heard, pages) == (list(range(25, 0, -1)), 3)
    assert log["totalCount"] == 27


async def test_it_is_filtered_by_who_about_whom_what_and_when(gateway: Gateway) -> None:
    await happen(gateway)
    await audit.record(gateway.world.database, Actor(ACME, LENA, "learner"), [Event("sign-in")])
    moment = (await read(gateway, filter={"kind": "sign-in"}))[0]["at"]
    for chosen, kinds in (
        ({"actor": LENA}, ["sign-in"]),
        ({"actor": to_global("Trainer", TOMAS), "subject": to_global("Learner", LENA)}, ["answers.heard"]),
        ({"subject": LARS}, []),
        ({"kind": "sign-in", "since": moment}, ["sign-in"]),
        ({"kind": "sign-in", "until": moment}, []),
        ({"kind": "' OR true --"}, []),
        ({"actor": "%"}, []),
    ):
        assert [event["kind"] for event in await read(gateway, filter=chosen)] == kinds


@pytest.mark.parametrize("who", ["lena", "tomas"])
async def test_nobody_but_an_admin_reads_it(gateway: Gateway, who: str) -> None:
    await happen(gateway)
    reply = await gateway.ask(LOG, who)
    assert reply.codes == {"FORBIDDEN"}
    assert reply.body["data"] is None


async def test_an_admin_of_another_organization_reads_only_theirs(gateway: Gateway) -> None:
    await happen(gateway)
    shown = token("sam", gateway.clock.now(), roles=[Role.ORG_ADMIN])
    await audit.record(gateway.world.database, Actor(OTHER, SAM, "org-admin"), [Event("sign-in")])
    reply = await gateway.send(LOG, {}, {"authorization": f"Bearer {shown}"})
    assert [edge["node"]["actor"] for edge in reply.data["auditLog"]["edges"]] == [SAM]


def forged(*key: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(("AGE DESC", None, *key))).decode().rstrip("=")


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": {"actor": ""}},
        {"filter": {"subject": "x" * 201}},
        {"filter": {"kind": "a\0b"}},
        {"filter": {"since": "yesterday"}},
        {"filter": {"until": "2026-03-02T09:30:00"}},
        {"filter": {"since": "0001-01-01T00:00:00+14:00"}},
        {"after": "what"},
        {"after": forged("2026-03-02T09:30:00+00:00", str(2**63))},
        {"after": forged("2026-03-02T09:30:00+00:00", "-1")},
        {"after": forged("9999-12-31T23:59:59-14:00", "1")},
        {"after": forged("now", "1")},
        {"first": 201},
    ],
)
async def test_what_cannot_be_looked_for_is_bad_input(gateway: Gateway, asked: dict[str, Any]) -> None:
    reply = await gateway.ask(LOG, "olga", **asked)
    assert reply.codes == {"BAD_USER_INPUT"}
