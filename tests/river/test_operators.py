"""Operators of the platform: they close breakers in every process, and see no more of anybody than others do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from analytics.declare import Role
from tests.campus import small_campus
from tests.cast import LARS, LENA, OLGA
from tests.river.banks import Services, running
from tests.river.bearers import SECRET, token
from tests.river.test_assistant import asked
from tests.river.test_audit import audit
from tests.river.test_database_that_fails import Switch

if TYPE_CHECKING:
    from tests.conftest import Clone, Server
    from tests.river.banks import Clock, Gateway, Reply

RESET = """mutation ($service: String!) { resetCircuitBreaker(input: {service: $service}) {
  __typename ... on CircuitBreakerReset { service } ... on ResetRefused { reason message retryAfter }
} }"""
STATES = "{ services { name state openings } }"


async def as_operator(gateway: Gateway, document: str, who: str = "lena", **variables: Any) -> Reply:
    """What one of the cast is answered whose token has the role `operator` beside their own."""
    claims = jwt.decode(token(who, gateway.clock.now()), options={"verify_signature": False})
    shown = jwt.encode({**claims, "roles": [*claims["roles"], "operator"]}, SECRET, "HS256")
    return await gateway.send(document, variables, {"authorization": f"Bearer {shown}"})


async def reset(gateway: Gateway, service: str) -> dict[str, Any]:
    said: dict[str, Any] = (await as_operator(gateway, RESET, service=service)).data["resetCircuitBreaker"]
    return said


async def state(gateway: Gateway, service: str = "skills") -> str:
    (found,) = [one["state"] for one in (await gateway.ask(STATES)).data["services"] if one["name"] == service]
    return str(found)


async def opened(gateway: Gateway, services: Services) -> None:
    """Have a process leave skills, and the assistant, to their rest."""
    for service in ("skills", "rag"):
        await services.turn(service, "failing")
    for _ in range(5):
        await asked(gateway)
        gateway.world.memory.clear()
        await gateway.dashboard()
    for service in ("skills", "rag"):
        await services.turn(service, "ok")
    assert await state(gateway) == "OPEN"
    assert (await asked(gateway))["reason"] == "UNAVAILABLE"


async def test_what_an_operator_resets_is_asked_again_in_every_process(
    gateway: Gateway, services: Services, clone: Clone, clock: Clock
) -> None:
    await opened(gateway, services)
    others = Services(small_campus())
    async with running(clone.app_url, others, clock) as other:
        await opened(other, others)
        for service in ("skills", "rag"):
            assert await reset(gateway, service) == {"__typename": "CircuitBreakerReset", "service": service}
        assert await state(gateway) == "CLOSED"
        assert (await asked(gateway))["__typename"] == "AssistantAnswered"
        for _ in range(100):
            if await state(other) == "CLOSED" and (await asked(other))["__typename"] == "AssistantAnswered":
                break
        else:
            pytest.fail("the other process never heard of it")


@pytest.mark.parametrize("who", ["lena", "tomas", "olga"])
async def test_nobody_else_resets_anything_an_admin_neither(gateway: Gateway, services: Services, who: str) -> None:
    await opened(gateway, services)
    said = (await gateway.ask(RESET, who, service="skills")).data["resetCircuitBreaker"]
    assert (said["reason"], said["retryAfter"]) == ("NOT_AN_OPERATOR", None)
    assert await state(gateway) == "OPEN"


async def test_a_service_that_is_none_is_refused_with_those_there_are(gateway: Gateway) -> None:
    said = await reset(gateway, "skill")
    assert said["reason"] == "NO_SUCH_SERVICE"
    assert "learner-ai" in said["message"]


async def test_an_operator_hears_no_more_of_anybody_than_without_that(gateway: Gateway) -> None:
    other = "query ($id: ID) { learner(id: $id) { displayName } }"
    assert (await as_operator(gateway, other, id=LARS)).codes == {"NOT_FOUND"}
    assert (await as_operator(gateway, "{ auditLog { totalCount } }")).codes == {"FORBIDDEN"}
    roles = (await as_operator(gateway, "{ viewer { roles activeRole } }")).data["viewer"]
    assert roles == {"roles": ["LEARNER"], "activeRole": "LEARNER"}


async def test_an_operator_who_is_nobody_in_an_organization_is_not_let_in(gateway: Gateway) -> None:
    claims = jwt.decode(token("lena", gateway.clock.now()), options={"verify_signature": False})
    shown = jwt.encode({**claims, "roles": ["operator"]}, SECRET, "HS256")
    assert (await gateway.send(STATES, {}, {"authorization": f"Bearer {shown}"})).status == 401


async def test_operating_is_no_role_that_one_acts_in(gateway: Gateway) -> None:
    shown = token("olga", gateway.clock.now(), roles=[Role.ORG_ADMIN])
    reply = await gateway.send(STATES, {}, {"authorization": f"Bearer {shown}", "x-active-role": "operator"})
    assert (reply.status, reply.codes) == (403, {"FORBIDDEN"})


async def test_what_was_reset_and_who_tried_is_in_the_audit_where_they_are_at_home(gateway: Gateway) -> None:
    await reset(gateway, "skills")
    await gateway.ask(RESET, "olga", service="skills")
    await gateway.ask(RESET, "olga", service="a\0b")
    refused = {"what": "breaker", "why": "not-allowed", "times": 1}
    assert await audit(gateway) == [
        (LENA, "learner", "breaker.reset", "skills", {}),
        (OLGA, "org-admin", "refused", "skills", refused),
        (OLGA, "org-admin", "refused", None, refused),
    ]


async def test_without_the_database_one_process_does_it_and_says_that_the_others_were_not_told(
    gateway: Gateway, services: Services, server: Server, clone: Clone
) -> None:
    await opened(gateway, services)
    switch = Switch(server, clone)
    await switch.off()
    try:
        said = await reset(gateway, "skills")
    finally:
        await switch.on()
    assert (said["reason"], said["retryAfter"]) == ("UNAVAILABLE", 5)
    assert await state(gateway) == "CLOSED"
