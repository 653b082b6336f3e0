"""One simulator over the small campus for each test, asked as the gateway would ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from datasources.simulator.server import create_simulator
from tests.campus import small_campus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

TOKEN = "service-token"


@pytest.fixture
def app() -> Starlette:
    return create_simulator(small_campus(), token=TOKEN, hang_for=0.01)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", headers=headers) as client:
        yield client
