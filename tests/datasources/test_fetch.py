"""Facts through services that answer well, badly, late and not at all."""

from __future__ import annotations

import asyncio
import email.utils
import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from datasources.auth import KeySet
from datasources.breaker import State
from datasources.catalog import SOURCES
from datasources.course import Activity, Courses, Enrollments, Progress
from datasources.declare import Origin
from datasources.exchange import LARGEST
from datasources.fetch import Services
from datasources.mock import mock
from datasources.report import Cause
from datasources.skills import SkillDemand, UserSkills
from datasources.wire import wire_of
from tests.datasources.outer_world import AT, TENANT, URLS, World, asked, knows_everything, payload

PROGRESS = SOURCES[Progress][1]
good = knows_everything(PROGRESS)


def failing(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def never(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


def unreachable(request: httpx.Request) -> httpx.Response:
    message = "nobody listens"
    raise httpx.ConnectError(message, request=request)


def silent(request: httpx.Request) -> httpx.Response:
    message = "nothing came"
    raise httpx.ReadTimeout(message, request=request)


def ids(count: int) -> list[str]:
    return [f"learner-{number}" for number in range(count)]


def the_report(world: World, name: str = "course") -> Any:
    return next(report for report in world.services.report() if report.name == name)


# Batches


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (100, 1), (101, 2), (250, 3)])
async def test_everything_asked_in_one_tick_is_one_call_for_each_hundred(count: int, calls: int) -> None:
    world = World(good)
    facts = world.facts()
    fetched = await asyncio.gather(*(facts.load(Progress, key) for key in ids(count)))
    assert len(world.requests) == calls
    assert [one.fact.courses[0].course_id if one.fact else None for one in fetched] == ["mock-course-1"] * count


async def test_single_and_many_share_their_calls_and_nothing_is_asked_twice() -> None:
    world = World(good)
    facts = world.facts()
    await asyncio.gather(facts.load(Progress, "a"), facts.load_many(Progress, ["a", "b"]), facts.load(Progress, "b"))
    await facts.load(Progress, "a")
    assert [asked(request) for request in world.requests] == [["a", "b"]]


async def test_each_endpoint_has_its_own_largest_batch() -> None:
    world = World(knows_everything(SOURCES[Enrollments][1]))
    await world.facts().load_many(Enrollments, ids(41))
    assert [len(asked(request)) for request in world.requests] == [20, 20, 1]


async def test_at_most_eight_calls_to_a_service_are_under_way() -> None:
    async def slowly(request: httpx.Request) -> httpx.Response:
        for _ in range(5):
            await asyncio.sleep(0)
        return httpx.Response(200, json={"items": {}, "missing": asked(request)})

    world = World(slowly)
    await world.facts().load_many(UserSkills, ids(2000))
    assert len(world.requests) == 20
    assert world.most_under_way == 8


async def test_what_is_about_the_market_is_asked_once_whatever_the_id() -> None:
    world = World(knows_everything(SOURCES[SkillDemand][1]))
    fetched = await world.facts().load_many(SkillDemand, ["acme", "other"])
    assert list(fetched) == ["acme", "other"]
    (request,) = world.requests
    assert (request.method, request.url.path) == ("GET", "/api/v1/skills/demand")


async def test_a_request_carries_its_id_and_the_service_token() -> None:
    world = World(good)
    await world.facts(request_id="request-1").load(Progress, "a")
    await world.facts(request_id="no\nheader").load(Progress, "a")
    first, second = world.requests
    assert first.headers["x-request-id"] == "request-1"
    assert first.headers["authorization"] == "Bearer service-token"
    assert "x-request-id" not in second.headers


