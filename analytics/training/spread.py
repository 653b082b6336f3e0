"""How far off the risk is in presentations it was not fitted to: the interval it is served with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.models.risk import RISK_LEVELS
from analytics.training.fit import Vector
from analytics.training.measures import weighted_quantile
from analytics.training.rows import RiskRow

FEWEST = 30
"""The fewest learners a group is judged by."""
TAIL = 0.1
"""The share left out at either end of an 80 % interval."""


@dataclass(frozen=True, slots=True)
class _Group:
    """The learners of one presentation on one day at one level of risk."""

    course: str
    learners: int
    offset: float
    observed: float
    logits: Vector


def spread_of(
    rows: Sequence[RiskRow], probabilities: Vector, labels: Vector
) -> tuple[dict[str, float], dict[str, Any]]:
    """The interval on the scale of log-odds, and how often one made from the other presentations covered a group."""
    groups = _groups(rows, probabilities, labels)
    low, high = _quantiles(groups)
    inside, widths, learners = [], [], [group.learners for group in groups]
    for group in groups:
        down, up = _quantiles([other for other in groups if other.course != group.course])
        least, most = (float(np.mean(_probability(group.logits + offset))) for offset in (down, up))
        inside.append(least <= group.observed <= most)
        widths.append(most - least)
    covered = {
        "80 %": {
            "groups": len(groups),
            "coverage of learners": round(float(np.average(inside, weights=learners)), 3),
            "coverage of groups": round(float(np.mean(inside)), 3),
            "mean width": round(float(np.average(widths, weights=learners)), 3),
        }
    }
    return {"low": round(min(low, 0.0), 4), "high": round(max(high, 0.0), 4)}, covered


def _groups(rows: Sequence[RiskRow], probabilities: Vector, labels: Vector) -> list[_Group]:
    courses, days = np.array([row.course for row in rows]), np.array([row.day for row in rows])
    found = []
    for course in sorted(set(courses)):
        for day in sorted(set(days)):
            for _, low, high in RISK_LEVELS:
                score = probabilities * 100
                inside = (courses == course) & (days == day) & (score >= low) & (score < high)
                if inside.sum() >= FEWEST:
                    found.append(_group(str(course), probabilities[inside], labels[inside]))
    return found


def _group(course: str, probabilities: Vector, labels: Vector) -> _Group:
    """Half a case is added to either outcome, so that a group in which all fared alike has log-odds too."""
    n, failed, told = len(labels), float(labels.sum()), float(probabilities.mean())
    offset = float(np.log((failed + 0.5) / (n - failed + 0.5)) - np.log(told / (1 - told)))
    return _Group(course, n, offset, failed / n, np.log(probabilities / (1 - probabilities)))


def _quantiles(groups: Sequence[_Group]) -> tuple[float, float]:
    offsets = np.array([group.offset for group in groups])
    weights = np.array([group.learners for group in groups], dtype=np.float64)
    return weighted_quantile(offsets, weights, TAIL), weighted_quantile(offsets, weights, 1 - TAIL)


def _probability(logits: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-logits)))
