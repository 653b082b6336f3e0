"""Newer answers in place of stale ones: one job for each answer, however many ask for it in how many processes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from aiodataloader import DataLoader

from datasources.postgres import jobs
from datasources.postgres.answers import Question
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Wanted

if TYPE_CHECKING:
    from analytics.world import World
    from datasources.postgres.jobs import Job
    from datasources.postgres.session import Actor

log = structlog.get_logger(__name__)

PRIORITY = 10
"""What somebody waits for goes before what is done at night."""

REST = timedelta(minutes=1)
"""How long an answer that could not be worked out is left alone: what it stands on is away."""

Stale = tuple[Question, datetime]
"""An answer, and when it was calculated."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """Whether a newer answer is on its way, and the job that works it out, where the actor may know of it."""

    on_its_way: bool
    job: Job | None = None


NONE = Renewal(on_its_way=False)


class Renewals:
    """One request's way to newer answers: those that are stale together are asked for in one statement."""

    def __init__(self, world: World, actor: Actor) -> None:
        self._world = world
        self._actor = actor
        self._loader: DataLoader[Stale, Renewal] = DataLoader(self._have)

    async def of(self, asked: Question, calculated_at: datetime) -> Renewal:
        """Have an answer worked out that is newer than the one calculated then; none where that cannot be done now."""
        return await self._loader.load((asked, calculated_at))

    async def _have(self, stale: list[Stale]) -> list[Renewal]:
        wanted = [refresh_of(asked, calculated_at) for asked, calculated_at in stale]
        try:
            async with asyncio.timeout(self._world.patience / 4):
                found = await jobs.renew(self._world.database, self._actor, wanted, priority=PRIORITY, rest=REST)
        except UNAVAILABLE as error:
            log.warning("answers.not_renewed", error=type(error).__name__, answers=len(stale))
            return [NONE] * len(stale)
        made_for = (found[one.once] for one in wanted)
        return [
            Renewal(on_its_way=made) if isinstance(made, bool) else Renewal(on_its_way=True, job=made)
            for made in made_for
        ]


def refresh_of(asked: Question, calculated_at: datetime) -> Wanted:
    """The job that works one answer out again, unless one was that is newer than the one calculated then."""
    return Wanted(
        once=f"answer {asked.scope} {asked.subject} {asked.metric} {asked.arguments}",
        scope=asked.scope,
        subject=asked.subject,
        details={
            "asked": [[asked.metric, asked.arguments]],
            "since": (calculated_at + timedelta(microseconds=1)).isoformat(),
            "inputs": False,
        },
    )