async def test_a_caller_who_leaves_does_not_take_the_batch_along() -> None:
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def gated(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await gate.wait()
        return good(request)

    world = World(gated)
    facts = world.facts()
    leaving, staying = (asyncio.create_task(facts.load(Progress, key)) for key in ("a", "a"))
    await arrived.wait()
    leaving.cancel()
    await asyncio.wait((leaving,))
    gate.set()
    assert (await staying).origin is Origin.LIVE
    assert len(world.requests) == 1


# What services say


async def test_an_unknown_id_is_a_live_answer_without_a_fact() -> None:
    world = World(lambda _: httpx.Response(200, json={"items": {}, "missing": ["nobody"]}))
    fetched = await world.facts().load(Progress, "nobody")
    assert (fetched.fact, fetched.origin, fetched.seen_at) == (None, Origin.LIVE, AT)
    assert world.errors("course") == {}


@pytest.mark.parametrize("key", ["", ".", "..", "x" * 101, "a\nb", "nul\0", "\ud800"])
async def test_what_cannot_be_an_id_is_never_asked(key: str) -> None:
    world = World(good)
    fetched = await world.facts().load_many(Progress, [key, "a"])
    assert (fetched[key].fact, fetched[key].origin) == (None, Origin.LIVE)
    assert [asked(request) for request in world.requests] == [["a"]]


async def test_one_bad_item_spoils_only_itself() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        items: dict[str, Any] = {key: payload(PROGRESS, key) for key in asked(request)}
        items["learner-1"]["courses"][0]["credits"] = -5
        items["learner-2"] = None
        del items["learner-3"]
        return httpx.Response(200, content=json.dumps({"items": items, "missing": []}))

    world = World(answer)
    fetched = await world.facts().load_many(Progress, ids(5))
    assert [one.origin for one in fetched.values()] == [Origin.LIVE, None, None, None, Origin.LIVE]
    assert world.errors("course") == {"nonsense": 3}
    assert the_report(world).failures_in_a_row == 0


async def test_not_a_number_is_nonsense_for_the_item_that_says_it() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        items = {key: payload(PROGRESS, key) for key in asked(request)}
        items["learner-0"]["courses"][0]["credits"] = float("nan")
        return httpx.Response(200, content=json.dumps({"items": items, "missing": []}))

    fetched = await World(answer).facts().load_many(Progress, ids(2))
    assert [one.origin for one in fetched.values()] == [None, Origin.LIVE]


async def test_facts_that_nobody_asked_for_are_ignored() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        items = {key: payload(PROGRESS, key) for key in ("a", "stranger")}
        return httpx.Response(200, json={"items": items, "missing": ["other", 7]})

    world = World(answer)
    facts = world.facts()
    assert list(await facts.load_many(Progress, ["a"])) == ["a"]
    await facts.keep()
    assert [key for _, _, key in world.shelf.rows] == ["a"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"items": []}', b'{"items": {}, "missing": 1}', b"\xff", b"[" * 9999]
)
async def test_nonsense_is_not_asked_for_twice(body: bytes) -> None:
    world = World(lambda _: httpx.Response(200, content=body))
    fetched = await world.facts().load(Progress, "a", mock=False)
    assert fetched.origin is None
    assert len(world.requests) == 1
    assert world.errors("course") == {"nonsense": 1}
    assert the_report(world).failures_in_a_row == 1


async def test_an_endless_answer_is_nonsense() -> None:
    class Endless(httpx.AsyncByteStream):
        sent = 0

        async def __aiter__(self) -> Any:
            while True:
                self.sent += 2**20
                yield b" " * 2**20

    stream = Endless()
    world = World(lambda _: httpx.Response(200, stream=stream))
    assert (await world.facts().load(Progress, "a", mock=False)).origin is None
    assert world.errors("course") == {"nonsense": 1}
    assert stream.sent <= LARGEST + 2**20


async def test_a_large_answer_is_read_whole() -> None:
    courses = payload(PROGRESS, "a")["courses"] * 40

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": {key: {"courses": courses} for key in asked(request)}, "missing": []})

    fetched = await World(answer).facts().load_many(Progress, ids(20))
    assert all(one.fact is not None and len(one.fact.courses) == len(courses) for one in fetched.values())


async def test_a_redirect_is_never_followed() -> None:
    world = World(lambda _: httpx.Response(307, headers={"location": "http://elsewhere.test/"}))
    assert (await world.facts().load(Progress, "a", mock=False)).origin is None
    assert [request.url.host for request in world.requests] == ["course.test"]
    assert world.errors("course") == {"nonsense": 1}


# Trying again


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_passing_fault_is_asked_again_up_to_three_times(status: int) -> None:
    world = World(lambda _: failing(status))
    await world.facts().load(Progress, "a")
    assert len(world.requests) == 3
    assert world.errors("course") == {"refused": 3}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
async def test_other_refusals_are_not_asked_again(status: int) -> None:
    world = World(lambda _: failing(status))
    await world.facts().load(Progress, "a")
    assert len(world.requests) == 1
    assert world.errors("course") == {"refused": 1}


@pytest.mark.parametrize(("fault", "cause"), [(unreachable, "refused"), (silent, "timeout")])
async def test_a_lost_call_is_made_again_and_may_succeed(fault: Any, cause: str) -> None:
    world = World(lambda request: fault(request) if len(world.requests) < 3 else good(request))
    assert (await world.facts().load(Progress, "a")).origin is Origin.LIVE
    assert len(world.requests) == 3
    assert world.errors("course") == {cause: 2}


