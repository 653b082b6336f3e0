"""What was done and looked at, and by whom: rows are added, and never changed or removed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datasources.postgres.session import Actor, Database


SEPARATOR = "\x1f"
"""Between the ids, and between the numbers, that one actor is written down with."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `details` are ids and counts, never names, addresses or numbers about a person."""

    kind: str
    subject: str | None = None
    details: Mapping[str, str | int] = field(default_factory=dict)


async def record(database: Database, actor: Actor, events: Sequence[Event]) -> None:
    """Add these events of one actor, at the database's time; one statement, none for no events."""
    if not events:
        return
    await database.fetch(
        "SELECT record_audit($1, $2, $3, $4, $5, $6)",
        *actor.settings,
        [event.kind for event in events],
        [event.subject for event in events],
        [json.dumps(dict(event.details)) for event in events],
    )


async def record_heard(database: Database, heard: Mapping[Actor, Mapping[str, int]]) -> None:
    """Add, for each actor, of how many answers about which learners they were told; one statement for all."""
    if not heard:
        return
    actors = list(heard)
    await database.fetch(
        "SELECT record_heard($1, $2, $3, $4, $5)",
        [actor.organization for actor in actors],
        [actor.user for actor in actors],
        [actor.role for actor in actors],
        [SEPARATOR.join(heard[actor]) for actor in actors],
        [SEPARATOR.join(map(str, heard[actor].values())) for actor in actors],
    )
