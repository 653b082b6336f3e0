"""From points to levels: each level takes 100 points more than the one before."""

from dataclasses import dataclass
from math import isqrt

STEP = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """The level that some points make, the share of it that is done, and the total at which the next begins."""

    level: int
    progress: float
    next_at: int


def begins_at(level: int) -> int:
    """The total at which a level (1 or more) begins: 0, 100, 300, 600, 1000, ... = 50 n (n - 1)."""
    return STEP * level * (level - 1) // 2


def standing(points: int) -> Standing:
    """The highest level n with 50 n (n - 1) <= points, in whole numbers and so exact."""
    level = (isqrt(1 + 8 * (points // STEP)) + 1) // 2
    start, end = begins_at(level), begins_at(level + 1)
    return Standing(level, (points - start) / (end - start), end)
