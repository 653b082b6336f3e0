"""Lists of jobs, the newest first, as far as they concern who asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, func, select, tuple_

from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import Job, Kind, Status, of_row

if TYPE_CHECKING:
    from datasources.postgres.session import Actor, Database

Place = tuple[datetime, str]
"""Where a job stands in a list: when it was made, and its id."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Some jobs, whether there are older ones, and how many there are in all, where that was asked."""

    jobs: tuple[Job, ...]
    more: bool
    total: int | None


async def page(  # noqa: PLR0913 - whose, which, and where in the list
    database: Database,
    actor: Actor,
    *,
    first: int,
    after: Place | None = None,
    kind: Kind | None = None,
    status: Status | None = None,
    counted: bool = False,
) -> Jobs:
    """The newest `first` jobs that are older than `after`, of these kinds and statuses."""
    which = [
        *([] if kind is None else [col(JobRow.kind) == kind.value]),
        *([] if status is None else [col(JobRow.status) == status.value]),
    ]
    older = [] if after is None else [tuple_(col(JobRow.created_at), col(JobRow.id)) < after]
    async with database.session(actor) as session:
        rows = (
            await session.exec(
                select(JobRow)
                .where(*which, *older)
                .order_by(col(JobRow.created_at).desc(), col(JobRow.id).desc())
                .limit(first + 1)
            )
        ).all()
        total = (await session.exec(select(func.count()).select_from(JobRow).where(*which))).one() if counted else None
    return Jobs(tuple(of_row(row.model_dump()) for row in rows[:first]), len(rows) > first, total)
