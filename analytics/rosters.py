"""Rosters: learners filtered and ordered by what is kept of them.

The list is one statement over kept answers. Answers are kept once somebody has asked, so learners of whom
nothing is kept yet are worked out first, not more than `FILL` of them and in not more than half of the time a
request has, and the statement is sent again. Who is over that stays unknown, last in an order, outside of every
level, and counted, until the list is asked for again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from analytics.catalog import METRICS
from analytics.declare import Metric, Scope
from analytics.keeping import question
from analytics.policy import NotAllowed, Subject, Viewer
from analytics.solve import Solver
from datasources.postgres import pages
from datasources.postgres.pages import Among, Measure, Page, Wanted, Window
from datasources.postgres.prune import ANSWERS as RETENTION
from datasources.postgres.session import Actor, system

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.learner.participation import EngagementLevel
    from analytics.prediction.interventions import RiskLevel
    from analytics.world import World

FILL = 1_000
"""The most learners who are worked out before a roster is answered."""
SLICE = 100
"""How many of them are worked out and kept at a time, so that time that runs out costs the rest and not all."""

RISK = METRICS["predictive-drop-off-risk"]
ENGAGEMENT = METRICS["learner-engagement"]
VELOCITY = METRICS["learner-velocity"]


class LearnerOrderField(Enum):
    """What learners can be ordered by. Learners without the number come last in both directions."""

    NAME = None
    """Their name."""
    RISK = RISK
    """The score of `prediction.dropOffRisk`."""
    ENGAGEMENT = ENGAGEMENT
    """The score of `analytics.engagement`."""
    VELOCITY = VELOCITY
    """The pace of `analytics.velocity`."""


class OrderDirection(Enum):
    """Which end of an order comes first. Of learners with equal numbers the name decides, A to Z, in both."""

    ASC = "ascending"
    """A to Z, the lowest number first."""
    DESC = "descending"
    """Z to A, the highest number first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which learners, and in which order. None and nothing filter nothing; `words` are those of a name."""

    department: str | None = None
    course: str | None = None
    risk: tuple[RiskLevel, ...] | None = None
    engagement: tuple[EngagementLevel, ...] | None = None
    words: tuple[str, ...] = ()
    by: LearnerOrderField = LearnerOrderField.NAME
    direction: OrderDirection = OrderDirection.ASC

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics it stands on, each once."""
        chosen = (self.by.value, None if self.risk is None else RISK, None if self.engagement is None else ENGAGEMENT)
        return tuple({metric.key: metric for metric in chosen if metric is not None}.values())


class Rosters:
    """One request's way to pages of people, as its viewer may see them."""

    def __init__(self, world: World, viewer: Viewer, request_id: str | None = None) -> None:
        self._world = world
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._request_id = request_id
        self._solver: Solver | None = None

    async def learners(self, of: Subject, choice: Choice, window: Window, *, counted: bool) -> Page:
        """A page of the learners of a trainer or an organization; `total` is there where it is to be counted.

        One statement, and another after a filling. Raises what `UNAVAILABLE` names when the database does
        not answer.

        Raises:
            NotAllowed: the viewer may not hear what the list is ordered or filtered by.
        """
        metrics = choice.metrics
        for metric in metrics:
            if self._viewer.role not in metric.roles:
                msg = f"Learners cannot be ordered or filtered by {metric.name}, which is not yours to hear."
                raise NotAllowed(msg)
        wanted = wanted_of(of.id if of.scope is Scope.TRAINER else None, choice)
        page = await self._read(wanted, window, counted=counted, most_missing=FILL)
        if page.missing and await self._fill(metrics, page.missing):
            page = await self._read(wanted, window, counted=counted)
        return page

    async def trainers(self, window: Window, *, counted: bool) -> Page:
        """A page of the organization's trainers, by name."""
        return await self._read(Wanted(role="trainer"), window, counted=counted)

    async def afterwards(self) -> None:
        """What need not be waited for: the facts that a filling fetched are kept."""
        if self._solver is not None:
            await self._solver.afterwards()

    async def _read(self, wanted: Wanted, window: Window, *, counted: bool, most_missing: int = 0) -> Page:
        return await pages.page(
            self._world.database,
            self._actor,
            wanted,
            window,
            since=self._world.now() - RETENTION,
            until=self._world.clock(),
            counted=counted,
            most_missing=most_missing,
        )

    async def _fill(self, metrics: Iterable[Metric], learners: Sequence[str]) -> bool:
        """Work out and keep what is missing, as far as the time goes; whether any of it could be kept."""
        here = self._viewer.organization
        time = asyncio.get_running_loop().time
        enough = time() + self._world.patience / 2
        solver = self._solver = self._solver or Solver(self._world, system(here), self._request_id)
        kept = False
        for start in range(0, len(learners), SLICE):
            if time() > enough:
                break
            subjects = [Subject(Scope.LEARNER, here, learner) for learner in learners[start : start + SLICE]]
            answers = await asyncio.gather(
                *(solver.known(metric, subject) for subject in subjects for metric in metrics)
            )
            await self._world.keep(here)
            kept = kept or any(answer.whole for answer in answers)
        return kept


def measure(metric: Metric) -> Measure:
    """What the answers of a metric are kept under when it is asked without arguments."""
    asked = question(metric, Subject(metric.scope, "", ""), {})
    return Measure(asked.metric, asked.arguments)


def wanted_of(trainer: str | None, choice: Choice) -> Wanted:
    """The learners of a trainer, or of the organization, that somebody chose."""
    return Wanted(
        trainer=trainer,
        department=choice.department,
        course=choice.course,
        words=choice.words,
        by=None if choice.by.value is None else measure(choice.by.value),
        falling=choice.direction is OrderDirection.DESC,
        risk=_among(RISK, choice.risk),
        engagement=_among(ENGAGEMENT, choice.engagement),
    )


def _among(metric: Metric, levels: Sequence[Enum] | None) -> Among | None:
    return None if levels is None else Among(measure(metric), tuple(level.name for level in levels))
