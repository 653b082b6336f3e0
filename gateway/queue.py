"""The queue: jobs delivered by PgQueuer, one of this process's hands for each, until told to stop.

PgQueuer knows a job as two ids and nothing of what it is about. A worker that dies stops its heartbeat,
and another one is handed the job; who may go on with it is decided by the row (`datasources.postgres.jobs`).
"""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested

from datasources.postgres.connection import connect_application
from datasources.postgres.jobs import ENTRYPOINT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from pgqueuer.models import Job as Delivery
    from pgqueuer.models import Schedule

HEARTBEAT = timedelta(seconds=30)
"""How long a worker may be silent before its jobs are handed to another."""

POLL = timedelta(seconds=5)
"""How often the queue is looked at without being told to."""


class Later(Exception):  # noqa: N818 - it is a request, and reads as one
    """A job is to be delivered again after a while."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"again in {delay}")
        self.delay = delay


@dataclass
class _OfOurs(QueryQueueBuilder):
    """What is done to a delivery when its turn is over: nothing, where another worker has it in hand by then.

    PgQueuer asks only for its id. Who was taken for dead would take the delivery from under the one who goes on.
    """

    manager: str = ""

    def build_log_job_query(self) -> str:
        return self._ours(super().build_log_job_query())

    def build_retry_job_query(self) -> str:
        return self._ours(super().build_retry_job_query())

    def _ours(self, query: str) -> str:
        return query.replace("WHERE id = ", f"WHERE queue_manager_id = '{self.manager}' AND id = ")


async def serve(  # noqa: PLR0913 - what is done, when, by how many, until when
    url: str,
    work: Callable[[str, str], Awaitable[None]],
    *,
    schedule: Mapping[str, Callable[[], Awaitable[None]]],
    hands: int,
    stopped: asyncio.Event,
    heartbeat: timedelta = HEARTBEAT,
) -> None:
    """Do jobs, up to `hands` at once, until stopped; then finish those that are begun.

    Args:
        url: the database, as the application.
        work: does the job of an organization and id; `Later` has it delivered again.
        schedule: what is to be done at the times of a cron expression, by one process of all that serve.
        hands: the most jobs at once, 2 or more.
        stopped: set when it is time to stop.
        heartbeat: how long a worker may be silent before its jobs are handed to another.

    Raises:
        DatabaseError: there is no database to begin with.
        Exception: the database was lost; whoever calls tries again.
    """
    # What PgQueuer logs about a job is its traceback; ours are logged where they happen, without personal data.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)
    async with _queue(url) as queue:
        queue.qm.shutdown = queue.sm.shutdown = queue.shutdown = stopped

        async def deliver(delivery: Delivery) -> None:
            organization, job = json.loads(delivery.payload or b"[null, null]")
            try:
                await work(organization, job)
            except Later as later:
                # It keeps the whole chain of what led here, and messages of faults may name people.
                raise RetryRequested(later.delay) from None

        queue.entrypoint(ENTRYPOINT, accepts_context=False)(deliver)
        for expression, due in schedule.items():
            queue.schedule(due.__name__, expression, accepts_context=False)(_told(due))
        await queue.run(
            dequeue_timeout=POLL,
            batch_size=max(1, hands // 2),
            max_concurrent_tasks=max(2, hands),
            heartbeat_timeout=heartbeat,
            shutdown_on_listener_failure=True,
        )


def _told(due: Callable[[], Awaitable[None]]) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        await due()

    return run


@asynccontextmanager
async def _queue(url: str) -> AsyncIterator[PgQueuer]:
    settings = DBSettings(db_schema="queue")
    ours = _OfOurs(settings)

    async def connect(*_: Any, **__: Any) -> Any:
        return await connect_application(url)

    async with asyncpg.create_pool(min_size=2, max_size=4, connect=connect) as pool:
        queries = Queries(
            AsyncpgPoolDriver(pool),
            qbe=QueryBuilderEnvironment(settings),
            qbq=ours,
            qbs=QuerySchedulerBuilder(settings),
        )
        queue = PgQueuer(queries.driver, queries=queries)
        ours.manager = str(queue.qm.queue_manager_id)
        yield queue
