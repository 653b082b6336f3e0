"""Coming in: what is missing or stale of whoever asks is worked out before they look at it.

A viewer's first question in an hour has their own answers looked through, behind the response.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from analytics.catalog import PUBLIC
from analytics.declare import Role, Scope
from analytics.keeping import question
from analytics.policy import Subject
from analytics.renewals import refresh_of
from analytics.solve import BEGINNING
from datasources.memory import Memory
from datasources.postgres import arrivals
from datasources.postgres.arrivals import ARRIVED, WHOEVER, Own
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from analytics.declare import Metric
    from analytics.policy import Viewer
    from analytics.world import World

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
AT_ONCE = 32
"""The most who are looked after in one statement: where all of theirs is missing, it takes some forty milliseconds."""
MOST_WAITING = 10_000
"""The most who wait."""
OWN = {
    Role.LEARNER: (Scope.LEARNER,),
    Role.TRAINER: (Scope.TRAINER,),
    Role.ORG_ADMIN: (Scope.ORGANIZATION, Scope.MARKET),
}
"""What is a viewer's own, by the role they are in."""


class Arrivals:
    """Who came in lately, as this process knows, by a digest of who they are; it lives as long as the process.

    Who comes in while others are looked after is so with the next of them, many in one statement, and there is one
    statement at a time: nobody waits for what it does, and it stands in nobody's way. Belongs to one event loop.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: Memory[bytes, bool] = Memory(items=20_000, room=20_000, size=lambda _: 1, now=world.now)
        self._waiting: dict[Role, dict[Actor, str]] = {role: {} for role in OWN}
        self._turn = asyncio.Lock()

    def seen(self, viewer: Viewer) -> bool:
        """Whether a viewer's own were looked through within the hour."""
        return bool(self._seen.get(_digest(viewer.organization, viewer.user, viewer.role.value)))

    async def arrived(self, viewer: Viewer) -> None:
        """Have what is missing or stale of a viewer's own worked out, at most once an hour.

        Other processes are asked through the jobs that such a check made. Where too many wait already, the database
        does not answer, or somebody is being forgotten in their organization, it is left for a viewer's next request.
        """
        actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        who = _digest(*actor.settings)
        if self._seen.get(who) or sum(map(len, self._waiting.values())) >= MOST_WAITING:
            return
        self._seen.put(who, value=True, until=self._world.now() + EVERY)
        waiting = self._waiting[viewer.role]
        waiting[actor] = viewer.organization if viewer.role is Role.ORG_ADMIN else viewer.user
        try:
            async with self._turn:
                # Whoever had the turn before may have taken them along.
                if actor in waiting:
                    await self._look_after(viewer.role, waiting)
        finally:
            waiting.pop(actor, None)

    async def _look_after(self, role: Role, waiting: dict[Actor, str]) -> None:
        """Look after those who have waited longest; where that is given up half way, the others of them wait on."""
        together = dict(islice(waiting.items(), AT_ONCE))
        try:
            looked = await arrivals.look_after(self._world.database, together, _own(role), self._world.now(), EVERY)
            put_off = looked.put_off
        except UNAVAILABLE as error:
            log.warning("arrivals.not_checked", error=type(error).__name__, viewers=len(together))
            # Not the first: while the database does not answer, not everybody tries again with each request.
            put_off = list(together)[1:]
        self._seen.drop(_digest(*one.settings) for one in put_off)
        for one in together:
            waiting.pop(one, None)


@cache
def _own(role: Role) -> tuple[Own, ...]:
    """What is of their own for whoever is in a role: it depends on them in the subject alone."""
    return tuple(
        _one(metric, Subject(metric.scope, WHOEVER, WHOEVER))
        for metric in PUBLIC.values()
        if metric.scope in OWN[role] and role in metric.roles
    )


def _one(metric: Metric, whoever: Subject) -> Own:
    asked = question(metric, whoever, {})
    wanted = refresh_of(asked, BEGINNING)
    details = json.dumps({**wanted.details, ARRIVED: True})
    return Own(asked.scope, asked.metric, asked.arguments, wanted.once, details)


def _digest(organization: str, user: str, role: str) -> bytes:
    """Of who somebody is in their role: whoever is forgotten need not be looked for among those who came."""
    return sha256(f"{organization} {user} {role}".encode()).digest()
