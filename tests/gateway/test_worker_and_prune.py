"""What is over is let go, in every organization, by a janitor who can look at nothing and a worker that carries on."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel, select, text
from typer.testing import CliRunner

from datasources.postgres import (
    answers,
    audit,
    choices,
    erasure,
    jobs,
    local_accounts,
    prune,
    reports,
    roster,
    sessions,
)
from datasources.postgres.connection import connect
from datasources.postgres.facts import KeptFacts
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.local_accounts import LocalAccount
from datasources.postgres.prune import JANITOR, Gone
from datasources.postgres.reports import Report, ReportFormat
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.sessions import Given
from datasources.postgres.tables import AggregateRow, AnswerRow, FactRow
from gateway.cli import app
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM
from tests.datasources.postgres.rosters import NOW, acme, asked, kept, other
from tests.gateway.processes import COMMAND, ROOT, run, surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.conftest import Clone

SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)
DAY = timedelta(hours=24)


async def keep(database: Database, organization: str, ages: Iterable[timedelta]) -> None:
    """Keep an answer and a fact of each age, told apart by it."""
    for age in ages:
        question = asked("learner", LENA, str(age))
        # Read lately or not, valid for long or not: how long ago it was worked out is what counts.
        row = replace(kept(NOW - age), as_of=NOW, expires_at=NOW + WEEK)
        await answers.keep(database, organization, {question: row})
        await KeptFacts(database).keep(organization, [("course/Progress", str(age), "{}", NOW - age)])


async def left(database: Database, organization: str) -> tuple[set[str], set[str]]:
    """Which answers and facts of an organization are there, by the age they were kept with."""
    async with database.session(system(organization)) as session:
        metrics = (await session.exec(select(AnswerRow.metric))).all()
        ids = (await session.exec(select(FactRow.id))).all()
    return set(metrics), set(ids)


async def test_answers_leave_after_a_week_and_facts_after_a_day_in_every_organization(database: Database) -> None:
    ages = (timedelta(0), DAY, DAY + SECOND, WEEK, WEEK + SECOND)
    for organization, one in ((ACME, acme()), (OTHER, other())):
        await roster.sync(database, one)
        await keep(database, organization, ages)
    assert await prune.expired(database, NOW) == Gone(answers=2, facts=6)
    for organization in (ACME, OTHER):
        metrics, ids = await left(database, organization)
        assert metrics == {str(age) for age in ages if age <= WEEK}
        assert ids == {str(age) for age in ages if age <= DAY}
    assert await prune.expired(database, NOW) == Gone()


async def test_where_there_is_nothing_nothing_is_let_go(database: Database) -> None:
    assert await prune.expired(database, NOW) == Gone()


async def test_people_courses_and_what_was_done_stay_however_old(database: Database, clone: Clone) -> None:
    await fill(database)
    before = await seen(clone, Actor(ACME, OLGA, "org-admin"))
    await prune.expired(database, NOW + 52 * WEEK)
    gone = {"answers", "facts", "reports", "forgotten"}
    # What was let go of is itself something that was done.
    before["audit"] += 1
    assert {table: rows for table, rows in before.items() if table not in gone} == {
        table: rows for table, rows in (await seen(clone, Actor(ACME, OLGA, "org-admin"))).items() if table not in gone
    }


async def fill(database: Database) -> None:
    """Something in every table, in two organizations."""
    for organization, somebody, one in ((ACME, LENA, acme()), (OTHER, SAM, other())):
        await roster.sync(database, one)
        await erasure.forget(database, organization, LARS)
        await keep(database, organization, [timedelta(0)])
        learner = Actor(organization, somebody, "learner")
        await audit.record(database, learner, [audit.Event("looked")])
        await choices.show(database, learner, visible=False, at=NOW)
        await choices.decide(database, learner, "read this", "saved", at=NOW)
        await jobs.enqueue(database, learner, Kind.REFRESH, [Wanted("one", "learner", somebody)])
        async with database.session(system(organization)) as session:
            row = {"organization": organization, "name": "", "day": NOW.date(), "version": 1, "n": 10, "total": 10}
            session.add(AggregateRow(scope="organization", metric="velocity", squares=10, **row))
        await reports.keep(database, organization, somebody, Report("one", ReportFormat.CSV, NOW, "score,1"))
        given = Given(f"refresh {somebody}", f"access {somebody}", NOW)
        await sessions.start(database, organization, somebody, None, given)
        await sessions.sign_out(database, organization, somebody, given.access, NOW)
        account = LocalAccount(organization, somebody, f"{somebody}@example.org", "", ("learner",), "hashed")
        await local_accounts.add(database, account)


async def seen(clone: Clone, actor: Actor) -> dict[str, int]:
    """How many rows of each table and view the application sees on behalf of an actor; -1 where it is refused."""
    application = await connect(clone.app_url)
    found: dict[str, int] = {}
    try:
        async with application.transaction():
            await application.execute("SELECT act_as($1, $2, $3)", *actor.settings)
            names = await application.fetch(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p') AND "
                "relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
            )
            for (name,) in names:
                found[name] = await application.fetchval(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - of the catalog
    finally:
        await application.close()
    return found


async def test_the_janitor_sees_which_organizations_there_are_and_nothing_else(
    database: Database, clone: Clone
) -> None:
    await fill(database)
    tables = {str(table) for table in SQLModel.metadata.tables}
    by_system, by_admin = await seen(clone, system(ACME)), await seen(clone, Actor(ACME, OLGA, "org-admin"))
    # There is something to be seen in each of them.
    assert {table for table in by_system if by_system[table] or by_admin[table]} == {*tables, "cards"}
    nothing = dict.fromkeys(by_system, 0)
    assert await seen(clone, JANITOR) == nothing | {"syncs": 2}
    assert await seen(clone, Actor(ACME, "janitor", "janitor")) == nothing | {"syncs": 2}


async def test_the_janitor_changes_nothing(database: Database) -> None:
    await fill(database)
    tables = sorted(str(table) for table in SQLModel.metadata.tables if table != "audit")
    async with database.session(JANITOR) as session:
        connection = await session.connection()
        for table in tables:
            if table != "aggregates":  # Nobody changes them; they are written anew.
                column = "progress" if table == "jobs" else "organization"  # whose job it is, nobody changes
                changed = await connection.execute(text(f"UPDATE {table} SET {column} = {column}"))  # noqa: S608 - ours
                assert (table, changed.rowcount) == (table, 0)
            removed = await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - ours
            assert (table, removed.rowcount) == (table, 0)


@asynccontextmanager
async def worker(clone: Clone) -> AsyncIterator[asyncio.subprocess.Process]:
    """`gateway worker` over a database, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "worker",
        env=surroundings(GATEWAY_DATABASE_URL=clone.app_url),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def heard(process: asyncio.subprocess.Process, event: str, kind: Kind | None = None) -> dict[str, Any]:
    """The next line of its log that tells of such an event."""
    assert process.stderr
    async with asyncio.timeout(30):
        while True:
            said: dict[str, Any] = json.loads(await process.stderr.readline())
            if said["event"] == event and (kind is None or said["kind"] == kind.value):
                return said


