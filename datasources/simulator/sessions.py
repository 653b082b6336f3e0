"""When a made-up learner was on the platform: one or two sittings on each day they were active, and on no other."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from datasources.simulator.campus import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from random import Random

    from datasources.simulator.campus import CourseRun, Person, Registration

LONGEST = 120
"""The most minutes of one sitting."""

_MORNING = range(8 * 60, 12 * 60)
_EVENING = range(17 * 60, 21 * 60)
_MUCH = 40
_TWICE = {False: 0.15, True: 0.6}
_IN_THE_EVENING = 0.65


def active_days(courses: Mapping[str, CourseRun], registrations: Iterable[Registration]) -> Counter[date]:
    """One person's actions on each day with any, over all courses."""
    days: Counter[date] = Counter()
    for one in registrations:
        start = courses[one.course].start.date()
        for _, day, actions in one.clicks:
            days[start + timedelta(days=day)] += actions
    return +days


def sessions(rng: Random, person: Person, days: Mapping[date, int]) -> Iterator[Session]:
    """The sittings of one person in time order, from a minute up to two hours each; none runs into another.

    They begin between 8 and 21 o'clock where the person lives (in UTC where that is not known) and end before
    midnight. Busy days have more minutes and more often a second sitting.
    """
    zone = ZoneInfo(person.time_zone or "UTC")
    for day in sorted(days):
        actions = days[day]
        minutes = (5 + 0.9 * actions) * rng.uniform(0.7, 1.4)
        if rng.random() < _TWICE[actions > _MUCH]:
            parts = [(_MORNING, 0.4 * minutes), (_EVENING, 0.6 * minutes)]
        else:
            parts = [(_EVENING if rng.random() < _IN_THE_EVENING else _MORNING, minutes)]
        for hours, long in parts:
            began = datetime.combine(day, time(), zone) + timedelta(
                minutes=rng.choice(hours), seconds=rng.randrange(60)
            )
            seconds = int(60 * min(LONGEST, max(1.0, long)))
            yield Session(person.id, began.astimezone(UTC), seconds)
