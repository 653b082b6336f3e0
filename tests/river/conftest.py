from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from tests.campus import small_campus
from tests.river.banks import Clock, Gateway, Services, running
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Clone
    from tests.river.workers import Worker


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services() -> Services:
    return Services(small_campus())


@pytest_asyncio.fixture
async def gateway(clone: Clone, services: Services, clock: Clock) -> AsyncIterator[Gateway]:
    """A gateway of this test's own, over a database of its own, which has heard of nobody yet."""
    async with running(clone.app_url, services, clock) as one:
        yield one


@pytest_asyncio.fixture
async def worker(clone: Clone, services: Services, clock: Clock) -> AsyncIterator[Worker]:
    """Another process, which does the jobs of the gateway when it is told to."""
    async with a_worker(clone.app_url, services, clock) as one:
        yield one


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged, which would only clutter the report of the run."""
    with capture_logs() as said:
        yield said
