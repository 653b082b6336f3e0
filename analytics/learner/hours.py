"""The time a learner spent on the platform, session by session, as the directory service records it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.arithmetic import day_of, quality, unique
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.words import Seconds
from datasources.declare import MOST, Count
from datasources.directory import Logins

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """How long a learner was on the platform."""

    total: Seconds
    """All recorded sessions together."""
    this_week: Seconds
    """Sessions that began in the last 7 days."""
    average_per_session: Seconds
    """The mean session."""
    sessions: Count
    """How many sessions are recorded."""
    quality: DataQuality
    """The sessions, and the days they span."""


@metric(
    Scope.LEARNER,
    key="learner-time-spent",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula="sum of the durations of the sessions begun by now, each counted up to now; thisWeek: begun in 7 days",
)
def time_spent(logins: Logins, *, at: datetime) -> TimeSpent | Withheld:
    """How long a learner was on the platform, as the directory records sessions; being there is not yet learning.

    A session that still runs counts up to now. Quality is OK from 5 sessions over 7 days or more.
    """
    sessions = [
        (login.at, min(int((at - login.at).total_seconds()), login.duration_seconds))
        for login in unique(logins.logins, lambda login: login.at)
        if login.at <= at
    ]
    if not sessions:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "The directory records no session of this learner.", needed=1)
    total = sum(seconds for _, seconds in sessions)
    return TimeSpent(
        total=min(total, MOST),
        this_week=min(sum(seconds for began, seconds in sessions if began > at - WEEK), MOST),
        average_per_session=total // len(sessions),
        sessions=len(sessions),
        quality=quality([day_of(began) for began, _ in sessions], enough=5, span=7),
    )
