"""Lists of courses and headcounts: one statement for everybody, and only what is theirs to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from datasources.course import EnrollmentStatus
from datasources.postgres import lists, roster
from datasources.postgres.lists import Headcounts
from datasources.postgres.session import Actor
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, BOTANY, NOW, acme, other

if TYPE_CHECKING:
    from datasources.postgres.session import Database

ADMIN = Actor(ACME, OLGA, "org-admin")
TEACHES = Actor(ACME, TOMAS, "trainer")


async def test_courses_of_learners_are_read_together_and_as_they_stood(database: Database) -> None:
    await roster.sync(database, acme())
    before = database.statements
    found = await lists.taken(database, ADMIN, [LENA, LARS, "nobody"], NOW)
    assert database.statements == before + 1
    told = {who: [(one.course.id, one.status, one.left_at) for one in taken] for who, taken in found.items()}
    active, withdrawn = EnrollmentStatus.ACTIVE, EnrollmentStatus.WITHDRAWN
    left = NOW - timedelta(hours=24)
    assert told == {
        LENA: [(ALGEBRA, active, None), (BOTANY, withdrawn, left)],
        LARS: [(BOTANY, active, None)],
        "nobody": [],
    }
    earlier = await lists.taken(database, ADMIN, [LENA], NOW - timedelta(days=2))
    assert [(one.course.id, one.status, one.left_at) for one in earlier[LENA]] == [
        (ALGEBRA, active, None),
        (BOTANY, active, None),
    ]
    assert await lists.taken(database, ADMIN, [LENA], NOW - timedelta(days=21)) == {LENA: ()}


async def test_everybody_sees_the_courses_that_are_theirs_to_see(database: Database) -> None:
    await roster.sync(database, acme())
    await roster.sync(database, other())
    seen = {
        actor.user: [(course.id, course.learners) for course in await lists.courses(database, actor)]
        for actor in (ADMIN, TEACHES, Actor(ACME, LARS, "learner"), Actor(OTHER, SAM, "org-admin"))
    }
    assert seen == {
        OLGA: [(ALGEBRA, 1), (BOTANY, 1)],
        TOMAS: [(ALGEBRA, 1)],
        LARS: [(BOTANY, None)],
        SAM: [(ALGEBRA, 1)],
    }
    taken = await lists.taken(database, TEACHES, [LENA, LARS], NOW)
    assert {who: [one.course.id for one in rows] for who, rows in taken.items()} == {LENA: [ALGEBRA], LARS: []}
    taught = await lists.taught(database, TEACHES, [TOMAS, TARA])
    assert {who: [one.id for one in rows] for who, rows in taught.items()} == {TOMAS: [ALGEBRA], TARA: []}
    assert await lists.taught(database, Actor(OTHER, SAM, "org-admin"), [TOMAS]) == {TOMAS: ()}


async def test_heads_are_counted_by_department_and_by_region(database: Database) -> None:
    told = acme()
    people = [replace(one, department="Sales") if one.id in {LENA, LARS, TARA} else one for one in told.people]
    await roster.sync(database, replace(told, people=people))
    before = database.statements
    assert await lists.headcounts(database, ADMIN) == Headcounts({"Sales": 2}, {"north": 1})
    assert database.statements == before + 1