async def ended(process: asyncio.subprocess.Process) -> int:
    return await asyncio.wait_for(process.wait(), 10)


async def test_the_worker_lets_go_at_once_and_runs_until_it_is_told_to_stop(database: Database, clone: Clone) -> None:
    await roster.sync(database, acme())
    # These moments are long ago by any clock.
    await keep(database, ACME, [timedelta(0), WEEK])
    async with worker(clone) as process:
        assert (await heard(process, "job.ended", Kind.PRUNE))["status"] == "COMPLETED"
        assert process.returncode is None
        process.terminate()
        assert await ended(process) == 0
    assert await left(database, ACME) == (set(), set())


async def test_the_worker_survives_that_its_connection_is_cut(database: Database, clone: Clone) -> None:
    await roster.sync(database, acme())
    owner, application = await connect(clone.owner_url), await connect(clone.app_url)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE syncs")
            async with worker(clone) as process, asyncio.timeout(30):
                blocked = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'syncs'::regclass"
                while not (pid := await application.fetchval(blocked)):
                    assert process.returncode is None
                await application.execute("SELECT pg_terminate_backend($1)", pid)
                assert (await heard(process, "job.put_off", Kind.PRUNE))["cause"] == "database"
                assert process.returncode is None
                process.terminate()
                assert await ended(process) == 0
    finally:
        await owner.close()
        await application.close()


def test_a_worker_without_a_database_says_what_to_do() -> None:
    said = CliRunner().invoke(app, ["worker"], env={"GATEWAY_DATABASE_URL": ""})
    assert (said.exit_code, said.stdout) == (1, "")
    assert "GATEWAY_DATABASE_URL is not set" in said.stderr


def test_a_worker_whose_database_does_not_answer_says_what_to_do() -> None:
    said = run("worker", GATEWAY_DATABASE_URL="postgresql://gateway_app:hidden@127.0.0.1:1/gateway")
    assert (said.returncode, said.stdout) == (1, "")
    assert "Check the address" in said.stderr
    assert "hidden" not in said.stderr
    assert "Traceback" not in said.stderr


async def test_a_worker_over_a_database_that_was_not_migrated_says_what_to_do(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    await owner.execute("UPDATE alembic_version SET version_num = '0001'")
    await owner.close()
    said = await asyncio.to_thread(run, "worker", GATEWAY_DATABASE_URL=clone.app_url)
    assert (said.returncode, said.stdout) == (1, "")
    assert "run `gateway migrate`" in said.stderr
    assert "Traceback" not in said.stderr
