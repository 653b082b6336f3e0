from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.simulator.campus import LearningPath, Session
from datasources.simulator.generated import generate
from datasources.simulator.services import services
from datasources.simulator.sessions import LONGEST, sessions
from tests.campus import AS_OF, LEARNERS, PYTHON, SQL, small_campus
from tests.cast import LENA, SAM, TOMAS

if TYPE_CHECKING:
    from datasources.simulator.campus import Campus

MOMENTS = st.datetimes(datetime(2025, 5, 1), datetime(2026, 7, 1), timezones=st.just(UTC))  # noqa: DTZ001  # given beside
ORDER = ["done", "current", "open"]


@pytest.fixture(scope="module")
def campus() -> Campus:
    return generate(60)


def told(campus: Campus, read: str, key: str) -> Any:
    """What the directory or the learner-AI service says: the sessions, or the paths, of one person."""
    service, part = {"logins": ("directory", "logins"), "learning-paths": ("learner-ai", "paths")}[read]
    answer = next(one for one in services(campus, {})[service] if one.name == read).answer(key)
    assert answer is not None
    return answer[part]


def steps(campus: Campus, key: str) -> list[tuple[str, str, str]]:
    return [
        (one["type"], one["title"], one["status"])
        for path in told(campus, "learning-paths", key)
        for one in path["steps"]
    ]


def travelled(as_of: datetime = AS_OF) -> Campus:
    """The small campus with a path from SQL to PYTHON, for Lena, learner 10 and learner 13."""
    people = (LENA, LEARNERS[9], LEARNERS[12])
    return replace(small_campus(), as_of=as_of, paths=(LearningPath("data", "Data", (SQL, PYTHON), people),))


def test_another_seed_gives_other_sessions_and_the_same_seed_the_same() -> None:
    one, same, other = (generate(30, seed=seed) for seed in (3, 3, 4))
    assert (one.sessions, one.paths) == (same.sessions, same.paths)
    assert one.sessions != other.sessions


def test_a_learner_sits_down_on_exactly_the_days_with_activity_once_or_twice(campus: Campus) -> None:
    start = {course.id: course.start.date() for course in campus.courses}
    active = {
        (one.person, start[one.course] + timedelta(days=day))
        for one in campus.registrations
        for _, day, _ in one.clicks
    }
    zones = {person.id: ZoneInfo(person.time_zone or "UTC") for person in campus.people}
    days = [(one.person, one.began.astimezone(zones[one.person]).date()) for one in campus.sessions]
    assert set(days) == active
    assert len(active) < len(days) < 2 * len(active)
    assert max(days.count(day) for day in days[:500]) == 2
    assert all(one.began.date() == day for one, (_, day) in zip(campus.sessions, days, strict=True)), "in UTC, too"


def test_sessions_lie_in_waking_hours_and_do_not_overlap(campus: Campus) -> None:
    people = {person.id: person for person in campus.people}
    by_person: dict[str, list[Session]] = {}
    for one in campus.sessions:
        local = one.began.astimezone(ZoneInfo(people[one.person].time_zone or "UTC"))
        assert 8 <= local.hour < 21
        assert (local + timedelta(seconds=one.seconds)).date() == local.date()
        assert 60 <= one.seconds <= 60 * LONGEST
        by_person.setdefault(one.person, []).append(one)
    for own in by_person.values():
        for before, after in pairwise(own):
            assert before.began + timedelta(seconds=before.seconds) < after.began


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(0, 1000))
def test_more_actions_are_more_minutes(actions: int, seed: int) -> None:
    """The same dice give the longer day to who did more; the second sitting only divides it."""
    person = next(one for one in small_campus().people if one.id == LENA)

    def minutes(actions: int) -> float:
        return fmean(
            sum(one.seconds for one in sessions(Random(f"{seed}:{n}"), person, {AS_OF.date(): actions}))
            for n in range(20)
        )

    assert minutes(actions) < minutes(3 * actions)


@settings(max_examples=10, deadline=None)
@given(st.integers(-400, 200), st.integers(0, 86_399))
def test_what_the_directory_says_of_sessions_lies_before_the_clock(days: int, seconds: int) -> None:
    made = generate(30)
    campus = replace(made, as_of=made.as_of + timedelta(days=days, seconds=seconds))
    lena = campus.cast["learner"]
    said = told(campus, "logins", lena)
    assert all(one["at"] + timedelta(seconds=one["durationSeconds"]) <= campus.as_of for one in said)
    past = replace(campus, sessions=tuple(one for one in campus.sessions if one.began <= campus.as_of))
    assert said == told(past, "logins", lena)
    assert len(said) == sum(one.person == lena for one in past.sessions)