async def test_waits_grow_and_are_jittered() -> None:
    waits = []
    for _ in range(2):
        world = World(lambda _: failing(503))
        for kind in (Progress, UserSkills):
            await world.facts().load(kind, "a")
        waits.append(world.waits)
        assert all(0.05 <= wait <= 0.15 for wait in world.waits[::2])
        assert all(0.1 <= wait <= 0.3 for wait in world.waits[1::2])
        assert len(set(world.waits)) == 4
    assert waits[0] == waits[1]


@pytest.mark.parametrize("said", ["2", email.utils.format_datetime(AT + timedelta(seconds=2), usegmt=True)])
async def test_a_service_that_asks_for_time_gets_it(said: str) -> None:
    world = World(lambda _: failing(429, retry_after=said) if len(world.requests) == 1 else good(world.requests[-1]))
    assert (await world.facts().load(Progress, "a")).origin is Origin.LIVE
    assert world.waits == [2.0]


@pytest.mark.parametrize("said", ["soon", "-5", "", "٣", "Wed, 99 Foo 2026"])
async def test_an_odd_wish_for_time_is_overheard(said: str) -> None:
    world = World(lambda _: httpx.Response(503, headers=[(b"retry-after", said.encode())]))
    await world.facts().load(Progress, "a")
    assert len(world.requests) == 3
    assert max(world.waits) < 1


async def test_a_service_that_asks_for_more_time_than_there_is_is_not_waited_for() -> None:
    world = World(lambda _: failing(503, retry_after="3600"))
    assert (await world.facts().load(Progress, "a")).origin is Origin.MOCK
    assert len(world.requests) == 1
    assert world.waits == []


# The breaker


