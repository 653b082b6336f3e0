"""A page of people with what is kept of each of them, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from datasources.postgres.people import sayable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasources.postgres.lanes import Lanes
    from datasources.postgres.session import Actor

BRIEF, VALUE, ROWS = "BRIEF", "VALUE", "ROWS"
"""How answers are read: their numbers and words together, their whole values together, or each for itself."""

_READ = f"SELECT * FROM read_roster({', '.join(f'${n}' for n in range(1, 14))})"  # noqa: S608 - numbers


class Told(asyncpg.Record):  # type: ignore[misc]  # the driver has no types
    """Kept answers to one question: a row for each person, or one for all, whose `place` says of how many it is.

    `value` is then a JSON array, and of the times each is the worst.
    """

    __slots__ = ()
    part = property(itemgetter(0))
    place = property(itemgetter(8))
    value = property(itemgetter(9))
    withheld = property(itemgetter(10))
    about = property(itemgetter(11))
    as_of = property(itemgetter(12))
    calculated_at = property(itemgetter(13))
    expires_at = property(itemgetter(14))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people: those `given`, else so many with a role, by name, after a name and id, perhaps of one trainer."""

    role: str
    size: int = 0
    trainer: str | None = None
    after: tuple[str, str] | None = None
    counted: bool = False
    given: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about each of them, and how the answers are to be read."""

    metric: str
    arguments: str
    how: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The people of a page, and what is kept of them: of each question some rows, or one.

    `taught` says for each whether the actor teaches them, where the actor is a trainer. Of people who were given
    nothing else is said.
    """

    ids: Sequence[str]
    names: Sequence[str]
    departments: Sequence[str | None]
    taught: Sequence[bool] | None
    total: int | None
    has_next: bool
    has_previous: bool
    answers: Sequence[Sequence[Any]]


async def read(lanes: Lanes, actor: Actor, wanted: Wanted, asked: Sequence[Asked]) -> Listed:
    """The page, and what this actor may read of it; one statement."""
    name, identity = wanted.after or (None, None)
    rows = await lanes.fetch(
        _READ,
        *actor.settings,
        wanted.given,
        wanted.role,
        wanted.trainer,
        None if name is None else sayable(name),
        None if identity is None else sayable(identity),
        wanted.size,
        wanted.counted,
        [one.metric for one in asked],
        [one.arguments for one in asked],
        [one.how for one in asked],
        record_class=Told,
    )
    head = rows[0]
    answers: list[list[Any]] = [[] for _ in asked]
    for row in rows[1:]:
        answers[row.part - 1].append(row)
    return Listed(
        head["ids"] if wanted.given is None else wanted.given,
        head["names"] or (),
        head["departments"] or (),
        head["taught"],
        head["total"],
        bool(head["later"]),
        bool(head["earlier"]),
        answers,
    )
