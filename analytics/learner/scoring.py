"""What a learner's counted work in one course comes to: averages, evenness, and which way the scores go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.arithmetic import TrendDirection, clamp, deviation, kendall_tau, mean, theil_sen, weighted_mean
from analytics.coursework import Work
from analytics.declare import Points

WORST_DEVIATION = 50
STEADY = 0.5
"""Kendall's tau from which a trend has a direction."""
ENOUGH = 4
"""Marked assessments from which a trend has a direction."""


@dataclass(frozen=True, slots=True)
class ScoreTrend:
    """Which way the scores go; a description, never extrapolated."""

    direction: TrendDirection
    """Up or down when they move steadily (Kendall's tau from 0.5), else stable; insufficient data under four."""
    slope: Points | None
    """The median change in points from one assessment to the next; null under two."""


def average(work: Iterable[Work]) -> float | None:
    """The average score, sum w s / sum w over the marked work; None over none."""
    return weighted_mean((each.score, each.weight) for each in work)


def attainment(work: Iterable[Work]) -> float | None:
    """The same over the whole set, missing work as 0; work that waits for its mark is left out."""
    return weighted_mean((0.0 if each.handed_in is None else each.score, each.weight) for each in work)


def share(of: Iterable[bool]) -> float | None:
    """The share of those that are true; None of none."""
    return mean(map(float, of))


def consistency(scores: Sequence[float]) -> float | None:
    """100 max(0, 1 - sd/50); None under two scores."""
    spread = deviation(scores)
    return None if spread is None or len(scores) == 1 else 100 * max(0.0, 1 - spread / WORST_DEVIATION)


def trend_of(scores: Sequence[float]) -> ScoreTrend:
    """The Theil-Sen slope of scores in time order; a direction from four scores and |tau| >= 0.5."""
    steepness = theil_sen(scores)
    slope = None if steepness is None else clamp(steepness, -100, 100)
    if len(scores) < ENOUGH:
        return ScoreTrend(TrendDirection.INSUFFICIENT_DATA, slope)
    tau = kendall_tau(scores)
    if abs(tau) < STEADY:
        return ScoreTrend(TrendDirection.STABLE, slope)
    return ScoreTrend(TrendDirection.UP if tau > 0 else TrendDirection.DOWN, slope)
