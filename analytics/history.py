"""Numbers over time: what was said of a group on each day, added up, and set beside the time before.

Said of k or more people, and rounded as any number about a group is (`analytics.privacy`).
"""

from __future__ import annotations

import functools
import math
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from analytics import privacy
from analytics.catalog import PUBLIC
from analytics.codec import named
from analytics.declare import Metric, Role, Scope, nothing
from analytics.history_values import Granularity, GroupComparison, Series, SeriesPoint
from analytics.keeping import question
from analytics.policy import NotAllowed, NotFound, Subject, Unavailable
from datasources.postgres import aggregates
from datasources.postgres.aggregates import Measured, Whose
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.policy import Viewer
    from analytics.world import World
    from datasources.postgres.aggregates import Stretch, Week

log = structlog.get_logger(__name__)

K = 10
LONGEST = timedelta(days=7 * 366)
"""How long aggregates are kept, and the longest range that can be asked for."""

EVER = "millennium"
"""A stretch that no range is longer than."""

ADMINS_ONLY = "What was said of groups over time is for organization admins."
NOT_NOW = "What was said over time cannot be looked up just now. Ask again in a few seconds."


class Histories:
    """One request's way to what was said over time, as its viewer may hear it."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self._database = world.database
        self._roster = world.roster
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)

    async def of(  # noqa: PLR0913 - which number, of whom, from when to when, how finely
        self,
        metric: Metric,
        first: date,
        last: date,
        granularity: Granularity,
        *,
        department: str | None = None,
        course: str | None = None,
    ) -> Series:
        """A metric over the days from `first` to `last`: of the organization, or of a department or a course in it.

        Raises:
            NotAllowed: the viewer is no admin, or the metric is none that is summed up.
            NotFound: the organization has no such department, or no such course.
            Unavailable: it cannot be looked up just now.
        """
        self._allowed(metric)
        part = ("department", department) if department is not None else ("course", course)
        whole = "market" if metric.scope is Scope.MARKET else "organization"
        scope, name = (whole, "") if part[1] is None else part
        whose = Whose(scope, name or "", metric.key)
        k = max(K, metric.k)
        length = last - first + timedelta(days=1)
        try:
            await self._known(department, course)
            found = await aggregates.read(self._database, self._actor, whose, first, last, by=granularity.value, k=k)
            now = await aggregates.read(self._database, self._actor, whose, first, last, by=EVER, k=k)
            before = await aggregates.read(
                self._database, self._actor, whose, first - length, first - timedelta(days=1), by=EVER, k=k
            )
        except UNAVAILABLE as error:
            log.warning("history.not_read", error=type(error).__name__)
            raise Unavailable(NOT_NOW) from error
        points = tuple(_point(stretch, first, last, granularity) for stretch in found)
        mean, version = _mean(now)
        mean_before, version_before = _mean(before)
        if version_before != version:
            mean_before = None
        return Series(metric.key, points, mean, mean_before, _change(mean, mean_before))

    async def compared(self, metric: Metric, scope: str) -> tuple[GroupComparison, ...]:
        """The departments, or courses, of the organization beside each other in the last seven days, by name.

        Raises:
            NotAllowed: the viewer is no admin, or the metric is none that is summed up.
            Unavailable: it cannot be looked up just now.
        """
        self._allowed(metric)
        try:
            found = await aggregates.weeks(self._database, self._actor, scope, metric.key, max(K, metric.k))
        except UNAVAILABLE as error:
            log.warning("history.not_read", error=type(error).__name__)
            raise Unavailable(NOT_NOW) from error
        return tuple(_compared(week) for week in found)

    def _allowed(self, metric: Metric) -> None:
        if self._viewer.role is not Role.ORG_ADMIN:
            raise NotAllowed(ADMINS_ONLY)
        if metric not in summed_up():
            names = ", ".join(sorted(named(one.key) for one in summed_up()))
            message = f"{named(metric.key)} has no number that is summed up; these have: {names}."
            raise NotAllowed(message)

    async def _known(self, department: str | None, course: str | None) -> None:
        """Go on where the organization has such a department, or such a course."""
        if department is not None:
            here = await self._roster.organization(self._actor)
            if here is not None and department not in here.departments:
                message = f"There is no such department; there are: {', '.join(sorted(here.departments)) or 'none'}."
                raise NotFound(message)
        if course is not None and await self._roster.places.roll(self._viewer.organization, course) is None:
            message = "There is no such course, or none that is yours to see."
            raise NotFound(message)


def ends_of(begins: date, granularity: Granularity) -> date:
    """The last day of the day, week or month that begins then."""
    if granularity is Granularity.DAY:
        return begins
    if granularity is Granularity.WEEK:
        return begins + timedelta(days=6)
    return (begins.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@functools.cache
def summed_up() -> tuple[Metric, ...]:
    """The metrics whose headline number is summed up: public ones about learners and whole organizations."""
    scopes = {Scope.LEARNER, Scope.ORGANIZATION, Scope.MARKET}
    return tuple(one for one in PUBLIC.values() if one.scope in scopes and one.score is not nothing)


def measured() -> tuple[Measured, ...]:
    """The same, as their answers are kept where nothing was chosen."""
    found = []
    for one in summed_up():
        asked = question(one, Subject(one.scope, "", ""), {})
        found.append(Measured(one.key, one.version, asked.arguments, max(K, one.k)))
    return tuple(found)


def _point(stretch: Stretch, first: date, last: date, granularity: Granularity) -> SeriesPoint:
    mean = stretch.total / stretch.persons
    spread = math.sqrt(max(0.0, stretch.squares / stretch.persons - mean**2))
    return SeriesPoint(
        begins_on=max(first, stretch.starts),
        ends_on=min(last, ends_of(stretch.starts, granularity)),
        days=stretch.days,
        mean=privacy.said(mean, stretch.n),
        spread=privacy.said(spread, stretch.n),
        learners=privacy.in_fives(stretch.n),
        version=stretch.version,
    )


def _mean(found: Sequence[Stretch]) -> tuple[float | None, int | None]:
    """The mean of a whole range, as it may be said, and the version of its formula."""
    if not found:
        return None, None
    (whole,) = found
    return privacy.said(whole.total / whole.persons, whole.n), whole.version


def _compared(week: Week) -> GroupComparison:
    mean = privacy.said(week.mean, week.n)
    before = None
    if week.n_before is not None and week.mean_before is not None:
        before = privacy.said(week.mean_before, week.n_before)
    return GroupComparison(week.name, privacy.in_fives(week.n), mean, before, _change(mean, before))


def _change(mean: float | None, before: float | None) -> float | None:
    return None if mean is None or before is None else mean - before
