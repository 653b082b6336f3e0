"""What one request carries: who asks, their way to answers and to subjects, and how the services do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.answer import Answers
from analytics.choosing import Choices
from analytics.exporting import Reports
from analytics.history import Histories
from analytics.jobs import Jobs
from analytics.leaderboard import Leaderboards
from analytics.rosters import Rosters
from analytics.subjects import Subjects
from analytics.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.arriving import Arrivals
    from analytics.policy import Viewer
    from analytics.world import World
    from datasources.report import ServiceReport


class Context:
    """Made fresh for every operation; loaders and answers never outlive it."""

    def __init__(self, world: World, viewer: Viewer, request_id: str, arrivals: Arrivals | None = None) -> None:
        """`arrivals` is told of whoever comes in, where something is to be done about it."""
        self.viewer = viewer
        self.answers = Answers(world, viewer, request_id)
        self._rosters = Rosters(world, viewer, request_id)
        self.subjects = Subjects(world, viewer, self._rosters, self.answers.heard)
        self.leaderboards = Leaderboards(world, viewer, self.answers.solver)
        self.choices = Choices(world, viewer)
        self.jobs = Jobs(world, viewer)
        self.reports = Reports(world, viewer)
        self.watching = Watching(world, viewer, self.jobs, request_id)
        self.history = Histories(world, viewer)
        self._arrivals = arrivals
        self._world = world

    def services(self) -> Sequence[ServiceReport]:
        """The nine services, as this process sees them."""
        return self._world.services.report()

    async def afterwards(self) -> None:
        """What can wait until the answer has been sent."""
        await self.answers.afterwards()
        await self._rosters.afterwards()
        if self._arrivals is not None:
            await self._arrivals.arrived(self.viewer)


class Nobody:
    """The context of an operation that needs no viewer: type names and introspection."""

    async def afterwards(self) -> None:
        """Nothing was begun."""
