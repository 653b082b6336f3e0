"""Aggregates: written by the night for k or more people together, read back over any stretch of days.

A row is a count, a sum and a sum of squares, so rows of days add up. Nothing here is rounded: that is for
whoever says it to somebody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasources.postgres.session import Actor, Database, system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric whose headline number is summed up; `arguments` as its answers are kept, `k` the fewest people."""

    metric: str
    version: int
    arguments: str
    k: int


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose numbers: `scope` is organization, department, course or market; `name` is empty for the whole."""

    scope: str
    name: str
    metric: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days together, from `starts` on; `n` is the fewest people of any of them, `persons` the sum over days."""

    starts: date
    version: int
    days: int
    n: int
    persons: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class Week:
    """A group's last seven days and the seven before; None where there were not k people then."""

    name: str
    n: int
    mean: float
    n_before: int | None
    mean_before: float | None


async def write(database: Database, organization: str, day: date, since: datetime, measured: Sequence[Measured]) -> int:
    """Sum up the answers calculated since then, instead of what the day had; how many rows that made."""
    rows = await database.fetch(
        "SELECT write_aggregates($1, $2, $3, $4, $5, $6, $7, $8, $9) AS written",
        *system(organization).settings,
        day,
        since,
        [one.metric for one in measured],
        [one.version for one in measured],
        [one.k for one in measured],
        [one.arguments for one in measured],
    )
    written: int = rows[0]["written"]
    return written


async def read(  # noqa: PLR0913 - whose numbers, from when to when, how finely
    database: Database, actor: Actor, whose: Whose, first: date, last: date, *, by: str, k: int
) -> tuple[Stretch, ...]:
    """The days from `first` to `last`, added up `by` day, week (from Monday) or month, by time.

    Days without k people are left out. Only admins, and the gateway itself, read any.
    """
    rows = await database.fetch(
        "SELECT * FROM read_aggregates($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        *actor.settings,
        whose.scope,
        whose.name,
        whose.metric,
        first,
        last,
        by,
        k,
    )
    return tuple(Stretch(*row) for row in rows)


async def weeks(database: Database, actor: Actor, scope: str, metric: str, k: int) -> tuple[Week, ...]:
    """Each group of the actor's organization, as the comparison was last refreshed; by name."""
    rows = await database.fetch(
        "SELECT * FROM compare_aggregates($1, $2, $3, $4, $5, $6)", *actor.settings, scope, metric, k
    )
    return tuple(Week(*row) for row in rows)


async def refresh(database: Database) -> None:
    """Bring the comparison of weeks up to date, while others read it."""
    await database.fetch("SELECT refresh_comparisons()")
