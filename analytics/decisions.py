"""What a learner decided about their own recommendations, as formulas read it."""

from dataclasses import dataclass
from enum import StrEnum

from datasources.declare import Id, Instant


class DecisionKind(StrEnum):
    """What a learner said of a recommendation."""

    SAVED = "saved"
    """Keep it for later."""
    DISMISSED = "dismissed"
    """Never show it again."""
    DONE = "done"
    """It is done."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one recommendation, by the recommendation's id."""

    recommendation: Id
    kind: DecisionKind
    decided_at: Instant


@dataclass(frozen=True, slots=True)
class Decisions:
    """Everything one learner decided; of several about one recommendation the latest stands."""

    decisions: tuple[Decision, ...]