def test_a_session_that_runs_has_lasted_until_the_clock() -> None:
    hour = timedelta(hours=1)
    sittings = tuple(Session(LENA, AS_OF + shift, 5400) for shift in (-2 * hour, -hour, hour))
    said = told(replace(small_campus(), sessions=sittings), "logins", LENA)
    assert said == [
        {"at": AS_OF - 2 * hour, "durationSeconds": 5400},
        {"at": AS_OF - hour, "durationSeconds": 3600},
    ]


def test_every_learner_of_the_generated_campus_has_sessions_and_a_path_and_no_other_does(campus: Campus) -> None:
    titles = {course.title for course in campus.courses} | {
        f"{course.title}: {task.title}" for course in campus.courses for task in course.tasks
    }
    titles |= {f"Practise {skill.name}" for skill in campus.skills}
    statuses: set[str] = set()
    for person in campus.people:
        (path,) = told(campus, "learning-paths", person.id) if "learner" in person.roles else ({"steps": []},)
        assert [step["order"] for step in path["steps"]] == list(range(1, len(path["steps"]) + 1))
        assert {step["title"] for step in path["steps"]} <= titles
        found = [step["status"] for step in path["steps"]]
        assert found.count("current") == ("current" in found) == any(status != "done" for status in found)
        statuses |= set(found)
        if "learner" not in person.roles:
            assert told(campus, "logins", person.id) == told(campus, "learning-paths", person.id) == []
    assert statuses == set(ORDER)
    assert told(campus, "logins", campus.cast["learner"])


def test_lenas_path_follows_from_what_she_did() -> None:
    """By hand from the small campus, where Lena is number 5 in PYTHON and 6 in SQL.

    SQL is over, and a number 6 ends with a distinction (6 % 4 = 2): all of it is done, also what was not handed in.
    PYTHON is on day 56. A number 5 leaves out task 1 (5 + 1 is a multiple of 6) and hands in the others on day
    14 * task - 2: the 26th, 40th, 54th and 68th. Tasks 1, 3 and 5 are on testing, which nobody practises, and 2 and 4
    on Python, for which the task handed in is proof enough.
    """
    assert steps(travelled(), LENA) == [
        ("practice", "Practise SQL", "done"),
        *(("assessment", f"Asking databases: Assignment {number}", "done") for number in range(1, 6)),
        ("course", "Asking databases", "done"),
        ("practice", "Practise Software testing", "current"),
        ("assessment", "Python for everyone: Assignment 1", "open"),
        ("practice", "Practise Python", "done"),
        *(("assessment", f"Python for everyone: Assignment {number}", "done") for number in (2, 3, 4)),
        ("assessment", "Python for everyone: Assignment 5", "open"),
        ("course", "Python for everyone", "open"),
    ]


def test_who_did_nothing_is_at_the_first_step_and_who_follows_no_path_has_none() -> None:
    statuses = [status for _, _, status in steps(travelled(), LEARNERS[12])]
    assert statuses == ["current"] + ["open"] * (len(statuses) - 1)
    assert all(told(travelled(), "learning-paths", key) == [] for key in (SAM, TOMAS))


def test_a_path_is_followed_from_enrolling_in_any_of_its_courses_on() -> None:
    begun = min(course.start for course in small_campus().courses if course.id == SQL) - timedelta(days=14)
    assert told(travelled(begun), "learning-paths", LENA)
    assert told(travelled(begun - timedelta(seconds=1)), "learning-paths", LENA) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(MOMENTS, min_size=2, max_size=2).map(sorted))
def test_a_step_that_is_done_stays_done(moments: list[datetime]) -> None:
    for person in (LENA, LEARNERS[9]):
        before, after = (steps(travelled(at), person) for at in moments)
        for one, later in zip(before, after, strict=False):
            assert one[:2] == later[:2]
            assert one[2] != "done" or later[2] == "done"


def test_of_a_repeated_course_a_path_has_the_last_run(campus: Campus) -> None:
    again = next(path for path in campus.paths if path.id == "path-python-spring-2025-then-python-autumn-2025")
    assert (again.title, again.courses) == ("Data analysis with Python", ("python-autumn-2025",))


def test_a_campus_without_sessions_and_paths_makes_none_up() -> None:
    assert told(small_campus(), "logins", LENA) == told(small_campus(), "learning-paths", LENA) == []
