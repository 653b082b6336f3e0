"""Aggregates: of ten people or more, one row a day that adds up, and nobody's business but an admin's."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres import aggregates, answers
from datasources.postgres.aggregates import Measured, Stretch, Week, Whose
from datasources.postgres.answers import Kept, Question
from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, system
from tests.cast import ACME, LENA, OLGA, OTHER, SAM, TOMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from datasources.postgres.session import Database
    from tests.conftest import Clone

VELOCITY = Measured("velocity", 1, "", 10)
ADMIN = Actor(ACME, OLGA, "org-admin")
NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
DAY = NIGHT.date()
WHOLE = Whose("organization", "", "velocity")


async def learning(
    database: Database, departments: Mapping[str | None, int], *, course: int = 0, organization: str = ACME
) -> list[str]:
    """So many learners in each department, the first of whom take the course; their ids, by department."""
    ids = [f"{name or 'none'}-{number:02}" for name, size in departments.items() for number in range(size)]
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "INSERT INTO organizations VALUES ($1, 'Acme', NULL, NULL, '{}', '{}') ON CONFLICT DO NOTHING",
            (organization,),
        )
        await connection.exec_driver_sql(
            "INSERT INTO people (organization, id, name, roles, department, is_active) "
            "SELECT $1, id, id, '{learner}', nullif(split_part(id, '-', 1), 'none'), true FROM unnest($2::text[]) id",
            (organization, ids),
        )
        await connection.exec_driver_sql("INSERT INTO courses VALUES ($1, 'sql', 'SQL', now(), now())", (organization,))
        await connection.exec_driver_sql(
            "INSERT INTO enrollments (organization, course, person, enrolled_at, status) "
            "SELECT $1, 'sql', id, now(), 'active' FROM unnest($2::text[]) id",
            (organization, ids[:course]),
        )
    return ids


async def said(
    database: Database,
    scores: Iterable[tuple[str, float | None]],
    *,
    at: datetime = NIGHT,
    version: int = 1,
    organization: str = ACME,
) -> None:
    """These scores are kept; None is an answer that withholds its value."""
    rows = {
        Question("learner", learner, f"velocity@{version}"): Kept(
            value=None if score is None else json.dumps(score),
            withheld='["NOT_ENOUGH_DATA", "", null, null]' if score is None else None,
            about="{}",
            score=score,
            level=None,
            origin="LIVE",
            as_of=at,
            calculated_at=at,
            expires_at=at + timedelta(hours=6),
        )
        for learner, score in scores
    }
    await answers.keep(database, organization, rows)


async def written(database: Database, day: date = DAY, measured: Measured = VELOCITY) -> int:
    return await aggregates.write(database, ACME, day, NIGHT - timedelta(hours=24), [measured])


async def read(database: Database, whose: Whose = WHOLE, actor: Actor = ADMIN, by: str = "day") -> tuple[Stretch, ...]:
    return await aggregates.read(database, actor, whose, date(2026, 11, 1), date(2026, 12, 31), by=by, k=10)


async def spoken(database: Database, *departments: str) -> dict[str, int]:
    """How many people are told of in each of these departments that is spoken of."""
    found = {name: await read(database, Whose("department", name, "velocity")) for name in departments}
    return {name: stretches[0].n for name, stretches in found.items() if stretches}


async def test_a_day_is_a_count_a_sum_and_a_sum_of_squares(database: Database) -> None:
    ids = await learning(database, {None: 12})
    await said(database, [(learner, 10.0 * n) for n, learner in enumerate(ids[:11])])
    await said(database, [(ids[11], None)])
    # Eleven of twelve have a number: 0, 10, ..., 100; the sum is 550, and that of the squares 38,500.
    assert await written(database) == 1
    assert await read(database) == (Stretch(DAY, 1, 1, 11, 11, 550.0, 38_500.0),)


async def test_days_add_up_to_weeks_and_months(database: Database) -> None:
    ids = await learning(database, {None: 12})
    for offset, score in enumerate((10.0, 20.0, 30.0)):
        at = NIGHT + timedelta(days=offset)
        await said(database, [(learner, score) for learner in ids[: 12 - offset]], at=at)
        await said(database, [(learner, None) for learner in ids[12 - offset :]], at=at)
        assert await aggregates.write(database, ACME, at.date(), at, [VELOCITY])
    weeks = await read(database, by="week")
    # Saturday and Sunday: 12 of 10 points and 11 of 20; Monday: 10 of 30.
    assert weeks == (
        Stretch(date(2026, 11, 16), 1, 2, 11, 23, 340.0, 5_600.0),
        Stretch(date(2026, 11, 23), 1, 1, 10, 10, 300.0, 9_000.0),
    )
    assert await read(database, by="month") == (Stretch(date(2026, 11, 1), 1, 3, 10, 33, 640.0, 14_600.0),)


async def test_fewer_than_ten_are_not_spoken_of(database: Database) -> None:
    ids = await learning(database, {None: 10})
    await said(database, [(learner, 50.0) for learner in ids[:9]])
    await said(database, [(ids[9], None)])
    assert await written(database) == 0


async def test_a_metric_may_ask_for_more_than_ten(database: Database) -> None:
    await said(database, [(learner, 50.0) for learner in await learning(database, {None: 19})])
    assert await written(database, measured=Measured("velocity", 1, "", 20)) == 0
    assert await written(database, measured=Measured("velocity", 1, "", 19)) == 1


async def test_a_group_of_which_much_is_missing_is_not_spoken_of(database: Database) -> None:
    ids = await learning(database, {None: 20})
    await said(database, [(learner, 50.0) for learner in ids[:17]])
    assert await written(database) == 0
    await said(database, [(ids[17], 50.0)])
    assert await written(database) == 1


async def test_what_was_said_long_before_the_night_does_not_count(database: Database) -> None:
    ids = await learning(database, {None: 12})
    await said(database, [(learner, 50.0) for learner in ids], at=NIGHT - timedelta(hours=25))
    assert await written(database) == 0


async def test_a_course_is_those_who_take_it_now(database: Database) -> None:
    ids = await learning(database, {None: 30}, course=12)
    await said(database, [(learner, float(n)) for n, learner in enumerate(ids)])
    assert await written(database) == 2
    (of_course,) = await read(database, Whose("course", "sql", "velocity"))
    assert (of_course.n, of_course.total) == (12, sum(range(12)))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"Arts": 12, "Law": 15}, {"Arts": 12, "Law": 15}),
        # The whole less Arts and Law would be the four of Music, so Arts is kept back as well.
        ({"Arts": 12, "Law": 15, "Music": 4}, {"Law": 15}),
        ({"Arts": 12, "Law": 15, None: 4}, {"Law": 15}),
        ({"Arts": 12, "Law": 12, "Music": 4}, {"Law": 12}),
        ({"Arts": 12, "Law": 15, "Music": 4, None: 6}, {"Arts": 12, "Law": 15}),
        ({"Arts": 12, None: 30}, {"Arts": 12}),
    ],
)
async def test_no_subtraction_of_departments_leaves_fewer_than_ten(
    database: Database, sizes: dict[str | None, int], expected: dict[str, int]
) -> None:
    await said(database, [(learner, 50.0) for learner in await learning(database, sizes)])
    await written(database)
    assert await spoken(database, "Arts", "Law", "Music", "none") == expected


async def test_a_night_that_is_written_again_replaces_what_it_wrote(database: Database) -> None:
    ids = await learning(database, {None: 12})
    await said(database, [(learner, 50.0) for learner in ids])
    assert await written(database) == 1
    await said(database, [(learner, None) for learner in ids[:3]], at=NIGHT + timedelta(minutes=1))
    assert await written(database) == 0
    assert await read(database) == ()


async def test_of_two_versions_in_a_week_the_newer_is_told(database: Database) -> None:
    ids = await learning(database, {None: 12})
    await said(database, [(learner, 10.0) for learner in ids])
    await written(database)
    await said(database, [(learner, 90.0) for learner in ids], version=2)
    await written(database, DAY + timedelta(days=1), Measured("velocity", 2, "", 10))
    (week,) = await read(database, by="week")
    assert (week.version, week.days, week.total) == (2, 1, 12 * 90.0)


@pytest.mark.parametrize(
    "actor",
    [
        Actor(ACME, LENA, "learner"),
        Actor(ACME, TOMAS, "trainer"),
        Actor(OTHER, SAM, "org-admin"),
        Actor(ACME, OLGA, "nobody"),
        Actor(ACME, OLGA, "views"),
        Actor("", "", ""),
    ],
)
async def test_nobody_else_reads_any(database: Database, actor: Actor) -> None:
    await said(database, [(learner, 50.0) for learner in await learning(database, {None: 12})])
    await written(database)
    await aggregates.refresh(database)
    assert await read(database, actor=actor) == ()
    if actor.organization != ACME or actor.role in {"learner", "trainer"}:
        assert await aggregates.weeks(database, actor, "organization", "velocity", 10) == ()


async def test_weeks_are_compared_as_they_were_when_they_were_refreshed(database: Database) -> None:
    ids = await learning(database, {None: 12})
    today = datetime.now(UTC)
    for days, score in ((8, 30.0), (3, 40.0), (0, 60.0)):
        at = today - timedelta(days=days)
        await said(database, [(learner, score) for learner in ids], at=at)
        await aggregates.write(database, ACME, at.date(), at, [VELOCITY])
    assert await aggregates.weeks(database, ADMIN, "organization", "velocity", 10) == ()
    await aggregates.refresh(database)
    assert await aggregates.weeks(database, ADMIN, "organization", "velocity", 10) == (Week("", 12, 50.0, 12, 30.0),)
    assert await aggregates.weeks(database, ADMIN, "organization", "velocity", 13) == ()
    assert await aggregates.weeks(database, ADMIN, "department", "velocity", 10) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM comparisons.weeks",
        "SELECT * FROM parts.aggregates_2026",
        "SELECT * FROM parts.aggregates_default",
        "REFRESH MATERIALIZED VIEW comparisons.weeks",
        "UPDATE aggregates SET n = 10",
    ],
)
async def test_the_application_gets_at_them_in_no_other_way(module_clone: Clone, statement: str) -> None:
    connection = await connect(module_clone.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


async def test_a_group_of_nine_cannot_be_written_at_all(database: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="aggregates_of_many"):
        await database.fetch(
            "WITH me AS (SELECT act_as($1, 'system', 'system')) "
            "INSERT INTO aggregates SELECT $1, 'organization', '', 'velocity', $2, 1, 9, 0, 0 FROM me",
            ACME,
            DAY,
        )
