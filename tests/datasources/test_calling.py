"""Actions of a service: sent once, whatever comes of it, and understood as yes, no, or nobody can tell."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from datasources.auth import LOGIN, SERVICE, Login, Tokens
from datasources.calling import MOST_WAITING, Calls, Declined
from datasources.exchange import SourceError
from datasources.remote import Surroundings
from datasources.report import Cause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LENAS = Login("lena@example.org", "a password")
SESSION = {"accessToken": "a", "refreshToken": "r", "expiresIn": 3600}


class Wire:
    """An auth service that answers as it is told, and counts what it was sent."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle), base_url="http://auth.test")
        here = Surroundings(lambda: datetime.now(UTC), lambda: 0.0, random.Random(7))
        self.calls = Calls(replace(SERVICE, timeout=timedelta(seconds=1)), client, here)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answer(request)
        return answer if isinstance(answer, httpx.Response) else await answer


async def test_what_is_asked_is_sent_in_the_services_words_and_its_answer_understood() -> None:
    wire = Wire(lambda _: httpx.Response(200, json=SESSION))
    assert await wire.calls.do(LOGIN, LENAS) == Tokens("a", "r", 3600)
    (request,) = wire.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/auth/login")
    assert json.loads(request.content) == {"email": "lena@example.org", "password": "a password"}


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_a_no_is_a_no(status: int) -> None:
    wire = Wire(lambda _: httpx.Response(status))
    for _ in range(30):
        with pytest.raises(Declined):
            await wire.calls.do(LOGIN, LENAS)
    assert len(wire.requests) == 30, "a service that says no is well"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (httpx.Response(500), Cause.REFUSED),
        (httpx.Response(503), Cause.REFUSED),
        (httpx.Response(429), Cause.REFUSED),
        (httpx.Response(404), Cause.REFUSED),
        (httpx.Response(302, headers={"location": "http://elsewhere.test"}), Cause.NONSENSE),
        (httpx.Response(200, content=b"<html>"), Cause.NONSENSE),
        (httpx.Response(200, json={"accessToken": 1}), Cause.NONSENSE),
        (httpx.Response(200, json=None), Cause.NONSENSE),
    ],
)
async def test_anything_else_says_nothing_about_who_asked_and_is_not_sent_again(
    answer: httpx.Response, cause: Cause
) -> None:
    wire = Wire(lambda _: answer)
    with pytest.raises(SourceError) as told:
        await wire.calls.do(LOGIN, LENAS)
    assert told.value.cause is cause
    assert len(wire.requests) == 1


async def test_a_service_that_stays_silent_is_given_up_and_after_some_of_that_not_asked() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    wire = Wire(never)
    failed = await asyncio.gather(*(wire.calls.do(LOGIN, LENAS) for _ in range(8)), return_exceptions=True)
    assert {one.cause for one in failed if isinstance(one, SourceError)} == {Cause.TIMEOUT}
    with pytest.raises(SourceError) as told:
        await wire.calls.do(LOGIN, LENAS)
    assert told.value.cause is Cause.OPEN
    assert len(wire.requests) == 8


async def test_a_call_may_say_by_itself_how_long_it_takes() -> None:
    async def later(_: httpx.Request) -> httpx.Response:
        await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        raise AssertionError

    wire = Wire(later)
    began = asyncio.get_running_loop().time()
    with pytest.raises(SourceError) as told:
        await wire.calls.do(replace(LOGIN, timeout=timedelta(seconds=0.05)), LENAS)
    assert told.value.cause is Cause.TIMEOUT
    assert asyncio.get_running_loop().time() - began < 0.4


async def test_how_long_a_service_is_left_alone_is_known_and_ends_with_a_reset() -> None:
    wire = Wire(lambda _: httpx.Response(500))
    assert wire.calls.rests == timedelta(0)
    for _ in range(5):
        with pytest.raises(SourceError):
            await wire.calls.do(LOGIN, LENAS)
    assert timedelta(seconds=27) <= wire.calls.rests <= timedelta(seconds=33)
    wire.calls.reset()
    assert wire.calls.rests == timedelta(0)
    wire.answer = lambda _: httpx.Response(200, json=SESSION)
    assert await wire.calls.do(LOGIN, LENAS) == Tokens("a", "r", 3600)


async def test_only_so_many_wait_at_a_time() -> None:
    gate = asyncio.Event()

    async def later(_: httpx.Request) -> httpx.Response:
        await gate.wait()
        return httpx.Response(200, json=SESSION)

    wire = Wire(later)
    waiting = [asyncio.create_task(wire.calls.do(LOGIN, LENAS)) for _ in range(MOST_WAITING + 5)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    gate.set()
    said = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(one, Tokens) for one in said) == MOST_WAITING
