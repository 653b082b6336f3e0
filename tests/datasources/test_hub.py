"""News inside one process: the newest reaches everyone who waits, and nothing piles up."""

from __future__ import annotations

import asyncio

import pytest

from datasources.hub import Hub, Together


async def test_everyone_who_waits_for_a_key_hears_its_news_and_nobody_else() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe("a") as one, hub.subscribe("a") as two, hub.subscribe("b") as other:
        hub.publish("a", 1)
        assert [await anext(one), await anext(two)] == [1, 1]
        hub.publish("b", 2)
        assert await anext(other) == 2


async def test_who_is_slow_finds_the_newest_only() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe("a") as heard:
        for value in range(10_000):
            hub.publish("a", value)
        assert await anext(heard) == 9_999
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(heard)


async def test_who_waits_is_woken() -> None:
    hub: Hub[str] = Hub()
    with hub.subscribe("a") as heard:
        waiting = asyncio.create_task(anext(heard))  # type: ignore[arg-type]  # an awaitable that is a coroutine here
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.publish("a", "news")
        assert await waiting == "news"


async def test_news_can_go_to_many_keys_at_once() -> None:
    hub: Hub[str] = Hub()
    with hub.subscribe(("acme", 1)) as ours, hub.subscribe(("other", 1)) as theirs:
        hub.publish_where(lambda key: key[0] == "acme", "look again")  # type: ignore[index]  # keys here are pairs
        assert await anext(ours) == "look again"
        hub.publish(("other", 1), "another")
        assert await anext(theirs) == "another"


async def test_who_left_is_forgotten_and_news_for_nobody_is_gone() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe("a"):
        assert hub.subscribers == 1
    assert hub.subscribers == 0
    hub.publish("a", 1)
    with hub.subscribe("a") as late, pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(late)


async def test_those_who_were_woken_together_look_once_and_who_comes_later_looks_again() -> None:
    hub: Hub[None] = Hub()
    together, looks, begun, go_on = Together(), 0, asyncio.Event(), asyncio.Event()

    async def load() -> int:
        nonlocal looks
        looks += 1
        mine = looks
        begun.set()
        await go_on.wait()
        return mine

    async def listen() -> int:
        with hub.subscribe("a") as news:
            await anext(news)
            return await together.look("a", load)

    listeners = [asyncio.create_task(listen()) for _ in range(100)]
    while hub.subscribers < 100:  # noqa: ASYNC110 - they tell nobody that they have begun
        await asyncio.sleep(0)
    hub.publish("a", None)
    await begun.wait()
    late = asyncio.create_task(together.look("a", load))
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*listeners) == [1] * 100
    assert await late == 2


async def test_what_a_look_raises_reaches_everyone_and_who_leaves_takes_nobody_along() -> None:
    together, go_on = Together(), asyncio.Event()

    async def load() -> None:
        await go_on.wait()
        raise LookupError

    first, second = (asyncio.create_task(together.look("a", load)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(LookupError):
        await second
