"""The only way to an answer: allowed? remembered? kept? else worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from analytics.declare import Metric, Scope, Withheld, WithheldReason
from analytics.keeping import question
from analytics.naming import NAMING, named, only
from analytics.policy import Subject, Viewer, may_hear
from analytics.record import Found, Tier, refusal
from analytics.solve import Solver
from analytics.trail import Trail
from analytics.working import FAULT
from datasources.postgres.audit import Whence
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from analytics.world import World

log = structlog.get_logger(__name__)


class Answers:
    """One request's questions, all asked by one viewer; what else works answers out for it shares the `solver`."""

    def __init__(self, world: World, viewer: Viewer, request_id: str | None = None, trail: Trail | None = None) -> None:
        """`trail` is the request's, where other ways of it leave something in the audit too."""
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self.solver = Solver(world, self._actor, request_id)
        self.trail = trail or Trail(world.database, viewer, Whence(request_id=request_id))
        self._roster = world.roster
        self._at = world.clock()

    def ask(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any] | Awaitable[Mapping[str, Any]]:
        """The answer in wire shape: at once when it is refused or remembered, else when it is found.

        It never raises for want of data, of a service or of permission: the answer says so.
        """
        if not may_hear(self._viewer, metric, subject):
            roles = " or ".join(sorted(role.name for role in metric.roles)) or "nobody"
            message = f"{metric.name} is for {roles}, where the {subject.scope.value} is theirs to hear about."
            self.trail.refused(metric.key, subject.id, "not-allowed")
            return refusal(metric, Withheld(WithheldReason.NOT_FOR_YOUR_ROLE, message), self._at)
        if subject.scope in {Scope.LEARNER, Scope.TRAINER}:
            self.trail.heard(subject.id)
        remembered = self.solver.remembered(question(metric, subject, arguments))
        if remembered is not None and remembered.complete and metric.key not in NAMING:
            return Found(remembered, Tier.MEMORY).wire()
        return self.find(metric, subject, arguments)

    async def find(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer in wire shape, to one that the viewer may ask; who tells it to them notes it in the trail."""
        try:
            return await self._told((await self.solver.find(metric, subject, arguments)).wire())
        except Exception as error:
            # The field is non-null: an exception would take the learner and every other number with it.
            log.exception("answer.fault", metric=metric.key, error=type(error).__name__)
            return refusal(metric, FAULT, self._at)

    async def _told(self, wire: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer, naming only learners whom the viewer may know of now, however long ago it was worked out.

        Each of them is noted for the audit.
        """
        learners = named(wire["value"])
        if not learners:
            return wire
        known = await self._roster.persons(self._actor, sorted(learners))
        theirs = {learner for learner, person in known.items() if person is not None}
        for learner in theirs:
            self.trail.heard(learner)
        return {**wire, "value": only(wire["value"], theirs)}

    async def afterwards(self) -> None:
        """What is done when the response has been sent: the trail goes into the audit, then new answers are kept."""
        try:
            await self.trail.afterwards()
        finally:
            await self.solver.afterwards()
