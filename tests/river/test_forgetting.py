"""A person who is forgotten is known to no process and to no row, whatever was asked about them before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import SQLModel
from typer.testing import CliRunner

from datasources.postgres import erasure, jobs
from datasources.postgres.answers import Question
from datasources.postgres.connection import connect
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.session import Actor, system
from gateway.cli import app
from gateway.export import Exporter
from gateway.jobs import NotNow, Work
from tests.cast import ACME, LARS, LENA, OLGA
from tests.datasources.postgres.rosters import asked, kept
from tests.gateway.processes import run
from tests.river.banks import running

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services

HIDE = "mutation { setLeaderboardVisibility(input: {visible: false}) { __typename } }"


async def naming(clone: Clone, person: str) -> dict[str, int]:
    """How many rows of each table but the audit name a person."""
    application = await connect(clone.app_url)
    found: dict[str, int] = {}
    try:
        for actor in (system(ACME), Actor(ACME, OLGA, "org-admin")):
            async with application.transaction():
                await application.execute("SELECT act_as($1, $2, $3)", *actor.settings)
                for table in sorted(str(table) for table in SQLModel.metadata.tables if table != "audit"):
                    counted = f"SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0"  # noqa: S608 - ours
                    if count := await application.fetchval(counted, person):
                        found[table] = count
    finally:
        await application.close()
    return found


def remembered(gateway: Gateway, person: str) -> list[Any]:
    """What a process has in memory that names a person."""
    kept = gateway.world.memory._entries.items()
    return [key for key, entry in kept if person in repr((key, entry.value))]


async def kept_of(gateway: Gateway) -> list[Question]:
    """Every question whose answer the database keeps."""
    return [Question(row.scope, row.subject, row.metric, row.arguments) for row in await gateway.kept()]


async def asked_about(gateway: Gateway) -> None:
    await gateway.dashboard("lena")
    await gateway.dashboard("lars")
    await gateway.ask(HIDE, "lena")
    await gateway.settled()


async def test_no_row_and_no_process_knows_a_forgotten_person(clone: Clone, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock) as one, running(clone.app_url, services, clock) as two:
        await asked_about(one)
        await two.dashboard("lena")
        before = await naming(clone, LENA)
        assert {"answers", "facts", "people", "enrollments", "leaderboard_choices"} <= before.keys()
        assert remembered(one, LENA)
        assert remembered(two, LENA)
        done = await asyncio.to_thread(run, "forget", LENA, GATEWAY_DATABASE_URL=clone.app_url)
        assert done.returncode == 0, done.stderr
        assert f"Forgotten in {ACME}: " in done.stdout
        assert LENA not in done.stdout
        assert await naming(clone, LENA) == {}
        async with asyncio.timeout(10):
            while remembered(one, LENA) or remembered(two, LENA):
                await one.world.database.ping()


async def test_what_waits_for_the_database_about_them_is_dropped_as_well(gateway: Gateway) -> None:
    of_others = asked("learner", LARS)
    gateway.world.unkept[ACME] = {
        asked("learner", LENA): kept(),
        asked("course", "algebra"): kept(value=f'["{LENA}"]'),
        of_others: kept(),
    }
    gateway.world.let_go(ACME, LENA)
    assert list(gateway.world.unkept[ACME]) == [of_others]


async def test_an_answer_under_way_while_they_are_forgotten_is_kept_nowhere(
    gateway: Gateway, services: Services, clone: Clone
) -> None:
    await asked_about(gateway)
    gateway.clock.pass_by(timedelta(hours=7))
    gateway.world.memory.clear()
    await gateway.world.forget(ACME, [asked_of for asked_of in await kept_of(gateway) if asked_of.subject == LENA])
    services.forget()
    services.gate.clear()
    asking = asyncio.create_task(gateway.dashboard("lena"))
    await services.called.wait()
    await erasure.forget(gateway.world.database, ACME, LENA)
    services.gate.set()
    assert (await asking).status == 200
    await gateway.settled()
    assert await naming(clone, LENA) == {}
    async with asyncio.timeout(10):
        while remembered(gateway, LENA):
            await gateway.world.database.ping()


async def test_a_report_under_way_while_they_are_forgotten_is_not_kept(gateway: Gateway, clone: Clone) -> None:
    await asked_about(gateway)
    database = gateway.world.database
    wanted = Wanted(f"export {LENA}", details={"format": "CSV"})
    made = await jobs.enqueue(database, Actor(ACME, LENA, "learner"), Kind.EXPORT, [wanted])
    await erasure.forget(database, ACME, LENA)
    with pytest.raises(NotNow, match="forgetting"):
        await Exporter(gateway.world)(Work(database, made[wanted.once].job, last=False))
    assert await naming(clone, LENA) == {}


async def test_while_the_tombstone_stands_the_services_are_not_heard_about_them(gateway: Gateway, clone: Clone) -> None:
    # What was issued before they were forgotten is held against the time of the database.
    gateway.clock.moment = (await gateway.world.database.fetch("SELECT now()"))[0][0]
    await asked_about(gateway)
    done = await asyncio.to_thread(run, "forget", LENA.upper(), GATEWAY_DATABASE_URL=clone.app_url)
    assert "For 48 hours nothing about this user is kept" in done.stdout
    assert "delete the account there" in done.stdout
    gateway.clock.pass_by(timedelta(hours=7))
    again = await gateway.dashboard("lena")
    assert again.status == 200
    await gateway.dashboard("lars")
    await gateway.settled()
    assert await naming(clone, LENA) == {}
    assert "people" in await naming(clone, LARS)


def test_what_is_no_id_of_a_user_forgets_nobody() -> None:
    for wrong in ("lena", "", "%", "11111111-1111-4111-8111-11111111111"):
        nowhere = {"GATEWAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
        said = CliRunner().invoke(app, ["forget", wrong], env=nowhere)
        assert said.exit_code == 1
        assert "is not the id of a user" in said.stderr


def test_without_a_database_nobody_is_forgotten() -> None:
    said = CliRunner().invoke(app, ["forget", LENA], env={"GATEWAY_DATABASE_URL": ""})
    assert said.exit_code == 1
    assert "GATEWAY_DATABASE_URL is not set" in said.stderr
