"""The memory tier: its bounds, its times, and one load for many callers."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.memory import AbandonedError, Memory

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def memory(items: int = 3, room: int = 100, clock: Clock | None = None) -> Memory[str, str]:
    return Memory(items=items, room=room, size=len, now=clock or Clock())


def test_a_value_is_there_until_its_time_and_not_at_it() -> None:
    clock = Clock()
    kept = memory(clock=clock)
    kept.put("a", "value", LATER)
    assert kept.get("a") == "value"
    clock.at = LATER
    assert kept.get("a") is None
    assert kept.statistics().bytes == 0


def test_the_least_recently_used_leaves_first() -> None:
    kept = memory(items=2)
    kept.put("a", "1", LATER)
    kept.put("b", "2", LATER)
    kept.get("a")
    kept.put("c", "3", LATER)
    assert [kept.get(key) for key in "abc"] == ["1", None, "3"]


def test_many_small_ones_leave_for_one_large_one() -> None:
    kept = memory(items=10, room=10)
    for key in "abcde":
        kept.put(key, "xx", LATER)
    kept.put("f", "x" * 7, LATER)
    assert [kept.get(key) is not None for key in "abcdef"] == [False, False, False, False, True, True]


def test_what_is_larger_than_all_room_is_not_kept_and_throws_nobody_out() -> None:
    kept = memory(room=10)
    kept.put("a", "1", LATER)
    assert not kept.put("b", "x" * 11, LATER)
    assert kept.get("a") == "1"


def test_what_is_already_over_replaces_and_leaves_nothing() -> None:
    kept = memory()
    kept.put("a", "1", LATER)
    assert not kept.put("a", "2", NOON)
    assert kept.get("a") is None


def test_keys_are_dropped_by_name_and_by_predicate() -> None:
    kept = memory()
    for key in ("a1", "a2", "b1"):
        kept.put(key, key, LATER)
    kept.drop(["a1", "unknown"])
    kept.drop_where(lambda key: key.startswith("b"))
    assert [kept.get(key) for key in ("a1", "a2", "b1")] == [None, "a2", None]
    kept.clear()
    assert kept.get("a2") is None


def test_what_was_read_before_a_drop_is_not_kept_after_it() -> None:
    kept = memory()
    mark = kept.mark()
    kept.drop(["a"])
    assert not kept.put("a", "old", LATER, mark)
    assert kept.get("a") is None
    assert kept.put("a", "new", LATER, kept.mark())


keys = st.sampled_from("abcdef")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.text(max_size=12)),
        st.tuples(st.just("get"), keys),
        st.tuples(st.just("drop"), keys),
    ),
    max_size=60,
)


@given(steps)
def test_it_never_holds_more_than_its_bounds_nor_another_value_than_the_last(moves: list[tuple[Any, ...]]) -> None:
    kept = memory(items=3, room=20)
    last: dict[str, str] = {}
    for kind, key, *value in moves:
        if kind == "put":
            kept.put(key, value[0], LATER)
            last[key] = value[0]
        elif kind == "drop":
            kept.drop([key])
            last.pop(key, None)
        else:
            assert kept.get(key) in {None, last.get(key)}
        statistics = kept.statistics()
        assert statistics.items <= 3
        assert statistics.bytes <= 20
    held = {key: value for key in "abcdef" if (value := kept.get(key)) is not None}
    assert kept.statistics().bytes == sum(map(len, held.values()))


def test_it_counts_hits_misses_and_evictions() -> None:
    kept = memory(items=1)
    kept.get("a")
    kept.put("a", "1", LATER)
    kept.get("a")
    kept.put("b", "2", LATER)
    statistics = kept.statistics()
    assert (statistics.hits, statistics.misses, statistics.evictions, statistics.items) == (1, 1, 1, 1)


class Load:
    """A load that ends when it is told to, and knows how often it began."""

    def __init__(self) -> None:
        self.begun = 0
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.begun += 1
        return await asyncio.shield(self.outcome)


async def begun(*tasks: asyncio.Task[str]) -> None:
    """Let every task reach its first wait."""
    for _ in range(3 * len(tasks)):
        await asyncio.sleep(0)


async def test_concurrent_callers_share_one_load_and_the_next_one_loads_again() -> None:
    kept, load = memory(), Load()
    callers = [asyncio.create_task(kept.once("a", load)) for _ in range(5)]
    await begun(*callers)
    load.outcome.set_result("value")
    assert await asyncio.gather(*callers) == ["value"] * 5
    assert load.begun == 1
    assert await kept.once("a", load) == "value"
    assert load.begun == 2


async def test_other_keys_have_their_own_load() -> None:
    kept, load = memory(), Load()
    load.outcome.set_result("value")
    await asyncio.gather(kept.once("a", load), kept.once("b", load))
    assert load.begun == 2


async def test_the_first_caller_leaves_and_the_others_still_get_their_value() -> None:
    kept, load = memory(), Load()
    first, second = (asyncio.create_task(kept.once("a", load)) for _ in range(2))
    await begun(first, second)
    first.cancel()
    await asyncio.wait((first,))
    assert first.cancelled()
    load.outcome.set_result("value")
    assert await second == "value"
    assert load.begun == 1


async def test_a_failure_reaches_every_caller_and_is_not_kept() -> None:
    kept, load = memory(), Load()
    callers = [asyncio.create_task(kept.once("a", load)) for _ in range(3)]
    await begun(*callers)
    load.outcome.set_exception(LookupError("nothing"))
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
    again = Load()
    again.outcome.set_result("value")
    assert await kept.once("a", again) == "value"


async def test_a_failure_that_nobody_waits_for_any_more_troubles_nobody() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    kept, load = memory(), Load()
    caller = asyncio.create_task(kept.once("a", load))
    await begun(caller)
    caller.cancel()
    await asyncio.wait((caller,))
    load.outcome.set_exception(LookupError("nothing"))
    await begun(caller)
    del load
    gc.collect()
    assert complaints == []


async def test_a_load_that_is_cancelled_cancels_no_caller() -> None:
    async def load() -> str:
        raise asyncio.CancelledError

    with pytest.raises(AbandonedError):
        await memory().once("a", load)


async def test_who_asks_after_a_drop_does_not_get_what_was_being_loaded_before_it() -> None:
    kept, old, new = memory(), Load(), Load()
    before = asyncio.create_task(kept.once("a", old))
    await begun(before)
    kept.drop(["a"])
    after = asyncio.create_task(kept.once("a", new))
    await begun(after)
    old.outcome.set_result("old")
    new.outcome.set_result("new")
    assert (await before, await after) == ("old", "new")


async def test_a_load_knows_whether_its_key_was_dropped_since_it_began() -> None:
    kept = memory()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def load() -> str:
        leads = kept.leads("a")
        began.set()
        await go_on.wait()
        return f"{leads} {kept.leads('a')}"

    for drop, told in ((False, "True True"), (True, "True False")):
        began.clear()
        go_on.clear()
        loading = asyncio.create_task(kept.once("a", load))
        await began.wait()
        if drop:
            kept.drop(["a"])
        go_on.set()
        assert await loading == told
    assert not kept.leads("a"), "this is no load"


async def test_what_was_loaded_is_remembered_for_its_time_and_nothing_is_not() -> None:
    clock, loads = Clock(), list[str]()
    kept: Memory[str, str | None] = Memory(items=3, room=100, size=lambda value: len(value or ""), now=clock)

    async def ask(key: str, brings: str | None) -> str | None:
        async def load() -> str | None:
            loads.append(key)
            return brings

        return await kept.remembered(key, load, stay=timedelta(minutes=1), patience=1)

    assert await asyncio.gather(ask("a", "1"), ask("a", "2")) == ["1", "1"]
    assert (await ask("a", "3"), await ask("none", None), await ask("none", None)) == ("1", None, None)
    assert loads == ["a", "none", "none"]
    clock.at += timedelta(minutes=1)
    assert await ask("a", "4") == "4"


async def test_a_load_without_end_is_given_up_and_not_kept() -> None:
    async def hang() -> str:
        await asyncio.Event().wait()
        return "never"

    kept = memory()
    with pytest.raises(TimeoutError):
        await kept.remembered("a", hang, stay=timedelta(minutes=1), patience=0.01)
    assert kept.get("a") is None
