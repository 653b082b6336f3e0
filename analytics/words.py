"""The words of everything that is said about learning: numbers, roles, reasons, groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from annotated_types import Ge, Le

from datasources.declare import MOST, Count, Unit

T = TypeVar("T")

Ratio = Annotated[float, Ge(0), Le(2), Unit("ratio, 1 is as planned", digits=3)]
PerWeek = Annotated[float, Ge(0), Le(1e9), Unit("per week", digits=3)]
Points = Annotated[float, Ge(-100), Le(100), Unit("points, up or down", digits=1)]
Change = Annotated[float, Ge(-100), Le(1e6), Unit("percent, up or down", digits=1)]
Days = Annotated[int, Ge(0), Le(100_000), Unit("days")]
Seconds = Annotated[int, Ge(0), Le(MOST), Unit("seconds")]
Logit = Annotated[float, Ge(-1000), Le(1000), Unit("log-odds", digits=9)]


class Scope(StrEnum):
    """What a metric is about."""

    LEARNER = "learner"
    """One learner."""
    COURSE = "course"
    """One course, inside one organization."""
    TRAINER = "trainer"
    """One trainer, over the courses they run."""
    ORGANIZATION = "organization"
    """One organization."""
    MARKET = "market"
    """Everyone."""


class Family(StrEnum):
    """The group of fields a metric is found in; an internal metric is only ever an input of others."""

    ANALYTICS = "analytics"
    """What is so."""
    COMPARISON = "comparison"
    """What is so, beside others."""
    PREDICTION = "prediction"
    """What is likely."""
    SUBJECT = "subject"
    """What belongs to the subject itself: a field of its own, in no group."""
    INTERNAL = "internal"
    """Only ever an input of other metrics."""


class Role(StrEnum):
    """In which capacity somebody asks."""

    LEARNER = "learner"
    """About oneself."""
    TRAINER = "trainer"
    """About one's own courses and the learners in them."""
    ORG_ADMIN = "org-admin"
    """About one's own organization."""


class DataQualityLevel(StrEnum):
    """How much a value stands on."""

    NONE = "none"
    """Nothing was recorded."""
    LOW = "low"
    """Too little was recorded to lean on the value."""
    OK = "ok"
    """Enough was recorded."""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """How many records a value stands on, and how many days they span."""

    observations: Count
    """The records the value was worked out from."""
    coverage_days: Days
    """From the first of those records to the last."""
    level: DataQualityLevel
    """Whether that is enough to lean on."""


class WithheldReason(StrEnum):
    """Why there is no value; a fault is ours, is logged, and never costs the rest of the dashboard."""

    NOT_ENOUGH_DATA = "not-enough-data"
    """Too little is recorded about the subject yet."""
    TOO_FEW_PEERS = "too-few-peers"
    """The group is so small that its numbers would be about persons."""
    NOT_FOR_YOUR_ROLE = "not-for-your-role"
    """Somebody in another role may hear it."""
    SOURCE_DOWN = "source-down"
    """A service it stands on does not answer, and nothing it said is still known."""
    FAULT = "fault"
    """The number could not be worked out, by a fault of ours; it is in the log."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A value that is not said, and why; `needed` is how many of the missing thing would do.

    `certain` says that it follows from what the formula cannot do without: that something else is not known now
    changes nothing.
    """

    reason: WithheldReason
    message: str
    needed: int | None = None
    retry_after: timedelta | None = None
    certain: bool = field(default=False, compare=False)


class Rung(StrEnum):
    """Who the peers are, from the closest group to the widest."""

    COURSE_REGION_AGE = "course-region-age"
    """Who takes the same course in the same region and is about as old."""
    COURSE_REGION = "course-region"
    """Who takes the same course in the same region."""
    COURSE = "course"
    """Who takes the same course."""
    ORGANIZATION = "organization"
    """Who learns in the same organization."""


@dataclass(frozen=True, slots=True)
class Cohort(Generic[T]):
    """The headline numbers of one metric for the subject's peers, the subject left out, in no order.

    `values` holds at least k numbers, or none at all: a cohort that is too small is never handed to
    a formula. `taken_on` is the day of the snapshot: all who ask on that day see the same peers.
    """

    rung: Rung
    taken_on: date
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Everyone(Generic[T]):
    """One fact about, or one value of, each present learner of a course or an organization, by learner id.

    Who is not in it has none: nothing is recorded, or there is no value of theirs.
    """

    by_learner: Mapping[str, T]


@dataclass(frozen=True, slots=True)
class Starters(Generic[T]):
    """One fact about each learner who is or ever was enrolled in a course, by learner id."""

    by_learner: Mapping[str, T]


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """One fact about each content item that the present learners of a course have opened, by item id."""

    by_item: Mapping[str, T]
