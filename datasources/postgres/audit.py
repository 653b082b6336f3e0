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


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told of a person: so many answers, 0 where it is who they are, in so many requests."""

    answers: int
    requests: int
    request_id: str
    """The first of the requests."""

    def and_then(self, later: Told) -> Told:
        """Both together."""
        return Told(self.answers + later.answers, self.requests + later.requests, self.request_id)


async def record_told(
    database: Database, told: Mapping[tuple[Actor, str | None], Mapping[tuple[str, bool], Told]]
) -> None:
    """Add, for each actor at an address, what they were told about whom; one statement for all.

    A row is `answers.heard` or `person.seen`, as `analytics.trail` writes them. One of several requests says how many
    they are, and has the id of the first.
    """
    if not told:
        return
    askers = list(told)
    rows = [[(person, one) for (person, _), one in told[asker].items()] for asker in askers]
    await database.fetch(
        "SELECT record_told($1, $2, $3, $4, $5, $6, $7, $8)",
        [actor.organization for actor, _ in askers],
        [actor.user for actor, _ in askers],
        [actor.role for actor, _ in askers],
        [address for _, address in askers],
        [SEPARATOR.join(person for person, _ in some) for some in rows],
        [SEPARATOR.join(str(one.answers) for _, one in some) for some in rows],
        [SEPARATOR.join(str(one.requests) for _, one in some) for some in rows],
        [SEPARATOR.join(one.request_id for _, one in some) for some in rows],
    )
