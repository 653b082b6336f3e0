"""What a learner chooses for themselves, written as themselves; what it changes is worked out anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from analytics.catalog import METRICS, PRODUCERS
from analytics.decisions import DecisionKind, Decisions
from analytics.declare import Metric, Role, Scope
from analytics.keeping import question
from analytics.policy import NotAllowed, Subject, Unavailable, Viewer
from datasources.postgres import choices
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from analytics.trail import Trail
    from analytics.world import World

log = structlog.get_logger(__name__)


def _reads_decisions(metric: Metric) -> bool:
    """Whether a metric reads what was decided, itself or through another metric."""
    return any(
        given.type is Decisions or (given.type in PRODUCERS and _reads_decisions(PRODUCERS[given.type]))
        for given in metric.inputs
    )


DECIDED = tuple(metric for metric in METRICS.values() if metric.scope is Scope.LEARNER and _reads_decisions(metric))
"""What is said of a learner in the light of their decisions."""


class Choices:
    """One viewer's way to choose."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._world = world
        self._viewer = viewer
        self._trail = trail
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)

    async def show(self, *, visible: bool) -> None:
        """Have others see, or not see, the viewer on the leaderboard; from the next question on.

        Raises:
            NotAllowed: the viewer does not ask as a learner.
            Unavailable: it cannot be written just now.
        """
        self._as_learner()
        await self._written(
            choices.show(
                self._world.database, self._actor, visible=visible, at=self._world.now(), whence=self._trail.whence
            )
        )

    async def decide(self, recommendation: str, kind: DecisionKind | None) -> None:
        """Say what the viewer made of a recommendation, or take back what they said (None).

        It is dated by the platform's clock, by which formulas tell what is yet to come. When this returns, no
        process remembers what was recommended before.

        Raises:
            NotAllowed: the viewer does not ask as a learner.
            Unavailable: it cannot be written just now, or not everywhere: saying it again is safe.
        """
        self._as_learner()
        at, said = self._world.clock(), None if kind is None else kind.value
        await self._written(
            choices.decide(self._world.database, self._actor, recommendation, said, at=at, whence=self._trail.whence)
        )
        subject = Subject(Scope.LEARNER, self._viewer.organization, self._viewer.user)
        told = [question(metric, subject, {}) for metric in DECIDED]
        await self._written(self._world.forget(self._viewer.organization, told))

    def _as_learner(self) -> None:
        if self._viewer.role is not Role.LEARNER:
            msg = "Only a learner chooses this, and only for themselves."
            with self._trail.asking("choice"):
                raise NotAllowed(msg)

    async def _written(self, writing: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._world.patience):
                await writing
        except UNAVAILABLE as error:
            log.warning("choices.not_written", error=type(error).__name__)
            msg = "This cannot be written down just now. Say it again in a few seconds."
            raise Unavailable(msg) from error
