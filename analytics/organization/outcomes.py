"""How courses ended for the people of an organization, and who stayed in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from analytics.organization.people import YEAR
from analytics.privacy import K, said_share
from analytics.rolls import Place, Roll
from analytics.standings.places import UNKNOWN_AT_MOST, completed, gone, passed


def completion_rate(places: Sequence[tuple[Roll, Place]], at: datetime) -> float | None:
    """The share of the places in courses that are over which were completed; None under ten persons."""
    return _share([(place, completed(place)) for roll, place in places if roll.ends_at <= at])


def pass_rate(places: Sequence[tuple[Roll, Place]], at: datetime) -> float | None:
    """The share of the places in courses that are over which passed, of those with a result or left.

    None under ten persons, and while more than a tenth of the outcomes are not known: those who left are always
    known, so that the rate of the others would be too low.
    """
    ended = [place for roll, place in places if roll.ends_at <= at]
    told = [(place, outcome) for place in ended if (outcome := passed(place)) is not None]
    return _share(told) if len(told) >= (1 - UNKNOWN_AT_MOST) * len(ended) else None


def taken_lately(places: Sequence[tuple[Roll, Place]], at: datetime) -> list[Place]:
    """The places that were taken in the last twelve months."""
    return [place for _, place in places if place.enrolled_at > at - YEAR]


def of_people(places: Sequence[Place], learners: Iterable[str]) -> list[Place]:
    """Those of the places that these learners took."""
    wanted = frozenset(learners)
    return [place for place in places if place.learner in wanted]


def retention_rate(recent: Sequence[Place]) -> float | None:
    """The share of the places that were not left; None under ten persons."""
    return _share([(place, not gone(place)) for place in recent])


def _share(told: Sequence[tuple[Place, bool]]) -> float | None:
    """The share of the places of which it is true, as it may be said."""
    persons = len({place.learner for place, _ in told})
    return said_share(sum(true for _, true in told) / len(told), persons) if persons >= K else None
