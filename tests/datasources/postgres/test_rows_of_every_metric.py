"""Of kept answers the rows let through what the policy lets hear, metric by metric, with the policy out of the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from analytics.catalog import METRICS
from analytics.declare import Family, Role, Scope
from analytics.keeping import question
from analytics.policy import Subject, Viewer, may_hear
from datasources.postgres import answers, roster
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, acme, kept, other

if TYPE_CHECKING:
    from tests.conftest import Clone

SUBJECTS = {
    Scope.LEARNER: Subject(Scope.LEARNER, ACME, LENA, frozenset({TOMAS})),
    Scope.TRAINER: Subject(Scope.TRAINER, ACME, TOMAS),
    Scope.COURSE: Subject(Scope.COURSE, ACME, ALGEBRA, frozenset({TOMAS})),
    Scope.ORGANIZATION: Subject(Scope.ORGANIZATION, ACME, ACME),
    Scope.MARKET: Subject(Scope.MARKET, ACME, ACME),
}
CAST = [
    Viewer(user, organization, frozenset({role}), role)
    for user, organization, role in (
        (LENA, ACME, Role.LEARNER),
        (LARS, ACME, Role.LEARNER),
        (TOMAS, ACME, Role.TRAINER),
        (TARA, ACME, Role.TRAINER),
        (OLGA, ACME, Role.ORG_ADMIN),
        (SAM, OTHER, Role.ORG_ADMIN),
    )
]
ASKED = {metric: question(metric, SUBJECTS[metric.scope], {}) for metric in METRICS.values()}


@pytest.fixture(scope="module")
def filled(module_clone: Clone) -> Clone:
    """A database with an answer of every metric."""

    async def fill() -> None:
        database = await Database.open(module_clone.app_url, size=1)
        await roster.sync(database, acme())
        await roster.sync(database, other())
        await answers.keep(database, ACME, dict.fromkeys(ASKED.values(), kept()))
        await database.close()

    asyncio.run(fill())
    return module_clone


@pytest.mark.parametrize("viewer", CAST, ids=lambda viewer: f"{viewer.user[:4]} {viewer.role.value}")
async def test_the_rows_let_through_what_the_policy_lets_hear(filled: Clone, viewer: Viewer) -> None:
    database = await Database.open(filled.app_url, size=1)
    actor = Actor(viewer.organization, viewer.user, viewer.role.value)
    found = await answers.read(database, actor, list(ASKED.values()))
    await database.close()
    heard = {
        metric.key
        for metric in ASKED
        if metric.family is not Family.INTERNAL and may_hear(viewer, metric, SUBJECTS[metric.scope])
    }
    assert {metric.key for metric, asked in ASKED.items() if asked in found} == heard


async def test_the_gateway_itself_reads_all_of_them(filled: Clone) -> None:
    database = await Database.open(filled.app_url, size=1)
    assert len(await answers.read(database, system(ACME), list(ASKED.values()))) == len(METRICS)
    await database.close()
