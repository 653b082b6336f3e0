"""An organization's people and courses, as the services describe them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from analytics.declare import Role
from datasources.course import Courses, Enrollments
from datasources.directory import Members, Organization
from datasources.packed import Packed
from datasources.postgres.roster import Roster
from datasources.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from datasources.fetch import Facts, Fetched


async def described(facts: Facts, organization: str, now: datetime) -> Roster | frozenset[str]:
    """An organization as the services describe it now; or those that did not answer (none: nobody knows it)."""
    about, members = await asyncio.gather(
        facts.load(Organization, organization, mock=False), facts.load(Members, organization, mock=False)
    )
    if about.fact is None or members.fact is None:
        return _silent((about, members))
    people = [user for user in members.fact.users if user.is_active]
    taken = await facts.load_packed(Courses, [user.id for user in people if Role.LEARNER.value in user.roles])
    told = {learner: one.fact for learner, one in taken.items() if one.fact is not None}
    courses = {one.id: one for each in Packed(told, wire_of(Courses).unpacked).values() for one in each.courses}
    enrolled = await facts.load_many(Enrollments, sorted(courses))
    # An answer that is missing must not look like a course that everybody left.
    if silent := _silent((*taken.values(), *enrolled.values())):
        return silent
    return Roster(
        organization=about.fact,
        people=people,
        courses=tuple(courses.values()),
        enrollments={course: one.fact.enrollments for course, one in enrolled.items() if one.fact},
        synced_at=now,
    )


def _silent(fetched: Iterable[Fetched[Any]]) -> frozenset[str]:
    return frozenset(one.service for one in fetched if one.origin is None)
