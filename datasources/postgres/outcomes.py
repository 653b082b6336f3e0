"""The risk as it stood, as aggregates of groups of ten or more, and beside it how the courses ended.

A group is a row of the aggregates of its course and day: how many learners, the sum of their risks (0 to 1), and the
sum of the squares of the group's mean. No row knows who they are: who took the course that day is counted anew, on
the roster, once the course is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from datasources.postgres.session import Database, system

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

METRIC = "course-risk-standing"
"""What the rows are called, each with the number of its group behind it, from 1."""

MOST = 2_000
"""The most courses that are read, those that ended last."""

_DELETE = text(
    "DELETE FROM aggregates WHERE organization = :organization AND day = :day AND scope = 'course' "
    "AND starts_with(metric, :metric)"
)
_INSERT = text(
    "INSERT INTO aggregates (organization, scope, name, metric, day, version, n, total, squares) "
    "VALUES (:organization, 'course', :name, :metric, :day, :version, :n, :total, :squares)"
)
# The night nearest to the middle of the course, of two the earlier one: most of the course's learners are still
# there, and enough is known of them.
_READ = text("""
    WITH ended AS (
        SELECT organization, id, ends_at,
            (starts_at AT TIME ZONE 'UTC')::date AS first, (ends_at AT TIME ZONE 'UTC')::date AS last
        FROM courses WHERE organization = :organization AND ends_at <= :at AND ends_at > :since
        ORDER BY ends_at DESC, id LIMIT :most
    )
    SELECT c.id, c.ends_at, g.learners, g.risks, o.taking, o.passed, o.failed
    FROM ended c
    CROSS JOIN LATERAL (
        SELECT a.day FROM aggregates a
        WHERE a.organization = c.organization AND a.scope = 'course' AND a.name = c.id AND a.metric = :one
            AND a.version = :version AND a.day >= c.first AND a.day < c.last
        ORDER BY abs((a.day - c.first) - (c.last - a.day)), a.day LIMIT 1
    ) m
    CROSS JOIN LATERAL (
        SELECT array_agg(a.n ORDER BY a.metric) AS learners, array_agg(a.total / a.n ORDER BY a.metric) AS risks
        FROM aggregates a
        WHERE a.organization = c.organization AND a.scope = 'course' AND a.name = c.id AND a.day = m.day
            AND a.version = :version AND starts_with(a.metric, :metric)
    ) g
    CROSS JOIN LATERAL (
        SELECT count(*) AS taking,
            count(*) FILTER (WHERE e.live AND e.result IN ('passed', 'distinction')) AS passed,
            count(*) FILTER (WHERE NOT e.live OR e.result = 'failed') AS failed
        FROM enrollments e
        WHERE e.organization = c.organization AND e.course = c.id
            AND e.enrolled_at < m.day::timestamp AT TIME ZONE 'UTC'
            AND (e.left_at IS NULL OR e.left_at >= m.day::timestamp AT TIME ZONE 'UTC')
    ) o
    ORDER BY c.ends_at DESC, c.id
""")


@dataclass(frozen=True, slots=True)
class Stood:
    """Some learners of a course together: how many, and their mean risk (0 to 1)."""

    learners: int
    risk: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A course that is over: the groups of one night in its middle, and how many of those on its roll then ended how.

    `failed` are those who left among them; of `taking` less both it is not known.
    """

    course: str
    ends_at: datetime
    groups: tuple[Stood, ...]
    taking: int
    passed: int
    failed: int


async def write(
    database: Database, organization: str, day: date, version: int, courses: Mapping[str, Sequence[Stood]]
) -> int:
    """Write down a day's groups of each course, instead of what the day had; how many rows that made.

    Raises:
        sqlalchemy.exc.IntegrityError: a group has fewer than ten learners; then nothing is written.
    """
    rows = [
        {
            "organization": organization,
            "name": course,
            "metric": f"{METRIC} {number}",
            "day": day,
            "version": version,
            "n": group.learners,
            "total": group.learners * group.risk,
            "squares": group.learners * group.risk**2,
        }
        for course, groups in sorted(courses.items())
        for number, group in enumerate(groups, 1)
    ]
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        await connection.execute(_DELETE, {"organization": organization, "day": day, "metric": f"{METRIC} "})
        if rows:
            await connection.execute(_INSERT, rows)
    return len(rows)


async def read(
    database: Database, organization: str, *, version: int, since: datetime, at: datetime
) -> tuple[Ended, ...]:
    """The courses that ended after `since` and are over `at`, with the risk by this version of the model.

    The newest first; those without such a risk are left out.
    """
    asked = {
        "organization": organization,
        "version": version,
        "since": since,
        "at": at,
        "metric": f"{METRIC} ",
        "one": f"{METRIC} 1",
        "most": MOST,
    }
    async with database.session(system(organization)) as session:
        rows = (await (await session.connection()).execute(_READ, asked)).all()
    return tuple(
        Ended(course, ends_at, tuple(map(Stood, learners, risks)), *counts)
        for course, ends_at, learners, risks, *counts in rows
    )
