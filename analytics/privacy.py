"""k-anonymity: who counts as a peer, when a group is too small to speak of, and how exactly it is spoken of.

The ladder of groups is the same for everyone who asks, so that nobody can choose two groups that
differ by one person and subtract them. The parts of a whole are chosen so that no subtraction leaves
fewer than k, and numbers about a whole are rounded so that one person more or less cannot be read off.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from analytics.declare import Rung

K = 10
"""The fewest persons that anything is said of; of peers, the fewest others."""

DAILY = timedelta(days=1)
"""How long an answer about a group stands: all who ask on one day hear the same, so that nobody who joins can be
subtracted."""

FEW = 50
"""Below this many persons, numbers about a group are rounded."""

STEP = 5
"""What numbers about a small group are rounded to."""


class Peer(Protocol):
    """One member of a group: where they belong, and their headline number (None: they have none)."""

    @property
    def id(self) -> str: ...  # noqa: D102 - the class says what they are
    @property
    def region(self) -> str | None: ...  # noqa: D102 - likewise
    @property
    def age_band(self) -> str | None: ...  # noqa: D102 - likewise
    @property
    def score(self) -> float | None: ...  # noqa: D102 - likewise


def ladder(
    subject: str, members: Iterable[Peer], k: int, *, organization: bool = False
) -> tuple[Rung, tuple[float, ...]] | None:
    """The closest group with at least `k` others who have a number, and their numbers in ascending order.

    Among the members of a course the rungs are region and age band, region, and the whole course; among
    those of an organization there is one rung, everyone. Where the subject's region or age band is not
    known, the rungs that need it are skipped: not knowing is nothing to have in common. None when even
    the widest group is too small.
    """
    known = {member.id: member for member in members}
    own = known.pop(subject, None)
    others = [member for member in known.values() if member.score is not None]
    region, age = (own.region, own.age_band) if own is not None else (None, None)
    near = [member for member in others if region is not None and member.region == region]
    nearest = [member for member in near if age is not None and member.age_band == age]
    rungs = ((Rung.COURSE_REGION_AGE, nearest), (Rung.COURSE_REGION, near), (Rung.COURSE, others))
    for rung, group in ((Rung.ORGANIZATION, others),) if organization else rungs:
        if len(group) >= k:
            return rung, tuple(sorted(member.score for member in group if member.score is not None))
    return None


def blurred(number: float, persons: int) -> float:
    """A number about a group of this many persons, rounded to the nearest 5 where they are few; a half goes up."""
    return _nearest(number, STEP) if persons < FEW else number


def head_count(persons: int) -> int:
    """How many persons, rounded likewise."""
    return int(blurred(persons, persons))


def in_fives(persons: int) -> int:
    """How many persons, to the nearest 5 however many: a difference of two counts never tells of one person."""
    return _nearest(persons, STEP)


def crowd(persons: int, k: int) -> int | None:
    """How many of a group something is true of, in fives; None where that is somebody, but fewer than k."""
    return None if 0 < persons < k else in_fives(persons)


def step(persons: int) -> int:
    """To what a number of 0 to 100 about a whole group is rounded: 5 where the group is few, else 1."""
    return STEP if persons < FEW else 1


def said(number: float, persons: int) -> float:
    """A number of 0 to 100 about a group of this many persons, as it may be said; a half goes up.

    The step times the size is 50 or more for every group of 10 or more. So where one person joins a mean,
    the two answers leave open about 100 points of what that person's number may be: all of it.
    """
    return float(_nearest(number, step(persons)))


def _nearest(number: float, by: int) -> int:
    """The multiple that is nearest; a half goes up, and so does one that arithmetic on floats left a hair below."""
    return by * math.floor(round(number / by, 9) + 0.5)


def said_share(share: float, persons: int) -> float:
    """A share of a group (0 to 1), rounded likewise: to 5 percent where the group is few, else to 1."""
    return said(100 * share, persons) / 100


def said_part(some: int, persons: int) -> float:
    """The share that some of a group are, as it may be said: they are counted in fives, and the share is rounded.

    A share has only as many values as the group has persons. In a group of less than 20, or of 50 to 100, one
    person moves it by the step or more, so that without the fives every joiner could be read off.
    """
    return said_share(min(in_fives(some), persons) / persons, persons)


def spoken(sizes: Mapping[str | None, int], k: int) -> frozenset[str | None]:
    """Which parts of a whole may be spoken of, so that the whole less all that are is nobody, or k or more.

    A part of fewer than k is not spoken of. Where all that are not come to fewer than k together, the
    smallest other part (of equal ones the first by name) is kept back with them. Persons who belong to no
    part are a part too, None.
    """
    open_parts = sorted((size, name is not None, name or "") for name, size in sizes.items() if size >= k)
    kept_back = sum(size for size in sizes.values() if size < k)
    if 0 < kept_back < k:
        open_parts = open_parts[1:]
    return frozenset(name if named else None for _, named, name in open_parts)


def merged(counts: Sequence[int], k: int) -> tuple[tuple[int, int, int], ...]:
    """The bins of a histogram, merged from the first on until each holds k or more: (first, last, count) of each.

    What is left at the end joins the last one; empty bins join a neighbour, so that no end of the range
    is given away. Nothing when all bins together hold fewer than k.
    """
    runs: list[tuple[int, int, int]] = []
    first = held = 0
    for place, count in enumerate(counts):
        held += count
        if held >= k:
            runs.append((first, place, held))
            first, held = place + 1, 0
    if runs and first < len(counts):
        begin, _, count = runs.pop()
        runs.append((begin, len(counts) - 1, count + held))
    return tuple(runs)
