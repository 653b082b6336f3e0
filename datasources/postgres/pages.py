"""Pages of people: filtered and ordered by who they are and by what is kept of them, in one statement.

The order is total (the number asked for, the name, the id), so pages put together are the whole list. Whom
no number is kept of comes last, whichever way the numbers run. What the actor may not see is not there, and
a number that the actor may not read counts as one that is not kept.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasources.postgres.people import Person, person_of, sayable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from datasources.postgres.session import Actor, Database

Key = tuple[float | None, str, str]
"""Where a row stands: its rank (the number, negative where numbers fall; None: none is kept), name and id."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that is kept of learners: which metric, with which arguments."""

    metric: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Among:
    """Only those whose level of a measure is one of these."""

    measure: Measure
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people, and in which order.

    Active people with the role; of those, whom `trainer` teaches now, who belong to the department, who take
    the course now, whose name has all of the words in it (upper or lower case, with or without accents).
    By name unless a measure is given; `falling` turns names and numbers round, and nothing else.
    """

    role: str = "learner"
    trainer: str | None = None
    department: str | None = None
    course: str | None = None
    words: tuple[str, ...] = ()
    by: Measure | None = None
    falling: bool = False
    risk: Among | None = None
    engagement: Among | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list between `after` and `before`: so many from its start, or from its end."""

    first: int | None = None
    after: Key | None = None
    last: int | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, each with where they stand.

    `total` is the length of the whole list, None where it was not to be counted. `unknown` is how many of those
    who fit otherwise have no number for what the list is ordered or filtered by; None where it is by nothing.
    `missing` are those, as many as were asked for, of whom not even is kept that there is none.
    """

    rows: tuple[tuple[Key, Person], ...]
    total: int | None
    has_next: bool
    has_previous: bool
    unknown: int | None = None
    missing: tuple[str, ...] = ()


async def page(  # noqa: PLR0913 - the list, its part, the two clocks, and what to say of the whole
    database: Database,
    actor: Actor,
    wanted: Wanted,
    window: Window,
    *,
    since: datetime,
    until: datetime,
    counted: bool = True,
    most_missing: int = 0,
) -> Page:
    """A page of a list of people; one statement.

    Numbers count that were worked out at `since` or later and speak of a moment no later than `until`.

    Raises:
        ValueError: neither or both of `first` and `last`, or a negative one.
    """
    backwards = window.first is None
    size = window.last if backwards else window.first
    if size is None or size < 0 or (window.first is not None and window.last is not None):
        msg = "a page has exactly one of `first` and `last`, and it is not negative"
        raise ValueError(msg)
    # Names that fall are names that rise, read from the end.
    turned = wanted.falling and wanted.by is None
    after, before = (window.before, window.after) if turned else (window.after, window.before)
    backwards = backwards is not turned
    rows = await database.fetch(
        f"SELECT total, unknown, missing, earlier, later, position, (card).* FROM page_people({_PLACES})",  # noqa: S608 - numbers
        *actor.settings,
        wanted.role,
        wanted.trainer,
        _sayable(wanted.department),
        _sayable(wanted.course),
        [fold(word) for word in wanted.words],
        *_measure(wanted.by),
        wanted.falling,
        *_among(wanted.risk),
        *_among(wanted.engagement),
        since,
        until,
        *_key(after),
        *_key(before),
        min(size, 2**31 - 2),
        backwards,
        counted,
        most_missing,
    )
    head = rows[0]
    found = [(_place(row), person_of(actor.organization, row)) for row in rows if row["id"] is not None]
    more = len(found) > size
    found = (found[-size:] if size else []) if backwards else found[:size]
    later = head["later"] or (more and not backwards)
    earlier = head["earlier"] or (more and backwards)
    return Page(
        tuple(reversed(found) if turned else found),
        head["total"],
        has_next=earlier if turned else later,
        has_previous=later if turned else earlier,
        unknown=head["unknown"],
        missing=tuple(head["missing"]),
    )


_PLACES = ", ".join(f"${n}" for n in range(1, 30))


def fold(name: str) -> str:
    """A name as it is looked for: without case, and without the marks on its letters."""
    parts = unicodedata.normalize("NFKD", sayable(name).casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _sayable(told: str | None) -> str | None:
    return None if told is None else sayable(told)


def _measure(measure: Measure | None) -> tuple[str | None, str | None]:
    return (None, None) if measure is None else (measure.metric, measure.arguments)


def _among(among: Among | None) -> tuple[str | None, str | None, Sequence[str] | None]:
    return (None, None, None) if among is None else (*_measure(among.measure), among.levels)


def _key(key: Key | None) -> tuple[float | None, str | None, str | None]:
    if key is None:
        return None, None, None
    rank, name, identity = key
    return _LAST if rank is None else rank, sayable(name), sayable(identity)


def _place(row: Any) -> Key:
    rank = row["position"]
    return None if rank == _LAST else rank, row["name"], row["id"]


_LAST = float("inf")
