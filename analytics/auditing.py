"""The audit of an organization, for its admins; that they read it is an event of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from analytics.declare import Role
from analytics.policy import NotAllowed, Unavailable
from datasources.postgres import audit_log
from datasources.postgres.audit import Event
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from analytics.policy import Viewer
    from analytics.trail import Trail
    from analytics.world import World
    from datasources.postgres.audit_log import Log, Place, Sought

log = structlog.get_logger(__name__)


class Audit:
    """One viewer's way to the audit."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._world = world
        self._viewer = viewer
        self._trail = trail
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)

    async def page(self, sought: Sought, *, first: int, after: Place | None, counted: bool) -> Log:
        """The newest events of the viewer's organization, from a place on.

        Raises:
            NotAllowed: the viewer is no admin.
            Unavailable: they cannot be looked up just now.
        """
        if self._viewer.role is not Role.ORG_ADMIN:
            msg = "The audit is for organization admins."
            raise NotAllowed(msg)
        try:
            async with asyncio.timeout(self._world.patience):
                found = await audit_log.page(
                    self._world.database, self._actor, sought, first=first, after=after, counted=counted
                )
        except UNAVAILABLE as error:
            log.warning("audit.not_read", error=type(error).__name__)
            msg = "The audit cannot be looked up just now. Ask again in a few seconds, or for a shorter time."
            raise Unavailable(msg) from error
        self._trail.did(Event("audit.read", sought.subject, {"events": len(found.entries)}))
        return found
