from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from datasources.simulator.services import services
from tests.campus import AS_OF, SQL, small_campus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datasources.simulator.campus import Campus

PLANS = {"dueAt", "startDate", "endDate"}
MOMENTS = st.datetimes(datetime(2025, 5, 1), datetime(2026, 7, 1), timezones=st.just(UTC))  # noqa: DTZ001  # given beside


def everything(campus: Campus) -> dict[tuple[str, str, str], Any]:
    ids = {
        "organization": [one.id for one in campus.organizations],
        "course": [one.id for one in campus.courses],
        "content": [item.id for course in campus.courses for item in course.items],
        "market": [""],
    }
    people = [one.id for one in campus.people]
    return {
        (service, read.name, key): read.answer(key)
        for service, reads in services(campus, {}).items()
        for read in reads
        for key in ids.get(read.subject, people)
    }


def dated(value: Any) -> Iterator[datetime]:
    """Every moment in a payload that is not a plan."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in PLANS:
                yield from dated(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from dated(part)
    elif isinstance(value, datetime):
        yield value
    elif isinstance(value, date):
        yield datetime.combine(value, time(), UTC)


def forgetful(campus: Campus) -> Campus:
    """The campus without what happens after its clock, worked out the slow way."""
    start = {course.id: course.start for course in campus.courses}
    length = {course.id: course.length_days for course in campus.courses}

    def past(course: str, day: int) -> bool:
        return start[course] + timedelta(days=day) <= campus.as_of

    return replace(
        campus,
        registrations=tuple(
            replace(
                one,
                left_day=one.left_day if one.left_day is not None and past(one.course, one.left_day) else None,
                submissions=tuple(work for work in one.submissions if past(one.course, work.day)),
                clicks=tuple(click for click in one.clicks if past(one.course, click[1])),
                result=one.result if past(one.course, length[one.course]) else None,
            )
            for one in campus.registrations
            if past(one.course, one.enrolled_day)
        ),
        practice=tuple(
            one
            if one.completed is not None and one.completed <= campus.as_of
            else replace(one, completed=None, score=None)
            for one in campus.practice
            if one.started <= campus.as_of
        ),
    )


@settings(max_examples=20, deadline=None)
@given(MOMENTS)
def test_nothing_after_the_clock_is_visible(at: datetime) -> None:
    for answer in everything(replace(small_campus(), as_of=at)).values():
        assert all(moment <= at for moment in dated(answer))


@settings(max_examples=15, deadline=None)
@given(MOMENTS)
def test_what_happens_later_changes_nothing_that_is_said_now(at: datetime) -> None:
    campus = replace(small_campus(), as_of=at)
    assert everything(campus) == everything(forgetful(campus))


def test_a_course_day_is_known_from_its_start() -> None:
    seen = {
        at: max(dated(list(everything(replace(small_campus(), as_of=at, practice=())).values())))
        for at in (AS_OF, AS_OF - timedelta(seconds=1))
    }
    assert seen == {AS_OF: AS_OF, AS_OF - timedelta(seconds=1): AS_OF - timedelta(days=1)}


def results(at: datetime) -> list[str | None]:
    answers = everything(replace(small_campus(), as_of=at))
    return [one["result"] for one in answers["course", "enrollments", SQL]["enrollments"]]


def test_how_a_course_ended_is_told_from_its_last_moment_on() -> None:
    [sql] = [course for course in small_campus().courses if course.id == SQL]
    end = sql.start + timedelta(days=sql.length_days)
    assert set(results(end - timedelta(seconds=1))) == {None}
    assert {"passed", "failed", "distinction"} < set(results(end))


def test_the_small_campus_has_something_to_hide() -> None:
    campus = small_campus()
    assert forgetful(campus) != campus
