"""Every argument that takes text is given text that means something to somebody else: it means nothing here.

The documents are found by walking the schema, so that an argument that is new is tried by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import text

from datasources.postgres.session import system
from tests.attacks.places import PLACES
from tests.campus import small_campus
from tests.cast import ACME, LENA, OTHER, TOMAS
from tests.river.banks import Clock, Services, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone
    from tests.river.banks import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = ("people", "courses", "enrollments", "syncs")
ATTEMPTS = {
    "a quote": "'",
    "a drop": "'; DROP TABLE answers; --",
    "a union": "x' UNION SELECT id, name, email, NULL FROM people --",
    "always": "%' OR '1'='1",
    "a setting": "'||set_config('app.role','system',false)||'",
    "a pattern": "%_\\",
    "a line of the log": 'x\n{"event": "signed in", "role": "org-admin"}',
    "a null": "x\u0000y",
    "a template": "{{7*7}}${7*7}%(x)s{0.__class__}",
    "half a character": "\ud800",
    "much": "a" * 20_000,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(module_clone: Clone) -> AsyncIterator[Gateway]:
    async with running(module_clone.app_url, Services(small_campus()), Clock()) as opened:
        for who in ("lena", "sam", "olga"):
            await opened.dashboard(who)
        await opened.settled()
        yield opened


async def rows(gateway: Gateway) -> dict[str, int]:
    """How many rows Acme has of what nobody here may change."""
    async with gateway.world.database.session(system(ACME)) as session:
        return {name: len((await session.exec(text(f"SELECT 1 FROM {name}"))).all()) for name in TABLES}  # noqa: S608 - ours


async def test_the_walk_finds_what_takes_text() -> None:
    assert {"Query.learner(id)", "Query.nodes(ids)", "Organization.learners(filter.search)"} <= PLACES.keys()
    assert any(place.operation == "mutation" for place in PLACES.values())


@pytest.mark.parametrize("who", ["olga", "sam"])
@pytest.mark.parametrize("coordinate", PLACES)
async def test_text_means_nothing_but_itself(gateway: Gateway, coordinate: str, who: str) -> None:
    before = await rows(gateway)
    assert before["people"] > 10
    for attempt, typed in ATTEMPTS.items():
        document, variables = PLACES[coordinate].asked(typed)
        reply = await gateway.ask(document, who, **variables)
        said = f"{coordinate} with {attempt}: {reply.text[:300]}"
        assert reply.status < 500, said
        assert "INTERNAL_SERVER_ERROR" not in reply.codes, said
        assert "GRAPHQL_VALIDATION_FAILED" not in reply.codes, said
        assert who != "sam" or not any(one in reply.text for one in ("Lena", "Tomas", "Acme", LENA, TOMAS)), said
        assert who != "olga" or not any(one in reply.text for one in ("Sam", OTHER)), said
    assert await rows(gateway) == before
    assert ACME in {one.organization for one in await gateway.kept()}
