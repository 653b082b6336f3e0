"""A generated campus behind the nine services over real HTTP, and gateways over it that know who is who."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from analytics.declare import Role
from datasources.catalog import SERVICES
from datasources.postgres import migrate
from datasources.postgres.connection import connect
from datasources.simulator.generated import generate
from gateway import embedded, settings
from gateway.app import Outside, open_world
from gateway.demo import spawn, wait_for
from gateway.keys import secret_key
from gateway.ports import free_port
from gateway.tokens import Account, issue

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from analytics.world import World
    from datasources.simulator.campus import Campus
    from gateway.embedded import Embedded

LEARNERS, SEED = 600, 7
TOKEN = "bench"  # noqa: S105 - of services that are thrown away
KEY = "a-key-for-measuring-that-is-long-enough"
PATIENCE = 60.0
"""Seconds that something may take to start, or an organization to be copied."""


@dataclass(frozen=True, slots=True)
class Site:
    """The campus, its services, a Postgres, and the environment of a gateway, but for its database."""

    campus: Campus
    home: Path
    simulator: str
    postgres: Embedded
    environ: Mapping[str, str]

    def turn(self, mode: str, seconds: float = 0.0) -> None:
        """Have every service answer at once, `ok`, or after some seconds, `slow`."""
        for service in SERVICES:
            told = {"service": service.name, "mode": mode, "seconds": seconds}
            httpx.post(f"{self.simulator}/switches", json=told, trust_env=False).raise_for_status()

    async def database(self, name: str) -> str:
        """The address of a fresh database in which every organization is copied, and nothing else."""
        owner = await connect(self.postgres.owner_url)
        await owner.execute(f"CREATE DATABASE {name}")
        await owner.close()
        owned, app = (
            urlsplit(url)._replace(path=f"/{name}").geturl() for url in (self.postgres.owner_url, self.postgres.app_url)
        )
        await migrate.prepare(owned, self.postgres.app_password)
        async with self.world(app) as world:
            await _known(world, self.campus)
        return app

    @asynccontextmanager
    async def world(self, database: str) -> AsyncIterator[World]:
        """The world of a gateway in this process."""
        async with AsyncExitStack() as stack:
            yield await open_world(settings.read({**self.environ, "GATEWAY_DATABASE_URL": database}), Outside(), stack)

    def calls(self) -> int:
        """How often services were called since this was asked last."""
        with httpx.Client(base_url=self.simulator, trust_env=False) as client:
            found = client.get("/calls").raise_for_status().json()
            client.delete("/calls").raise_for_status()
        return _sum(found)

    def chosen(self, count: int, dice: random.Random) -> list[Account]:
        """So many learners."""
        learners = [one for one in self.campus.people if Role.LEARNER.value in one.roles]
        return [
            Account(one.id, one.organization, (Role.LEARNER,), one.name, "learner@example.org")
            for one in dice.sample(learners, count)
        ]


@contextmanager
def a_site(home: Path) -> Iterator[Site]:
    """Everything up, and gone at the end."""
    with ExitStack() as stack:
        (home / "logs").mkdir()
        postgres = embedded.start(home / "postgres")
        stack.callback(postgres.stop)
        port = free_port()
        size = ["--learners", str(LEARNERS), "--seed", str(SEED)]
        serve = ["datasources.simulator", "serve", "--port", str(port), *size]
        simulator = spawn("simulator", serve, {**os.environ, "SIMULATOR_TOKEN": TOKEN}, home)
        stack.callback(simulator.stop)
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/healthz", simulator, PATIENCE)
        campus = generate(LEARNERS, SEED)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        environ = {
            **kept,
            "GATEWAY_HOME": str(home),
            "GATEWAY_TOKEN_KEY": KEY,
            "GATEWAY_CLOCK": campus.as_of.isoformat(),
            "GATEWAY_SERVICE_TOKEN": TOKEN,
            "GATEWAY_MOCKS": "false",
            **{service.variable: f"{url}/{service.name}" for service in SERVICES},
        }
        yield Site(campus, home, url, postgres, environ)


def bearer(learner: Account) -> dict[str, str]:
    """The header that says who somebody is."""
    token = issue(
        learner,
        key=secret_key(KEY),
        issuer="learning-platform",
        audience="learning-analytics",
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
    )
    return {"authorization": f"Bearer {token}"}


async def _known(world: World, campus: Campus) -> None:
    """Every organization is copied."""
    for organization in campus.organizations:
        await world.roster.ready(organization.id)
        async with asyncio.timeout(PATIENCE):
            while await world.roster.missing(organization.id):  # noqa: ASYNC110 - the copy tells of no event
                await asyncio.sleep(0.05)


def _sum(told: object) -> int:
    if isinstance(told, dict):
        return sum(map(_sum, told.values()))
    return told if isinstance(told, int) else 0
