"""What an answer looks like in GraphQL: the value, how old it is, what it stands on, or why there is none.

The classes here are shapes only: an answer comes as a dict in this shape from `analytics.answer`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Optional

import strawberry

from analytics.declare import DataQuality, Family, Metric, Role, Scope, WithheldReason
from datasources.declare import Count, Origin
from resolvers.jobs import Job
from resolvers.scalars import Duration
from resolvers.types import adopt, plain


class FreshnessState(Enum):
    """How old an answer is, against what its metric promises."""

    FRESH = auto()
    """Younger than its metric promises."""
    STALE = auto()
    """Older than its metric promises."""
    REFRESHING = auto()
    """Older than its metric promises, and a newer one is on its way."""


class Tier(Enum):
    """Where an answer was found."""

    SOURCE = auto()
    """Worked out now, from what the services say."""
    MEMORY = auto()
    """Kept by this process."""
    DATABASE = auto()
    """Kept in the database."""
    AGGREGATE = auto()
    """Kept as an aggregate of many persons."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One service an answer stands on, and what it gave."""

    service: str
    """The service's name."""
    origin: Origin | None
    """What the service's facts are; null when it gave none."""
    seen_at: datetime | None
    """When the service said so."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an answer is and where it came from."""

    state: FreshnessState
    """How old the answer is, against what its metric promises."""
    origin: Origin
    """What the facts behind the answer are: the worst of its sources."""
    tier: Tier
    """Where the answer was found."""
    as_of: datetime
    """The moment the answer speaks about, on the platform's clock; nothing recorded later is in it."""
    calculated_at: datetime | None
    """When the answer was worked out."""
    expires_at: datetime | None
    """When the answer stops being fresh."""
    sources: tuple[SourceStatus, ...]
    """The services the answer stands on; one whose origin is not LIVE is a missing or older input."""
    refresh_job: Job | None
    """What works a newer answer out; null where nothing does, or it is not yours to know of."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why there is no value."""

    reason: WithheldReason
    """The kind of reason, for a program."""
    message: str
    """The reason in a sentence, for a person."""
    retry_after: Duration | None
    """When to ask again, where that would help."""
    needed: Count | None
    """How many of the missing thing would do."""


@dataclass(frozen=True, slots=True)
class MetricField:
    """What one field of a metric's value means."""

    name: str
    """The field's name; with the names it is inside of, where it is inside (`byCourse.paceRatio`)."""
    description: str
    """What it says."""
    unit: str | None
    """What it counts; null where it is no number."""
    range: str | None
    """From where to where it goes; null where it has no bounds."""


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """What a metric means, to be shown beside its number."""

    key: str
    """The stable key."""
    name: str
    """The short name."""
    scope: Scope
    """What the metric is about."""
    family: Family
    """The group of fields it is found in."""
    description: str
    """What it says."""
    formula: str
    """How it is worked out, in one line."""
    unit: str | None
    """What its headline number counts; null where it has none."""
    range: str | None
    """From where to where its headline number goes; null where it has no bounds."""
    fields: tuple[MetricField, ...]
    """What each field of its value means, those inside of others too."""
    inputs: tuple[str, ...]
    """The facts and values it reads."""
    roles: tuple[Role, ...]
    """Who may hear it, where the subject is theirs to hear about."""
    fresh_for: Duration
    """How long an answer is fresh."""
    k: Count
    """The fewest persons a group must have to be spoken about; 0 where no group is read."""
    version: Count
    """Raised by one whenever the formula changes what it says."""
    evidence: str
    """What it was checked against; empty where nothing is published."""


_BESIDE: dict[str, tuple[Any, str]] = {
    "freshness": (adopt(Freshness), "How old the answer is and where it came from."),
    "quality": (adopt(DataQuality), "How much the answer stands on."),
    "withheld": (Optional[adopt(Withheld)], "Why there is no value; null where there is one."),  # noqa: UP045 - made at run time
    "definition": (adopt(MetricDefinition), "What the metric means."),
}

ANSWER = "Answer"
"""The interface of every answer."""
Answer: Any = strawberry.interface(
    type(
        ANSWER,
        (),
        {
            **{key: strawberry.field(name=key, description=says) for key, (_, says) in _BESIDE.items()},
            "__annotations__": {key: annotation for key, (annotation, _) in _BESIDE.items()},
        },
    ),
    description="A metric asked for one subject: never an error, always with its age and its sources.",
)


def answer_name(metric: Metric) -> str:
    """What the type is called that answers a metric."""
    return f"{metric.value_type.__name__}Answer"


def answer_type(metric: Metric) -> type[Any]:
    """The type that answers a metric: `LearningVelocityAnswer` for a `LearningVelocity`."""
    value = adopt(metric.value_type)
    return plain(
        answer_name(metric),
        f"{metric.doc.splitlines()[0]} With its age and its sources.",
        {
            "value": (Optional[value], "The value; null where it is withheld."),  # noqa: UP045 - made at run time
            **_BESIDE,
        },
        interface=Answer,
    )
