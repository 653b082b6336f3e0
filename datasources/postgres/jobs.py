"""Jobs: enqueued once however many ask, claimed by one attempt at a time, heard of by every process.

The row is what is true about a job; PgQueuer delivers its id to a worker, again when a worker dies. A
worker must claim the job first, and what it reports counts only while its turn is the last one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from datasources.postgres.session import Actor, Database, system

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

CHANNEL = "jobs"
"""Where every process hears which job changed."""

ENTRYPOINT = "job"
"""What PgQueuer knows all jobs as."""

ATTEMPTS = 3
"""How often in a row a job may take its worker with it, without headway in between, before it is given up."""

PLATFORM = "*"
"""The organization of jobs that are about them all."""


class Kind(StrEnum):
    """What a job does."""

    REFRESH = "REFRESH"
    """Works one subject's answers out again."""
    NIGHTLY = "NIGHTLY"
    """Works out again what will be asked for in the morning: of everyone, in chunks."""
    CHUNK = "CHUNK"
    """One part of a nightly batch."""
    VIEWS = "VIEWS"
    """Writes the aggregates of a day."""
    PRUNE = "PRUNE"
    """Lets go of what has outlived its term."""
    EXPORT = "EXPORT"
    """Makes a report."""


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    """Waiting for a worker."""
    RUNNING = "RUNNING"
    """Being worked on."""
    COMPLETED = "COMPLETED"
    """Done."""
    FAILED = "FAILED"
    """Given up; `error` says why."""
    CANCELLED = "CANCELLED"
    """Not wanted any more."""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {Status.QUEUED, Status.RUNNING}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to be done. `once` names it: while such a job is queued or running, no second one is made."""

    once: str
    scope: str | None = None
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; `progress` is percent and never goes back; `unwanted` once somebody cancelled it.

    `role` is the one its owner acted in when it was made. `attempts` are those since it last came further, `turn`
    counts every claim, `setbacks` how often in a row it went back to the queue without coming further.
    """

    organization: str
    id: str
    kind: Kind
    owner: str
    role: str
    scope: str | None
    subject: str | None
    details: Mapping[str, Any]
    status: Status
    progress: int
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    unwanted: bool
    result: Mapping[str, Any] | None
    error: str | None
    turn: int = field(default=0, compare=False)
    setbacks: int = field(default=0, compare=False)
    claimed_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A job that is on its way, and whether it was made now."""

    job: Job
    fresh: bool


async def enqueue(  # noqa: PLR0913 - who wants which kind of what, how soon
    database: Database,
    actor: Actor,
    kind: Kind,
    wanted: Sequence[Wanted],
    *,
    priority: int = 0,
    after: timedelta = timedelta(0),
) -> dict[str, Enqueued]:
    """Have these jobs done, by `once`; those on their way already are what they are. One statement, one transaction.

    A job that ended between the asking and the answer is not among them, nor is one that was not made because
    20,000 wait already, or 2,000 of the actor's own are on their way: only the system is not held to that.
    Higher priorities go first.
    """
    if not wanted:
        return {}
    rows = await database.fetch(
        "SELECT n, fresh, (job).* FROM enqueue_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *actor.settings,
        kind.value,
        [one.once for one in wanted],
        [one.scope for one in wanted],
        [one.subject for one in wanted],
        [json.dumps(dict(one.details)) for one in wanted],
        priority,
        after,
    )
    return {wanted[row["n"] - 1].once: Enqueued(of_row(row), row["fresh"]) for row in rows}


async def renew(
    database: Database, actor: Actor, wanted: Sequence[Wanted], *, priority: int, rest: timedelta
) -> dict[str, Job | bool]:
    """Have stale answers refreshed, by `once`; one statement. What failed less than `rest` ago is left alone.

    The job that does it where the actor may know of it; True: another person's, of which they may not; False: none.
    """
    if not wanted:
        return {}
    rows = await database.fetch(
        "SELECT n, on_its_way, (job).* FROM renew_answers($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *actor.settings,
        [one.once for one in wanted],
        [one.scope for one in wanted],
        [one.subject for one in wanted],
        [json.dumps(dict(one.details)) for one in wanted],
        priority,
        rest,
    )
    return {wanted[row["n"] - 1].once: row["on_its_way"] if row["id"] is None else of_row(row) for row in rows}


async def ask(  # noqa: PLR0913 - who wants what, how often at most
    database: Database, actor: Actor, kind: Kind, wanted: Wanted, *, priority: int, most: int, within: timedelta
) -> Job | timedelta | None:
    """Have something done that the actor asked for by hand; or how long to wait, if they did `most` times lately.

    Counted are their jobs of the kind whose name begins as this one's does, up to the first space. None: one is on
    its way that the actor may not know of, or too much waits already.
    """
    rows = await database.fetch(
        "SELECT again_in, (job).* FROM ask_job($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        *actor.settings,
        wanted.once,
        wanted.scope,
        wanted.subject,
        json.dumps(dict(wanted.details)),
        priority,
        most,
        within,
        kind.value,
        wanted.once.partition(" ")[0] + " ",
    )
    if not rows:
        return None
    again_in: timedelta | None = rows[0]["again_in"]
    return again_in or of_row(rows[0])


async def claim(database: Database, organization: str, job: str, *, at_it: bool = False) -> Job | None:
    """Begin a job that was delivered; None where it is over, unwanted, or took too many workers with it.

    `at_it` says that this process is still at an earlier turn of it: then that turn counts as an attempt.
    """
    rows = await database.fetch(
        "SELECT * FROM claim_job($1, $2, $3, $4, $5, $6)",
        *system(organization).settings,
        job,
        ATTEMPTS,
        None if at_it else database.name,
    )
    return of_row(rows[0]) if rows else None


async def report(  # noqa: PLR0913 - all that can be said of a job
    database: Database,
    job: Job,
    status: Status,
    progress: int,
    *,
    result: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> bool | None:
    """Say how far a claimed job is; whether it is still wanted, None where this turn is not the last any more."""
    rows = await database.fetch(
        "SELECT unwanted FROM report_job($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *system(job.organization).settings,
        job.id,
        job.turn,
        status.value,
        progress,
        None if result is None else json.dumps(dict(result)),
        error,
    )
    return not rows[0]["unwanted"] if rows else None


async def cancel(database: Database, actor: Actor, job: str) -> Job | None:
    """Cancel a job of one's own: at once while it is queued, else as soon as its worker looks up. None: no such job."""
    rows = await database.fetch("SELECT * FROM cancel_job($1, $2, $3, $4)", *actor.settings, job)
    return of_row(rows[0]) if rows else None


async def find(database: Database, actor: Actor, job: str) -> Job | None:
    """A job that concerns the actor; None where there is none, or none that does."""
    rows = await database.fetch("SELECT * FROM find_job($1, $2, $3, $4)", *actor.settings, job)
    return of_row(rows[0]) if rows else None


def changed(payload: str) -> tuple[str, str]:
    """The organization and id of the job that a notification tells of."""
    organization, job = json.loads(payload)
    return organization, job


def of_row(row: Any) -> Job:
    """The job that a row tells of."""
    return Job(
        organization=row["organization"],
        id=row["id"],
        kind=Kind(row["kind"]),
        owner=row["owner"],
        role=row["role"],
        scope=row["scope"],
        subject=row["subject"],
        details=row["details"],
        status=Status(row["status"]),
        progress=row["progress"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        unwanted=row["unwanted"],
        result=row["result"],
        error=row["error"],
        turn=row["turn"],
        setbacks=row["setbacks"],
        claimed_at=row["claimed_at"],
    )
