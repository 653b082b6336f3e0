"""Waiting for what changes: a job until it is over, the answers about a subject for as long as somebody listens.

Both begin with what is so now, and look again whenever the hub says that something may have changed. What is
told comes from looking, never from the news, so that news may be lost, doubled or late.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.answer import Answers
from analytics.declare import Metric, Scope
from analytics.policy import NotFound, Subject, Unavailable, Viewer, may_hear
from analytics.rosters import Rosters
from analytics.subjects import Subjects, subject_of
from analytics.trail import Trail
from datasources.declare import Origin
from datasources.postgres import jobs
from datasources.postgres.audit import NOWHERE, Whence
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import Status
from datasources.postgres.session import system

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from analytics.jobs import Jobs
    from analytics.world import World
    from datasources.postgres.jobs import Job

T = TypeVar("T")

NOT_NOW: tuple[type[Exception], ...] = (Unavailable, *UNAVAILABLE)
"""What it looks like when something cannot be looked up just now."""

LOOK_AGAIN = 1.0
"""Seconds after which something that could not be looked up is looked up again."""


def job_key(organization: str, job: str) -> tuple[str, str, str]:
    """What the hub knows a job as."""
    return ("job", organization, job)


def answers_key(organization: str, subject: str) -> tuple[str, str, str]:
    """What the hub knows the answers about a subject as."""
    return ("answers", organization, subject)


class Watching:
    """One viewer's way to be told.

    Whether they may know is looked up with the first thing told and with whatever has a value. How far a job
    is between its beginning and its end is one look for all who listen to it in this process.
    """

    def __init__(self, world: World, viewer: Viewer, own: Jobs, whence: Whence = NOWHERE) -> None:
        self._world = world
        self._viewer = viewer
        self._jobs = own
        self._whence = whence

    async def job(self, job: str) -> AsyncGenerator[Job]:
        """A job as it stands, then each time that changed, until it is over; its progress never goes back.

        Raises:
            NotFound: there is no such job, or none that the viewer may know of.
            Unavailable: it could not be looked up to begin with.
        """
        with self._world.hub.subscribe(job_key(self._viewer.organization, job)) as news:
            told = await self._jobs.find(job)
            yield told
            while not told.status.over:
                await anext(news)
                now = await _patiently(lambda: self._find(job), news)
                for state in steps(told, now):
                    yield state
                told = now

    async def answers(
        self, scope: Scope, subject: str, metrics: Sequence[Metric]
    ) -> AsyncGenerator[tuple[Metric, Mapping[str, Any]]]:
        """These answers about a subject in wire shape as they are, then each newer one as soon as it is kept.

        Asking makes what was never worked out, and has what is stale worked out anew.

        Raises:
            NotFound: there is no such subject, or none that the viewer may know of, or not any more.
            Unavailable: it could not be looked up to begin with.
        """
        told: dict[Metric, datetime] = {}
        with self._world.hub.subscribe(answers_key(self._viewer.organization, subject)) as news:
            found = await self._newer(scope, subject, metrics, told)
            while True:
                for metric, answer in found:
                    told[metric] = _calculated(answer)
                    yield metric, answer
                await anext(news)
                found = await _patiently(lambda: self._newer(scope, subject, metrics, told), news)

    async def _find(self, job: str) -> Job:
        """How far a job is that the viewer was told of before; what came of it in the end is theirs to look up."""
        organization = self._viewer.organization
        now = await self._world.together.look(
            job_key(organization, job), lambda: jobs.find(self._world.database, system(organization), job)
        )
        return await self._jobs.find(job) if now is None or now.status.over else now

    async def _newer(
        self, scope: Scope, subject: str, metrics: Sequence[Metric], told: Mapping[Metric, datetime]
    ) -> list[tuple[Metric, Mapping[str, Any]]]:
        """Those of the answers that were not told yet, noted as heard."""
        about = await self._subject(scope, subject)
        trail = self._trail()
        answers = Answers(self._world, self._viewer, self._whence.request_id, trail)
        own = [metric for metric in metrics if may_hear(self._viewer, metric, about)]
        found = await asyncio.gather(*(answers.find(metric, about, {}) for metric in own))
        new = [
            (metric, answer)
            for metric, answer in zip(own, found, strict=True)
            if metric not in told or (_calculated(answer) > told[metric] and _whole(answer))
        ]
        if new and scope is not Scope.ORGANIZATION:
            trail.heard(about.id, len(new))
        await answers.afterwards()
        return new

    def _trail(self) -> Trail:
        return Trail(self._world.database, self._viewer, self._whence)

    async def _subject(self, scope: Scope, subject: str) -> Subject:
        """Who or what is listened to; a look that nothing is told after leaves no trail, one that is refused does."""
        trail = self._trail()
        try:
            return await self._found(scope, subject, trail)
        except NotFound:
            await trail.afterwards()
            raise

    async def _found(self, scope: Scope, subject: str, trail: Trail) -> Subject:
        rosters = Rosters(self._world, self._viewer, self._whence.request_id)
        subjects = Subjects(self._world, self._viewer, rosters, trail)
        if scope is Scope.ORGANIZATION:
            found = await subjects.organization(subject)
            return Subject(scope, found.id, found.id)
        person = await (subjects.learner(subject) if scope is Scope.LEARNER else subjects.trainer(subject))
        return subject_of(person, scope)


def steps(before: Job, after: Job) -> Iterator[Job]:
    """What is to be told of a job that was so when last told and is so now: nothing, one state or two.

    A job that ended before anybody looked was running nevertheless, and is told of as running first.
    """
    ran = after.turn > before.turn
    if before.status is Status.QUEUED and after.status.over and ran:
        yield replace(after, status=Status.RUNNING, progress=before.progress, finished_at=None, result=None, error=None)
    if replace(before, unwanted=after.unwanted, details=after.details) != after:
        yield after


async def _patiently(look: Callable[[], Awaitable[T]], news: AsyncIterator[None]) -> T:
    """What a look says, as soon as one succeeds."""
    while True:
        try:
            return await look()
        except NOT_NOW:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN):
                    await anext(news)


def _calculated(answer: Mapping[str, Any]) -> datetime:
    told: str | None = answer["freshness"]["calculatedAt"]
    return datetime.fromisoformat(told or answer["freshness"]["asOf"])


def _whole(answer: Mapping[str, Any]) -> bool:
    """Whether nothing is missing from it: what is worked out while a service is away is no news."""
    whole: bool = answer["freshness"]["origin"] == Origin.LIVE.name
    return whole
