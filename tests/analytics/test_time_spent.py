from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import DataQualityLevel, Withheld, WithheldReason
from analytics.learner.hours import TimeSpent, time_spent
from datasources.directory import Login, Logins

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = 3600


def session(hours_ago: float, seconds: int) -> Login:
    return Login(AT - timedelta(hours=hours_ago), seconds)


def told(*sessions: Login) -> TimeSpent:
    value = time_spent(Logins(sessions), at=AT)
    assert isinstance(value, TimeSpent)
    return value


def test_sessions_are_added_up_by_hand() -> None:
    """1 h ten days ago, 2 h yesterday, and one begun half an hour ago that will last 3 h and counts half of one.

    Together 3.5 h; 2.5 h in the last 7 days; 3.5/3 h a session = 4200 s.
    """
    value = told(session(240, HOUR), session(24, 2 * HOUR), session(0.5, 3 * HOUR), session(-1, HOUR))
    assert (value.total, value.this_week, value.average_per_session, value.sessions) == (12600, 9000, 4200, 3)
    assert (value.quality.coverage_days, value.quality.level) == (11, DataQualityLevel.LOW)


def test_without_a_session_nothing_is_said() -> None:
    for logins in ((), (session(-1, HOUR),)):
        value = time_spent(Logins(logins), at=AT)
        assert isinstance(value, Withheld)
        assert value.reason is WithheldReason.NOT_ENOUGH_DATA


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**5)), min_size=1, unique_by=lambda one: one[0]))
def test_the_week_is_part_of_the_total_and_another_session_never_takes_away(made: list[tuple[int, int]]) -> None:
    sessions = [session(*one) for one in made]
    value = told(*sessions)
    assert 0 <= value.this_week <= value.total
    assert value.average_per_session * value.sessions <= value.total
    assert told(*sessions, session(500, HOUR)).total == value.total + HOUR
