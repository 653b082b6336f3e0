"""One gateway on a real socket for each test, opened over a database of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from tests.campus import small_campus
from tests.gateway.counter.clients import WAYS, serving
from tests.river.banks import Clock, Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from datasources.postgres.session import Database
    from tests.conftest import Clone
    from tests.gateway.counter.clients import Serve, Served


@pytest.fixture(scope="module", autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged, which would only clutter the report."""
    with capture_logs() as said:
        yield said


@pytest_asyncio.fixture
async def clock(database: Database) -> Clock:
    return Clock((await database.fetch("SELECT now()"))[0][0])


@pytest.fixture(params=WAYS)
def serve(clone: Clone, clock: Clock, request: pytest.FixtureRequest) -> Serve:
    """Opens a gateway that is set up in another way."""
    return partial(serving, clone.app_url, Services(small_campus(), clock.now), clock, **WAYS[request.param])


@pytest_asyncio.fixture
async def served(serve: Serve) -> AsyncIterator[Served]:
    async with serve() as one:
        yield one
