"""What a process stands on, asked by readiness: each check says in words what is wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.postgres import deliveries, prune, revisions
from gateway.health import Check
from gateway.page import assets

if TYPE_CHECKING:
    from analytics.world import World
    from gateway.settings import Settings

MOST_APART = timedelta(seconds=5)
"""How far this process's clock and the database's may be apart: freshness is told by the one, terms by the other."""


def checks(settings: Settings, world: World) -> list[Check]:
    """The checks of one process; without the database and its migrations it is not ready."""

    async def database() -> str | None:
        await world.database.ping()
        return None

    async def migrations() -> str | None:
        return revisions.complaint(await revisions.found(world.database))

    async def clock() -> str | None:
        before = world.now()
        there = await prune.present(world.database)
        after = world.now()
        # What the question took is nobody's fault: the nearer end of it counts.
        apart = there - min(max(there, before), after)
        if abs(apart) <= MOST_APART:
            return None
        ahead = "behind" if apart > timedelta(0) else "ahead of"
        return f"this process is {abs(apart).total_seconds():.0f} s {ahead} the database: set its clock"

    async def waiting() -> str | None:
        number = await deliveries.unattended(world.database)
        return f"{number} jobs wait: does a worker run?" if number else None

    async def services() -> str | None:
        causes = await world.services.ping(asyncio.get_running_loop().time() + 1.5)
        down = [f"{name} ({cause.value})" for name, cause in causes.items() if cause is not None]
        return ", ".join(down) or None

    async def partitions() -> str | None:
        missing = await prune.missing(world.database)
        return f"{missing}: does a worker run?" if missing else None

    async def page() -> str | None:
        return None if assets().lookup_path("main.js")[1] else "its assets are not built: run make setup"

    found = [
        Check("database", database),
        Check("migrations", migrations),
        Check("services", services, essential=False),
        Check("jobs", waiting, essential=False),
        Check("partitions", partitions, essential=False),
        Check("clock", clock, essential=False),
    ]
    return [*found, Check("page", page, essential=False)] if settings.shows_page else found
