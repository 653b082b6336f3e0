"""What one request carries: who asks, their way to answers and to subjects, and how the services do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.answer import Answers
from analytics.assisting import Assistant
from analytics.auditing import Audit
from analytics.choosing import Choices
from analytics.exporting import Reports
from analytics.history import Histories
from analytics.jobs import Jobs
from analytics.leaderboard import Leaderboards
from analytics.operating import Operations
from analytics.rosters import Rosters
from analytics.subjects import Subjects
from analytics.trail import Trail
from analytics.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.arriving import Arrivals
    from analytics.policy import Viewer
    from analytics.world import World
    from datasources.report import ServiceReport
    from gateway.sessions.desk import Visit


class Context:
    """Made fresh for every operation; loaders and answers never outlive it."""

    def __init__(self, world: World, viewer: Viewer, visit: Visit, arrivals: Arrivals | None = None) -> None:
        """`visit` says where the request comes from; `arrivals` is told of whoever comes in, and may do something."""
        whence, request_id = visit.whence, visit.whence.request_id or ""
        self._trail = trail = Trail(world.database, viewer, whence)
        self.viewer = viewer
        self.sessions = visit
        self.answers = Answers(world, viewer, request_id, trail)
        self._rosters = Rosters(world, viewer, request_id)
        self.subjects = Subjects(world, viewer, self._rosters, trail)
        self.leaderboards = Leaderboards(world, viewer, self.answers.solver, trail)
        self.choices = Choices(world, viewer, trail)
        self.assistant = Assistant(world, viewer, trail)
        self.operations = Operations(world, viewer, trail)
        self.jobs = Jobs(world, viewer, trail)
        self.reports = Reports(world, viewer, trail)
        self.watching = Watching(world, viewer, self.jobs, whence)
        self.history = Histories(world, viewer)
        self.audit = Audit(world, viewer, trail)
        self._arrivals = arrivals
        self._world = world

    def refused(self, what: str) -> None:
        """Note for the audit that the viewer asked for a field that is not theirs."""
        self._trail.refused(what, None, "not-allowed")

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
    """The context of an operation that needs no viewer: type names, introspection, and signing in."""

    def __init__(self, sessions: Visit) -> None:
        self.sessions = sessions

    async def afterwards(self) -> None:
        """Nothing was begun."""
