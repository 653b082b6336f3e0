"""The leaderboard: the one place where a learner hears names and points of others, and only of who may be shown.

Everybody's points are read as the gateway itself, and leave this module as places with a name: for people
of the same organization only, never with an id, without those who do not want to be seen, and not at all
where fewer than ten others could be seen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from analytics import cohorts, privacy
from analytics.catalog import PRODUCERS
from analytics.declare import Role, Scope, Withheld, WithheldReason
from analytics.gamification.ranking import LeaderboardWindow, PointsTable, percentile, rank_among, ranked
from analytics.gamification.values import Gamification
from analytics.inputs import DEGRADED_FOR
from analytics.policy import Subject, Viewer
from datasources.postgres import choices
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from analytics.record import Answer
    from analytics.solve import Solver
    from analytics.trail import Trail
    from analytics.world import World

COLUMN = {
    LeaderboardWindow.WEEK: "week",
    LeaderboardWindow.MONTH: "month",
    LeaderboardWindow.ALL_TIME: "allTime",
}
NOT_NOW = Withheld(
    WithheldReason.SOURCE_DOWN, "Who wants to be seen cannot be looked up just now.", retry_after=DEGRADED_FOR
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One place that is shown."""

    rank: int
    display_name: str
    points: int
    is_you: bool


@dataclass(frozen=True, slots=True)
class You:
    """The viewer's own place; `visible` is whether others see it, None where that is not known now."""

    rank: int | None
    points: int | None
    percentile: float | None
    visible: bool | None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Places, or why none are shown; `you` is None for who does not ask as a learner."""

    window: LeaderboardWindow
    entries: tuple[Entry, ...]
    total: int | None
    you: You | None
    withheld: Withheld | None
    as_of: datetime | None


class Leaderboards:
    """One request's way to the leaderboard of its viewer's organization."""

    def __init__(self, world: World, viewer: Viewer, solver: Solver, trail: Trail) -> None:
        self._world = world
        self._viewer = viewer
        self._solver = solver
        self._trail = trail

    async def of(self, window: LeaderboardWindow, first: int) -> Leaderboard:
        """The first places by the points of a window. It never raises for want of data, a service or the database."""
        here = self._viewer.organization
        await self._world.roster.ready(here)
        table, own = await asyncio.gather(
            self._solver.known(PRODUCERS[PointsTable], Subject(Scope.ORGANIZATION, here, here)), self._own(window)
        )
        try:
            async with asyncio.timeout(self._world.patience / 4):
                hidden = await choices.hidden(self._world.database, here)
                present = {one.id for one in await self._world.roster.places.learners(here, None)}
        except UNAVAILABLE as error:
            log.warning("leaderboard.not_read", error=type(error).__name__)
            return self._none(window, NOT_NOW, own, visible=None)
        visible = self._viewer.user not in hidden
        if table.withheld is not None:
            return self._none(window, table.withheld, own, visible=visible)
        others = _others(table, window, present - hidden - {self._viewer.user})
        if len(others) < privacy.K:
            return self._none(window, cohorts.too_few(privacy.K), own, visible=visible)
        shown = others if own is None else {**others, self._viewer.user: own}
        try:
            entries = await self._entries(shown, first)
        except UNAVAILABLE as error:
            log.warning("leaderboard.not_read", error=type(error).__name__)
            return self._none(window, NOT_NOW, own, visible=visible)
        seen = len(others) + (own is not None and visible)
        place = (None, None) if own is None else (rank_among(own, others), percentile(own, others))
        return Leaderboard(
            window=window,
            entries=entries,
            total=privacy.head_count(seen),
            you=self._you(place[0], own, place[1], visible=visible),
            withheld=None,
            as_of=table.as_of,
        )

    async def _own(self, window: LeaderboardWindow) -> int | None:
        """The viewer's own points, as their own card says them; None where they are no learner or not known."""
        if self._viewer.role is not Role.LEARNER:
            return None
        subject = Subject(Scope.LEARNER, self._viewer.organization, self._viewer.user)
        answer = await self._solver.own(PRODUCERS[Gamification], subject, mocks=False)
        said = answer.said
        return None if said is None else int(said["points"][COLUMN[window]])

    async def _entries(self, points: Mapping[str, int], first: int) -> tuple[Entry, ...]:
        """The first places of who has points at all, by place and name."""
        places = [one for one in ranked(points, first) if one.points > 0]
        async with asyncio.timeout(self._world.patience / 4):
            names = await choices.names(
                self._world.database, self._viewer.organization, [one.learner for one in places]
            )
        for learner in names:
            self._trail.seen(learner)
        shown = [
            Entry(one.rank, names[one.learner], one.points, one.learner == self._viewer.user)
            for one in places
            if one.learner in names
        ]
        return tuple(sorted(shown, key=lambda one: (one.rank, one.display_name)))

    def _you(self, rank: int | None, points: int | None, share: float | None, *, visible: bool | None) -> You | None:
        return You(rank, points, share, visible) if self._viewer.role is Role.LEARNER else None

    def _none(
        self, window: LeaderboardWindow, withheld: Withheld, own: int | None, *, visible: bool | None
    ) -> Leaderboard:
        return Leaderboard(window, (), None, self._you(None, own, None, visible=visible), withheld, None)


def _others(table: Answer, window: LeaderboardWindow, shown: set[str]) -> dict[str, int]:
    """The points of those who may be shown, in tens; from the wire shape, as there may be ten thousand learners."""
    said = table.said
    if said is None:
        return {}
    rows = zip(said["learners"], said[COLUMN[window]], strict=True)
    return {learner: in_tens(points) for learner, points in rows if learner in shown}


def in_tens(points: int) -> int:
    """Points as others hear them: rounded to 10, and 10 at least where there are any.

    A score is worth as many points as it is high, everything else a multiple of 10: the last digit would be a
    digit of somebody's score.
    """
    return max(10, (points + 5) // 10 * 10) if points > 0 else 0
