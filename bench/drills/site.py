"""A place for drills: a Postgres, the nine services and as many gateways and workers as wanted, all real processes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import httpx
from sqlmodel import col, select

from datasources.catalog import SERVICES
from datasources.postgres import jobs, migrate
from datasources.postgres.connection import UNAVAILABLE, connect
from datasources.postgres.job_tables import JobRow
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.session import system
from datasources.postgres.tables import AnswerRow
from datasources.simulator.generated import generate
from gateway import embedded, settings
from gateway.app import Outside, open_world
from tests.gateway.processes import COMMAND, ROOT, answers, children, free_port, surroundings, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from analytics.world import World
    from datasources.simulator.campus import Campus

LEARNERS, SEED = 100, 7
TOKEN = "the-token-of-the-drill"  # noqa: S105 - of made-up services
SECRET = "the-secret-of-the-drill-which-is-long-enough"  # noqa: S105 - likewise


@dataclass(frozen=True)
class Site:
    """What every drill stands on: a Postgres server and the nine services of one campus."""

    postgres: embedded.Embedded
    home: Path
    simulator: str
    campus: Campus
    _numbers: Iterator[int]

    async def database(self) -> tuple[str, str]:
        """A fresh database: its address for the application, and for its owner."""
        name = f"drill_{next(self._numbers)}"
        owner = await connect(self.postgres.owner_url)
        await owner.execute(f"CREATE DATABASE {name}")
        await owner.close()
        app, owned = (_named(url, name) for url in (self.postgres.app_url, self.postgres.owner_url))
        await migrate.prepare(owned, self.postgres.app_password)
        return app, owned

    def turn(self, service: str, mode: str) -> None:
        """Switch a service to `ok`, `slow`, `failing`, `hanging` or `nonsense`."""
        told = {"service": service, "mode": mode}
        httpx.post(f"{self.simulator}/switches", json=told, trust_env=False).raise_for_status()

    def crash_postgres(self) -> None:
        """Kill a process of the server, which cuts every connection and recovers from its log."""
        running = self.home / "postgres" / "cluster" / "data" / "postmaster.pid"
        postmaster = int(running.read_text().splitlines()[0])
        (victim,) = (pid for pid, command in children(postmaster).items() if "checkpointer" in command)
        os.kill(victim, signal.SIGKILL)


@dataclass(frozen=True)
class Drill:
    """One drill's own database, with a world inside this process to look at it and to begin things."""

    site: Site
    world: World
    environment: dict[str, str]
    owner_url: str
    _stack: ExitStack

    def worker(self) -> subprocess.Popen[bytes]:
        """One more worker."""
        return self._started("worker")

    def gateway(self) -> str:
        """The address of one more gateway, which is ready."""
        port = free_port()
        self._started("serve", GATEWAY_PORT=str(port))
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/readyz"), what="the gateway is ready")
        return url

    async def jobs(self, *kinds: jobs.Kind) -> list[jobs.Job]:
        """Every job of these kinds in every organization, the oldest first."""
        found = []
        for organization in [PLATFORM, *ORGANIZATIONS]:
            async with self.world.database.session(system(organization)) as session:
                asked = select(JobRow).where(col(JobRow.kind).in_([kind.value for kind in kinds]))
                rows = (await session.exec(asked.order_by(col(JobRow.created_at)))).all()
            found += [jobs.of_row(row.model_dump()) for row in rows]
        return found

    async def when(self, so: Callable[[Sequence[jobs.Job]], bool], *kinds: jobs.Kind, seconds: float = 240) -> None:
        """Wait until it is so of the jobs of these kinds; looked at whenever one changes, and after an outage."""
        heard = asyncio.Event()
        async with asyncio.timeout(seconds), self.world.database.listen(jobs.CHANNEL, lambda _: heard.set()):
            while True:
                heard.clear()
                try:
                    if so(await self.jobs(*kinds)):
                        return
                except UNAVAILABLE:
                    continue
                await heard.wait()

    async def values(self) -> dict[tuple[str, ...], tuple[str | None, str | None]]:
        """What is kept: of each answer its value, or why there is none."""
        found = {}
        for organization in ORGANIZATIONS:
            async with self.world.database.session(system(organization)) as session:
                rows = (await session.exec(select(AnswerRow).where(AnswerRow.scope != "cohort"))).all()
            for row in rows:
                key = (organization, row.scope, row.subject, row.metric, row.arguments)
                found[key] = (row.value, row.withheld)
        return found

    def _started(self, *arguments: str, **ours: str) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self.site.home / f"{arguments[0]}.log").open("ab"))
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, *arguments], env=surroundings(**self.environment, **ours), cwd=ROOT, stdout=log, stderr=log
        )
        self._stack.callback(_end, process)
        return process


CAMPUS = generate(LEARNERS, SEED)
ORGANIZATIONS = tuple(one.id for one in CAMPUS.organizations)


@contextmanager
def a_site() -> Iterator[Site]:
    """A server and the services, gone at the end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-drills-")))
        home.chmod(0o711)
        postgres = embedded.start(home / "postgres")
        stack.callback(postgres.stop)
        port = free_port()
        campus = ["--learners", str(LEARNERS), "--seed", str(SEED)]
        services = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "datasources.simulator", "serve", "--port", str(port), *campus],
            env=surroundings(SIMULATOR_TOKEN=TOKEN),
            cwd=ROOT,
        )
        stack.callback(_end, services)
        simulator = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{simulator}/healthz"), 120, what="the services answer")
        yield Site(postgres, home, simulator, CAMPUS, count())


@asynccontextmanager
async def a_drill(site: Site) -> AsyncIterator[Drill]:
    """A database in which every organization is known, and nothing else yet."""
    app, owner = await site.database()
    environment = {
        "GATEWAY_DATABASE_URL": app,
        "GATEWAY_HOME": str(site.home),
        "GATEWAY_TOKEN_KEY": SECRET,
        "GATEWAY_SERVICE_TOKEN": TOKEN,
        "GATEWAY_CLOCK": site.campus.as_of.isoformat(),
        "GATEWAY_GRAPHIQL": "0",
        **{service.variable: f"{site.simulator}/{service.name}" for service in SERVICES},
    }
    async with AsyncExitStack() as stack:
        processes = stack.enter_context(ExitStack())
        world = await open_world(settings.read(environment), Outside(rng=random.Random(SEED)), stack)
        for organization in ORGANIZATIONS:
            await world.roster.ready(organization)
        await asyncio.gather(*world.roster._copies.values())  # noqa: SLF001 - they are known only when copied
        yield Drill(site, world, environment, owner, processes)


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
