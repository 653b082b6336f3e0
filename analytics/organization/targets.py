"""Key figures of an organization: how far each is on the way from its baseline to its target."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.arithmetic import clamp, unique, weighted_mean
from datasources.declare import Id, Share, Text, Weight
from datasources.directory import Amount, Kpi


@dataclass(frozen=True, slots=True)
class KeyPerformanceIndicator:
    """One key figure, as the directory holds it, and how far it is."""

    kpi_id: Id
    """The key figure."""
    name: Text
    """Its name."""
    value: Amount | None
    """Where it stands, in its own unit; null when not known."""
    target: Amount
    """Where it should go."""
    baseline: Amount
    """Where it started."""
    unit: Text | None
    """Its unit."""
    period: Text | None
    """The period it is about."""
    weight: Weight
    """What it weighs beside the others."""
    attainment: Share | None
    """The share of the way from baseline to target, in whichever direction that is; null without a value.

    Where target and baseline are equal: 1 from the target up, else 0.
    """


def attainment_of(kpi: Kpi) -> float | None:
    """clamp((value - baseline) / (target - baseline), 0, 1); None without a value."""
    if kpi.value is None:
        return None
    if kpi.target == kpi.baseline:
        return float(kpi.value >= kpi.target)
    return clamp((kpi.value - kpi.baseline) / (kpi.target - kpi.baseline), 0, 1)


def indicators(kpis: Iterable[Kpi]) -> tuple[KeyPerformanceIndicator, ...]:
    """Every key figure once, by id."""
    return tuple(
        KeyPerformanceIndicator(
            kpi.id, kpi.name, kpi.value, kpi.target, kpi.baseline, kpi.unit, kpi.period, kpi.weight, attainment_of(kpi)
        )
        for kpi in sorted(unique(kpis, lambda kpi: kpi.id), key=lambda kpi: kpi.id)
    )


def score_of(shown: Sequence[KeyPerformanceIndicator]) -> float | None:
    """100 sum w attainment / sum w over the key figures with a value; None without any."""
    mean = weighted_mean((kpi.attainment, kpi.weight) for kpi in shown)
    return None if mean is None else 100 * mean


def weight_with_data(shown: Sequence[KeyPerformanceIndicator]) -> float | None:
    """The share of all weights that lies on key figures with a value; None without any key figure."""
    if not any(kpi.weight > 0 for kpi in shown):
        return sum(kpi.attainment is not None for kpi in shown) / len(shown) if shown else None
    total = math.fsum(kpi.weight for kpi in shown)
    return math.fsum(kpi.weight for kpi in shown if kpi.attainment is not None) / total
