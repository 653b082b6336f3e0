"""How courses ended for the people of an organization, and who stayed in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from analytics.organization.people import YEAR, K, left
from analytics.privacy import said_share
from analytics.rolls import Place, Roll
from datasources.course import EnrollmentStatus, Result

PASSED = {Result.PASSED, Result.DISTINCTION}


def completion_rate(places: Sequence[tuple[Roll, Place]], at: datetime) -> float | None:
    """The share of the places in courses that are over which were completed; None under ten persons."""
    return _share([(place, _completed(place, at)) for roll, place in places if roll.ends_at <= at])


def pass_rate(places: Sequence[tuple[Roll, Place]], at: datetime) -> float | None:
    """The share of the places in courses that are over which passed, of those with a result or left.

    None under ten persons, and while no result at all is known.
    """
    ended = [place for roll, place in places if roll.ends_at <= at]
    if not any(place.result for place in ended):
        return None
    settled = [place for place in ended if place.result or left(place, at)]
    return _share([(place, place.result in PASSED and not left(place, at)) for place in settled])


def taken_lately(places: Sequence[tuple[Roll, Place]], at: datetime) -> list[Place]:
    """The places that were taken in the last twelve months."""
    return [place for _, place in places if place.enrolled_at > at - YEAR]


def of_people(places: Sequence[Place], learners: Iterable[str]) -> list[Place]:
    """Those of the places that these learners took."""
    wanted = frozenset(learners)
    return [place for place in places if place.learner in wanted]


def retention_rate(recent: Sequence[Place], at: datetime) -> float | None:
    """The share of the places that were not left; None under ten persons."""
    return _share([(place, not left(place, at)) for place in recent])


def _completed(place: Place, at: datetime) -> bool:
    return place.status is EnrollmentStatus.COMPLETED and not left(place, at)


def _share(told: Sequence[tuple[Place, bool]]) -> float | None:
    """The share of the places of which it is true, as it may be said."""
    persons = len({place.learner for place, _ in told})
    return said_share(sum(true for _, true in told) / len(told), persons) if persons >= K else None
