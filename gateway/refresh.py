"""Refreshing: one subject's answers, worked out anew by a worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.refreshing import asked_of, refresh
from analytics.solve import Solver
from datasources.postgres.session import system
from gateway.jobs import NotNow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from analytics.world import World
    from datasources.postgres.jobs import Job
    from gateway.jobs import Work

PATIENCE = 30.0
"""Seconds that services have, where nobody waits."""

SHARED_FOR = 5.0
"""Seconds for which jobs of one organization share what services say."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A solver, since when jobs share it: by the database's clock, and by ours."""

    solver: Solver
    begun: datetime
    until: float


class Refresher:
    """Does refreshes.

    A dashboard of stale answers is many jobs that stand on the same facts. So jobs share a solver, if they
    were made before it began: what it has read already is not older than what they would read.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._shared: dict[str, Shared] = {}
        world.keepers.append(self._let_go)

    async def __call__(self, work: Work) -> Mapping[str, Any]:
        """Do one.

        Raises:
            NotNow: a service that is needed did not answer; what stands on others is kept.
        """
        await self._world.roster.ready(work.job.organization)
        asked = asked_of(work.job)
        outcome = await refresh(
            self._solver(work.job), asked, inputs=bool(work.job.details["inputs"]), told=work.progress
        )
        nothing = outcome.missing.total() == len(asked) > 0
        if outcome.missing and (nothing or not work.last):
            raise NotNow(", ".join(sorted(outcome.missing)))
        return outcome.wire

    def _let_go(self) -> None:
        """Share nothing any more that was read of anybody before."""
        self._shared.clear()

    def _solver(self, job: Job) -> Solver:
        now = asyncio.get_running_loop().time()
        shared = self._shared.get(job.organization)
        if shared is not None and job.turn == 1 and job.created_at <= shared.begun and now < shared.until:
            return shared.solver
        solver = Solver(self._world, system(job.organization), job.id, patience=PATIENCE)
        begun = job.started_at or job.created_at
        self._shared[job.organization] = Shared(solver, begun, now + SHARED_FOR)
        return solver
