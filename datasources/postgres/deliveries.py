"""Deliveries of jobs: lost ones made again, and how many wait."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.postgres.session import Database, system

if TYPE_CHECKING:
    from collections.abc import Mapping


async def redeliver(database: Database, organization: str, *, after: timedelta) -> int:
    """Deliver again what is not over, was touched last so long ago, and nobody holds a delivery of; how many.

    A queue that is stopped in the middle of a job takes the delivery with it, and the row would wait for ever.
    """
    rows = await database.fetch("SELECT redeliver_jobs($1, $2, $3, $4) AS n", *system(organization).settings, after)
    found: int = rows[0]["n"]
    return found


async def unattended(database: Database) -> int:
    """How many jobs are due for a minute while no worker says that it is at work; 0 where one does."""
    rows = await database.fetch(
        "SELECT count(*) AS n FROM queue.pgqueuer WHERE status = 'queued' AND execute_after < now() - $1::interval "
        "AND NOT EXISTS (SELECT FROM queue.pgqueuer WHERE status = 'picked' AND heartbeat > now() - $1::interval)",
        timedelta(minutes=1),
    )
    found: int = rows[0]["n"]
    return found


async def lengths(database: Database) -> Mapping[str, int]:
    """How many deliveries there are, by their status: `queued` (due or put off) and `picked` (at work)."""
    rows = await database.fetch("SELECT status::text AS status, count(*) AS n FROM queue.pgqueuer GROUP BY 1")
    return {"queued": 0, "picked": 0} | {row["status"]: row["n"] for row in rows}
