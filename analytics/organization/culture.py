"""Organization learning culture (definition 13): how many take part, regularly, together, to the end, and widely."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from annotated_types import Ge, Le

from analytics.arithmetic import TrendDirection, day_of, mean, quantile, unique
from analytics.declare import DataQuality, Everyone, Points, Role, Scope, Withheld, metric
from analytics.learner.participation import ActivityBreakdown, breakdown
from analytics.organization.outcomes import retention_rate, taken_lately
from analytics.organization.people import (
    MONTH,
    active_within,
    members_of,
    of_members,
    places_of,
    quality_of,
    too_few,
)
from analytics.privacy import DAILY, K, in_fives, said, said_share
from analytics.rolls import Membership
from datasources.content import Interactions
from datasources.course import ActionsByType, ActiveDay, Activity
from datasources.declare import Count, Score, Share, Unit
from datasources.directory import Logins
from datasources.packed import Chosen

FLOOR = 0.01
WEEK_DAYS, WEEKS, REGULAR = 7, 4, 3
BROAD = 2
NOTABLE = 10
MINUTE = timedelta(minutes=1)

DaysAWeek = Annotated[float, Ge(0), Le(7), Unit("days a week", digits=1)]
Minutes = Annotated[float, Ge(0), Le(1e8), Unit("minutes", digits=0)]


@dataclass(frozen=True, slots=True)
class CultureDimensions:
    """The five components. Each is rounded to 5 percent under 50 members, else to 1."""

    participation: Share
    """Members with any action in the last 30 days, of all members."""
    regularity: Share
    """Those active in three or more of the last four weeks, of the active."""
    social: Share
    """Those with any action in a forum in the last 30 days, of the active."""
    persistence: Share | None
    """Places in courses taken in the last twelve months that were not left; null under 10 persons."""
    breadth: Share | None
    """Those who opened content of two or more courses or types in the last 30 days, of the active.

    Null when the content service does not say.
    """


@dataclass(frozen=True, slots=True)
class LearningBehaviors:
    """How the active members learn."""

    average_session_length: Minutes | None
    """The median over persons of their mean session of the last 30 days, up to now; null under 10 with a session."""
    frequency: DaysAWeek
    """The mean number of active days a week, over the last four weeks, rounded to halves."""
    preferred_methods: ActivityBreakdown
    """What their actions of the last 30 days were for."""


@dataclass(frozen=True, slots=True)
class CultureTrend:
    """Participation now against participation 30 days earlier, of the same members."""

    direction: TrendDirection
    """Up or down beyond 10 points, else stable."""
    participation_before: Share
    """Members with any action in the 30 days before the last 30, of all members."""
    change: Points
    """The difference, in points of 100."""


@dataclass(frozen=True, slots=True)
class OrgLearningCulture:
    """How the members of an organization learn, as their behaviour shows it. Not a survey of what they think."""

    overall_culture: Score | None
    """100 (P R S K B)^(1/5), of the components as they are said, each at least 0.01; null when one is."""
    culture_dimensions: CultureDimensions
    """The five components."""
    learning_behaviors: LearningBehaviors
    """How the active members learn."""
    trends: CultureTrend
    """Where participation goes; a description, no forecast."""
    members: Count
    """Active learners of the organization, in fives."""
    active: Count
    """Those with any action in the last 30 days, in fives; 10 or more."""
    quality: DataQuality
    """The members, in fives; the 30 days looked at. OK from 50."""


@dataclass(frozen=True, slots=True)
class _Month:
    """What the metric needs of an active member's last 30 days; the days themselves are let go of."""

    regular: bool
    social: bool
    days_of_weeks: int
    """Active days of the last four weeks."""
    done: ActiveDay
    """What the actions were for, as of one day."""


def culture_score(components: Iterable[float]) -> float:
    """100 x the geometric mean of the components, each at least 0.01."""
    floored = [max(FLOOR, component) for component in components]
    return 100 * math.exp(math.fsum(map(math.log, floored)) / len(floored))


