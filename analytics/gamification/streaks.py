"""Active days in a row, on the calendar of the place where the learner is."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analytics.arithmetic import LONGEST, mean
from analytics.gamification.values import StreakRun, Streaks

DAY = timedelta(days=1)
SHOWN = 10


@cache
def zone_of(name: str | None) -> tuple[tzinfo, str]:
    """The time zone of an IANA name, and what it is called; UTC where there is none of that name."""
    if name:
        try:
            return ZoneInfo(name), name
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # what is no name of a zone is told in many ways, a folder's name among them
    return UTC, "UTC"


def local_day(instant: datetime, zone: tzinfo) -> date:
    """The day of an instant in a time zone."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()  # at the very ends of the calendar there is no other day to go to


def active_days(told: Iterable[date], instants: Iterable[datetime], zone: tzinfo, today: date) -> list[date]:
    """The days with something on them, each once, in order.

    A day told by a service that has not begun where the learner is counts as their today.
    """
    days = {min(day, today) for day in told} | {local_day(instant, zone) for instant in instants}
    return sorted(days)


def rows(days: Sequence[date]) -> list[StreakRun]:
    """The rows that ordered days fall into, in order."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][-1] == DAY:
            found[-1].append(day)
        else:
            found.append([day])
    return [StreakRun(row[0], row[-1], min(len(row), LONGEST)) for row in found]


def streaks(days: Sequence[date], today: date, time_zone: str) -> Streaks:
    """What there is to say of ordered active days, none of them after today."""
    runs = rows(days)
    going = runs and today - runs[-1].last_day <= DAY
    return Streaks(
        current=runs[-1].days if going else 0,
        longest=max((run.days for run in runs), default=0),
        average=mean(float(run.days) for run in runs),
        active_days=min(len(days), LONGEST),
        active_today=bool(days) and days[-1] == today,
        history=tuple(reversed(runs[-SHOWN:])),
        time_zone=time_zone,
    )
