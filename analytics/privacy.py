"""k-anonymity: who counts as a peer, when a group is too small to speak of, and how exactly it is spoken of.

The ladder of groups is the same for everyone who asks, so that nobody can choose two groups that
differ by one person and subtract them.
"""

import math
from collections.abc import Iterable
from typing import Protocol

from analytics.declare import Rung

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
    return STEP * math.floor(number / STEP + 0.5) if persons < FEW else number


def head_count(persons: int) -> int:
    """How many persons, rounded likewise."""
    return int(blurred(persons, persons))
