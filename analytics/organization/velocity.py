"""Organization velocity (definition 11): the middle of the members' paces, how wide they lie, and where it goes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le

from analytics.arithmetic import TrendDirection, day_of, mean, percent_change, quantile
from analytics.declare import Change, DataQuality, Everyone, Role, Scope, Withheld, metric
from analytics.learner.courses import enrolled
from analytics.organization.paces import Pace, change_interval, pace_at
from analytics.organization.people import (
    MONTH,
    active_within,
    by_department,
    members_of,
    of_members,
    quality_of,
    too_few,
)
from analytics.privacy import DAILY, K, in_fives, merged, said, said_share, step
from analytics.rolls import Member, Membership
from datasources.course import Activity, Progress
from datasources.declare import Count, Share, Text, Unit

PacePoints = Annotated[float, Ge(0), Le(200), Unit("percent of the planned pace", digits=1)]
PaceChange = Annotated[float, Ge(-200), Le(200), Unit("percent of the planned pace, up or down", digits=1)]

ON_TRACK = 95
EDGES = (0.0, 50.0, 95.0, 105.0, 200.0)
"""The bands of a learner's own pace: behind, slightly behind, on track, ahead."""


@dataclass(frozen=True, slots=True)
class PaceBand:
    """One band of the distribution; neighbours with fewer than 10 learners are merged into one."""

    lowest: PacePoints
    """Where the band begins, itself included; 0 for the first."""
    highest: PacePoints
    """Where it ends, itself left out but in the last, which ends at 200."""
    share: Share
    """The share of the learners with a pace who are in it."""


@dataclass(frozen=True, slots=True)
class DepartmentVelocity:
    """One department with 10 or more learners who have a pace."""

    department: Text | None
    """Its name; null for those who are in no department."""
    velocity: PacePoints
    """The median pace."""
    average_progress: Share
    """The mean share of the planned work that is done."""
    learner_count: Count
    """Learners with a pace, in fives."""


@dataclass(frozen=True, slots=True)
class OrgVelocityTrend:
    """The median pace now against the median pace of the same members 30 days earlier."""

    direction: TrendDirection
    """Up or down where the interval leaves 0 out; insufficient data with fewer than 10 paces at that time."""
    velocity_before: PacePoints | None
    """The median 30 days earlier; null with fewer than 10 paces at that time."""
    change: PaceChange | None
    """The median now minus the median then."""
    change_from: PaceChange | None
    """The low end of the 95 % bootstrap interval of the change, rounded outwards."""
    change_to: PaceChange | None
    """The high end of that interval, rounded outwards."""
    percentage: Change | None
    """The change in percent of the median then; null when that is 0 or not known."""


@dataclass(frozen=True, slots=True)
class OrgLearningVelocity:
    """How fast the members of an organization move through their assigned work."""

    overall_velocity: PacePoints
    """The median pace: 100 x work done over work due. Rounded to 5 under 50 learners, else to 1, as all below."""
    lower_quartile: PacePoints
    """A quarter of the paces is below."""
    upper_quartile: PacePoints
    """A quarter of the paces is above."""
    share_on_track: Share
    """The share of the paces from 95 up."""
    active_rate: Share
    """The share of the learners with any action in the last 30 days."""
    members: Count
    """Active learners of the organization, in fives."""
    learners: Count
    """Those of them who are in a course, in fives."""
    no_course: Count
    """Those who are in none, in fives; they have no pace and change no number here."""
    distribution: tuple[PaceBand, ...]
    """The paces in bands of 10 learners or more, the slowest first."""
    department_breakdown: tuple[DepartmentVelocity, ...]
    """The departments that can be shown so that no subtraction leaves fewer than 10 learners, by name."""
    trends: OrgVelocityTrend
    """Where the median goes; a description, no forecast."""
    quality: DataQuality
    """The learners with a pace, in fives; the 30 days looked at. OK from 50."""


def distribution(paces: list[float]) -> tuple[PaceBand, ...]:
    """The paces in the bands of the definition, neighbours merged until each holds ten."""
    inner = EDGES[1:-1]
    counts = [0] * (len(EDGES) - 1)
    for pace in paces:
        counts[sum(pace >= edge for edge in inner)] += 1
    return tuple(
        PaceBand(EDGES[first], EDGES[last + 1], said_share(count / len(paces), len(paces)))
        for first, last, count in merged(counts, K)
    )


