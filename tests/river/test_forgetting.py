"""A person who is forgotten is known to no process and to no row, whatever was asked about them before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel
from typer.testing import CliRunner

from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, system
from gateway.cli import app
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


async def test_whoever_is_forgotten_and_still_known_to_the_services_is_told_of_again(
    gateway: Gateway, clone: Clone
) -> None:
    await asked_about(gateway)
    done = await asyncio.to_thread(run, "forget", LENA.upper(), GATEWAY_DATABASE_URL=clone.app_url)
    assert "delete the account there first" in done.stdout
    again = await gateway.dashboard("lena")
    assert again.status == 200


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
