"""What one request carries: who asks, their way to answers and to subjects, and how the services do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.answer import Answers
from analytics.choosing import Choices
from analytics.leaderboard import Leaderboards
from analytics.rosters import Rosters
from analytics.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.policy import Viewer
    from analytics.world import World
    from datasources.report import ServiceReport


class Context:
    """Made fresh for every operation; loaders and answers never outlive it."""

    def __init__(self, world: World, viewer: Viewer, request_id: str) -> None:
        self.viewer = viewer
        self.answers = Answers(world, viewer, request_id)
        self._rosters = Rosters(world, viewer, request_id)
        self.subjects = Subjects(world, viewer, self._rosters, self.answers.heard)
        self.leaderboards = Leaderboards(world, viewer, self.answers.solver)
        self.choices = Choices(world, viewer)
        self._world = world

    def services(self) -> Sequence[ServiceReport]:
        """The nine services, as this process sees them."""
        return self._world.services.report()

    async def afterwards(self) -> None:
        """What can wait until the answer has been sent."""
        await self.answers.afterwards()
        await self._rosters.afterwards()


class Nobody:
    """The context of an operation that needs no viewer: type names and introspection."""

    async def afterwards(self) -> None:
        """Nothing was begun."""
