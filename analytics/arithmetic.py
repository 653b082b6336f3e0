"""The mathematics that the formulas share: pure, total on their stated domains, and free of order.

Sums are taken with `math.fsum`, which is exact before its one rounding, so that the order of the
records cannot reach a number.
"""

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from analytics.declare import DataQuality, DataQualityLevel

R = TypeVar("R")

LONGEST = 100_000
"""The most days a number of days says: the bound of `Days`."""


class TrendDirection(StrEnum):
    """Which way a number goes, said only when the change is more than rhythm and chance."""

    UP = "up"
    """Rising."""
    DOWN = "down"
    """Falling."""
    STABLE = "stable"
    """No change that stands out."""
    INSUFFICIENT_DATA = "insufficient-data"
    """Too little to tell."""


def clamp(value: float, low: float, high: float) -> float:
    """The value, moved to the nearer end when it is outside of `low` to `high`."""
    return max(low, min(high, value))


def weighted_mean(pairs: Iterable[tuple[float | None, float]]) -> float | None:
    """The mean of (value, weight >= 0) pairs, between the smallest and the largest value.

    Unknown values are left out; weights that are all 0 count as equal; over nothing it is None.
    """
    known = [(value, weight) for value, weight in pairs if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - one value is its own mean, and most learners take one course
        return known[0][0] if known else None
    total = math.fsum(weight for _, weight in known)
    if total > 0:
        mean = math.fsum(value * weight for value, weight in known) / total
    else:
        mean = math.fsum(value for value, _ in known) / len(known)
    values = [value for value, _ in known]
    return clamp(mean, min(values), max(values))


def mean(values: Iterable[float]) -> float | None:
    """The plain mean; over nothing it is None."""
    known = list(values)
    return clamp(math.fsum(known) / len(known), min(known), max(known)) if known else None


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of the values themselves (divided by n); over nothing it is None."""
    centre = mean(values)
    if centre is None:
        return None
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / len(values))


def shrunk(observed: float, prior: float, n: float, k: float) -> float:
    """The observed value drawn to the prior as if `k > 0` observations of the prior stood beside the `n`."""
    return prior + (observed - prior) * (n / (n + k))


def half_life(age: float, half: float) -> float:
    """The weight of something `age` old when every `half` halves it."""
    return float(2.0 ** (-age / half))


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` (0 to 1) of the values lie, by linear interpolation; over nothing None."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    between = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    return clamp(between, ordered[below], ordered[above])


def percentile_rank(own: float, others: Sequence[float]) -> float | None:
    """The percent of the others that are below one's own value, equal ones counted half; among nobody None."""
    if not others:
        return None
    below = sum(other < own for other in others)
    equal = sum(other == own for other in others)
    return 100 * (below + 0.5 * equal) / len(others)


def theil_sen(series: Sequence[float]) -> float | None:
    """The median slope over all pairs of an evenly spaced series, per step; None under two values."""
    pairs = itertools.combinations(enumerate(series), 2)
    return quantile([(later - earlier) / (j - i) for (i, earlier), (j, later) in pairs], 0.5)


def kendall_tau(series: Sequence[float]) -> float:
    """How steadily a series rises (1) or falls (-1): Kendall's tau-b with its positions; 0 when all are equal."""
    signs = [(later > earlier) - (later < earlier) for earlier, later in itertools.combinations(series, 2)]
    untied = sum(sign != 0 for sign in signs)
    return sum(signs) / math.sqrt(len(signs) * untied) if untied else 0.0


def log_share(count: float, most: float) -> float:
    """A count on a logarithmic scale from 0 (none) to 1 (`most` or more); 0 when `most` is 0."""
    return min(1.0, math.log1p(count) / math.log1p(most)) if most > 0 else 0.0


def percent_change(now: float, before: float) -> float | None:
    """By how many percent something changed, -100 to a million; None when there was nothing before."""
    return clamp(100 * (now - before) / before, -100, 1e6) if before > 0 else None


def day_of(instant: datetime) -> date:
    """The UTC day of an instant."""
    return instant.astimezone(UTC).date()


def days_from(earlier: date, later: date) -> int:
    """Whole days from one day to a later one, 0 when it is not later."""
    return max(0, min((later - earlier).days, LONGEST))


def known(instant: datetime | None, at: datetime) -> datetime | None:
    """The instant as somebody at `at` knows it: None when it has not come yet."""
    return instant if instant is not None and instant <= at else None


def unique(records: Iterable[R], key: Callable[[R], Hashable]) -> list[R]:
    """The records with each key once.

    Of records that share a key and still differ one stays, the same one in whatever order they came.
    """
    kept: dict[Hashable, R] = {}
    for record in records:
        name = key(record)
        kept[name] = min(kept[name], record, key=_in_any_order) if name in kept else record
    return list(kept.values())


def _in_any_order(record: Any) -> str:
    """A text that is the same for records that differ only in the order of what they hold."""
    if is_dataclass(record):
        return repr([_in_any_order(getattr(record, part.name)) for part in fields(record)])
    if isinstance(record, tuple):
        return repr(sorted(_in_any_order(part) for part in record))
    return repr(record)


def quality(days: Sequence[date | None], *, enough: int, span: int) -> DataQuality:
    """What a value stands on: its records, by their days; one without a day counts and spans nothing.

    The level is NONE without a record, OK with `enough` records over `span` days or more (first and
    last day included), else LOW.
    """
    dated = [day for day in days if day is not None]
    covered = min(LONGEST, days_from(min(dated), max(dated)) + 1) if dated else 0
    level = DataQualityLevel.OK if len(days) >= enough and covered >= span else DataQualityLevel.LOW
    return DataQuality(len(days), covered, level if days else DataQualityLevel.NONE)
