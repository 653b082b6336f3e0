"""Streaks: days in a row where the learner lives, through a change of the clocks and west of Greenwich."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.gamification.rewards import gamification
from analytics.gamification.streaks import active_days, local_day, rows, streaks, zone_of
from datasources.assessment import Assessments, Scores
from datasources.course import ActiveDay, Activity, Progress
from datasources.devlab import PracticeSessions
from datasources.directory import Login, Logins, User
from datasources.skills import SkillAcquisition
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from analytics.gamification.values import Streaks

quick = settings(max_examples=60, deadline=None)
DAYS = st.lists(st.dates(date(2026, 1, 1), date(2026, 3, 1)), max_size=40)
TODAY = date(2026, 3, 1)


def of_logins(at: datetime, time_zone: str | None, *instants: datetime, days: tuple[date, ...] = ()) -> Streaks:
    """The streaks of somebody who logged in at these instants, and did something on these days."""
    return gamification(
        Progress(()),
        Activity(tuple(ActiveDay(one, 1) for one in days)),
        Assessments(()),
        Scores(()),
        SkillAcquisition(()),
        PracticeSessions(()),
        Logins(tuple(Login(instant, 60) for instant in instants)),
        User(LENA, "Lena", ACME, ("learner",), time_zone=time_zone),
        at=at,
    ).streaks


def test_rows_of_days_by_hand() -> None:
    """Active on 1, 2, 3, 7, 9, 10 February and today is the 11th.

    rows     1-3 (3), 7 (1), 9-10 (2)
    current  2: yesterday was active, and today may still be
    longest  3; average (3 + 1 + 2) / 3 = 2
    """
    days = [date(2026, 2, n) for n in (1, 2, 3, 7, 9, 10)]
    found = streaks(days, date(2026, 2, 11), "UTC")
    assert (found.current, found.longest, found.average, found.active_days) == (2, 3, 2.0, 6)
    assert found.active_today is False
    assert [(run.first_day.day, run.last_day.day, run.days) for run in found.history] == [
        (9, 10, 2),
        (7, 7, 1),
        (1, 3, 3),
    ]
    assert streaks(days, date(2026, 2, 12), "UTC").current == 0, "a whole day was missed"
    assert streaks(days, date(2026, 2, 10), "UTC").current == 2


def test_without_a_day_there_is_no_average() -> None:
    found = streaks([], TODAY, "UTC")
    assert (found.current, found.longest, found.average, found.history) == (0, 0, None, ())


def test_the_clocks_go_forward_and_the_row_holds() -> None:
    """Berlin, the night to 29 March 2026: at 01:00 UTC it is 03:00 instead of 02:00, and the day has 23 hours.

    28 March 22:30 UTC = 23:30 on the 28th (UTC+1)
    29 March 21:30 UTC = 23:30 on the 29th (UTC+2); with the winter's hour it would be 22:30, the same day
    29 March 22:30 UTC = 00:30 on the 30th (UTC+2); with the winter's hour it would be 23:30 on the 29th
    """
    at = datetime(2026, 3, 30, 9, tzinfo=UTC)
    logins = [datetime(2026, 3, 28, 22, 30, tzinfo=UTC), datetime(2026, 3, 29, 21, 30, tzinfo=UTC)]
    assert of_logins(at, "Europe/Berlin", *logins).current == 2
    third = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
    found = of_logins(at, "Europe/Berlin", *logins, third)
    assert (found.current, found.active_today, found.history[0].last_day) == (3, True, date(2026, 3, 30))
    assert of_logins(at, None, *logins, third).current == 2, "in UTC the third is on the 29th as well"


def test_the_clocks_go_back_and_a_day_of_25_hours_is_one() -> None:
    """Berlin, 25 October 2026: 00:30 UTC and 01:30 UTC are both 02:30 on the 25th; 22:59 UTC is 23:59 on it."""
    at = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)
    logins = [datetime(2026, 10, 24, 22, 1, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
    logins += [datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)]
    found = of_logins(at, "Europe/Berlin", *logins)
    assert (found.active_days, found.current, found.active_today) == (1, 1, False)
    assert found.history[0].first_day == date(2026, 10, 25)


def test_west_of_greenwich_an_evening_belongs_to_its_own_day() -> None:
    """Los Angeles is 8 hours behind in January: 04:00 UTC on the 11th is 20:00 on the 10th.

    Logins at 20:00 there on the 9th and the 10th. At 05:00 UTC on the 11th it is still the 10th there: 2 in a row,
    today among them. At 07:59 UTC on the 12th it is 23:59 on the 11th: yesterday was active, still 2. A minute
    later it is the 12th there, and the row is broken.
    """
    logins = [datetime(2026, 1, 10, 4, tzinfo=UTC), datetime(2026, 1, 11, 4, tzinfo=UTC)]
    zone = "America/Los_Angeles"
    now = of_logins(datetime(2026, 1, 11, 5, tzinfo=UTC), zone, *logins)
    assert (now.current, now.active_today, now.time_zone) == (2, True, zone)
    assert [run.first_day for run in now.history] == [date(2026, 1, 9)]
    assert of_logins(datetime(2026, 1, 12, 7, 59, tzinfo=UTC), zone, *logins).current == 2
    assert of_logins(datetime(2026, 1, 12, 8, 0, tzinfo=UTC), zone, *logins).current == 0


def test_a_day_that_has_not_begun_where_the_learner_is_counts_as_their_today() -> None:
    """At 05:00 UTC on the 11th the service may tell of the 11th; in Los Angeles that is the evening of the 10th."""
    found = of_logins(datetime(2026, 1, 11, 5, tzinfo=UTC), "America/Los_Angeles", days=(date(2026, 1, 11),))
    assert (found.current, found.active_today, found.history[0].last_day) == (1, True, date(2026, 1, 10))


@pytest.mark.parametrize(
    "name", [None, "", "Nowhere/Atlantis", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b", "é", "x" * 2000]
)
def test_what_is_no_time_zone_is_utc(name: str | None) -> None:
    assert zone_of(name) == (UTC, "UTC")


def test_every_instant_has_a_day() -> None:
    for instant in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        for hours in (-12, 14):
            assert isinstance(local_day(instant, timezone(timedelta(hours=hours))), date)


@quick
@given(DAYS)
def test_rows_hold_every_day_once(days: list[date]) -> None:
    ordered = active_days(days, [], UTC, TODAY)
    found = rows(ordered)
    held = [run.first_day + timedelta(days=n) for run in found for n in range(run.days)]
    assert held == ordered
    assert all(later.first_day - run.last_day > timedelta(days=1) for run, later in pairwise(found))


@quick
@given(DAYS, st.dates(date(2026, 1, 1), TODAY))
def test_one_more_day_never_shortens_the_longest_nor_the_current_row(days: list[date], more: date) -> None:
    before = streaks(active_days(days, [], UTC, TODAY), TODAY, "UTC")
    after = streaks(active_days([*days, more], [], UTC, TODAY), TODAY, "UTC")
    assert after.longest >= before.longest
    assert after.current >= before.current
    assert 0 <= after.current <= after.longest <= after.active_days
