"""The risk as it stood, in the aggregates, and beside it how the courses ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from datasources.course import Enrollment, EnrollmentStatus, Result
from datasources.postgres import aggregates, outcomes, roster
from datasources.postgres.outcomes import Ended, Stood
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, BOTANY, acme

if TYPE_CHECKING:
    from datasources.postgres.roster import Roster

STARTS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
MIDDLE = date(2026, 3, 2)
AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GROUPS = (Stood(10, 0.125), Stood(12, 0.5))


def place(
    person: str, result: Result | None = None, *, enrolled: datetime = STARTS, left: datetime | None = None
) -> Enrollment:
    status = EnrollmentStatus.COMPLETED if left is None else EnrollmentStatus.WITHDRAWN
    return Enrollment(person, enrolled, status, left, result=result)


def finished(*places: Enrollment, at: datetime = AT) -> Roster:
    """The first organization when its algebra is over, and nothing is known of botany."""
    told = acme(at)
    courses = tuple(replace(one, start_date=STARTS, end_date=ENDS) for one in told.courses)
    return replace(told, courses=courses, enrollments={ALGEBRA: places, BOTANY: ()})


async def read(database: Database, organization: str = ACME, at: datetime = AT, version: int = 2) -> tuple[Ended, ...]:
    return await outcomes.read(database, organization, version=version, since=at - 730 * DAY, at=at)


async def test_a_course_is_read_with_its_risk_and_how_it_ended(database: Database) -> None:
    places = (
        place(LENA, Result.PASSED),
        place(LARS, Result.DISTINCTION),
        place(TOMAS, Result.FAILED),
        place(OLGA, Result.PASSED, left=ENDS - DAY),
        place(TARA),
    )
    await roster.sync(database, finished(*places))
    assert await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS}) == 2
    assert await read(database) == (Ended(ALGEBRA, ENDS, GROUPS, taking=5, passed=2, failed=2),)


async def test_only_who_took_the_course_that_day_counts(database: Database) -> None:
    that_day = datetime(2026, 3, 2, tzinfo=UTC)
    places = (
        place(LENA, Result.PASSED),
        place(LARS, Result.FAILED, left=that_day - DAY),
        place(TOMAS, Result.PASSED, enrolled=that_day + DAY),
        place(OLGA, Result.FAILED, left=that_day + DAY),
    )
    await roster.sync(database, finished(*places))
    await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS})
    (course,) = await read(database)
    assert (course.taking, course.passed, course.failed) == (2, 1, 1)


async def test_the_night_nearest_to_the_middle_is_read(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    for away, risk in ((-40, 0.1), (-3, 0.2), (2, 0.3), (50, 0.4)):
        await outcomes.write(database, ACME, MIDDLE + away * DAY, 2, {ALGEBRA: (Stood(10, risk),)})
    (course,) = await read(database)
    assert course.groups[0].risk == pytest.approx(0.3)


async def test_a_course_that_runs_or_ended_too_long_ago_is_not_read(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS, "gone": GROUPS})
    assert await read(database, at=ENDS - DAY) == ()
    assert await read(database, at=ENDS + 731 * DAY) == ()
    assert [one.course for one in await read(database, at=ENDS)] == [ALGEBRA]


async def test_another_version_of_the_model_and_another_organization_are_not_read(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS})
    assert await read(database, version=3) == ()
    assert await read(database, OTHER) == ()


async def test_written_again_a_day_has_what_was_written_last_and_other_sums_stay(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS, BOTANY: GROUPS})
    await outcomes.write(database, ACME, MIDDLE - DAY, 2, {ALGEBRA: GROUPS})
    assert await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS[:1]}) == 1
    (course,) = await read(database)
    assert course.groups == GROUPS[:1]
    assert await outcomes.write(database, ACME, MIDDLE, 2, {}) == 0
    (course,) = await read(database)
    assert course.groups == GROUPS


async def test_a_group_of_fewer_than_ten_is_refused_and_nothing_is_written(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    with pytest.raises(IntegrityError, match="aggregates_of_many"):
        await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: (*GROUPS, Stood(9, 0.5))})
    assert await read(database) == ()


async def test_history_says_nothing_of_these_rows(database: Database) -> None:
    await roster.sync(database, finished(place(LENA, Result.PASSED)))
    await outcomes.write(database, ACME, MIDDLE, 2, {ALGEBRA: GROUPS})
    whose = aggregates.Whose("course", ALGEBRA, "predictive-drop-off-risk")
    admin = Actor(ACME, OLGA, "org-admin")
    assert await aggregates.read(database, admin, whose, MIDDLE, MIDDLE, by="day", k=10) == ()
