"""Listening comes back when the connection is lost, says that it was away, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from datasources.postgres.connection import DatabaseError, connect
from datasources.postgres.listening import listening

if TYPE_CHECKING:
    from typing import Any

    from datasources.postgres.session import Database
    from tests.conftest import Clone

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


async def test_what_others_say_is_heard(database: Database, clone: Clone) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with database.listen("news", heard.put_nowait):
        other = await connect(clone.app_url)
        await other.execute("SELECT pg_notify('other', 'no'), pg_notify('news', 'yes')")
        await other.close()
        assert await asyncio.wait_for(heard.get(), 5) == "yes"
    assert heard.empty()


async def test_a_lost_connection_comes_back_and_says_that_it_was_away(database: Database, clone: Clone) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    other = await connect(clone.app_url)
    async with database.listen("news", heard.put_nowait):
        for _ in range(2):
            assert await other.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS})")  # noqa: S608 - ours
            assert await asyncio.wait_for(heard.get(), 5) is None
            await other.execute("SELECT pg_notify('news', 'again')")
            assert await asyncio.wait_for(heard.get(), 5) == "again"
    await other.close()


async def test_several_channels_are_heard_on_one_connection_and_each_is_told_of_its_loss(
    database: Database, clone: Clone
) -> None:
    news: asyncio.Queue[str | None] = asyncio.Queue()
    weather: asyncio.Queue[str | None] = asyncio.Queue()
    other = await connect(clone.app_url)
    async with database.hear({"news": news.put_nowait, "weather": weather.put_nowait}):
        await other.execute("SELECT pg_notify('weather', 'rain'), pg_notify('news', 'none')")
        assert [await asyncio.wait_for(each.get(), 5) for each in (news, weather)] == ["none", "rain"]
        assert len(await other.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENERS})")) == 1  # noqa: S608 - ours
        assert [await asyncio.wait_for(each.get(), 5) for each in (news, weather)] == [None, None]
        await other.execute("SELECT pg_notify('weather', 'sun'), pg_notify('news', 'good')")
        assert [await asyncio.wait_for(each.get(), 5) for each in (news, weather)] == ["good", "sun"]
    await other.close()


async def test_nothing_is_left_when_nobody_listens_any_more(database: Database, clone: Clone) -> None:
    other = await connect(clone.app_url)
    async with database.listen("news", lambda _: None) as task:
        pid = await other.fetchval(LISTENERS)
    assert task.done()
    # The server notices the closed socket a moment later, and tells who waits for its process to end.
    assert await other.fetchval("SELECT pg_terminate_backend($1, 5000) OR true", pid)
    assert await other.fetch(LISTENERS) == []
    await other.close()


async def test_listening_to_a_database_that_is_not_there_says_so_at_once() -> None:
    async def nobody() -> Any:
        message = "nobody is there"
        raise DatabaseError(message)

    with pytest.raises(DatabaseError, match="nobody"):
        await listening(nobody, {"news": lambda _: None}).__aenter__()


class Lost:
    """A connection that is lost before it hears anything."""

    closed = False

    async def add_listener(self, *_: Any) -> None:
        raise ConnectionError

    def terminate(self) -> None:
        self.closed = True


async def test_a_connection_that_hears_nothing_is_not_left_open() -> None:
    lost = Lost()

    async def connects() -> Any:
        return lost

    with pytest.raises(ConnectionError):
        async with listening(connects, {"news": lambda _: None}):
            pass
    assert lost.closed
