"""Who is where, as formulas read it: as the system, remembered for a minute, nothing of another organization."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiodataloader import DataLoader

from analytics.decisions import Decision, DecisionKind, Decisions
from analytics.models.risk import risk_model
from analytics.outcomes import CourseOutcome, Outcomes, RiskGroup
from analytics.prediction.calibration import LATELY
from analytics.rolls import Member, Membership, Place, Roll
from datasources.course import EnrollmentStatus, Result
from datasources.memory import Memory
from datasources.postgres import choices, outcomes, people
from datasources.postgres import places as table
from datasources.postgres.session import Database, system

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from datasources.postgres.outcomes import Ended
    from datasources.postgres.places import Learner, Run
    from datasources.postgres.tables import RecommendationDecisionRow

REMEMBERED = timedelta(seconds=60)


class Places:
    """Rolls, members and courses of the organizations this process has been asked about.

    Every method raises what `UNAVAILABLE` names when the database does not answer in time.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], patience: float) -> None:
        self._database = database
        self._patience = patience
        self._memory: Memory[tuple[str, ...], Any] = Memory(items=20_000, room=40_000_000, size=_size, now=now)
        self._loaders: dict[str, DataLoader[str, Sequence[people.Course]]] = {}
        self._deciders: dict[str, DataLoader[str, Decisions]] = {}

    def drop(self, organization: str | None) -> None:
        """Forget what is remembered of an organization, or of any: its roster was copied anew."""
        self._memory.drop_where(lambda key: organization is None or organization in key)

    async def told_at(self, organization: str) -> datetime | None:
        """When the services last told of an organization; None: never."""
        found: datetime | None = await self._remembered(
            ("told", organization), lambda: people.synced_at(self._database, organization)
        )
        return found

    async def learners(self, organization: str, course: str | None) -> Sequence[Learner]:
        """Who learns in a course now, or in the organization."""
        key = ("learners", organization, course or "*")
        found: Sequence[Learner] = await self._remembered(
            key, lambda: table.learners(self._database, organization, course)
        )
        return found

    async def starters(self, organization: str, course: str) -> Sequence[str]:
        """Who is or ever was enrolled in a course."""
        rows = await self._places(organization, course)
        return [place.person for place in rows.get(course, ())]

    async def roll(self, organization: str, course: str) -> Roll | None:
        """The roll of a course; None where the organization has no such course."""
        run = next((run for run in await self._runs(organization, None) if run.id == course), None)
        return None if run is None else _roll(run, (await self._places(organization, course)).get(course, ()))

    async def membership(self, organization: str) -> Membership:
        """The learners of an organization, and the rolls of its courses."""
        members = await self.learners(organization, None)
        places = await self._places(organization, None)
        return Membership(
            tuple(Member(one.id, one.department, one.region) for one in members),
            tuple(_roll(run, places.get(run.id, ())) for run in await self._runs(organization, None)),
        )

    async def courses(self, organization: str, trainer: str | None, at: datetime) -> tuple[str, ...]:
        """The courses that have begun, of an organization or of those a trainer teaches, by start and id."""
        return tuple(run.id for run in await self._runs(organization, trainer) if run.start <= at)

    async def current_courses(self, organization: str, learner: str, at: datetime) -> tuple[str, ...]:
        """The courses a learner takes now, the latest start first."""
        return tuple(
            course.id for course in await self._taken(organization, learner) if course.start <= at < course.end
        )

    async def main_course(self, organization: str, learner: str, at: datetime) -> str | None:
        """The course whose learners are this one's peers: the latest that runs, else the latest that has begun."""
        begun = [course for course in await self._taken(organization, learner) if course.start <= at]
        running = [course for course in begun if at < course.end]
        return next((course.id for course in (*running, *begun)), None)

    async def decisions(self, organization: str, learner: str) -> Decisions:
        """What a learner decided about their recommendations; never remembered, so that the last word counts."""
        async with asyncio.timeout(self._patience):
            return await self._decider(organization).load(learner)

    async def outcomes(self, organization: str, at: datetime) -> Outcomes:
        """The courses that are over and had a risk written down by the model that is served now."""

        async def load() -> Sequence[CourseOutcome]:
            version, since = risk_model().version, at - LATELY
            ended = await outcomes.read(self._database, organization, version=version, since=since, at=at)
            return [_outcome(one, version) for one in ended]

        found: Sequence[CourseOutcome] = await self._remembered(("outcomes", organization), load)
        return Outcomes(tuple(found))

    async def _runs(self, organization: str, trainer: str | None) -> Sequence[Run]:
        key = ("runs", organization, trainer or "*")
        found: Sequence[Run] = await self._remembered(key, lambda: table.runs(self._database, organization, trainer))
        return found

    async def _places(self, organization: str, course: str | None) -> dict[str, tuple[table.Place, ...]]:
        key = ("places", organization, course or "*")
        found: dict[str, tuple[table.Place, ...]] = await self._remembered(
            key, lambda: table.places(self._database, organization, course)
        )
        return found

    async def _taken(self, organization: str, learner: str) -> Sequence[people.Course]:
        key = ("taken", organization, learner)
        found: Sequence[people.Course] = await self._remembered(key, lambda: self._loader(organization).load(learner))
        return found

    def _loader(self, organization: str) -> DataLoader[str, Sequence[people.Course]]:
        """Reads the courses of all learners who are asked about in one tick together."""
        if organization not in self._loaders:

            async def read(learners: list[str]) -> list[Sequence[people.Course]]:
                taken = await people.courses_of(self._database, system(organization), learners)
                return [_latest_first(taken[learner]) for learner in learners]

            self._loaders[organization] = DataLoader(read, cache=False)
        return self._loaders[organization]

    def _decider(self, organization: str) -> DataLoader[str, Decisions]:
        """Reads the decisions of all learners who are asked about in one tick together."""
        if organization not in self._deciders:

            async def read(learners: list[str]) -> list[Decisions]:
                rows = await choices.decisions(self._database, organization, learners)
                return [_decided(rows.get(learner, ())) for learner in learners]

            self._deciders[organization] = DataLoader(read, cache=False)
        return self._deciders[organization]

    async def _remembered(self, key: tuple[str, ...], load: Callable[[], Awaitable[Any]]) -> Any:
        return await self._memory.remembered(key, load, stay=REMEMBERED, patience=self._patience)


