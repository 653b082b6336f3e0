"""What to do about a risk: one rule for each factor that somebody can do something about."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from analytics.models.features import Factor
from datasources.declare import Count, Text


class RiskLevel(StrEnum):
    """The band of a risk score."""

    LOW = "low"
    """Below 25."""
    MODERATE = "moderate"
    """From 25."""
    HIGH = "high"
    """From 50."""
    CRITICAL = "critical"
    """From 75."""


AT_RISK = frozenset({RiskLevel.HIGH, RiskLevel.CRITICAL})
"""The levels at which somebody is called at risk."""


class InterventionType(StrEnum):
    """What kind of help is meant."""

    CONTACT = "contact"
    """Somebody asks how it goes."""
    CATCH_UP = "catch-up"
    """A plan for the work that is missing."""
    TUTORING = "tutoring"
    """Help with the matter itself."""
    PLANNING = "planning"
    """Help with time and deadlines."""


class InterventionPriority(StrEnum):
    """How soon."""

    URGENT = "urgent"
    """At once."""
    HIGH = "high"
    """This week."""
    MEDIUM = "medium"
    """In the next two weeks."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """One thing that can be done; a rule of thumb, not a tested treatment."""

    type: InterventionType
    """What kind of help."""
    priority: InterventionPriority
    """How soon."""
    action: Text
    """What to do."""
    reason: Text
    """The factor that asks for it."""
    timeframe_days: Count
    """Within how many days."""


RULES: dict[Factor, tuple[InterventionType, str, str]] = {
    Factor.ACTIVITY: (
        InterventionType.CONTACT,
        "Get in touch and ask what is in the way of opening the course.",
        "Less active in the last 30 days than is usual in the course.",
    ),
    Factor.MISSED: (
        InterventionType.CATCH_UP,
        "Agree which of the missing work can still be handed in, and by when.",
        "Due work was not handed in.",
    ),
    Factor.LAST_MISSED: (
        InterventionType.CATCH_UP,
        "Ask about the work that was due last, and offer an extension where the rules allow one.",
        "Nothing was handed in of what was due last.",
    ),
    Factor.SCORE: (
        InterventionType.TUTORING,
        "Go through the feedback of the weakest work together.",
        "Scores are below the mean of the learners the model was trained on.",
    ),
    Factor.LATE: (
        InterventionType.PLANNING,
        "Plan the next deadline together, with a date for a first draft.",
        "Much of the work came late.",
    ),
    Factor.CREDITS: (
        InterventionType.PLANNING,
        "Look at the whole study load, and at what could be moved.",
        "More studied at the same time than most do.",
    ),
    Factor.REPEAT: (
        InterventionType.CONTACT,
        "Ask what was in the way the last time, and what is different now.",
        "The course is being repeated.",
    ),
}

URGENCY: dict[RiskLevel, tuple[InterventionPriority, int]] = {
    RiskLevel.MODERATE: (InterventionPriority.MEDIUM, 14),
    RiskLevel.HIGH: (InterventionPriority.HIGH, 7),
    RiskLevel.CRITICAL: (InterventionPriority.URGENT, 2),
}


def interventions(level: RiskLevel, raising: Iterable[Factor]) -> tuple[Intervention, ...]:
    """What the rules say to these factors, in their order, three at most; nothing at a low risk."""
    if level is RiskLevel.LOW:
        return ()
    priority, days = URGENCY[level]
    ruled = [RULES[factor] for factor in raising if factor in RULES]
    return tuple(Intervention(kind, priority, action, reason, days) for kind, action, reason in ruled)[:3]
