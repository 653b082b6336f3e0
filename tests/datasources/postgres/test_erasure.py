"""Forgetting: nothing that is kept names the person any more, and nobody else loses anything of theirs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel, select

from datasources.postgres import answers, audit, choices, erasure, jobs, local_accounts, reports, roster, sessions
from datasources.postgres.connection import connect
from datasources.postgres.facts import KeptFacts
from datasources.postgres.jobs import PLATFORM, Kind, Wanted
from datasources.postgres.local_accounts import LocalAccount
from datasources.postgres.reports import Report, ReportFormat
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.sessions import Given
from datasources.postgres.tables import AnswerRow, AuditRow
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM
from tests.datasources.postgres.rosters import NOW, acme, asked, kept, other

if TYPE_CHECKING:
    from tests.conftest import Clone

SNAPSHOT = {"takenOn": "2026-03-02", "members": [[LENA, "north", "0-35", 50.0], [LARS, None, None, 40.5]]}


async def lived_in(database: Database) -> None:
    """Two organizations in which everything was kept that is ever kept of somebody."""
    for organization, people, one in ((ACME, (LENA, LARS), acme()), (OTHER, (SAM,), other())):
        await roster.sync(database, one)
        of_all = {asked("cohort", "algebra"): kept(value=json.dumps(SNAPSHOT))} if organization == ACME else {}
        named = replace(kept(value=json.dumps({"learners": list(people)})))
        await answers.keep(database, organization, {asked("organization", organization): named, **of_all})
        listed = [("course/Enrollments", "algebra", json.dumps([{"userId": each} for each in people]), NOW)]
        await KeptFacts(database).keep(organization, listed)
        everybody = Wanted("chunk", details={"learners": list(people)})
        await jobs.enqueue(database, system(organization), Kind.CHUNK, [everybody])
        for each in people:
            learner = Actor(organization, each, "learner")
            await answers.keep(database, organization, {asked("learner", each): kept()})
            await KeptFacts(database).keep(organization, [("course/Progress", each, "{}", NOW)])
            await choices.show(database, learner, visible=False, at=NOW)
            await choices.decide(database, learner, "read this", "saved", at=NOW)
            await jobs.enqueue(database, learner, Kind.REFRESH, [Wanted(f"refresh {each}", "learner", each)])
            await jobs.enqueue(database, system(organization), Kind.REFRESH, [Wanted(f"of {each}", "learner", each)])
            await reports.keep(database, organization, each, Report(f"of {each}", ReportFormat.CSV, NOW, "score,1"))
            given = Given(f"refresh {each}", f"access {each}", NOW)
            await sessions.start(database, organization, each, "sealed", given)
            await sessions.sign_out(database, organization, each, given.access, NOW)
            email = f"{each}@example.org"
            await local_accounts.add(database, LocalAccount(organization, each, email, "", ("learner",), "hashed"))


async def rows(clone: Clone, organization: str) -> dict[str, list[str]]:
    """Every row of every table but the audit, as text, as the system and as an admin of an organization read them."""
    application = await connect(clone.app_url)
    found: dict[str, list[str]] = {}
    try:
        for actor in (system(organization), Actor(organization, OLGA, "org-admin")):
            async with application.transaction():
                await application.execute("SELECT act_as($1, $2, $3)", *actor.settings)
                for table in sorted(str(table) for table in SQLModel.metadata.tables if table != "audit"):
                    read = await application.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")  # noqa: S608 - ours
                    found[f"{table} {actor.role}"] = [row[0] for row in read]
    finally:
        await application.close()
    return found


async def events(database: Database, organization: str) -> list[AuditRow]:
    async with database.session(Actor(organization, OLGA, "org-admin")) as session:
        return list((await session.exec(select(AuditRow).where(AuditRow.kind == "person.forgotten"))).all())


async def test_no_row_names_a_forgotten_person(database: Database, clone: Clone) -> None:
    await lived_in(database)
    before = await rows(clone, ACME)
    tables = {name.partition(" ")[0] for name, read in before.items() if any(LENA in row for row in read)}
    holds_people = {"answers", "facts", "jobs", "leaderboard_choices", "recommendation_decisions", "reports"}
    signed_in = {"sessions", "refresh_tokens", "revocations", "local_accounts"}
    assert tables == holds_people | signed_in | {"people", "enrollments"}
    await erasure.forget(database, ACME, LENA)
    assert [row for read in (await rows(clone, ACME)).values() for row in read if LENA in row] == []


async def test_whoever_else_there_is_keeps_what_is_theirs(database: Database, clone: Clone) -> None:
    await lived_in(database)
    before, elsewhere = await rows(clone, ACME), await rows(clone, OTHER)
    await erasure.forget(database, ACME, LENA)
    after = await rows(clone, ACME)
    lost = {row for name, read in before.items() for row in read if LENA not in row and row not in after[name]}
    assert lost == set()
    assert await rows(clone, OTHER) == elsewhere


async def test_others_stay_in_the_days_snapshot_as_they_are(database: Database) -> None:
    await lived_in(database)
    await erasure.forget(database, ACME, LENA)
    async with database.session(system(ACME)) as session:
        (value,) = (await session.exec(select(AnswerRow.value).where(AnswerRow.scope == "cohort"))).all()
    assert json.loads(value or "") == {"takenOn": "2026-03-02", "members": [[LARS, None, None, 40.5]]}


async def test_the_audit_says_how_much_went_and_not_of_whom(database: Database) -> None:
    await lived_in(database)
    forgotten = await erasure.forget(database, ACME, LENA)
    (event,) = await events(database, ACME)
    assert event.details == forgotten.rows
    assert forgotten.rows == {
        "snapshots": 1,
        "answers": 2,
        "facts": 2,
        "jobs": 2,
        "jobs of others": 1,
        "choices": 1,
        "decisions": 1,
        "reports": 1,
        "sessions": 1,
        "revocations": 1,
        "accounts": 1,
        "people": 1,
    }
    assert LENA not in repr(event)
    assert await events(database, OTHER) == []


async def test_what_others_did_stays_in_the_audit(database: Database) -> None:
    await lived_in(database)
    await audit.record(database, Actor(ACME, OLGA, "org-admin"), [audit.Event("answers.heard", LENA, {"answers": 1})])
    await erasure.forget(database, ACME, LENA)
    async with database.session(Actor(ACME, OLGA, "org-admin")) as session:
        kinds = (await session.exec(select(AuditRow.kind).where(AuditRow.actor == OLGA))).all()
    assert list(kinds) == ["answers.heard"]


async def test_of_somebody_who_is_not_there_only_the_tombstone_stays(database: Database, clone: Clone) -> None:
    await lived_in(database)
    before = await rows(clone, OTHER)
    assert (await erasure.forget(database, OTHER, LENA)).rows == {}
    after = await rows(clone, OTHER)
    assert {name for name, read in after.items() if read != before[name]} == {"forgotten system", "forgotten org-admin"}
    assert len(after["forgotten system"]) == 1
    assert await events(database, OTHER) == []


async def test_every_process_hears_whom_to_forget_where_something_was_found_and_everywhere_in_the_end(
    database: Database,
) -> None:
    await lived_in(database)
    heard: list[Any] = []
    async with database.listen(erasure.CHANNEL, heard.append):
        await erasure.everywhere(database, LENA)
        # Notifications come in the order of their transactions.
        await database.fetch("SELECT pg_notify($1, $2)", erasure.CHANNEL, json.dumps([OTHER, "last"]))
        async with asyncio.timeout(10):
            while [OTHER, "last"] not in map(json.loads, heard):
                await database.ping()
    assert [erasure.told(one) for one in heard] == [(ACME, LENA), (PLATFORM, LENA), (OTHER, "last")]


async def test_a_tombstone_has_the_digest_that_the_database_makes(database: Database) -> None:
    await erasure.forget(database, ACME, LENA)
    assert await erasure.forgotten(database, ACME) == {erasure.digest_of(ACME, LENA)}
    assert await erasure.forgotten(database, OTHER) == frozenset()
