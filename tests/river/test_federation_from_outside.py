"""A router asks: references in a hundred, one look at who they are, and nobody of another organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolvers.ids import to_global
from tests.campus import LEARNERS
from tests.cast import ACME, LARS, LENA, SAM, TOMAS
from tests.river.banks import running
from tests.river.test_audit import audit

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services

ASK = """query ($references: [_Any!]!) { _entities(representations: $references) {
  __typename ... on Node { id } ... on Learner { displayName }
} }"""
SERVICE = "{ _service { sdl } }"


def reference(kind: str, ident: str) -> dict[str, str]:
    return {"__typename": kind, "id": to_global(kind, ident)}


async def entities(gateway: Gateway, who: str, *references: Any) -> list[Any]:
    found: list[Any] = (await gateway.ask(ASK, who, references=list(references))).data["_entities"]
    return found


async def test_fifty_references_are_one_statement(gateway: Gateway) -> None:
    everybody = [LENA, LARS, *LEARNERS[:13]]
    fifty = [reference("Learner", everybody[number % len(everybody)]) for number in range(50)]
    await entities(gateway, "olga", fifty[0])
    await gateway.settled()
    before = gateway.world.database.statements
    found = await entities(gateway, "olga", *fifty)
    audited = 1
    assert gateway.world.database.statements - before == 1 + audited
    assert [one["id"] for one in found] == [one["id"] for one in fifty]


async def test_references_to_another_organization_are_null(gateway: Gateway) -> None:
    lena, acme = reference("Learner", LENA), reference("Organization", ACME)
    await entities(gateway, "olga", lena, acme)
    found = await entities(gateway, "sam", lena, reference("Trainer", TOMAS), acme, reference("Learner", SAM))
    assert found[:3] == [None] * 3
    assert found[3]["id"] == to_global("Learner", SAM)


async def test_who_is_looked_up_for_a_router_was_looked_at(gateway: Gateway) -> None:
    await entities(gateway, "tomas", reference("Learner", LENA))
    assert (TOMAS, "trainer", "person.seen", LENA, {}) in await audit(gateway)


async def test_without_a_token_there_is_neither(gateway: Gateway) -> None:
    assert (await gateway.ask(SERVICE, None)).codes == {"UNAUTHENTICATED"}
    assert (await gateway.ask(ASK, None, references=[reference("Learner", LENA)])).codes == {"UNAUTHENTICATED"}


async def test_a_router_reads_the_schema_where_it_may_be_introspected(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, introspection="viewers") as gateway:
        sdl = (await gateway.ask(SERVICE)).data["_service"]["sdl"]
    assert 'type Learner implements Node @key(fields: "id")' in sdl
    async with running(clone.app_url, services, clock, introspection="nobody") as gateway:
        reply = await gateway.ask(SERVICE)
    assert (reply.status, reply.codes) == (403, {"INTROSPECTION_DISABLED"})


async def test_references_cost_as_the_people_they_are(gateway: Gateway) -> None:
    one, ten = [
        (await gateway.ask(ASK, references=[reference("Learner", LENA)] * many)).body["extensions"]["cost"]["static"]
        for many in (1, 10)
    ]
    assert one == ten, "leaves cost nothing"
    deep = ASK.replace("displayName", "organization { name }")
    one, ten = [
        (await gateway.ask(deep, references=[reference("Learner", LENA)] * many)).body["extensions"]["cost"]["static"]
        for many in (1, 10)
    ]
    assert ten - one == 9
