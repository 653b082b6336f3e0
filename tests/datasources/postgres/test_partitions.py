"""Partitions: made ahead, dropped after their term, and never the reason why a row is lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
import pytest_asyncio
from sqlmodel import col, select

from datasources.postgres import audit, prune
from datasources.postgres.connection import connect
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.tables import AuditRow
from tests.cast import ACME, LENA, OLGA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

LONG_AGO = datetime(2001, 11, 21, 9, tzinfo=UTC)
OLGA_LOOKS = Actor(ACME, OLGA, "org-admin")
PARTS = (
    "SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = $1::regclass "
    "AND c.relname NOT LIKE '%default' ORDER BY 1"
)


@pytest_asyncio.fixture
async def owner(clone: Clone) -> AsyncIterator[Any]:
    connection = await connect(clone.owner_url)
    yield connection
    await connection.close()


async def parts(owner: Any, table: str = "audit") -> list[str]:
    return [row[0] for row in await owner.fetch(PARTS, table)]


async def strays(owner: Any, table: str = "audit_default") -> int:
    found: int = await owner.fetchval(f"SELECT count(*) FROM parts.{table}")  # noqa: S608 - ours
    return found


async def written(owner: Any, at: datetime) -> None:
    """An audit row of another time: nobody but the owner can write one."""
    async with owner.transaction():
        await owner.execute("SELECT act_as($1, $2, $3)", ACME, LENA, "learner")
        await owner.execute(
            "INSERT INTO audit (organization, at, actor, role, kind, details) VALUES ($1, $2, $3, $4, $5, '{}')",
            *(ACME, at, LENA, "learner", "looked"),
        )


async def seen(database: Database) -> list[datetime]:
    async with database.session(OLGA_LOOKS) as session:
        return [row.at for row in (await session.exec(select(AuditRow).order_by(col(AuditRow.at)))).all() if row.at]


async def test_a_new_database_has_partitions_for_this_month_and_the_next_three(database: Database, owner: Any) -> None:
    now = await prune.present(database)
    months = [(now.year * 12 + now.month - 1 + n) for n in range(4)]
    assert await parts(owner) == [f"audit_{month // 12}_{month % 12 + 1:02}" for month in months]
    assert await prune.missing(database) is None


async def test_partitions_are_made_once(database: Database, owner: Any) -> None:
    made, dropped = await prune.partitions(database, LONG_AGO)
    of_audit = ["audit_2001_11", "audit_2001_12", "audit_2002_01", "audit_2002_02"]
    assert (list(made), list(dropped)) == ([*of_audit, "aggregates_2001", "aggregates_2002", "aggregates_2003"], [])
    assert await prune.partitions(database, LONG_AGO) == ([], [])
    assert set(of_audit) <= set(await parts(owner))


async def test_what_is_past_its_term_is_dropped_and_the_audit_says_so(database: Database, owner: Any) -> None:
    await prune.partitions(database, LONG_AGO)
    await written(owner, LONG_AGO)
    now = await prune.present(database)
    _, dropped = await prune.partitions(database, now)
    assert list(dropped) == [
        *("audit_2001_11", "audit_2001_12", "audit_2002_01", "audit_2002_02"),
        *("aggregates_2001", "aggregates_2002", "aggregates_2003"),
    ]
    assert await seen(database) == []
    async with database.session(Actor(PLATFORM, OLGA, "org-admin")) as session:
        rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.id)))).all()
    assert [(row.kind, row.subject) for row in rows] == [("partition.dropped", name) for name in dropped]


@pytest.mark.parametrize(
    ("present", "there"),
    [
        (datetime(2002, 11, 30, 23, 59, tzinfo=UTC), True),
        (datetime(2002, 12, 1, tzinfo=UTC), False),
    ],
)
async def test_a_month_of_the_audit_is_kept_for_twelve_months_after_its_end(
    database: Database, owner: Any, present: datetime, *, there: bool
) -> None:
    await prune.partitions(database, LONG_AGO)
    await prune.partitions(database, present)
    assert ("audit_2001_11" in await parts(owner)) is there


@pytest.mark.parametrize(("year", "there"), [(2008, True), (2009, False)])
async def test_a_year_of_aggregates_is_kept_for_seven_years_after_its_end(
    database: Database, owner: Any, year: int, *, there: bool
) -> None:
    await prune.partitions(database, LONG_AGO)
    await prune.partitions(database, datetime(year, 1, 1, tzinfo=UTC))
    assert ("aggregates_2001" in await parts(owner, "aggregates")) is there


async def test_a_clock_that_jumped_ahead_drops_nothing(database: Database, owner: Any) -> None:
    before = set(await parts(owner))
    _, dropped = await prune.partitions(database, await prune.present(database) + timedelta(days=9_000))
    assert list(dropped) == []
    assert before < set(await parts(owner))


async def test_a_row_without_a_partition_is_kept_and_readiness_says_so(database: Database, owner: Any) -> None:
    await written(owner, LONG_AGO)
    assert await seen(database) == [LONG_AGO]
    assert await strays(owner) == 1
    assert await prune.missing(database) == "rows of the audit wait for their partition"


async def test_rows_without_a_partition_are_moved_into_it_once_it_is_made(database: Database, owner: Any) -> None:
    moments = [LONG_AGO, LONG_AGO + timedelta(days=40), LONG_AGO + timedelta(days=400)]
    for moment in moments:
        await written(owner, moment)
    # Nothing is past its term yet, as seen from there.
    await prune.partitions(database, LONG_AGO + timedelta(days=1))
    assert await seen(database) == moments
    assert await strays(owner) == 0
    assert {"audit_2001_11", "audit_2001_12", "audit_2002_12"} <= set(await parts(owner))
    assert await prune.missing(database) is None
    await audit.record(database, system(ACME), [audit.Event("goes on")])
    assert len(await seen(database)) == 4


async def test_aggregates_without_a_partition_are_moved_as_well(database: Database, owner: Any) -> None:
    async with owner.transaction():
        await owner.execute("SELECT act_as($1, $2, $3)", *system(ACME).settings)
        await owner.execute(
            "INSERT INTO aggregates VALUES ($1, 'organization', '', 'velocity', $2, 1, 10, 10, 10)",
            *(ACME, date(2001, 12, 31)),
        )
    assert await prune.missing(database) == "aggregates wait for their partition"
    await prune.partitions(database, LONG_AGO)
    assert await strays(owner, "aggregates_default") == 0
    assert await strays(owner, "aggregates_2001") == 1


async def test_a_month_without_a_partition_is_told_of_before_it_begins(database: Database, owner: Any) -> None:
    parts_of_later = (await parts(owner))[1:]
    for part in parts_of_later:
        await owner.execute(f"DROP TABLE parts.{part}")
    assert await prune.missing(database) == "the audit has no partition for next month"
    await prune.partitions(database, await prune.present(database))
    assert await prune.missing(database) is None


async def test_the_application_reaches_no_partition_but_through_its_table(database: Database, owner: Any) -> None:
    for part in [*(await parts(owner)), "audit_default", "aggregates_default"]:
        for statement in (f"SELECT FROM parts.{part}", f"DROP TABLE parts.{part}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.fetch(statement)


async def test_two_who_look_after_partitions_at_once_do_not_get_in_each_others_way(database: Database) -> None:
    outcomes = await asyncio.gather(*(prune.partitions(database, LONG_AGO) for _ in range(4)))
    assert sum(len(made) for made, _ in outcomes) == 7
