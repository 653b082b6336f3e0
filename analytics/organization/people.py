"""The members of an organization as its metrics read them: who they are, in which parts, and how many do.

Everything that leaves here about a part is about ten persons or more, whichever way it is subtracted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from analytics.arithmetic import unique
from analytics.declare import DataQuality, DataQualityLevel, Withheld, WithheldReason
from analytics.privacy import K, in_fives, spoken
from analytics.rolls import Member, Membership, Place, Roll
from analytics.standings.places import places_at
from datasources.course import Activity
from datasources.packed import Chosen

T = TypeVar("T")

MONTH = timedelta(days=30)
YEAR = timedelta(days=365)


def members_of(membership: Membership) -> dict[str, Member]:
    """The members by learner id, each once."""
    return {one.learner: one for one in unique(membership.members, lambda member: member.learner)}


def of_members(members: Mapping[str, Member], by_learner: Mapping[str, T]) -> Mapping[str, T]:
    """What is known of the members, in the order of their ids; read one at a time, and nothing of others."""
    return Chosen(sorted(members), by_learner)


def too_few(message: str) -> Withheld:
    """Why nothing is said of a group of fewer than ten."""
    return Withheld(WithheldReason.TOO_FEW_PEERS, message, needed=K)


def by_department(members: Mapping[str, Member], people: Iterable[str]) -> list[tuple[str | None, list[str]]]:
    """Those of the people who are in each department that may be spoken of, by its name; None, last, is no department.

    Whoever is no member any more belongs to no department.
    """
    parts: defaultdict[str | None, list[str]] = defaultdict(list)
    for learner in sorted(set(people)):
        parts[members[learner].department if learner in members else None].append(learner)
    open_parts = spoken({name: len(part) for name, part in parts.items()}, K)
    return [(name, parts[name]) for name in sorted(open_parts, key=lambda name: (name is None, name or ""))]


def active_within(activity: Activity, until: date, window: timedelta) -> bool:
    """Whether somebody did anything in the days of the window up to `until`, that day included."""
    return any(day.actions > 0 and until - window < day.date <= until for day in activity.days)


def places_of(rolls: Iterable[Roll], at: datetime) -> list[tuple[Roll, Place]]:
    """Every place that was taken by `at`, as it stood, once for each learner and course, by course and learner."""
    taken = [(roll, place) for roll in rolls for place in places_at(roll, at)]
    once = unique(taken, lambda pair: (pair[0].course, pair[1].learner))
    return sorted(once, key=lambda pair: (pair[0].course, pair[1].learner))


def quality_of(persons: int, days: int) -> DataQuality:
    """What a number about a group stands on: its persons, in fives, over so many days; OK from 50 of them."""
    level = DataQualityLevel.OK if persons >= 50 else DataQualityLevel.LOW  # noqa: PLR2004 - as with peers: few, many
    return DataQuality(in_fives(persons), days, level)
