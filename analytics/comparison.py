"""How a learner's numbers compare with those of peers; never with one of them, and never with few."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from annotated_types import Ge, Le

from analytics.arithmetic import mean, percentile_rank, quantile
from analytics.declare import (
    Cohort,
    DataQuality,
    DataQualityLevel,
    Family,
    Metric,
    Role,
    Rung,
    Scope,
    Withheld,
    WithheldReason,
    metric,
)
from analytics.learner import (
    Engagement,
    LearningVelocity,
    Mastery,
    Performance,
    engagement,
    mastery,
    performance,
    velocity,
)
from analytics.privacy import FEW, K, blurred, head_count, said
from datasources.declare import Count, Score, Unit

BELOW, ABOVE = 25.0, 75.0
DIGITS = 1

Headline = Annotated[float, Ge(0), Le(200), Unit("points of 100; velocity reaches 200", digits=1)]


class ComparedMetric(StrEnum):
    """What is compared."""

    VELOCITY = "velocity"
    """100 x work done over work due."""
    ENGAGEMENT = "engagement"
    """The engagement score."""
    MASTERY = "mastery"
    """Progress in the required skills."""
    ATTAINMENT = "attainment"
    """The score over all work that was due."""


class Standing(StrEnum):
    """Where somebody stands among peers."""

    BELOW = "below"
    """Below the 25th percentile."""
    AMONG = "among"
    """Among the middle half."""
    ABOVE = "above"
    """Above the 75th percentile."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One number beside those of the peers; all but one's own is rounded to 5 while they are fewer than 50.

    From 50 on mean and median are rounded to 1.
    """

    metric: ComparedMetric
    """What is compared."""
    own: Headline
    """The learner's own number."""
    mean: Headline
    """The mean of the peers."""
    median: Headline
    """The median of the peers."""
    percentile: Score
    """The percent of the peers below the learner, equal ones counted half."""
    standing: Standing
    """The same in a word."""
    peers: Count
    """How many others are compared, the learner left out; 10 or more."""
    rung: Rung
    """Who the peers are: the closest group that has enough of them."""
    taken_on: date
    """The day of the snapshot; everyone who asks on that day sees the same one."""


@dataclass(frozen=True, slots=True)
class NotCompared:
    """One number that is not compared, and why."""

    metric: ComparedMetric
    """Which."""
    reason: WithheldReason
    """Why."""
    needed: Count | None
    """How many peers would do, where it is for want of them."""


@dataclass(frozen=True, slots=True)
class PeerComparison:
    """Where a learner stands among peers of the same organization."""

    percentile: Score
    """The mean of the percentiles below."""
    comparisons: tuple[MetricComparison, ...]
    """One for each number that can be compared."""
    not_compared: tuple[NotCompared, ...]
    """The others, and why."""
    quality: DataQuality
    """The smallest group of peers compared with, rounded likewise; one day."""


@metric(
    Scope.LEARNER,
    key="comparison-peer",
    version=2,
    family=Family.COMPARISON,
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    k=K,
    formula="100 (below + 0.5 equal) / n over the others; the closest of course and region and age band, course and "
    "region, course, organization that has 10 others",
    evidence="In the OULAD sample 19 of 89 groups of course, region and age have fewer than 10 (2.2 % of learners).",
    score=lambda value: value.percentile,
)
def peers(  # noqa: PLR0913, PLR0917 - one pair for each number compared
    own_velocity: LearningVelocity | Withheld,
    own_engagement: Engagement | Withheld,
    own_mastery: Mastery | Withheld,
    own_performance: Performance | Withheld,
    velocities: Cohort[LearningVelocity] | Withheld,
    engagements: Cohort[Engagement] | Withheld,
    masteries: Cohort[Mastery] | Withheld,
    performances: Cohort[Performance] | Withheld,
) -> PeerComparison | Withheld:
    """Where a learner's velocity, engagement, mastery and attainment stand among the closest peers.

    Peers are others of the same organization: of the same course, region and age band, where there are at
    least 10 of them, else of a wider group. A place among peers is a description, not a goal.
    """
    asked: list[tuple[ComparedMetric, float | Withheld | None, Cohort[Any] | Withheld]] = [
        (ComparedMetric.VELOCITY, _headline(velocity, own_velocity), velocities),
        (ComparedMetric.ENGAGEMENT, _headline(engagement, own_engagement), engagements),
        (ComparedMetric.MASTERY, _headline(mastery, own_mastery), masteries),
        (ComparedMetric.ATTAINMENT, _headline(performance, own_performance), performances),
    ]
    found = [_compare(what, own, cohort) for what, own, cohort in asked]
    compared = tuple(one for one in found if isinstance(one, MetricComparison))
    left_out = tuple(one for one in found if isinstance(one, NotCompared))
    if not compared:
        return _withheld(left_out)
    fewest = min(one.peers for one in compared)
    level = DataQualityLevel.OK if fewest >= FEW else DataQualityLevel.LOW
    return PeerComparison(
        percentile=mean(one.percentile for one in compared) or 0.0,
        comparisons=compared,
        not_compared=left_out,
        quality=DataQuality(fewest, 1, level),
    )


def _headline(formula: Any, value: Any) -> float | Withheld | None:
    """The number a metric is compared by, which is the one its cohort holds; or why there is no value."""
    declared: Metric = formula.__metric__
    return value if isinstance(value, Withheld) else declared.score(value)


def _compare(
    what: ComparedMetric, own: float | Withheld | None, cohort: Cohort[Any] | Withheld
) -> MetricComparison | NotCompared:
    if isinstance(own, Withheld):
        return NotCompared(what, own.reason, own.needed)
    if own is None:
        return NotCompared(what, WithheldReason.NOT_ENOUGH_DATA, None)
    if isinstance(cohort, Withheld):
        return NotCompared(what, cohort.reason, cohort.needed)
    # Kept numbers are rounded and fresh ones are not: at one precision, equal stays equal.
    own, values = round(own, DIGITS), [round(value, DIGITS) for value in cohort.values]
    rank, average, median = percentile_rank(own, values), mean(values), quantile(values, 0.5)
    if len(values) < K or rank is None or average is None or median is None:
        return NotCompared(what, WithheldReason.TOO_FEW_PEERS, K)
    n = len(values)
    percentile = blurred(rank, n)
    return MetricComparison(
        metric=what,
        own=own,
        mean=said(average, n),
        median=said(median, n),
        percentile=percentile,
        standing=Standing.BELOW if percentile < BELOW else Standing.ABOVE if percentile > ABOVE else Standing.AMONG,
        peers=head_count(n),
        rung=cohort.rung,
        taken_on=cohort.taken_on,
    )


def _withheld(left_out: tuple[NotCompared, ...]) -> Withheld:
    reasons = {one.reason for one in left_out}
    if WithheldReason.SOURCE_DOWN in reasons:
        message = "The services that these numbers or the peers' stand on did not answer."
        return Withheld(WithheldReason.SOURCE_DOWN, message)
    if reasons == {WithheldReason.NOT_ENOUGH_DATA}:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "There is no number of this learner to compare yet.")
    return Withheld(
        WithheldReason.TOO_FEW_PEERS, f"No group of {K} or more peers has these numbers, so none is compared.", needed=K
    )
