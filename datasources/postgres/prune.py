"""Letting go: what has outlived its term is deleted, and partitions are made ahead and dropped.

Terms are counted by the database's own clock (`present`), so that a worker whose clock jumped lets go of nothing
too early.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnClause, literal_column
from sqlmodel import SQLModel, col, delete, select

from datasources.postgres.audit import Event, record
from datasources.postgres.job_tables import JobRow, ReportRow
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.session_tables import RevocationRow, SessionRow
from datasources.postgres.tables import AnswerRow, FactRow, ForgottenRow, SyncRow

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERS = timedelta(days=7)
FACTS = timedelta(hours=24)
JOBS = timedelta(days=7)
"""How long a job that is over is remembered."""
REPORTS = timedelta(days=7)
FORGOTTEN = timedelta(hours=48)
"""How long who was forgotten is not kept anything of: longer than any answer, fact or night from before lasts."""
FORGIVEN = timedelta(minutes=5)
"""How long a token may be taken that is over, at most: as long it stays revoked."""
AT_ONCE = 5_000
JANITOR = Actor("", "janitor", "janitor")
"""Reads which organizations there are, and nothing else."""


@dataclass(frozen=True, slots=True)
class Gone:
    """How many rows were let go."""

    answers: int = 0
    facts: int = 0
    jobs: int = 0
    reports: int = 0
    sessions: int = 0
    revocations: int = 0
    tombstones: int = 0

    def __add__(self, other: Gone) -> Gone:
        return Gone(
            self.answers + other.answers,
            self.facts + other.facts,
            self.jobs + other.jobs,
            self.reports + other.reports,
            self.sessions + other.sessions,
            self.revocations + other.revocations,
            self.tombstones + other.tombstones,
        )


async def present(database: Database) -> datetime:
    """The time of the database, in UTC."""
    moment: datetime = (await database.fetch("SELECT clock_timestamp()"))[0][0]
    return moment.astimezone(UTC)


async def organizations(database: Database) -> list[str]:
    """Every organization that is kept anything of, and at last what belongs to none."""
    async with database.session(JANITOR) as session:
        found = (await session.exec(select(SyncRow.organization).order_by(col(SyncRow.organization)))).all()
    return [*found, PLATFORM]


async def expired(database: Database, now: datetime) -> Gone:
    """Delete what has outlived its term, organization by organization, some rows in a transaction.

    What was let go of an organization is a row of its audit.
    """
    gone = Gone()
    for organization in await organizations(database):
        here = Gone(
            answers=await _delete(database, organization, AnswerRow, AnswerRow.calculated_at, now - ANSWERS),
            facts=await _delete(database, organization, FactRow, FactRow.seen_at, now - FACTS),
            jobs=await _delete(database, organization, JobRow, JobRow.finished_at, now - JOBS),
            reports=await _delete(database, organization, ReportRow, ReportRow.created_at, now - REPORTS),
            sessions=await _delete(database, organization, SessionRow, SessionRow.expires_at, now),
            revocations=await _delete(database, organization, RevocationRow, RevocationRow.until, now - FORGIVEN),
            tombstones=await _delete(database, organization, ForgottenRow, ForgottenRow.at, now - FORGOTTEN),
        )
        if here != Gone():
            await record(database, system(organization), [Event("pruned", None, asdict(here))])
        gone += here
    await _let_go_of_deliveries(database, now - JOBS)
    return gone


async def partitions(database: Database, now: datetime) -> tuple[Sequence[str], Sequence[str]]:
    """Make the partitions of the coming months, and drop those past their term: the names of both.

    Rows that came when their partition was missing are moved into it. What was dropped is a row of the audit.

    Raises:
        asyncpg.LockNotAvailableError: the table was in use for too long; another try will do.
    """
    made, dropped = (await database.fetch("SELECT made, dropped FROM keep_partitions($1)", now))[0]
    if dropped:
        await record(database, system(PLATFORM), [Event("partition.dropped", name) for name in dropped])
    return made, dropped


async def missing(database: Database) -> str | None:
    """What is wrong with the partitions, in words; None where every row has its place."""
    complaint: str | None = (await database.fetch("SELECT missing_partitions()"))[0][0]
    return complaint


async def _let_go_of_deliveries(database: Database, before: datetime) -> None:
    """Delete what PgQueuer noted of old deliveries, and what it counted: which one, when, and how it went."""
    for table in ("queue.pgqueuer_log", "queue.pgqueuer_statistics"):
        statement = (
            f"WITH gone AS (DELETE FROM {table} WHERE id IN "  # noqa: S608 - our own words
            f"(SELECT id FROM {table} WHERE created < $1 LIMIT $2) RETURNING 1) SELECT count(*) FROM gone"
        )
        while (await database.fetch(statement, before, AT_ONCE))[0][0] == AT_ONCE:
            pass


async def _delete(database: Database, organization: str, table: type[SQLModel], column: Any, before: datetime) -> int:
    """Delete the rows from before, some at a time, so that no statement runs into its time limit."""
    place: ColumnClause[Any] = literal_column("ctid")
    total = 0
    while True:
        async with database.session(system(organization)) as session:
            some = select(place).select_from(table).where(col(column) < before).limit(AT_ONCE)
            deleted = (await session.exec(delete(table).where(place.in_(some)))).rowcount
        total += deleted
        if deleted < AT_ONCE:
            return total
