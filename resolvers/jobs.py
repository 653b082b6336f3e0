"""Jobs in the graph: what is done without anybody waiting for it, how far it is, and what came of it.

The classes here are shapes only: a job comes as a dict in this shape from `analytics.record`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry
from annotated_types import Ge, Le

from analytics.record import job_wire
from datasources.declare import Count, Unit
from datasources.postgres import jobs
from resolvers.scalars import Duration
from resolvers.types import OneOf, adopt

Percent = Annotated[int, Ge(0), Le(100), Unit("percent")]

BY_AGE = "AGE DESC"
"""The order of a list of jobs: the newest first."""


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a refresh came to."""

    answers: Count
    """Answers that were worked out anew and kept."""
    already_fresh: Count
    """Answers that somebody else had worked out anew meanwhile."""
    withheld: Count
    """Of all these, the answers that withhold their value for a reason of their own."""
    unanswered: Count
    """Answers that stay as they are, because a service they stand on did not answer."""


@dataclass(frozen=True, slots=True)
class JobFailure:
    """One cause for which a nightly run could not work some answers out."""

    cause: str
    """A service that did not answer, `database`, `fault` if it was ours, or `given up` where a part did not end."""
    count: Count
    """How many answers; how many parts where they were given up."""


@dataclass(frozen=True, slots=True)
class NightlyResult:
    """What a nightly run came to."""

    answers: Count
    """Answers that were worked out and kept."""
    withheld: Count
    """Of these, the answers that withhold their value for a reason of their own."""
    failures: tuple[JobFailure, ...]
    """What could not be worked out, by cause."""
    seconds: Duration
    """How long the run took."""


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What an export came to."""

    report: strawberry.ID
    """The id of the report; `report` takes it."""


JobResult = Annotated[
    RefreshResult | NightlyResult | ReportResult, OneOf("JobResult", "What a job came to, by what it did.")
]


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done without anybody waiting for it."""

    id: strawberry.ID
    """The global id: opaque; `job` and `jobProgress` take it."""
    kind: jobs.Kind
    """What it does."""
    status: jobs.Status
    """Where it stands."""
    progress: Percent
    """How much of it is done, in percent; it never goes back."""
    created_at: datetime
    """When it was asked for."""
    started_at: datetime | None
    """When a worker took it up first; null while it waits."""
    finished_at: datetime | None
    """When it ended; null until then."""
    attempts: Count
    """How often a worker took it up since it last came further; 0 while it waits for its turn."""
    error: str | None
    """Why it failed, or what it waits for before it is tried again."""
    result: JobResult | None
    """What it came to; null until it is completed, and where there is nothing to tell."""


JobType: Any = adopt(Job)
KindName: Any = adopt(jobs.Kind)
StatusName: Any = adopt(jobs.Status)


def wire(job: jobs.Job) -> Mapping[str, Any]:
    """A job as the graph shows it."""
    return job_wire(job)
