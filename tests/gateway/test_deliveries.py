"""A delivery belongs to the worker that has it in hand: nobody else deletes it, or puts it back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from datasources.postgres import jobs
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.session import system
from gateway import queue
from gateway.queue import Later
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from conftest import Clone

    from datasources.postgres.session import Database

HANDED_ON = "UPDATE queue.pgqueuer SET queue_manager_id = gen_random_uuid() RETURNING id"
LEFT = "SELECT status::text AS status FROM queue.pgqueuer"


@pytest.mark.parametrize("put_off", [False, True])
@pytest.mark.parametrize(("handed_on", "left"), [(False, {False: [], True: ["queued"]}), (True, {False: ["picked"]})])
async def test_who_was_taken_for_dead_leaves_the_delivery_to_who_has_it(
    clone: Clone, database: Database, *, put_off: bool, handed_on: bool, left: dict[bool, list[str]]
) -> None:
    """Nothing brings it back to them soon, when they die as well, or have it put off."""
    stopped = asyncio.Event()

    async def work(_organization: str, _job: str) -> None:
        if handed_on:
            assert len(await database.fetch(HANDED_ON)) == 1
        stopped.set()
        if put_off:
            raise Later(timedelta(minutes=5))

    await jobs.enqueue(database, system(ACME), Kind.REFRESH, [Wanted("one", "learner", LENA)])
    async with asyncio.timeout(30):
        await queue.serve(clone.app_url, work, schedule={}, hands=2, stopped=stopped)
    assert [row["status"] for row in await database.fetch(LEFT)] == left.get(put_off, ["picked"])
