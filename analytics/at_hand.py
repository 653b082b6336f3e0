"""Everything a compiled document asks for, where all of it is kept and fresh: at most one statement.

What the ordinary way (`analytics.answer`, `analytics.subjects`) would do beyond that, this one leaves to it:
whatever is missing, stale, refused or not understood raises `Unplanned`, and nothing was said or done.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from analytics.looked_up import AtHand, Away, Errand, into_places
from analytics.planned import Found, Unplanned
from analytics.record import Tier
from analytics.roster import KNOWN_EARLIER
from analytics.searching import Search
from datasources.memory import Memory
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from analytics.planned import Ask, Told
    from analytics.policy import Viewer
    from analytics.searching import Tellings
    from analytics.world import World
    from datasources.postgres.lanes import Lanes
    from datasources.postgres.reading import Reading

__all__ = ["AtHand", "Away", "Errand", "Finder"]

TELLINGS, TOLD = 1_000, 50_000
"""The most pages of which it is remembered whom they told of, and of how many people in all."""

log = structlog.get_logger(__name__)


class Finder:
    """The way of compiled documents to what they ask for; it lives as long as the process."""

    def __init__(self, world: World, reading: Reading, lanes: Lanes) -> None:
        """`lanes` are for pages, so that who asks for little never waits behind who asks for much."""
        self._world = world
        self._reading = reading
        self._lanes = lanes
        self._tellings: Tellings = Memory(items=TELLINGS, room=TOLD, size=len, now=world.now)

    async def find(self, ask: Ask, viewer: Viewer) -> AtHand:
        """Everything that a document asks for, if all of it is at hand and the viewer's to hear.

        Raises:
            Away: the database does not answer.
            Unplanned: something is not as plain as that.
        """
        if not self._world.roster.at_hand(viewer.organization):
            raise Unplanned
        try:
            async with asyncio.timeout(self._world.patience / 4):
                return await Search(self._world, self._reading, self._lanes, self._tellings, ask, viewer).found()
        except UNAVAILABLE as error:
            log.warning("plan.not_read", error=type(error).__name__)
            raise Away from error

    async def again(self, errand: Errand) -> AtHand | None:
        """The same as was found before, as it is kept now; None where `find` is to look for it.

        Raises:
            Away: the database does not answer.
        """
        world, organization = self._world, errand.look.actor.organization
        now = world.now()
        if errand.until <= now or errand.era != world.roster.era(organization):
            return None
        if not world.roster.at_hand(organization) or any(world.memory.get(key) is not None for key in errand.keys):
            return None
        try:
            async with asyncio.timeout(world.patience / 4):
                rows = await self._reading.read(errand.shape, errand.look)
        except UNAVAILABLE as error:
            log.warning("plan.not_read", error=type(error).__name__)
            raise Away from error
        answers: list[Told | None] = [None] * len(errand.keys)
        until = into_places(world, rows, errand.places, answers, now + KNOWN_EARLIER)
        if None in answers:
            return None
        found = Found(errand.people, None, answers, (), ())  # type: ignore[arg-type]  # none is missing
        return AtHand(found, Tier.DATABASE, min(errand.until, until), until, errand.subjects, errand.told, errand)
