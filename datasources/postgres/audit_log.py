"""The audit as an organization's admins read it: the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, func, select, tuple_

from datasources.postgres.tables import AuditRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datasources.postgres.session import Actor, Database

Place = tuple[datetime, int]
"""Where an event stands in the log: when it happened, and its number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event; `number` orders those of one moment."""

    number: int
    at: datetime
    actor: str
    role: str
    kind: str
    subject: str | None
    details: Mapping[str, str | int]
    address: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which events: those to which all of it applies. None filters nothing; `since` is in it, `until` is not."""

    actor: str | None = None
    subject: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """Some events, whether there are older ones, and how many there are in all, where that was asked."""

    entries: tuple[Entry, ...]
    more: bool
    total: int | None


async def page(  # noqa: PLR0913 - whose, which, and where in the log
    database: Database,
    actor: Actor,
    sought: Sought,
    *,
    first: int,
    after: Place | None = None,
    counted: bool = False,
) -> Log:
    """The newest `first` of these events that are older than `after`, as far as the actor may read them."""
    which = _conditions(sought)
    older = [] if after is None else [tuple_(col(AuditRow.at), col(AuditRow.id)) < after]
    async with database.session(actor) as session:
        rows = (
            await session.exec(
                select(AuditRow)
                .where(*which, *older)
                .order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc())
                .limit(first + 1)
            )
        ).all()
        counting = select(func.count()).select_from(AuditRow).where(*which)
        total = (await session.exec(counting)).one() if counted else None
    return Log(tuple(_entry(row) for row in rows[:first]), len(rows) > first, total)


def _conditions(sought: Sought) -> Sequence[Any]:
    asked = (
        (sought.actor, col(AuditRow.actor).__eq__),
        (sought.subject, col(AuditRow.subject).__eq__),
        (sought.kind, col(AuditRow.kind).__eq__),
        (sought.since, col(AuditRow.at).__ge__),
        (sought.until, col(AuditRow.at).__lt__),
    )
    return [holds(value) for value, holds in asked if value is not None]


def _entry(row: AuditRow) -> Entry:
    return Entry(**{"number": row.id, **row.model_dump(exclude={"id", "organization"})})
