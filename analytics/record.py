"""An answer, whole: the value or why there is none, how old it is, and what it stands on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson

from analytics.catalog import definition
from analytics.codec import encode, global_id, instant
from analytics.declare import DataQuality, DataQualityLevel, Metric, Withheld
from datasources.declare import Origin
from datasources.postgres.jobs import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from datasources.postgres.jobs import Job

NO_QUALITY = DataQuality(0, 0, DataQualityLevel.NONE)
AROUND = 1_200
"""Bytes that an answer in memory takes beside its value, its key included."""


class Tier(Enum):
    """Where an answer was found: worked out now, in this process's memory, in Postgres, or among the aggregates."""

    SOURCE = "source"
    MEMORY = "memory"
    DATABASE = "database"
    AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True)
class Source:
    """One service an answer stands on: what it gave (None: nothing), and when it said so."""

    service: str
    origin: Origin | None
    seen_at: datetime | None


def _rank(origin: Origin | None) -> int:
    """A service that gave nothing leaves a value poorer, one that was mocked makes it untrue, which is worse."""
    return (Origin.PARTIAL if origin is None else origin).value


def worst(sources: Iterable[Source]) -> tuple[Source, ...]:
    """One source for each service, by name: its worst origin, its oldest word."""
    found: dict[str, Source] = {}
    for source in sources:
        seen = found.get(source.service)
        found[source.service] = source if seen is None else _worse(seen, source)
    return tuple(found[name] for name in sorted(found))


def _worse(one: Source, other: Source) -> Source:
    if one == other:
        return one
    times = [s.seen_at for s in (one, other) if s.seen_at is not None]
    origin = max(one.origin, other.origin, key=_rank)
    return Source(one.service, origin, min(times, default=None))


def worst_origin(given: Iterable[Origin | None]) -> Origin:
    """The worst of what sources gave; PARTIAL where one that can be done without gave nothing (None)."""
    return max((Origin.PARTIAL if origin is None else origin for origin in given), key=_rank, default=Origin.LIVE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A metric asked for one subject. `value` is JSON text in wire shape (`analytics.codec`), as it is kept and sent.

    As text it takes a fifth of what its objects would; they are made by whoever looks into it.
    """

    metric: Metric
    value: str | None
    withheld: Withheld | None
    quality: DataQuality
    sources: tuple[Source, ...]
    score: float | None
    level: str | None
    as_of: datetime
    calculated_at: datetime
    expires_at: datetime

    @property
    def origin(self) -> Origin:
        """The worst of what it stands on; PARTIAL where a service that it can do without gave nothing."""
        return worst_origin(source.origin for source in self.sources)

    @property
    def whole(self) -> bool:
        """Whether every service it stands on answered now: only then is it worth keeping."""
        return self.origin is Origin.LIVE

    @property
    def complete(self) -> bool:
        """Whether nothing is missing from it or made up, though some of it may be what was known last."""
        return self.origin in {Origin.LIVE, Origin.LAST_KNOWN}

    @property
    def size(self) -> int:
        """Bytes it takes in memory, roughly."""
        return AROUND + sys.getsizeof(self.value)

    @property
    def said(self) -> Any:
        """The value itself, made anew each time; None where it is withheld."""
        return None if self.value is None else orjson.loads(self.value)

    def wire(self, tier: Tier, state: str, job: Job | None = None) -> dict[str, Any]:
        """The answer as GraphQL sends it, found in this tier and in this state; `job` is at work on a newer one."""
        return {
            "value": self.said,
            "freshness": {
                "state": state,
                "origin": self.origin.name,
                "tier": tier.name,
                "asOf": instant(self.as_of),
                "calculatedAt": instant(self.calculated_at),
                "expiresAt": instant(self.expires_at),
                "sources": [
                    {
                        "service": source.service,
                        "origin": source.origin.name if source.origin else None,
                        "seenAt": instant(source.seen_at) if source.seen_at else None,
                    }
                    for source in self.sources
                ],
                "refreshJob": None if job is None else job_wire(job),
            },
            "quality": encode(self.quality),
            "withheld": withheld_wire(self.withheld) if self.withheld else None,
            "definition": definition(self.metric),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, where it was found, whether it was still fresh, and whether a newer one is on its way.

    `job` is what works the newer one out, where the viewer may know of it.
    """

    answer: Answer
    tier: Tier
    fresh: bool = True
    refreshing: bool = False
    job: Job | None = None

    def wire(self) -> dict[str, Any]:
        """The answer as GraphQL sends it."""
        state = "FRESH" if self.fresh else "REFRESHING" if self.refreshing else "STALE"
        return self.answer.wire(self.tier, state, self.job)


RESULTS = {Kind.REFRESH: "RefreshResult", Kind.NIGHTLY: "NightlyResult", Kind.EXPORT: "ReportResult"}
"""What the result of a job is called, by its kind; of the others there is nothing to tell."""


def job_wire(job: Job) -> dict[str, Any]:
    """A job in wire shape."""
    name = RESULTS.get(job.kind)
    return {
        "id": global_id("Job", job.id),
        "kind": job.kind.name,
        "status": job.status.name,
        "progress": job.progress,
        "createdAt": instant(job.created_at),
        "startedAt": instant(job.started_at) if job.started_at else None,
        "finishedAt": instant(job.finished_at) if job.finished_at else None,
        "attempts": job.attempts,
        "error": job.error,
        "result": None if job.result is None or name is None else {"__typename": name, **job.result},
    }


def withheld_wire(withheld: Withheld) -> dict[str, Any]:
    """A refusal in wire shape; `retryAfter` in seconds."""
    return {
        "reason": withheld.reason.name,
        "message": withheld.message,
        "retryAfter": None if withheld.retry_after is None else int(withheld.retry_after.total_seconds()),
        "needed": withheld.needed,
    }


def refusal(metric: Metric, withheld: Withheld, as_of: datetime) -> dict[str, Any]:
    """An answer that was refused before anything was read: it stands on nothing, and was never calculated."""
    answer = Answer(metric, None, withheld, NO_QUALITY, (), None, None, as_of, as_of, as_of)
    wire = answer.wire(Tier.SOURCE, "FRESH")
    wire["freshness"] |= {"calculatedAt": None, "expiresAt": None}
    return wire
