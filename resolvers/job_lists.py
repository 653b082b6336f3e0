"""Lists of jobs in the graph: the newest first, going forward only."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from analytics.codec import instant
from datasources.postgres.jobs import Job, Kind, Status
from datasources.postgres.pages import Key
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.jobs import BY_AGE, JobType, KindName, StatusName, wire
from resolvers.pages import After, Connection, First, Part, connection, selects, window

OfKind = Annotated[KindName | None, strawberry.argument(description="Only those of this kind.")]
OfStatus = Annotated[StatusName | None, strawberry.argument(description="Only those that stand here.")]

__all__ = ["After", "First", "OfKind", "OfStatus", "jobs"]


async def jobs(info: Info, first: int | None, after: str | None, kind: Any, status: Any) -> Connection[JobType]:
    """The viewer's jobs.

    Raises:
        BadInput: more than a page can have, or a cursor of something else.
    """
    part = window(first, after, None, None, BY_AGE)
    page = await info.context.jobs.page(
        first=part.first or 0,
        after=None if part.after is None else _place(part.after),
        kind=None if kind is None else Kind[kind.name],
        status=None if status is None else Status[status.name],
        counted=selects(info, "totalCount"),
    )
    rows = [(_key(job), wire(job)) for job in page.jobs]
    shown: Connection[JobType] = connection(
        Part(rows, page.total, has_next=page.more, has_previous=part.after is not None), BY_AGE
    )
    return shown


def _key(job: Job) -> Key:
    return None, instant(job.created_at), job.id


def _place(key: Key) -> tuple[datetime, str]:
    try:
        return datetime.fromisoformat(key[1]), key[2]
    except ValueError:
        msg = "after is not a cursor of a list of jobs; use the `cursor` of an edge, or `pageInfo.endCursor`."
        raise BadInput(msg) from None
