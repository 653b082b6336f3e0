"""Facts of as many as there are: packed as they come in, and otherwise as facts of one."""

from __future__ import annotations

import asyncio
import gc
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from datasources.catalog import SOURCES
from datasources.content import Interactions
from datasources.course import Enrollments, Progress
from datasources.declare import Origin
from datasources.packed import Packed
from datasources.wire import wire_of
from tests.datasources.outer_world import TENANT, World, asked, knows_everything, payload

if TYPE_CHECKING:
    from datasources.fetch import Facts, Fetched

PROGRESS = SOURCES[Progress][1]


def ids(count: int) -> list[str]:
    return [f"learner-{number}" for number in range(count)]


def unpacked(fetched: dict[str, Fetched[Progress | bytes]]) -> dict[str, Any]:
    assert all(one.fact is None or isinstance(one.fact, bytes) for one in fetched.values())
    return {key: one.fact and wire_of(Progress).unpacked(cast("bytes", one.fact)) for key, one in fetched.items()}


def read_facts(kind: type[Any]) -> int:
    """How many facts of a kind there are in this process, read and not packed."""
    gc.collect()
    return there(kind)


def there(kind: type[Any]) -> int:
    """How many there are, those among them that only a look for cycles would find to be of no use any more."""
    return sum(type(one) is kind for one in gc.get_objects())


@pytest.fixture
def world() -> World:
    """A world in which nobody has room for what is said of groups."""
    return World(knows_everything(PROGRESS), room=0)


async def test_packed_facts_are_the_facts_of_the_same_calls(world: World) -> None:
    packed = await world.facts().load_packed(Progress, ids(250))
    calls = [asked(request) for request in world.requests]
    world.requests.clear()
    plain = await world.facts().load_many(Progress, ids(250))
    assert unpacked(packed) == {key: one.fact for key, one in plain.items()}
    assert [(one.origin, one.service, one.seen_at) for one in packed.values()] == [
        (one.origin, one.service, one.seen_at) for one in plain.values()
    ]
    assert calls == [asked(request) for request in world.requests]


async def test_batches_are_as_large_as_the_service_takes_them() -> None:
    world = World(knows_everything(SOURCES[Enrollments][1]))
    await world.facts().load_packed(Enrollments, ids(41))
    assert [len(asked(request)) for request in world.requests] == [20, 20, 1]


async def test_of_those_that_were_read_in_hundreds_none_is_held_but_packed() -> None:
    most = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal most
        most = max(most, read_facts(Interactions))
        return knows_everything(SOURCES[Interactions][1])(request)

    # A thread lets go of what it did only after that was waited for; one alone does so before it does anything else.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    world = World(answer, room=0)
    before = read_facts(Interactions)
    facts = world.facts()
    fetched = await facts.load_packed(Interactions, ids(3000))
    assert 0 < most - before <= 800
    await asyncio.to_thread(int)
    assert read_facts(Interactions) == before
    assert all(isinstance(one.fact, bytes) for one in fetched.values())
    await facts.keep()
    assert read_facts(Interactions) == before


async def test_whoever_asks_for_one_and_whoever_asks_for_all_ask_the_service_once(world: World) -> None:
    def told(facts: Facts) -> list[Any]:
        return [facts.load(Progress, "a"), facts.load_packed(Progress, ["a", "b"]), facts.load(Progress, "b")]

    facts = world.facts()
    one, some, other = await asyncio.gather(*told(facts))
    again = await asyncio.gather(*told(facts))
    assert sorted(key for request in world.requests for key in asked(request)) == ["a", "b"]
    for group in (some, again[1]):
        held = Packed({key: each.fact for key, each in group.items()}, wire_of(Progress).unpacked)
        assert held == {"a": one.fact, "b": other.fact}
    assert again[::2] == [one, other]


async def test_who_asks_often_for_one_of_those_that_are_packed_gets_the_one_that_was_read(world: World) -> None:
    facts = world.facts()
    await facts.load_packed(Progress, ["a"])
    assert (await facts.load(Progress, "a")).fact is (await facts.load(Progress, "a")).fact
    assert len(world.requests) == 1


async def test_what_there_is_room_for_is_held_as_it_was_read_and_the_rest_is_packed() -> None:
    answer = knows_everything(PROGRESS)
    some = len(answer(httpx.Request("POST", "http://x", json={"ids": ids(40)})).content)
    world = World(answer, room=some + some // 2)
    first, second, third = world.facts(), world.facts(), world.facts()
    fetched = await first.load_packed(Progress, ids(40))
    assert all(isinstance(one.fact, Progress) for one in fetched.values())
    assert (await first.load(Progress, "learner-1")).fact is fetched["learner-1"].fact
    packed = await second.load_packed(Progress, ids(40))
    assert len(unpacked(packed)) == 40, "all requests have one room together"
    for let_go in (first.let_go, first.let_go, second.let_go):
        let_go()
    assert await third.load_packed(Progress, ids(40)) == fetched
    assert len(unpacked(await third.load_packed(Progress, ids(80)[40:]))) == 40
    del third
    gc.collect()
    assert await world.facts().load_packed(Progress, ids(40)) == fetched, "who never came to an end gave back as well"


async def test_what_was_read_is_gone_with_its_request_though_nobody_looks_for_cycles() -> None:
    world = World(knows_everything(SOURCES[Interactions][1]))
    before, facts = read_facts(Interactions), world.facts()
    gc.disable()
    try:
        await facts.load_packed(Interactions, ids(30))
        assert there(Interactions) == before + 30
        await facts.keep()
        facts.let_go()
        assert there(Interactions) == before
    finally:
        gc.enable()


async def test_packed_facts_are_kept_as_they_were_said(world: World) -> None:
    facts = world.facts()
    fetched = unpacked(await facts.load_packed(Progress, ids(150)))
    await facts.keep()
    kept = {key: text for (_, _, key), (text, _) in world.shelf.rows.items()}
    assert kept == {key: wire_of(Progress).text(fact) for key, fact in fetched.items()}


async def test_what_is_last_known_of_thousands_is_packed_as_well(world: World) -> None:
    facts = world.facts()
    live = unpacked(await facts.load_packed(Progress, ids(3)))
    await facts.keep()
    world.shelf.rows[TENANT, "course/Progress", "learner-1"] = ("no fact", facts_seen_at(world))
    world.answer = lambda _: httpx.Response(400)
    known = await world.facts().load_packed(Progress, ids(3))
    assert {key: one.origin for key, one in known.items()} == {
        "learner-0": Origin.LAST_KNOWN,
        "learner-1": None,
        "learner-2": Origin.LAST_KNOWN,
    }
    assert unpacked(known) == live | {"learner-1": None}


def facts_seen_at(world: World) -> Any:
    return next(iter(world.shelf.rows.values()))[1]


async def test_whom_the_service_does_not_know_has_no_packed_fact(world: World) -> None:
    world.answer = lambda request: httpx.Response(
        200, json={"items": {"a": payload(PROGRESS, "a")}, "missing": json.loads(request.content)["ids"][1:]}
    )
    fetched = await world.facts().load_packed(Progress, ["a", "b", "../c"])
    assert [(one.fact is None, one.origin) for one in fetched.values()] == [
        (False, Origin.LIVE),
        (True, Origin.LIVE),
        (True, Origin.LIVE),
    ]
