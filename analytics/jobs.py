"""What one viewer may know of jobs, and may have done or cancelled."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog

from analytics.declare import Family, Metric
from analytics.policy import NotAllowed, NotFound, Subject, TooMany, Unavailable, Viewer, may_hear, may_refresh
from analytics.refreshing import by_hand
from analytics.renewals import PRIORITY
from datasources.postgres import job_lists, jobs
from datasources.postgres.audit import Event
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Kind
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence
    from typing import Any

    from analytics.trail import Trail
    from analytics.world import World
    from datasources.postgres.job_lists import Place
    from datasources.postgres.jobs import Job, Status

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOST = 3
WITHIN = timedelta(hours=1)
"""A viewer has at most so many refreshes done in so long."""


class Jobs:
    """One viewer's way to jobs."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._world = world
        self._trail = trail
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)

    async def find(self, job: str) -> Job:
        """A job that concerns the viewer.

        Raises:
            NotFound: there is no such job, or none that the viewer may know of.
            Unavailable: it cannot be looked up just now.
        """
        found = await self._asked(jobs.find(self._world.database, self._actor, job))
        if found is None:
            with self._trail.asking("job", job):
                raise NotFound(_missing())
        return found

    async def page(
        self, *, first: int, after: Place | None, kind: Kind | None, status: Status | None, counted: bool
    ) -> job_lists.Jobs:
        """The newest jobs that concern the viewer, from a place on.

        Raises:
            Unavailable: they cannot be looked up just now.
        """
        return await self._asked(
            job_lists.page(
                self._world.database,
                self._actor,
                first=first,
                after=after,
                kind=kind,
                status=status,
                counted=counted,
            )
        )

    async def refresh(self, subject: Subject, metrics: Iterable[Metric]) -> Job:
        """Have metrics of a subject worked out again, and what they are made of; the job that does it.

        One that does the same already is answered with, and does not count.

        Raises:
            NotAllowed: the subject is not the viewer's to refresh, or they may not hear one of the metrics.
            TooMany: the viewer had three refreshes done within the hour.
            Unavailable: it cannot be written down just now.
        """
        with self._trail.asking("refresh", subject.id):
            job = await self._refresh(subject, list(metrics))
        self._trail.did(Event("job.asked", subject.id, {"job": job.id, "kind": job.kind.value}))
        return job

    async def _refresh(self, subject: Subject, chosen: Sequence[Metric]) -> Job:
        if not may_refresh(self._viewer, subject):
            msg = f"This {subject.scope.value} is not yours to refresh."
            raise NotAllowed(msg)
        for metric in chosen:
            if not may_hear(self._viewer, metric, subject):
                msg = f"{metric.key} is not for you to hear of this {subject.scope.value}."
                raise NotAllowed(msg)
        made = await self._asked(
            jobs.ask(
                self._world.database,
                self._actor,
                Kind.REFRESH,
                by_hand(subject, chosen, self._world.now()),
                priority=PRIORITY,
                most=MOST,
                within=WITHIN,
            )
        )
        if isinstance(made, timedelta):
            msg = f"You had {MOST} refreshes done within the hour; that is the most."
            raise TooMany(msg, made)
        if made is None:
            msg = "This is being refreshed already, or too much waits already. Ask again in a few seconds."
            raise Unavailable(msg)
        return made

    def heard(self, subject: Subject, metrics: Iterable[Metric]) -> list[Metric]:
        """Those of the metrics that are for clients to ask of this subject, and for this viewer to hear."""
        return [
            metric
            for metric in metrics
            if metric.scope is subject.scope
            and metric.family is not Family.INTERNAL
            and may_hear(self._viewer, metric, subject)
        ]

    async def cancel(self, job: str) -> Job:
        """Cancel a job of the viewer's own: at once while it waits, soon where it runs.

        Raises:
            NotFound: there is no such job, or none that the viewer may know of.
            NotAllowed: it is another person's, or over already.
            Unavailable: it cannot be cancelled just now.
        """
        before = await self.find(job)
        with self._trail.asking("cancel", job):
            found = await self._cancel(before)
        self._trail.did(Event("job.cancelled", found.subject, {"job": job, "kind": found.kind.value}))
        return found

    async def _cancel(self, before: Job) -> Job:
        if before.owner != self._viewer.user:
            msg = "Only who had a job made cancels it."
            raise NotAllowed(msg)
        found = await self._asked(jobs.cancel(self._world.database, self._actor, before.id))
        if found is None:
            raise NotFound(_missing())
        if found.status.over and not found.unwanted:
            msg = f"The job is over already: {found.status.value}."
            raise NotAllowed(msg)
        return found

    async def _asked(self, asking: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._world.patience):
                return await asking
        except UNAVAILABLE as error:
            log.warning("jobs.not_asked", error=type(error).__name__)
            msg = "Jobs cannot be asked about just now. Ask again in a few seconds."
            raise Unavailable(msg) from error


def _missing() -> str:
    return "No such job, or not one that you may see."
