"""Coming in: what is missing or stale of whoever asks is worked out before they look at it.

A viewer's first question in an hour has their own answers looked through, behind the response.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

from analytics.catalog import PUBLIC
from analytics.declare import Role, Scope
from analytics.keeping import question
from analytics.policy import Subject
from analytics.renewals import refresh_of
from analytics.solve import BEGINNING
from datasources.memory import Memory
from datasources.postgres import jobs, nights
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Kind
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from analytics.policy import Viewer
    from analytics.world import World
    from datasources.postgres.jobs import Wanted

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
OWN = {
    Role.LEARNER: (Scope.LEARNER,),
    Role.TRAINER: (Scope.TRAINER,),
    Role.ORG_ADMIN: (Scope.ORGANIZATION, Scope.MARKET),
}
"""What is a viewer's own, by the role they are in."""


class Arrivals:
    """Who came in lately, as this process knows, by a digest of who they are; it lives as long as the process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: Memory[bytes, bool] = Memory(items=20_000, room=20_000, size=lambda _: 1, now=world.now)

    def seen(self, viewer: Viewer) -> bool:
        """Whether a viewer's own were looked through within the hour."""
        return bool(self._seen.get(_digest(viewer)))

    async def arrived(self, viewer: Viewer) -> None:
        """Have what is missing or stale of a viewer's own worked out, at most once an hour; it never raises.

        Other processes are asked through the jobs that such a check made.
        """
        if self.seen(viewer):
            return
        self._seen.put(_digest(viewer), value=True, until=self._world.now() + EVERY)
        actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        try:
            if not await nights.arrived(self._world.database, actor, EVERY):
                wanted = await self._wanted(viewer, actor)
                await jobs.enqueue(self._world.database, actor, Kind.REFRESH, wanted)
        except UNAVAILABLE as error:
            log.warning("arrivals.not_checked", error=type(error).__name__)

    async def _wanted(self, viewer: Viewer, actor: Actor) -> list[Wanted]:
        """The jobs for each of the viewer's own answers that is not fresh."""
        wanted = []
        for scope in OWN[viewer.role]:
            own = viewer.organization if scope in {Scope.ORGANIZATION, Scope.MARKET} else viewer.user
            kept = await nights.kept(self._world.database, actor, scope.value, own)
            for metric in PUBLIC.values():
                if metric.scope is scope and viewer.role in metric.roles:
                    asked = question(metric, Subject(scope, viewer.organization, own), {})
                    calculated_at, expires_at = kept.get((asked.metric, asked.arguments), (BEGINNING, BEGINNING))
                    if expires_at <= self._world.now():
                        one = refresh_of(asked, calculated_at)
                        wanted.append(replace(one, details={**one.details, nights.ARRIVED: True}))
        return wanted


def _digest(viewer: Viewer) -> bytes:
    """Of who somebody is in their role: whoever is forgotten need not be looked for among those who came."""
    return sha256(f"{viewer.organization} {viewer.user} {viewer.role.value}".encode()).digest()
