"""Who came in, looked after in one statement for many: what of their own is not fresh gets jobs that work it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from datasources.postgres.session import Actor, Database

ARRIVED = "arrived"
"""What marks a refresh that was made because somebody came in."""

WHOEVER = "\x1f"
"""Stands for the subject in the name of a job that anybody's may be. It cannot be in an id, a key or JSON text."""


@dataclass(frozen=True, slots=True)
class Own:
    """An answer that everybody in a role has of their own, and the job for who never had it worked out.

    `once` is the name of the job, about `WHOEVER`; `details` are its details, as JSON text.
    """

    scope: str
    metric: str
    arguments: str
    once: str
    details: str


@dataclass(frozen=True, slots=True)
class Looked:
    """How many jobs were made, and who was put off: somebody is being forgotten in their organization just now."""

    made: int
    put_off: Sequence[Actor]


async def look_after(
    database: Database, actors: Mapping[Actor, str], own: Sequence[Own], at: datetime, lately: timedelta
) -> Looked:
    """Have worked out what each of these does not have fresh `at` then, of their own.

    Each actor comes with the subject that is theirs, and acts as themselves: what they may not read counts as missing,
    and what they may not have made fails for all. Who had jobs made for coming in `lately`, by any process, gets none;
    nor does anybody while 20,000 wait already, nor who has 2,000 on their way. One statement.
    """
    # Jobs are made in the order of their names, everywhere: so who makes the same ones waits, and never in a circle.
    ordered = sorted(actors, key=lambda actor: actor.settings)
    rows = await database.fetch(
        "SELECT * FROM look_after_arrivals($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [actor.organization for actor in ordered],
        [actor.user for actor in ordered],
        [actor.role for actor in ordered],
        [actors[actor] for actor in ordered],
        at,
        lately,
        [one.scope for one in own],
        [one.metric for one in own],
        [one.arguments for one in own],
        [one.once for one in own],
        [one.details for one in own],
    )
    return Looked(rows[0]["made"], [ordered[place - 1] for place in rows[0]["put_off"]])
