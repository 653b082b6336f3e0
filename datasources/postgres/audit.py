"""What was done and looked at, and by whom: rows are added, and never changed or removed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datasources.postgres.session import Actor, Database


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `details` are ids and counts, never names, addresses or numbers about a person."""

    kind: str
    subject: str | None = None
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Whence:
    """Where somebody was asking from: the address of their machine, and the id of the request."""

    address: str | None = None
    request_id: str | None = None


NOWHERE = Whence()
"""Nobody asked from outside: the gateway does it by itself."""


async def record(database: Database, actor: Actor, events: Sequence[Event], whence: Whence = NOWHERE) -> None:
    """Add these events of one actor, at the database's time; one statement, none for no events."""
    if not events:
        return
    await database.fetch(
        "SELECT record_audit($1, $2, $3, $4, $5, $6, $7, $8)",
        *actor.settings,
        [event.kind for event in events],
        [event.subject for event in events],
        [json.dumps(dict(event.details)) for event in events],
        whence.address,
        whence.request_id,
    )
