"""Gamification: points from dated earnings, and what they make: levels, badges, streaks, milestones."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from analytics.arithmetic import day_of, quality
from analytics.declare import Family, Role, Scope, metric
from analytics.gamification import badges, earnings
from analytics.gamification.earnings import Earning
from analytics.gamification.levels import standing
from analytics.gamification.streaks import active_days, local_day, rows, streaks, zone_of
from analytics.gamification.values import (
    EarningKind,
    Gamification,
    PointsByKind,
    PointsByWindow,
    PointsEvent,
)
from datasources.assessment import Assessments, Scores
from datasources.course import Activity, Progress
from datasources.declare import MOST
from datasources.devlab import PracticeSessions
from datasources.directory import Logins, User
from datasources.skills import SkillAcquisition

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
RECENT = 10
ENOUGH_EVENTS, ENOUGH_DAYS = 5, 14


def total(earned: Iterable[Earning]) -> int:
    """The points of some earnings together."""
    return min(sum(one.points for one in earned), MOST)


def since(earned: Iterable[Earning], today: date, span: timedelta) -> int:
    """The points earned on the days of a span that ends with today."""
    return total(one for one in earned if today - one.on < span)


def by_kind(earned: Iterable[Earning]) -> tuple[PointsByKind, ...]:
    """The points of each kind."""
    every = list(earned)
    parts = {kind: [one for one in every if one.kind is kind] for kind in EarningKind}
    return tuple(PointsByKind(kind, len(part), total(part)) for kind, part in parts.items())


@metric(
    Scope.LEARNER,
    key="gamification",
    family=Family.SUBJECT,
    roles={Role.LEARNER},
    formula=(
        "points = 100 a course with all counted work done + 50 a skill acquired + the best score of each counted "
        "assessment + 10 a finished practice session + 10 an active day; level n begins at 50 n (n - 1) points"
    ),
)
def gamification(  # noqa: PLR0913, PLR0917 - one parameter for each fact that it reads
    progress: Progress,
    activity: Activity,
    assessments: Assessments,
    scores: Scores,
    acquired: SkillAcquisition,
    practice: PracticeSessions,
    logins: Logins,
    user: User | None,
    *,
    at: datetime,
) -> Gamification:
    """Points, level, badges and streaks of a learner, for the learner alone.

    Points are earned once for each thing and never taken away: work carried over from an earlier run and formative
    work earn none, a better attempt earns the difference, and every active day is a day of a streak. They say how
    much was done and scored, not how well somebody learns. Days are those of the learner's time zone. Quality is OK
    from 5 events over 14 days.
    """
    zone, zone_name = zone_of(None if user is None else user.time_zone)
    today = local_day(at, zone)
    handed = earnings.submissions(scores, at)
    finished = earnings.finished(practice, at)
    told = [day.date for day in activity.days if day.actions > 0 and day.date <= day_of(at)]
    instants = [
        *(record.submitted_at for record in handed),
        *(one.started_at for one in practice.sessions if one.started_at <= at),
        *(ended for _, ended in finished),
        *(login.at for login in logins.logins if login.at <= at),
    ]
    days = active_days(told, instants, zone, today)
    earned = sorted(
        (
            *earnings.courses(progress, at, zone),
            *earnings.skills(acquired, at, zone),
            *earnings.assessments(assessments, handed, zone),
            *earnings.practised(finished, zone),
            *earnings.streak_days(days),
        ),
        key=lambda one: (one.on, one.kind, one.id, one.points, one.title),
    )
    points = total(earned)
    level = standing(points)
    grown = badges.measured(earned, rows(days), days)
    recent = [one for one in reversed(earned) if one.kind is not EarningKind.STREAK][:RECENT]
    return Gamification(
        total_points=points,
        level=level.level,
        level_progress=level.progress,
        next_level_points=min(level.next_at, MOST),
        points=PointsByWindow(since(earned, today, WEEK), since(earned, today, MONTH), points),
        earned_by=by_kind(earned),
        badges=badges.earned(grown),
        achievements=badges.achievements(grown),
        streaks=streaks(days, today, zone_name),
        milestones=badges.milestones(earned),
        recent_activity=tuple(PointsEvent(one.kind, one.title, one.on, one.points) for one in recent),
        quality=quality([one.on for one in earned], enough=ENOUGH_EVENTS, span=ENOUGH_DAYS),
    )