def breakdown(members: Mapping[str, Member], paces: Mapping[str, tuple[float, float]]) -> list[DepartmentVelocity]:
    """The departments that can be shown, from each learner's pace and progress."""
    return [
        DepartmentVelocity(
            department=name,
            velocity=said(quantile([paces[one][0] for one in part], 0.5) or 0.0, len(part)),
            average_progress=said_share(mean(paces[one][1] for one in part) or 0.0, len(part)),
            learner_count=in_fives(len(part)),
        )
        for name, part in by_department(members, paces)
    ]


def trend_of(now: Mapping[str, float], then: Mapping[str, float]) -> OrgVelocityTrend:
    """The change of the median since then, and how sure that is."""
    median_now, median_then = quantile(list(now.values()), 0.5), quantile(list(then.values()), 0.5)
    few = min(len(now), len(then))
    interval = change_interval([(now.get(one), then.get(one)) for one in {**now, **then}]) if few >= K else None
    if median_now is None or median_then is None or interval is None:
        return OrgVelocityTrend(TrendDirection.INSUFFICIENT_DATA, None, None, None, None, None)
    before, after, by = said(median_then, few), said(median_now, few), step(few)
    low = max(-200.0, float(by * math.floor(interval[0] / by)))
    high = min(200.0, float(by * math.ceil(interval[1] / by)))
    direction = TrendDirection.UP if low > 0 else TrendDirection.DOWN if high < 0 else TrendDirection.STABLE
    return OrgVelocityTrend(direction, before, after - before, low, high, percent_change(after, before))


def _velocities(paces: Mapping[str, Pace | None]) -> dict[str, float]:
    return {learner: pace.velocity for learner, pace in paces.items() if pace is not None and pace.velocity is not None}


@metric(
    Scope.ORGANIZATION,
    key="org-learning-velocity",
    roles={Role.ORG_ADMIN},
    k=K,
    fresh_for=DAILY,
    formula=(
        "median over the members of 100 x work done / work due (0 to 200); trend = median now - median 30 days earlier "
        "with a 95 % bootstrap interval over the members"
    ),
    evidence="OULAD, 15 presentations, 15,968 registrations at day 94: of those below 50 3 % passed, to 95 30 %, "
    "to 105 72 %, above 88 %",
    score=lambda value: value.overall_velocity,
)
def learning_velocity(
    membership: Membership, progress: Everyone[Progress], activity: Everyone[Activity], *, at: datetime
) -> OrgLearningVelocity | Withheld:
    """How fast the members of an organization move through their assigned work, against the pace the plans ask for.

    A member's pace is that of learner-velocity, worked out from the same facts. Members without a course change
    nothing but their own count. Withheld under 10 learners with a pace.
    """
    members, today = members_of(membership), day_of(at)
    plans = of_members(members, progress.by_learner)
    now: dict[str, Pace | None] = {}
    then: dict[str, Pace | None] = {}
    for one, plan in plans.items():
        then[one] = pace_at(plan, at - MONTH)
        if enrolled(plan, at):
            now[one] = pace_at(plan, at)
    learners, velocities = list(now), _velocities(now)
    middle, low, high = (quantile(list(velocities.values()), share) for share in (0.5, 0.25, 0.75))
    if middle is None or low is None or high is None or len(velocities) < K:
        return too_few("Fewer than 10 members have work that is due, so their pace is not told.")
    n, days = len(velocities), activity.by_learner
    active = [one in days and active_within(days[one], today, MONTH) for one in learners]
    known = {one: (velocities[one], pace.progress) for one, pace in now.items() if pace and one in velocities}
    return OrgLearningVelocity(
        overall_velocity=said(middle, n),
        lower_quartile=said(low, n),
        upper_quartile=said(high, n),
        share_on_track=said_share(sum(pace >= ON_TRACK for pace in velocities.values()) / n, n),
        active_rate=said_share(sum(active) / len(learners), len(learners)),
        members=in_fives(len(members)),
        learners=in_fives(len(learners)),
        no_course=in_fives(len(members) - len(learners)),
        distribution=distribution(list(velocities.values())),
        department_breakdown=tuple(breakdown(members, known)),
        trends=trend_of(velocities, _velocities(then)),
        quality=quality_of(n, MONTH.days),
    )