def _latest_first(enrollments: Iterable[people.Enrollment]) -> Sequence[people.Course]:
    taken = [enrollment.course for enrollment in enrollments if enrollment.live]
    return sorted(taken, key=lambda course: (course.start, course.id), reverse=True)


def _decided(rows: Iterable[RecommendationDecisionRow]) -> Decisions:
    return Decisions(tuple(Decision(row.recommendation, DecisionKind(row.kind), row.decided_at) for row in rows))


def _roll(run: Run, rows: Iterable[table.Place]) -> Roll:
    return Roll(
        course=run.id,
        title=run.title,
        starts_at=run.start,
        ends_at=run.end,
        places=tuple(
            Place(
                learner=row.person,
                enrolled_at=row.enrolled_at,
                status=EnrollmentStatus(row.status),
                left_at=row.left_at,
                result=None if row.result is None else Result(row.result),
            )
            for row in rows
        ),
    )


def _outcome(ended: Ended, version: int) -> CourseOutcome:
    groups = tuple(RiskGroup(group.learners, group.risk) for group in ended.groups)
    return CourseOutcome(ended.course, ended.ends_at, version, groups, ended.taking, ended.passed, ended.failed)


def _size(value: Any) -> int:
    """Rows, at a rough hundred bytes each."""
    if isinstance(value, dict):
        return 100 * (sum(map(len, value.values())) + 1)
    return 100 * (len(value) + 1) if isinstance(value, Sequence) else 100
