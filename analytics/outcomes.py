"""What was predicted of a course's learners together, and what came of it, as formulas read it.

Predictions stand in aggregates of ten or more people, without anybody's id; who took the course then, and how it
ended for them, is counted from the roster.
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from datasources.declare import Count, Id, Instant, Unit

Probability = Annotated[float, Ge(0), Le(1), Unit("share of 1", digits=6)]


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Ten or more learners of one course on one day who were at about the same risk."""

    learners: Count
    """How many."""
    risk: Probability
    """Their mean risk of not passing by the trained model, without any recalibration."""


@dataclass(frozen=True, slots=True)
class CourseOutcome:
    """One course: the risk of its learners on the night nearest to its middle, and how it ended for who took it then.

    `model` is the version of the model. `taking` are those on the roll that day; of them `passed` and `failed`, who
    left among the failed, are known.
    """

    course: Id
    ends_at: Instant
    model: Count
    groups: tuple[RiskGroup, ...]
    taking: Count
    passed: Count
    failed: Count


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The courses of an organization with a risk that was written down, each once."""

    courses: tuple[CourseOutcome, ...]
