"""A request whose time is over leaves nothing behind that goes on for long.

What it waits for alone is cancelled with it. Answers are worked out for all who ask, so they are not: their
statements and their calls to services have deadlines of their own, which are shorter.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from datasources.postgres.connection import connect
from tests.campus import small_campus
from tests.river.banks import Clock, Services, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from datasources.simulator.campus import Campus
    from tests.conftest import Clone

PATIENCE = 10.0
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass"


class Noting(Services):
    """Services that never answer, and note which of their calls were given up."""

    def __init__(self, campus: Campus) -> None:
        super().__init__(campus)
        self.begun = 0
        self.given_up = 0

    async def under_way(self) -> int:
        return self.begun - self.given_up

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.begun += 1
        try:
            return await super().handle_async_request(request)
        except asyncio.CancelledError:
            self.given_up += 1
            raise


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[Callable[[], Any]]:
    """A table that nobody else can read while the context is open, and how many statements wait for it."""
    holder, watcher = await connect(url), await connect(url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield lambda: watcher.fetchval(WAITING, table)
    finally:
        await holder.close()
        await watcher.close()


async def until(number: Callable[[], Any], wanted: Callable[[int], bool]) -> None:
    """Wait for another process, which tells us nothing."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(await number()):  # noqa: ASYNC110 - see above: there is no event
            await asyncio.sleep(0.01)


async def test_the_statement_that_a_request_waits_for_is_cancelled_with_it(clone: Clone) -> None:
    async with (
        running(clone.app_url, Services(small_campus()), Clock(), request_seconds=1.0, patience=60.0) as gateway,
        locked(clone.owner_url, "jobs") as waiting,
    ):
        asking = asyncio.create_task(gateway.ask("{ jobs { totalCount edges { node { id } } } }"))
        await until(waiting, lambda number: number > 0)
        assert (await asking).codes == {"DEADLINE_EXCEEDED"}
        await until(waiting, lambda number: number == 0)


async def test_the_statement_that_requests_share_ends_by_itself(clone: Clone) -> None:
    async with (
        running(clone.app_url, Services(small_campus()), Clock(), request_seconds=0.5, patience=4.0) as gateway,
        locked(clone.owner_url, "answers") as waiting,
    ):
        asking = asyncio.create_task(gateway.dashboard())
        await until(waiting, lambda number: number > 0)
        assert (await asking).codes == {"DEADLINE_EXCEEDED"}
        await until(waiting, lambda number: number == 0)


async def test_the_calls_that_requests_share_are_given_up_by_themselves(clone: Clone) -> None:
    services = Noting(small_campus())
    services.gate.clear()
    async with running(clone.app_url, services, Clock(), request_seconds=0.5, patience=1.0) as gateway:
        assert (await gateway.dashboard()).codes == {"DEADLINE_EXCEEDED"}
        assert services.begun > 0
        await until(services.under_way, lambda number: number == 0)
