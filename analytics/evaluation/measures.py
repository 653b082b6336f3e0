"""How well one number orders, or hits, another: areas under the curve with intervals, rank correlation, errors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata  # type: ignore[import-untyped]  # scipy ships no types

from analytics.training.fit import Vector

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Area:
    """An area under the ROC curve with its 95 % interval, and how many persons it stands on."""

    value: float
    low: float
    high: float
    n: int


def area(scores: ArrayLike, happened: ArrayLike) -> Area | None:
    """The chance that somebody it happened to has the higher score, ties counted half; None if all are alike.

    The interval is DeLong's (1988), worked out from ranks as by Sun and Xu (2014), doi:10.1109/LSP.2014.2337313.
    """
    score, label = np.asarray(scores, dtype=np.float64), np.asarray(happened, dtype=bool)
    positive, negative = score[label], score[~label]
    if not len(positive) or not len(negative):
        return None
    together = rankdata(np.concatenate([positive, negative]))
    above = (together[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (together[len(positive) :] - rankdata(negative)) / len(positive)
    value = float(np.mean(above))
    error = Z95 * math.sqrt(_variance(above) / len(positive) + _variance(below) / len(negative))
    return Area(value, max(0.0, value - error), min(1.0, value + error), len(score))


def _variance(values: Vector) -> float:
    """The variance with n - 1 below; of one value there is none to see."""
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0


def spearman(left: Sequence[float], right: Sequence[float]) -> float | None:
    """The correlation of ranks, equal values sharing their mean rank; None where one side does not vary."""
    a, b = rankdata(left), rankdata(right)
    if len(a) < 2 or not np.ptp(a) or not np.ptp(b):  # noqa: PLR2004 - two points make an order
        return None
    return float(np.corrcoef(a, b)[0, 1])


def pearson(left: Sequence[float], right: Sequence[float]) -> float | None:
    """The correlation; None where one side does not vary."""
    if len(left) < 2 or not np.ptp(left) or not np.ptp(right):  # noqa: PLR2004 - likewise
        return None
    return float(np.corrcoef(left, right)[0, 1])


def spearman_brown(half: float) -> float:
    """The reliability of the whole, from the correlation of its two halves."""
    return 2 * half / (1 + half) if half > -1 else -1.0


def mean_error(said: ArrayLike, came: ArrayLike) -> float:
    """The mean absolute distance between what was said and what came; over nothing it is not a number."""
    return float(np.mean(np.abs(np.asarray(said, dtype=np.float64) - np.asarray(came, dtype=np.float64))))


def calibration_error(probabilities: ArrayLike, happened: ArrayLike, bins: int = 10) -> float:
    """The mean distance of predicted and observed share over equal bins of probability, weighed by their size."""
    probability, label = np.asarray(probabilities, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(float(np.sum(probability[place == one] - label[place == one]))) for one in range(bins)]
    return math.fsum(gaps) / len(label)
