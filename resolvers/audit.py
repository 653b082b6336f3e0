"""The audit in the graph: who did and looked at what, the newest first, going forward only."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry

from analytics.codec import encode
from datasources.postgres.audit_log import Entry, Place, Sought
from datasources.postgres.pages import Key
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import from_global
from resolvers.jobs import BY_AGE
from resolvers.pages import After, Connection, First, Part, connection, selects, window
from resolvers.types import adopt, field

LONGEST = 200
"""Characters of the longest text that is looked for."""
LAST_NUMBER = 2**63 - 1
DIGITS = re.compile(r"[0-9]{1,19}")
FIRST_YEAR, LAST_YEAR = 2001, 2999


@dataclass(frozen=True, slots=True)
class AuditDetail:
    """Something more about an event: an id, or a count."""

    name: str
    """What it is."""
    value: str
    """The id, or the count."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that somebody did, looked at, or was refused; it holds ids, and nothing that was said of anybody."""

    at: datetime
    """When it happened."""
    actor: str
    """The id of who did it; `system` is the gateway itself."""
    role: str
    """The role they acted in."""
    kind: str
    """What happened, such as `answers.heard`, `person.seen`, `refused` or `export.made`."""
    subject: str | None
    """The id of whom or what it was about; of what was refused, the id that was asked with."""
    details: tuple[AuditDetail, ...]
    """More about it, by name."""
    address: str | None
    """The address of the machine that asked; null where the gateway acted by itself."""
    request_id: str | None
    """The id of the request, which the log knows too."""


AuditEventType: Any = adopt(AuditEvent)


@strawberry.input(description="Which events: those to which all of it applies. What is left out filters nothing.")
class AuditFilter:
    """A filter of the audit."""

    actor: strawberry.ID | None = strawberry.field(
        default=None, description="What this person did: a global id, or the id as an event says it."
    )
    subject: strawberry.ID | None = strawberry.field(
        default=None, description="What was about this: a global id, or the id as an event says it."
    )
    kind: str | None = strawberry.field(default=None, description="What is of this kind, to the letter.")
    since: datetime | None = strawberry.field(default=None, description="What happened then or later.")
    until: datetime | None = strawberry.field(default=None, description="What happened before.")


Filter = Annotated[AuditFilter | None, strawberry.argument(description="Only those.")]


@strawberry.type
class AuditQuery:
    """Where the audit is read."""

    @field("What was done and looked at in your organization, the newest first; for organization admins.")
    async def audit_log(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Filter = None,  # noqa: A002 - the word of the graph
    ) -> Connection[AuditEventType]:
        """Kept for twelve months; that it was read is an event too."""
        part = window(first, after, None, None, BY_AGE)
        found = await info.context.audit.page(
            Sought() if filter is None else _sought(filter),
            first=part.first or 0,
            after=None if part.after is None else _place(part.after),
            counted=selects(info, "totalCount"),
        )
        rows = [(_key(entry), encode(_event(entry))) for entry in found.entries]
        shown: Connection[AuditEventType] = connection(
            Part(rows, found.total, has_next=found.more, has_previous=part.after is not None), BY_AGE
        )
        return shown


def _event(entry: Entry) -> AuditEvent:
    return AuditEvent(
        at=entry.at,
        actor=entry.actor,
        role=entry.role,
        kind=entry.kind,
        subject=entry.subject,
        details=tuple(AuditDetail(name, str(value)) for name, value in sorted(entry.details.items())),
        address=entry.address,
        request_id=entry.request_id,
    )


def _sought(chosen: AuditFilter) -> Sought:
    return Sought(
        actor=None if chosen.actor is None else _ident("actor", chosen.actor),
        subject=None if chosen.subject is None else _ident("subject", chosen.subject),
        kind=None if chosen.kind is None else _text("kind", chosen.kind),
        since=None if chosen.since is None else _moment("since", chosen.since),
        until=None if chosen.until is None else _moment("until", chosen.until),
    )


def _ident(name: str, given: str) -> str:
    """The id inside a global id; anything else is an id as it stands."""
    try:
        return from_global(given).uuid
    except BadInput:
        return _text(name, given)


def _text(name: str, given: str) -> str:
    if not 0 < len(given) <= LONGEST or "\0" in given:
        msg = f"{name} must have 1 to {LONGEST} characters, none of them null."
        raise BadInput(msg)
    return given


def _moment(name: str, given: Any) -> datetime:
    moment = _instant(given)
    if moment is None:
        msg = f"{name} must be an instant of this millennium with its offset, like 2026-03-02T09:30:00Z."
        raise BadInput(msg)
    return moment


def _instant(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _key(entry: Entry) -> Key:
    return None, entry.at.isoformat(), str(entry.number)


def _place(key: Key) -> Place:
    at, number = _instant(key[1]), int(key[2]) if DIGITS.fullmatch(key[2]) else 0
    if at is None or not 0 < number <= LAST_NUMBER:
        msg = "after is not a cursor of the audit; use the `cursor` of an edge, or `pageInfo.endCursor`."
        raise BadInput(msg)
    return at, number
