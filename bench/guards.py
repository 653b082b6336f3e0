"""What the guards cost the learner dashboard over HTTP: `python bench/guards.py [ROUNDS]`.

One campus, one database, one gateway for each guard that is off, all served at once by this process and asked by
turns, so that whatever the machine does meanwhile it does to all of them. Without row-level security is a copy of
the database whose tables have none. Times are those of a client on this machine, reading the whole answer.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from analytics.catalog import METRICS
from analytics.declare import Role
from bench.made.turns import Asked, Line, by_turns, served, written
from datasources.catalog import SERVICES
from datasources.postgres import migrate
from datasources.postgres.connection import connect
from datasources.simulator.generated import generate
from datasources.simulator.server import create_simulator
from gateway import embedded
from gateway.app import Outside, create_app
from gateway.edge import Edge
from gateway.keys import secret_key
from gateway.settings import Settings
from gateway.telemetry import configure_logging
from gateway.tokens import Account, issue
from resolvers.permissions import COMMON
from resolvers.schema import build

if TYPE_CHECKING:
    import strawberry
    from starlette.applications import Starlette

    from datasources.simulator.campus import Campus

ROUNDS = 300
LEARNERS = 60
SECRET = "a-key-for-measuring-that-is-long-enough"  # noqa: S105 - good for a process that lives for a minute
SERVICE_TOKEN = "the-token-of-the-services"  # noqa: S105 - likewise
DASHBOARD = (Path(__file__).parents[1] / "tests" / "operations" / "learner-dashboard.graphql").read_text()
OF_SOMEBODY = DASHBOARD.replace("$window: Window! = MONTH", "$id: ID!, $window: Window! = MONTH").replace(
    "viewer {\n    learner {", "... {\n    learner(id: $id) {"
)
"""The same dashboard, asked about somebody by their id."""
WITH_LIMITS: dict[str, Any] = {"cost_per_minute": 10**12, "requests_per_hour": 10**9, "allowed_hosts": ("127.0.0.1",)}
FROM_DATABASE: dict[str, Any] = {"memory_mib": 0, "memory_answers": 0, "responses_mib": 0}


class Everybody(dict[str, Any]):
    """A table of permissions that grants every field to everybody."""

    def get(self, _key: str, _default: Any = None) -> Any:
        """The same for each."""
        return COMMON


@dataclass(frozen=True, slots=True)
class School:
    """Who is asked about, who teaches them, and how their tokens are made."""

    campus: Campus
    learner: Account
    trainer: Account

    def shown(self, who: Account, numbers: count[int]) -> str:
        """A token that is like no other."""
        told = Settings.model_fields
        return issue(
            who,
            key=secret_key(SECRET),
            issuer=told["token_issuer"].default,
            audience=told["token_audience"].default,
            now=datetime.now(UTC),
            lifetime=timedelta(hours=1),
            ident=str(next(numbers)),
        )


def school() -> School:
    """A generated campus, a learner of it and their trainer."""
    campus = generate(LEARNERS)
    people = {person.id: person for person in campus.people}
    running = {
        one.id: one.trainers[0]
        for one in campus.courses
        if one.trainers and one.start < campus.as_of < one.start + timedelta(days=one.length_days)
    }
    taken = next(one for one in campus.registrations if one.course in running and one.left_day is None)
    learner, trainer = people[taken.person], people[running[taken.course]]
    return School(campus, *(
        Account(one.id, one.organization, (role,), one.name, one.email)
        for one, role in ((learner, Role.LEARNER), (trainer, Role.TRAINER))
    ))  # fmt: skip


def app(url: str, one: School, *, schema: strawberry.Schema | None = None, **settings: Any) -> Starlette:
    """A gateway with what is said switched on or off."""
    told = Settings.model_validate(
        {
            "database_url": url,
            "services": {service.name: f"http://simulator/{service.name}" for service in SERVICES},
            "service_token": SERVICE_TOKEN,
            "token_key": SECRET,
            "clock": one.campus.as_of,
            "graphiql": False,
            "port": 0,
            **settings,
        }
    )
    simulator = create_simulator(one.campus, token=SERVICE_TOKEN)
    outside = Outside(rng=random.Random(7), transport=httpx.ASGITransport(simulator))
    return create_app(told, outside, **({} if schema is None else {"schema": schema}))


def without_edge(whole: Starlette) -> Starlette:
    """The same application, which looks at no host and no origin, and marks no answer."""
    whole.user_middleware = [one for one in whole.user_middleware if one.cls is not Edge]
    return whole


async def fill(url: str, one: School, numbers: count[int]) -> None:
    """Have everything worked out and kept once."""
    async with served(app(url, one)) as where:
        for who, document in ((one.learner, DASHBOARD), (one.trainer, OF_SOMEBODY)):
            more = {"id": one.learner.user} if document == OF_SOMEBODY else {}
            line = await Line.to(where)
            for _ in range(3):
                await line.ask(written(one.shown(who, numbers), document, **more))


async def copied(owner_url: str, app_url: str) -> str:
    """The address of a copy of the database whose tables have no row-level security."""
    owner = await connect(urlunsplit(urlsplit(owner_url)._replace(path="/template1")))
    name = urlsplit(owner_url).path[1:]
    await owner.execute(f'CREATE DATABASE "unguarded" TEMPLATE "{name}" STRATEGY file_copy')
    await owner.close()
    there = urlunsplit(urlsplit(owner_url)._replace(path="/unguarded"))
    owner = await connect(there)
    for (table,) in await owner.fetch("SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity"):
        await owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    await owner.close()
    return urlunsplit(urlsplit(app_url)._replace(path="/unguarded"))


async def measured(guarded: str, unguarded: str, one: School, rounds: int, numbers: count[int]) -> None:
    """Print one line for each guard."""
    known, trainers = one.shown(one.learner, numbers), one.shown(one.trainer, numbers)
    open_schema = build(METRICS, table=Everybody())
    apps = {
        "all": app(guarded, one, **WITH_LIMITS),
        "no table": app(guarded, one, schema=open_schema, **WITH_LIMITS),
        "no budget": app(guarded, one, allowed_hosts=("127.0.0.1",)),
        "no edge": without_edge(app(guarded, one, **WITH_LIMITS)),
        "none": without_edge(app(unguarded, one, schema=open_schema)),
        "database": app(guarded, one, **WITH_LIMITS, **FROM_DATABASE),
        "database, no rows": app(unguarded, one, **WITH_LIMITS, **FROM_DATABASE),
    }
    async with AsyncExitStack() as stack:
        where = {name: await stack.enter_async_context(served(whole)) for name, whole in apps.items()}
        mine = written(known, DASHBOARD)
        by_id = written(known, OF_SOMEBODY, id=one.learner.user)
        theirs = written(trainers, OF_SOMEBODY, id=one.learner.user)
        ways = {
            "out of memory": Asked(where["all"], lambda: mine),
            "a token never seen before": Asked(
                where["all"], lambda: written(one.shown(one.learner, numbers), DASHBOARD)
            ),
            "without the table of permissions": Asked(where["no table"], lambda: mine),
            "without a budget": Asked(where["no budget"], lambda: mine),
            "without the edge": Asked(where["no edge"], lambda: mine),
            "without any of these": Asked(where["none"], lambda: mine),
            "by id, of oneself": Asked(where["all"], lambda: by_id),
            "by id, by their trainer: with the audit": Asked(where["all"], lambda: theirs),
            "out of the database": Asked(where["database"], lambda: mine),
            "out of the database, without row-level security": Asked(where["database, no rows"], lambda: mine),
        }
        spent = await by_turns(ways, rounds)
    base = {name: "out of the database" if "database" in name else "out of memory" for name in spent}
    base["by id, by their trainer: with the audit"] = "by id, of oneself"
    print("| the learner dashboard | median ms | 95th percentile | against | ratio |")
    print("|---|---|---|---|---|")
    for name, times in spent.items():
        middle, against = statistics.median(times), statistics.median(spent[base[name]])
        last = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {middle:.2f} | {last:.2f} | {base[name]} | {middle / against:.2f} |", flush=True)


async def main(home: Path, rounds: int) -> None:
    """Fill two databases, and measure."""
    running = embedded.start(home)
    try:
        await migrate.prepare(running.owner_url, running.app_password)
        one, numbers = school(), count()
        await fill(running.app_url, one, numbers)
        unguarded = await copied(running.owner_url, running.app_url)
        await measured(running.app_url, unguarded, one, rounds, numbers)
    finally:
        running.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made, Path(os.devnull).open("w") as nowhere:
        configure_logging("info", nowhere)
        Path(made).chmod(0o711)
        asyncio.run(main(Path(made) / "postgres", int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
