"""The cast as the directory and the courses tell of it.

Lena learns algebra with Tomas, and has left botany; Lars learns botany with Tara. The other organization has
an algebra of the same id, which Sam both runs and takes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from datasources.course import Course, Enrollment, EnrollmentStatus
from datasources.directory import Organization, User
from datasources.postgres.answers import Kept, Question
from datasources.postgres.roster import Roster
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

ALGEBRA = "algebra"
BOTANY = "botany"


def user(identity: str, name: str, *roles: str, organization: str = ACME, region: str | None = None) -> User:
    return User(
        identity, name, organization, roles, email=f"{name.lower()}@example.org", region=region, age_band="0-35"
    )


def course(identity: str, *trainers: str) -> Course:
    return Course(identity, identity.title(), NOW - 30 * 24 * HOUR, NOW + 30 * 24 * HOUR, trainers)


def place(person: str, *, left: bool = False) -> Enrollment:
    status = EnrollmentStatus.WITHDRAWN if left else EnrollmentStatus.ACTIVE
    return Enrollment(person, NOW - 20 * 24 * HOUR, status, NOW - 24 * HOUR if left else None)


def acme(at: datetime = NOW, *, without: Iterable[str] = ()) -> Roster:
    gone = set(without)
    people = (
        user(LENA, "Lena", "learner", region="north"),
        user(LARS, "Lars", "learner"),
        user(TOMAS, "Tomas", "trainer", "learner"),
        user(TARA, "Tara", "trainer"),
        user(OLGA, "Olga", "org-admin", "trainer"),
    )
    return Roster(
        Organization(ACME, "Acme", "acme.example", "Rockets", None, ("Here",), ("Research", "Sales")),
        tuple(one for one in people if one.id not in gone),
        tuple(one for one in (course(ALGEBRA, TOMAS), course(BOTANY, TARA)) if one.id not in gone),
        {ALGEBRA: (place(LENA),), BOTANY: (place(LARS), place(LENA, left=True))},
        at,
    )


def other(at: datetime = NOW) -> Roster:
    sam = user(SAM, "Sam", "learner", "trainer", "org-admin", organization=OTHER)
    return Roster(Organization(OTHER, "Other"), (sam,), (course(ALGEBRA, SAM),), {ALGEBRA: (place(SAM),)}, at)


def kept(at: datetime = NOW, value: str | None = '{"score":1}', withheld: str | None = None) -> Kept:
    return Kept(value, withheld, '{"quality":{}}', 50.0, "HIGH", "LIVE", at, at, at + 6 * HOUR)


def asked(scope: str, subject: str, metric: str = "velocity@1", arguments: str = "") -> Question:
    return Question(scope, subject, metric, arguments)