def regular(days: Iterable[ActiveDay], today: date) -> bool:
    """Whether three or more of the last four weeks have an active day."""
    ages = {(today - day.date).days // WEEK_DAYS for day in days}
    return len(ages & set(range(WEEKS))) >= REGULAR


def broad(opened: Interactions, today: date) -> bool:
    """Whether content of two or more courses or of two or more types was opened in the last 30 days."""
    recent = [i for i in opened.interactions if i.actions > 0 and today - MONTH < i.date <= today]
    return max(len({i.course_id for i in recent}), len({i.type for i in recent})) >= BROAD


def session_minutes(logins: Mapping[str, Logins], at: datetime) -> float | None:
    """The median over persons of their mean session of the last 30 days, in minutes; None under ten persons.

    A session that still runs counts up to now.
    """
    sessions = [
        mean(
            min(timedelta(seconds=login.duration_seconds), at - login.at) / MINUTE
            for login in unique(fact.logins, lambda login: login.at)
            if at - MONTH < login.at <= at
        )
        for fact in logins.values()
    ]
    known = [minutes for minutes in sessions if minutes is not None]
    return quantile(known, 0.5) if len(known) >= K else None


def trend_of(now: float, before: float) -> CultureTrend:
    """Two participations compared, as they are said."""
    change = 100 * (now - before)
    direction = (
        TrendDirection.UP if change > NOTABLE else TrendDirection.DOWN if change < -NOTABLE else TrendDirection.STABLE
    )
    return CultureTrend(direction, before, change)


def _month_of(recent: Sequence[ActiveDay], today: date) -> _Month:
    weeks = timedelta(days=WEEK_DAYS * WEEKS)
    return _Month(
        regular=regular(recent, today),
        social=any(day.by_type.forum for day in recent),
        days_of_weeks=sum(day.date > today - weeks for day in recent),
        done=_as_one(recent),
    )


def _as_one(days: Sequence[ActiveDay]) -> ActiveDay:
    """Days as one with as many actions of each kind; those of no named kind are other."""
    content = sum(day.by_type.content for day in days)
    forum = sum(day.by_type.forum for day in days)
    quiz = sum(day.by_type.quiz for day in days)
    named = content + forum + quiz
    total = sum(max(day.actions, _named(day.by_type) + day.by_type.other) for day in days)
    return ActiveDay(days[-1].date, total, ActionsByType(content, forum, quiz, total - named))


def _named(by: ActionsByType) -> int:
    return by.content + by.forum + by.quiz


@metric(
    Scope.ORGANIZATION,
    key="org-learning-culture",
    roles={Role.ORG_ADMIN},
    k=K,
    fresh_for=DAILY,
    formula="100 (participation x regularity x social x persistence x breadth)^(1/5), each at least 0.01",
    evidence=(
        "A behavioural index of what people do; not the survey of Marsick and Watkins (2003), which asks them about "
        "seven dimensions"
    ),
    score=lambda value: value.overall_culture,
)
def learning_culture(
    membership: Membership,
    activity: Everyone[Activity],
    interactions: Everyone[Interactions] | None,
    logins: Everyone[Logins] | None,
    *,
    at: datetime,
) -> OrgLearningCulture | Withheld:
    """How many members of an organization take part, regularly, together, to the end, and widely.

    A behavioural index: it says what people do on the platform, not what they think of learning. Withheld when fewer
    than 10 members were active in the last 30 days.
    """
    members, today = members_of(membership), day_of(at)
    active: dict[str, _Month] = {}
    earlier = 0
    for one, fact in of_members(members, activity.by_learner).items():
        days = [day for day in unique(fact.days, lambda day: day.date) if day.actions > 0 and day.date <= today]
        earlier += active_within(Activity(tuple(days)), today - MONTH, MONTH)
        if recent := [day for day in days if today - MONTH < day.date]:
            active[one] = _month_of(recent, today)
    if len(active) < K:
        return too_few("Fewer than 10 members were active in the last 30 days.")
    n, m, months = len(members), len(active), active.values()
    opened = None if interactions is None else Chosen(active, interactions.by_learner).values()
    dimensions = CultureDimensions(
        participation=said_share(m / n, n),
        regularity=said_share(sum(month.regular for month in months) / m, m),
        social=said_share(sum(month.social for month in months) / m, m),
        persistence=retention_rate(taken_lately(places_of(membership.rolls, at), at)),
        breadth=None if opened is None else said_share(sum(broad(each, today) for each in opened) / m, m),
    )
    parts = (
        dimensions.participation,
        dimensions.regularity,
        dimensions.social,
        dimensions.persistence,
        dimensions.breadth,
    )
    known_parts = [part for part in parts if part is not None]
    complete = len(known_parts) == len(parts)
    often = mean(month.days_of_weeks / WEEKS for month in months) or 0.0
    minutes = session_minutes(of_members(members, logins.by_learner), at) if logins else None
    methods = breakdown(month.done for month in months)
    return OrgLearningCulture(
        overall_culture=culture_score(known_parts) if complete else None,
        culture_dimensions=dimensions,
        learning_behaviors=LearningBehaviors(
            average_session_length=None if minutes is None else said(minutes, m),
            frequency=min(7.0, math.floor(2 * often + 0.5) / 2),
            preferred_methods=ActivityBreakdown(
                said_share(methods.content, m),
                said_share(methods.forum, m),
                said_share(methods.quiz, m),
                said_share(methods.other, m),
            ),
        ),
        trends=trend_of(dimensions.participation, said_share(earlier / n, n)),
        members=in_fives(n),
        active=in_fives(m),
        quality=quality_of(n, MONTH.days),
    )
