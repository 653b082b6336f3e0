"""Asking the assistant from outside: in one's own name, once, and never answered with something made up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from structlog.testing import capture_logs

from analytics.assisting import LONGEST
from datasources.simulator.server import CANNED
from gateway.app import create_app
from tests.campus import small_campus
from tests.cast import LARS, LENA, OLGA, TOMAS
from tests.river.banks import Gateway, Services, outside_of, settings_of
from tests.river.test_audit import audit

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Call, Clock
    from tests.river.bearers import Who

ASK = """mutation ($message: String!) { askAssistant(input: {message: $message}) {
  __typename
  ... on AssistantAnswered { answer { id text at suggestions } }
  ... on AssistantRefused { reason message retryAfter }
} }"""
PATH = "/api/v1/chat/send-message"
QUESTION = "When is my next test?"


async def asked(gateway: Gateway, message: str = QUESTION, who: Who = "lena") -> dict[str, Any]:
    said: dict[str, Any] = (await gateway.ask(ASK, who, message=message)).data["askAssistant"]
    return said


def sent(services: Services) -> list[Call]:
    return [call for call in services.calls if call.path == PATH]


async def test_what_the_service_says_is_what_a_learner_hears(gateway: Gateway, services: Services) -> None:
    said = await asked(gateway)
    assert said["__typename"] == "AssistantAnswered"
    assert said["answer"]["text"] == CANNED
    assert said["answer"]["suggestions"] == []
    assert len(sent(services)) == 1


async def test_it_is_asked_in_the_name_of_who_asks(gateway: Gateway) -> None:
    for who, ident in (("lena", LENA), ("lars", LARS)):
        # The simulator makes the id of a message from who asks, and what.
        made = str(uuid5(NAMESPACE_URL, f"simulator:message:{ident}:{QUESTION}"))
        assert (await asked(gateway, who=who))["answer"]["id"] == made


@pytest.mark.parametrize("bad", ["", " \n", "x" * (LONGEST + 1), "a\0b"])
async def test_what_is_no_message_is_refused_and_not_sent(gateway: Gateway, services: Services, bad: str) -> None:
    said = await asked(gateway, bad)
    assert (said["reason"], said["retryAfter"]) == ("NOT_A_MESSAGE", None)
    assert "1 to 2,000 characters" in said["message"]
    assert sent(services) == []


async def test_the_longest_message_is_sent(gateway: Gateway) -> None:
    assert (await asked(gateway, "é" * LONGEST))["__typename"] == "AssistantAnswered"


async def test_only_a_learner_asks(gateway: Gateway, services: Services) -> None:
    for who in ("tomas", "olga"):
        assert (await asked(gateway, who=who))["reason"] == "NOT_FOR_YOUR_ROLE"
    assert sent(services) == []
    refused = {"what": "assistant", "why": "not-allowed", "times": 1}
    assert await audit(gateway) == [
        (TOMAS, "trainer", "refused", None, refused),
        (OLGA, "org-admin", "refused", None, refused),
    ]


async def test_without_a_token_nobody_is_asked(gateway: Gateway, services: Services) -> None:
    assert (await gateway.ask(ASK, None, message=QUESTION)).status == 401
    assert sent(services) == []


@pytest.mark.parametrize("mode", ["failing", "nonsense"])
async def test_a_service_that_is_down_is_a_refusal_with_a_time_and_not_a_mock(
    gateway: Gateway, services: Services, mode: str
) -> None:
    await services.turn("rag", mode)
    said = await asked(gateway)
    assert said == {
        "__typename": "AssistantRefused",
        "reason": "UNAVAILABLE",
        "message": "The assistant does not answer just now. Ask again later.",
        "retryAfter": 5,
    }
    assert len(sent(services)) == 1, "it may have been heard: it is not sent twice"


async def test_a_service_that_fails_and_fails_is_left_alone_until_it_had_its_rest(
    gateway: Gateway, services: Services
) -> None:
    await services.turn("rag", "failing")
    for _ in range(5):
        await asked(gateway)
    assert len(sent(services)) == 5
    waits = (await asked(gateway))["retryAfter"]
    assert 27 <= waits <= 33
    assert len(sent(services)) == 5, "the breaker is open"
    await services.turn("rag", "ok")
    gateway.clock.pass_by(timedelta(seconds=waits))
    assert (await asked(gateway))["__typename"] == "AssistantAnswered"


async def test_where_no_assistant_is_connected_that_is_said(clone: Clone, clock: Clock) -> None:
    settings = settings_of(clone.app_url, services={"directory": "http://simulator/directory"})
    app = create_app(settings, outside_of(Services(small_campus()), clock))
    async with app.router.lifespan_context(app):
        said = await asked(Gateway(app, clock))
    assert (said["reason"], said["retryAfter"]) == ("NOT_CONNECTED", None)


async def test_the_audit_and_the_log_say_that_it_was_asked_and_not_what(gateway: Gateway, services: Services) -> None:
    with capture_logs() as lines:
        await asked(gateway)
        await services.turn("rag", "failing")
        await asked(gateway)
    asking = (LENA, "learner", "assistant.asked", LENA, {})
    assert await audit(gateway) == [asking, asking]
    assert QUESTION not in str(lines)
