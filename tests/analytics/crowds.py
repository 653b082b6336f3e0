"""Organizations made by hand: their members by number, and one fact of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from analytics.declare import Everyone
from analytics.rolls import Member, Membership, Place, Roll
from datasources.course import CourseProgress, EnrollmentStatus, Module, Progress, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


def named(number: int) -> str:
    return f"member-{number:03}"


def organization(departments: Sequence[str | None], *rolls: Roll) -> Membership:
    """One member for each department in the list."""
    return Membership(tuple(Member(named(i), part) for i, part in enumerate(departments)), rolls)


def people(count: int, *rolls: Roll) -> Membership:
    return organization([None] * count, *rolls)


def everyone(facts: Iterable[T]) -> Everyone[T]:
    """The facts of the members from the first on."""
    return Everyone({named(i): fact for i, fact in enumerate(facts)})


def plan(done: int, *, late: int = 0) -> Progress:
    """A course of twenty modules, ten of them due sixty days ago: 10 x done is the pace.

    Of the modules done, the last `late` were completed five days ago and the others forty.
    """
    modules = tuple(
        Module(
            id=f"m{i:02}",
            title="",
            due_at=NOW - 60 * DAY if i < 10 else NOW + 30 * DAY,
            completed_at=None if i >= done else NOW - 5 * DAY if i >= done - late else NOW - 40 * DAY,
        )
        for i in range(20)
    )
    return Progress((CourseProgress("c", "C", NOW - 100 * DAY, NOW + 100 * DAY, NOW - 100 * DAY, modules),))


def roll(
    course: str,
    results: Sequence[Result | None],
    *,
    over: bool = True,
    taken: int = 200,
    left: Sequence[int] = (),
) -> Roll:
    """The first members in one course: their results, and which of them left; taken so many days ago."""
    places = tuple(
        Place(
            named(i),
            NOW - taken * DAY,
            EnrollmentStatus.WITHDRAWN
            if i in left
            else EnrollmentStatus.COMPLETED
            if over
            else EnrollmentStatus.ACTIVE,
            NOW - 10 * DAY if i in left else None,
            result,
        )
        for i, result in enumerate(results)
    )
    return Roll(course, course, NOW - 150 * DAY, NOW - 5 * DAY if over else NOW + 50 * DAY, places)
