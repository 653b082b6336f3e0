"""Everything a compiled document asks for, where all of it is kept and fresh: few statements, and mostly one.

What the ordinary way (`analytics.answer`, `analytics.subjects`) would do beyond that, this one leaves to it:
whatever is missing, stale, refused or not understood raises `Unplanned`, and nothing was said or done.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from analytics.looked_up import AtHand, Away, Errand, Looking, into_places
from analytics.planned import Found, Unplanned
from analytics.record import Tier
from analytics.roster import KNOWN_EARLIER
from analytics.searching import Search
from datasources.memory import Memory
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.planned import Ask, Told
    from analytics.policy import Viewer
    from analytics.searching import Tellings
    from analytics.world import World
    from datasources.postgres.lanes import Lanes
    from datasources.postgres.reading import Reading, Row

__all__ = ["AtHand", "Away", "Errand", "Finder", "Looking"]

TELLINGS, TOLD = 1_000, 50_000
"""The most pages of which it is remembered whom they told of, and of how many people in all."""

UNHEARD: tuple[type[BaseException], ...] = (asyncio.CancelledError, *UNAVAILABLE)

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
        try:
            async with asyncio.timeout(self._world.patience / 4):
                if not await self._world.roster.found(viewer.organization):
                    raise Unplanned
                return await Search(self._world, self._reading, self._lanes, self._tellings, ask, viewer).found()
        except UNAVAILABLE as error:
            log.warning("plan.not_read", error=type(error).__name__)
            raise Away from error

    async def again(self, errand: Errand) -> AtHand | None:
        """The same as was found before, as it is kept now; None where `find` is to look for it.

        Raises:
            Away: the database does not answer.
        """
        if not self.holds(errand):
            return None
        looking = self.begin(errand)
        try:
            with suppress(Exception):
                await looking.rows
        finally:
            looking.deadline.cancel()
        return self.ended(looking)

    def holds(self, errand: Errand) -> bool:
        """Whether the same may be looked up as it was before, and is not remembered by this process."""
        world, organization = self._world, errand.look.actor.organization
        if errand.until <= world.now() or errand.era != world.roster.era(organization):
            return False
        if not world.roster.at_hand(organization):
            return False
        return world.memory.empty or all(world.memory.get(key) is None for key in errand.keys)

    def begin(self, errand: Errand) -> Looking:
        """Begin to look up the same, if it `holds`, for who does not wait in a task; `ended` says what was found."""
        rows = self._reading.begin(errand.shape, errand.look)
        return Looking(errand, rows, rows.get_loop().call_later(self._world.patience / 4, _too_late, rows))

    def ended(self, looking: Looking) -> AtHand | None:
        """What was looked up, or is too late; as `again`.

        Raises:
            Away: the database did not answer.
        """
        looking.deadline.cancel()
        try:
            rows = looking.rows.result()
        except UNHEARD as error:
            log.warning("plan.not_read", error=type(error).__name__)
            raise Away from error
        return self._made(looking.errand, rows)

    def _made(self, errand: Errand, rows: Sequence[Row]) -> AtHand | None:
        answers: list[Told | None] = [None] * len(errand.keys)
        until = into_places(self._world, rows, errand.places, answers, self._world.now() + KNOWN_EARLIER)
        if None in answers:
            return None
        found = Found(errand.people, None, answers, (), ())  # type: ignore[arg-type]  # none is missing
        return AtHand(found, Tier.DATABASE, min(errand.until, until), until, errand.subjects, errand.told, errand)

    def let_go(self) -> None:
        """Know of nobody any more that a page told of them."""
        self._tellings.clear()


def _too_late(rows: asyncio.Future[list[Row]]) -> None:
    if not rows.done():
        rows.set_exception(TimeoutError())
