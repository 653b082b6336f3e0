"""What operators of the platform may do: nothing with what is said of anybody, in any organization."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from analytics.policy import NotAllowed, NotFound, Unavailable
from datasources.postgres import breakers
from datasources.postgres.audit import Event
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from analytics.policy import Viewer
    from analytics.trail import Trail
    from analytics.world import World

log = structlog.get_logger(__name__)


class Operations:
    """One viewer's way to operate."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._world = world
        self._viewer = viewer
        self._trail = trail

    async def reset_breaker(self, service: str) -> None:
        """Ask a service again: in this process when this returns, in all others a moment later.

        Raises:
            NotAllowed: the viewer is no operator.
            NotFound: there is no such service.
            Unavailable: the other processes cannot be told just now; doing it again is safe.
        """
        services = self._world.services.remotes
        # The audit holds no text that somebody made up.
        with self._trail.asking("breaker", service if service in services else None):
            if not self._viewer.operator:
                msg = "Breakers are reset by operators: whose token has the role `operator`."
                raise NotAllowed(msg)
            if service not in services:
                msg = f"There is no such service; there are {', '.join(services)}."
                raise NotFound(msg)
        self._world.ask_again(service)
        self._trail.did(Event("breaker.reset", service))
        try:
            async with asyncio.timeout(self._world.patience):
                await breakers.tell(self._world.database, service)
        except UNAVAILABLE as error:
            log.warning("breaker.not_told", service=service, error=type(error).__name__)
            msg = (
                "This process asks the service again. The others cannot be told just now: do it again in a few seconds."
            )
            raise Unavailable(msg) from error