async def test_an_open_breaker_answers_without_a_call_until_one_probe_passes() -> None:
    world = World(lambda _: failing(500))
    for _ in range(5):
        await world.facts().load(Progress, "a")
    assert the_report(world).state is State.OPEN
    assert 26 <= (the_report(world).probes_at - AT).total_seconds() <= 34
    assert (await world.facts().load(Progress, "a")).origin is Origin.MOCK
    assert len(world.requests) == 5
    assert world.errors("course") == {"refused": 5, "open": 1}

    async def in_a_while(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return good(request)

    world.answer = in_a_while
    world.seconds = 40
    assert the_report(world).state is State.HALF_OPEN
    fetched = await world.facts().load_many(Progress, ids(500))
    assert len(world.requests) == 10, "one probe goes ahead, and the four calls beside it wait for how it fares"
    assert world.most_under_way == 4
    assert {one.origin for one in fetched.values()} == {Origin.LIVE}
    assert the_report(world).state is State.CLOSED
    assert (await world.facts().load(Progress, "a")).origin is Origin.LIVE


async def test_while_the_probe_fails_nothing_else_is_called() -> None:
    world = World(lambda _: failing(500))
    for _ in range(5):
        await world.facts().load(Progress, "a")
    world.seconds = 40
    fetched = await world.facts().load_many(Progress, ids(500), mock=True)
    assert len(world.requests) == 6
    assert {one.origin for one in fetched.values()} == {Origin.MOCK}
    assert the_report(world).state is State.OPEN


async def test_a_breaker_that_opens_ends_the_retries() -> None:
    world = World(silent)
    await asyncio.gather(*(world.facts().load(Progress, key) for key in "abcdefgh"))
    assert len(world.requests) == 5
    assert len(world.waits) == 3
    assert the_report(world).openings == 1


async def test_one_service_down_leaves_the_others_alone() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return failing(500) if request.url.host == "course.test" else knows_everything(SOURCES[UserSkills][1])(request)

    world = World(answer)
    for _ in range(6):
        await world.facts().load(Progress, "a")
    assert (await world.facts().load(UserSkills, "a")).origin is Origin.LIVE
    assert the_report(world, "skills").state is State.CLOSED


async def test_a_wrong_question_is_not_the_services_fault() -> None:
    world = World(lambda _: failing(403))
    for _ in range(10):
        await world.facts().load(Progress, "a")
    assert the_report(world).state is State.CLOSED


async def test_a_breaker_is_closed_by_hand() -> None:
    world = World(lambda _: failing(500))
    for _ in range(5):
        await world.facts().load(Progress, "a")
    world.services.reset("course")
    assert the_report(world).state is State.CLOSED
    with pytest.raises(KeyError):
        world.services.reset("nobody")


# Deadlines


async def test_a_request_waits_for_a_hanging_service_until_its_deadline_and_only_once() -> None:
    world = World(never)
    loop = asyncio.get_running_loop()
    began = loop.time()
    facts = world.facts(within=0.05)
    fetched = await facts.load_many(Progress, ids(1500))
    calls = len(world.requests)
    assert {one.origin for one in fetched.values()} == {None}
    await facts.load_many(Activity, ids(100))
    await facts.load(UserSkills, "a")
    assert 0.04 < loop.time() - began < 1
    assert calls == 8
    assert len(world.requests) == calls
    assert world.errors("course") == {"timeout": 16}


async def test_a_call_without_a_fair_chance_says_nothing_about_the_service() -> None:
    world = World(never)
    for _ in range(6):
        await world.facts(within=0.005).load(Progress, "a")
    assert the_report(world).failures_in_a_row == 0
    assert the_report(world).state is State.CLOSED


async def test_a_call_that_hangs_for_its_whole_time_counts_against_the_service() -> None:
    world = World(never)
    await world.facts(within=0.3).load(Progress, "a")
    assert the_report(world).failures_in_a_row == 1


# Falling back


async def test_a_service_that_is_down_is_spoken_for_by_what_it_said_last() -> None:
    world = World(good)
    facts = world.facts()
    live = await facts.load(Progress, "a")
    await facts.keep()
    world.answer = unreachable
    world.seconds = 23 * 3600
    known = await world.facts().load(Progress, "a")
    assert (known.fact, known.origin, known.seen_at) == (live.fact, Origin.LAST_KNOWN, AT)
    assert the_report(world).last_known == 1


async def test_what_was_said_more_than_a_day_ago_is_forgotten() -> None:
    world = World(good)
    facts = world.facts()
    await facts.load(Progress, "a")
    await facts.keep()
    world.answer = unreachable
    world.seconds = 24 * 3600 + 1
    assert (await world.facts().load(Progress, "a")).origin is Origin.MOCK


async def test_what_one_organization_heard_is_not_told_to_another() -> None:
    world = World(good)
    facts = world.facts()
    await facts.load(Progress, "a")
    await facts.keep()
    world.answer = unreachable
    assert (await world.facts(organization="other").load(Progress, "a", mock=False)).origin is None


async def test_only_the_ids_that_failed_fall_back_in_one_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return good(request) if "learner-0" in asked(request) else failing(500)

    world = World(answer)
    fetched = await world.facts().load_many(Progress, ids(250), mock=True)
    origins = [one.origin for one in fetched.values()]
    assert origins == [Origin.LIVE] * 100 + [Origin.MOCK] * 150
    assert world.shelf.reads == 1
    assert the_report(world).mocks == 150


async def test_a_store_that_is_down_never_breaks_a_request() -> None:
    world = World(good)
    world.shelf.fails = True
    facts = world.facts()
    await facts.load(Progress, "a")
    await facts.keep()
    world.answer = unreachable
    assert (await world.facts().load(Progress, "a")).origin is Origin.MOCK
    assert the_report(world).last_known_failures == 2


async def test_a_payload_of_another_release_is_passed_over() -> None:
    world = World(unreachable)
    world.shelf.rows[TENANT, "course/Progress", "a"] = '{"courses": [{}]}', AT
    assert (await world.facts().load(Progress, "a", mock=False)).origin is None


async def test_a_mock_is_made_only_for_who_wants_one() -> None:
    world = World(unreachable)
    facts = world.facts()
    plain, mocked = await asyncio.gather(facts.load(Progress, "a", mock=False), facts.load(Progress, "a"))
    assert (plain.fact, plain.origin) == (None, None)
    assert (mocked.fact, mocked.origin) == (mock(Progress, "course", "a", AT), Origin.MOCK)


async def test_there_are_no_mocks_where_they_are_switched_off() -> None:
    world = World(unreachable, mocks=False)
    assert (await world.facts().load(Progress, "a")).origin is None


async def test_a_service_without_an_address_is_never_called() -> None:
    world = World(good, urls={name: url for name, url in URLS.items() if name != "course"})
    assert (await world.facts().load(Progress, "a")).origin is Origin.MOCK
    assert world.requests == []
    report = the_report(world)
    assert (report.configured, report.last_error, report.state) == (False, Cause.NOT_CONFIGURED, State.CLOSED)


# Keeping


async def test_a_request_keeps_what_it_heard_in_one_call_and_never_a_mock() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return knows_everything(SOURCES[UserSkills][1])(request) if "skills" in request.url.host else failing(500)

    world = World(answer)
    facts = world.facts()
    await asyncio.gather(facts.load_many(UserSkills, ["a", "b"]), facts.load(Progress, "a"))
    await facts.keep()
    await facts.keep()
    assert world.shelf.keeps == 1
    assert set(world.shelf.rows) == {(TENANT, "skills/UserSkills", "a"), (TENANT, "skills/UserSkills", "b")}
    text, seen_at = world.shelf.rows[TENANT, "skills/UserSkills", "a"]
    assert json.loads(text) == payload(SOURCES[UserSkills][1], "a")
    assert seen_at == AT


# Reports


async def test_latencies_are_nearest_ranks_of_the_latest_calls() -> None:
    def slowly(request: httpx.Request) -> httpx.Response:
        world.seconds += len(world.requests) / 1000
        return good(request)

    world = World(slowly)
    assert the_report(world).latency_p50 is None
    for _ in range(20):
        await world.facts().load(Progress, "a")
    report = the_report(world)
    assert (report.calls, report.latency_p50, report.latency_p95) == (20, pytest.approx(10), pytest.approx(19))


async def test_every_service_is_reported_with_its_last_trouble() -> None:
    world = World(silent)
    await world.facts().load(Progress, "a")
    reports = world.services.report()
    assert [report.name for report in reports] == list(URLS)
    course = the_report(world)
    assert (course.last_error, course.last_error_at) == (Cause.TIMEOUT, AT)
    assert replace(the_report(world, "rag"), name="x").errors == ()


async def test_a_ping_says_who_answers_and_counts_nothing() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        faults = {"course.test": unreachable, "skills.test": silent, "rag.test": lambda _: failing(503)}
        return faults.get(request.url.host or "", lambda _: failing(404))(request)

    world = World(answer, urls={name: url for name, url in URLS.items() if name != "auth"})
    causes = await world.services.ping(asyncio.get_running_loop().time() + 5)
    assert {name: cause for name, cause in causes.items() if cause} == {
        "course": Cause.REFUSED,
        "skills": Cause.TIMEOUT,
        "rag": Cause.REFUSED,
        "auth": Cause.NOT_CONFIGURED,
    }
    assert all(report.calls == 0 for report in world.services.report())


async def test_a_service_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="no such service: gossip"):
        World(good, urls={"gossip": "http://gossip.test"})


