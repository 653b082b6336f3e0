"""Who may have what done: of whom somebody may not hear, they may have nothing worked out either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from datasources.postgres import jobs, roster
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.session import Actor
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, TOMAS
from tests.datasources.postgres.rosters import acme

if TYPE_CHECKING:
    from datasources.postgres.session import Database

LENA_ASKS = Actor(ACME, LENA, "learner")
MAY, MAY_NOT = "may", "may not"


@pytest.mark.parametrize(
    ("actor", "scope", "subject", "verdict"),
    [
        (LENA_ASKS, "learner", LENA, MAY),
        (LENA_ASKS, "learner", LARS, MAY_NOT),
        (LENA_ASKS, "trainer", LENA, MAY_NOT),
        (LENA_ASKS, "market", ACME, MAY),
        (LENA_ASKS, "market", OTHER, MAY_NOT),
        (LENA_ASKS, "organization", ACME, MAY_NOT),
        (LENA_ASKS, "course", "any", MAY_NOT),
        (LENA_ASKS, None, None, MAY_NOT),
        (Actor(ACME, TOMAS, "trainer"), "trainer", TOMAS, MAY),
        (Actor(ACME, TOMAS, "trainer"), "learner", LENA, MAY),
        (Actor(ACME, TOMAS, "trainer"), "learner", LARS, MAY_NOT),
        (Actor(ACME, TOMAS, "trainer"), "organization", ACME, MAY_NOT),
        (Actor(ACME, OLGA, "org-admin"), "learner", LARS, MAY),
        (Actor(ACME, OLGA, "org-admin"), "organization", ACME, MAY),
        (Actor(ACME, OLGA, "org-admin"), "organization", OTHER, MAY_NOT),
        (Actor(ACME, OLGA, "org-admin"), "cohort", "*", MAY_NOT),
    ],
)
async def test_a_viewer_has_only_that_worked_out_which_is_theirs_to_hear(
    database: Database, actor: Actor, scope: str | None, subject: str | None, verdict: str
) -> None:
    await roster.sync(database, acme())
    wanted = Wanted("theirs", scope, subject)
    if verdict == MAY:
        assert await jobs.enqueue(database, actor, Kind.REFRESH, [wanted])
    else:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await jobs.enqueue(database, actor, Kind.REFRESH, [wanted])


@pytest.mark.parametrize("wanted", [Wanted("report", "learner", LARS), Wanted("report", None, LARS)])
async def test_a_report_is_about_nobody_but_who_has_it_made(database: Database, wanted: Wanted) -> None:
    assert await jobs.enqueue(database, LENA_ASKS, Kind.EXPORT, [Wanted("mine")])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await jobs.enqueue(database, LENA_ASKS, Kind.EXPORT, [wanted])
