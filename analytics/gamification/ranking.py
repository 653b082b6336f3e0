"""Places on a leaderboard: everybody's points side by side, and who is where among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import nsmallest

from analytics import privacy
from analytics.arithmetic import day_of, percentile_rank, quality
from analytics.declare import DataQuality, Everyone, Family, Scope, metric
from analytics.gamification.values import Earned, Gamification
from datasources.declare import Id


class LeaderboardWindow(StrEnum):
    """Which points a leaderboard compares."""

    WEEK = "week"
    """Those of the last 7 days."""
    MONTH = "month"
    """Those of the last 30 days."""
    ALL_TIME = "all-time"
    """All points ever."""


@dataclass(frozen=True, slots=True)
class PointsTable:
    """The points of each learner of an organization, in columns: what is first in one is first in all."""

    learners: tuple[Id, ...]
    """The learners, by id."""
    week: tuple[Earned, ...]
    """Their points of the last 7 days."""
    month: tuple[Earned, ...]
    """Their points of the last 30 days."""
    all_time: tuple[Earned, ...]
    """All their points."""
    quality: DataQuality
    """The learners in the table."""


@metric(
    Scope.ORGANIZATION,
    key="organization-points",
    family=Family.INTERNAL,
    roles=set(),
    k=privacy.K,
    formula="the points of each learner, by window",
)
def points_table(everyone: Everyone[Gamification], *, at: datetime) -> PointsTable:
    """The points of everybody in an organization, for the leaderboard alone."""
    rows = [(learner, everyone.by_learner[learner].points) for learner in sorted(everyone.by_learner)]
    return PointsTable(
        learners=tuple(learner for learner, _ in rows),
        week=tuple(points.week for _, points in rows),
        month=tuple(points.month for _, points in rows),
        all_time=tuple(points.all_time for _, points in rows),
        quality=quality([day_of(at)] * len(rows), enough=privacy.K, span=1),
    )


@dataclass(frozen=True, slots=True)
class Ranked:
    """One learner's place: 1 is the first, and who has as many points shares it."""

    rank: int
    learner: str
    points: int


def ranked(points: Mapping[str, int], first: int) -> list[Ranked]:
    """The first so many places, the first first; after two who share a place the next one is left out."""
    found: list[Ranked] = []
    for place, (learner, earned) in enumerate(nsmallest(first, points.items(), key=lambda one: (-one[1], one[0])), 1):
        shared = found[-1].rank if found and found[-1].points == earned else place
        found.append(Ranked(shared, learner, earned))
    return found


def rank_among(own: int, others: Mapping[str, int]) -> int:
    """The place of some points among those of others."""
    return 1 + sum(points > own for points in others.values())


def percentile(own: int, others: Mapping[str, int]) -> float | None:
    """The percent of the others with fewer points, equal ones counted half, rounded where the others are few."""
    found = percentile_rank(float(own), [float(points) for points in others.values()])
    return None if found is None else privacy.blurred(found, len(others))
