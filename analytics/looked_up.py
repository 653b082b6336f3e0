"""What was found for a compiled document, and how it is found again: words only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.planned import Found, Unplanned
from datasources.postgres.prune import ANSWERS as RETENTION

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.record import Tier
    from analytics.world import World
    from datasources.postgres.answers import Question
    from datasources.postgres.people import Person
    from datasources.postgres.reading import Look, Row, Shape

Places: TypeAlias = "Sequence[Mapping[tuple[str, str], Sequence[int]]]"
"""Where answers belong, by the part of a shape, and then by metric and arguments."""


class Away(Unplanned):
    """The database does not answer just now."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """What was found for a document, and what is to be remembered of it.

    Nothing of it is known to be so after `until`, nor once one of the `subjects` changes (None: any of the
    organization); while the database does not answer, it may be said until `at_worst`. `told` says of whom
    other than themselves the viewer is told, and of how many answers about them: 0 where it is only who they are.
    """

    found: Found
    tier: Tier
    until: datetime
    at_worst: datetime
    subjects: frozenset[str] | None
    told: Mapping[str, int]
    errand: Errand | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """How answers about known people are looked up again, once it was seen that they are the viewer's to hear.

    It holds `until` those people would be looked up anew, and while the `era` of their organization lasts. `keys` are
    under what the process would remember the answers, in the order of the points; `places` where they belong, by the
    part of the `shape` and then by metric and arguments.
    """

    shape: Shape
    look: Look
    keys: tuple[tuple[str, Question], ...]
    places: Places
    people: Sequence[Person]
    subjects: frozenset[str]
    told: Mapping[str, int]
    until: datetime
    era: int


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """An errand that is run: `rows` are on their way, until `deadline` rings and nobody waits for them any more."""

    errand: Errand
    rows: asyncio.Future[list[Row]]
    deadline: asyncio.TimerHandle

    def give_up(self) -> None:
        """Wait for them no longer."""
        self.deadline.cancel()
        self.rows.cancel()


def into_places(world: World, rows: Iterable[Row], places: Places, answers: list[Any], until: datetime) -> datetime:
    """Put answers that are fresh, and understood by their times, into their places; say when the first is not."""
    at, now = world.clock(), world.now()
    since = now - RETENTION
    for row in rows:
        expires_at = row.expires_at
        if row.as_of <= at and row.calculated_at >= since and expires_at > now:
            until = min(until, expires_at)
            for place in places[row.part - 1].get((row.metric, row.arguments), ()):
                answers[place] = row
    return until