async def test_real_clients_are_made_and_closed() -> None:
    world = World(good)
    services = Services(
        URLS,
        token=None,
        last_known=world.shelf,
        mocks=False,
        now=lambda: AT,
        monotonic=lambda: 0.0,
        rng=random.Random(1),
    )
    await services.aclose()


# Many


async def test_three_thousand_learners_are_one_loop_of_the_event_loop_away() -> None:
    one = payload(SOURCES[UserSkills][1], "a")

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": dict.fromkeys(asked(request), one), "missing": []})

    world = World(answer)
    fetched = await world.facts().load_many(UserSkills, ids(3000))
    assert len(fetched) == 3000
    assert len(world.requests) == 30
    assert fetched["learner-2999"].fact == wire_of(UserSkills).one(json.dumps(one))


async def test_ids_are_escaped_in_paths() -> None:
    endpoint = replace(PROGRESS, batched=False)
    world = World(lambda _: httpx.Response(200, json=payload(PROGRESS, "a")))
    remote = world.services.remotes["course"]
    batch = await remote.read(endpoint, ["a/../b?c#d", "ü"], asyncio.get_running_loop().time() + 5, {})
    assert set(batch.facts) == {"a/../b?c#d", "ü"}
    assert [request.url.raw_path for request in world.requests] == [
        b"/api/v1/progress/a%2F..%2Fb%3Fc%23d",
        b"/api/v1/progress/%C3%BC",
    ]


async def test_a_single_read_that_finds_nothing_is_a_live_answer() -> None:
    world = World(lambda _: failing(404))
    remote = world.services.remotes["course"]
    deadline = asyncio.get_running_loop().time() + 5
    batch = await remote.read(replace(PROGRESS, batched=False), ["nobody"], deadline, {})
    assert batch.missing == {"nobody"}
    assert world.errors("course") == {}


@pytest.mark.parametrize("fact_type", [Courses, KeySet])
async def test_an_endpoint_that_is_not_there_is_a_refusal(fact_type: type[Any]) -> None:
    fetched = await World(lambda _: failing(404)).facts().load(fact_type, "any", mock=False)
    assert fetched.origin is None
