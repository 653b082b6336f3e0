"""What predictions are judged by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analytics.models.risk import RISK_LEVELS
from analytics.training.fit import Vector


def auc(probabilities: Vector, labels: Vector) -> float:
    """The chance that somebody it happened to was given the higher probability, ties counted half."""
    negative = np.sort(probabilities[labels == 0])
    positive = probabilities[labels == 1]
    below = np.searchsorted(negative, positive, "left")
    not_above = np.searchsorted(negative, positive, "right")
    return float(np.mean(below + not_above) / 2 / len(negative))


def brier(probabilities: Vector, labels: Vector) -> float:
    """The mean squared distance between what was said and what came."""
    return float(np.mean((probabilities - labels) ** 2))


def precision_at(probabilities: Vector, labels: Vector, share: float) -> float:
    """The share it really happened to among the `share` of people with the highest probabilities."""
    top = np.argsort(-probabilities, kind="stable")[: max(1, int(len(labels) * share))]
    return float(np.mean(labels[top]))


def judged(probabilities: Vector, labels: Vector) -> dict[str, float]:
    """What a set of probabilities is worth."""
    return {
        "n": len(labels),
        "observed": round(float(np.mean(labels)), 3),
        "predicted": round(float(np.mean(probabilities)), 3),
        "auc": round(auc(probabilities, labels), 3),
        "brier": round(brier(probabilities, labels), 3),
        "precisionTop10Percent": round(precision_at(probabilities, labels, 0.1), 3),
    }


def judged_by(names: Sequence[Any], probabilities: Vector, labels: Vector) -> dict[str, dict[str, float]]:
    """The same for each name that rows have, in the order of the names."""
    of = np.array(names)
    return {
        str(name): judged(probabilities[of == name], labels[of == name])
        for name in sorted(set(names))
        if 0 < labels[of == name].sum() < (of == name).sum()
    }


def by_level(probabilities: Vector, labels: Vector) -> list[dict[str, Any]]:
    """For each level of risk the cases, the probability told on average, and the share it happened to."""
    told = []
    for level, low, high in RISK_LEVELS:
        inside = (probabilities * 100 >= low) & (probabilities * 100 < high)
        told.append(
            {
                "level": level,
                "cases": int(inside.sum()),
                "predicted": round(float(probabilities[inside].mean()), 3),
                "observed": round(float(labels[inside].mean()), 3),
            }
        )
    return told


def weighted_quantile(values: Vector, weights: Vector, share: float) -> float:
    """The value below which `share` of the weight lies, half of each value's own weight counted to either side."""
    order = np.argsort(values, kind="stable")
    reached = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return float(np.interp(share, reached, values[order]))


def off_by(predicted: Mapping[str, Vector], actual: Vector) -> dict[str, float]:
    """The mean absolute error of each way to predict, in the unit of the target."""
    return {way: round(float(np.mean(np.abs(values - actual))), 2) for way, values in predicted.items()}
