"""How fast a night is, and what it takes: `python bench/nightly.py [LEARNERS [PLANS]]`.

A generated campus behind the nine services over real HTTP, an embedded Postgres, and workers as processes of
their own: one, then two, then one that is killed with -9 in the middle and replaced; only the first so many PLANS
where that is said. Everything is thrown away.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasources.catalog import SERVICES
from datasources.postgres import migrate, nights
from datasources.postgres.jobs import PLATFORM, Kind, Status
from datasources.simulator.generated import generate
from gateway import embedded, settings
from gateway.app import Outside, open_world
from gateway.demo import Child, spawn, wait_for
from gateway.nightly import Nights
from gateway.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.world import World
    from datasources.postgres.jobs import Job

LEARNERS = 3_000
TOKEN = "bench"  # noqa: S105 - of services that are thrown away
LONGEST = 7_200.0
MIDDLE = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """How many workers, and whether the first is killed when the night is half done."""

    name: str
    workers: int
    killed: bool = False


PLANS = (Plan("one worker", 1), Plan("two workers", 2), Plan("one, killed in the middle", 1, killed=True))


async def night_of(world: World) -> Job | None:
    """The platform's night, if it was begun."""
    found = await nights.jobs_of(world.database, PLATFORM, Kind.NIGHTLY, str(world.now().date()))
    return next(iter(found.values()), None)


async def wait(world: World, progress: int) -> Job:
    """The platform's night, once it has come so far."""
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        job = await night_of(world)
        if job is not None and (job.status.over or job.progress >= progress):
            return job
        await asyncio.sleep(0.5)
    sys.exit("the night does not end")


async def copied(world: World, organizations: list[str]) -> None:
    """Every organization is known."""
    for organization in organizations:
        await world.roster.ready(organization)
        while await world.roster.missing(organization):  # noqa: ASYNC110 - the services tell of no event
            await asyncio.sleep(0.2)


def spent(process: int) -> tuple[float, float]:
    """CPU seconds of a process so far, and the most memory it ever held, in MiB."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    memory = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK"), int(memory.split()[1]) / 1024


def place(home: Path) -> None:
    """Room for a night of its own, where the user that Postgres runs as can enter."""
    (home / "logs").mkdir(parents=True)
    home.chmod(0o711)


def end(child: Child) -> None:
    """Kill a worker as the kernel would: the process behind its lifeline as well."""
    os.killpg(child.process.pid, 9)
    child.process.wait()


async def measure(plan: Plan, home: Path, told: Mapping[str, str], simulator: Child, organizations: list[str]) -> str:
    """One night by a plan, as a line of the table."""
    running = embedded.start(home / "postgres")
    workers: list[Child] = []
    try:
        await migrate.prepare(running.owner_url, running.app_password)
        environ = {**told, "GATEWAY_DATABASE_URL": running.app_url, "GATEWAY_HOME": str(home)}
        async with AsyncExitStack() as stack:
            world = await open_world(settings.read(environ), Outside(), stack)
            await copied(world, organizations)
            begun, served = time.monotonic(), spent(simulator.process.pid)[0]
            await Nights(world).nightly()
            workers += [spawn(f"worker-{n}", ["gateway.cli", "worker"], environ, home) for n in range(plan.workers)]
            if plan.killed:
                await wait(world, MIDDLE)
                end(workers.pop())
                workers.append(spawn("worker-after", ["gateway.cli", "worker"], environ, home))
            job = await wait(world, 101)
            seconds = time.monotonic() - begun
            took = [spent(worker.process.pid) for worker in workers]
            served = spent(simulator.process.pid)[0] - served
        return line(plan, job, seconds, took, served)
    finally:
        for worker in workers:
            worker.stop()
        running.stop()


def line(plan: Plan, job: Job, seconds: float, took: list[tuple[float, float]], served: float) -> str:
    """A line of the table."""
    if job.status is not Status.COMPLETED or job.result is None:
        sys.exit(f"the night ended as {job.status}: {job.error}")
    result: Mapping[str, Any] = job.result
    failed = sum(one["count"] for one in result["failures"])
    cpu, memory = sum(one[0] for one in took), max(one[1] for one in took)
    return (
        f"| {plan.name} | {seconds:.0f} | {result['answers']:,} | {result['withheld']:,} | {failed} "
        f"| {result['answers'] / seconds:.0f} | {cpu:.0f} | {memory:.0f} | {served:.0f} |"
    )


async def main(home: Path, learners: int = LEARNERS, plans: int = len(PLANS)) -> None:
    """Measure the first so many plans, and print the table."""
    campus = generate(learners, 7)
    port = free_port()
    arguments = ["datasources.simulator", "serve", "--port", str(port), "--learners", str(learners)]
    simulator = spawn("simulator", arguments, {**os.environ, "SIMULATOR_TOKEN": TOKEN}, home)
    wait_for(f"http://127.0.0.1:{port}/healthz", simulator, 120)
    told = {
        **os.environ,
        "GATEWAY_CLOCK": campus.as_of.isoformat(),
        "GATEWAY_SERVICE_TOKEN": TOKEN,
        "GATEWAY_LOG_LEVEL": "warning",
        **{service.variable: f"http://127.0.0.1:{port}/{service.name}" for service in SERVICES},
    }
    print(f"{learners:,} learners; load {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors before")
    print("| workers | seconds | answers | withheld | failed | per second | CPU s | MiB each | services' CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    try:
        for number, plan in enumerate(PLANS[:plans]):
            known = [organization.id for organization in campus.organizations]
            here = home / str(number)
            place(here)
            print(await measure(plan, here, told, simulator, known), flush=True)
    finally:
        simulator.stop()
    print(f"load {os.getloadavg()[0]:.1f} after; {resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} CPU s in here")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        Path(made).chmod(0o711)
        (Path(made) / "logs").mkdir()
        asyncio.run(main(Path(made), *map(int, sys.argv[1:])))
