"""What row-level security costs the statements of the dashboard and the roster: `python bench/rows.py [LEARNERS]`.

The same functions over the same rows, called by turns: as the application, under the policies, and as the owner of
the tables, who for this once is not held to them. A ratio of 1.00 is no cost. Each line is of one interleaved run.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roster import NOW, PAGE, WEEK, fill
from sqlalchemy.ext.asyncio import create_async_engine

from analytics.catalog import PUBLIC
from analytics.declare import Scope
from analytics.rosters import RISK, measure
from datasources.postgres import answers, migrate, pages
from datasources.postgres.answers import Question
from datasources.postgres.connection import connect, connect_application
from datasources.postgres.pages import Wanted, Window
from datasources.postgres.session import Actor, Database
from gateway import embedded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LEARNERS = 2_000
ROUNDS = 300
WARM = 20
HERE = "organization"
METRICS = [metric for metric in PUBLIC.values() if metric.scope is Scope.LEARNER]


async def dashboard(actor: Actor, learner: str, database: Database) -> int:
    """How many kept answers of a learner are read, all metrics in one statement."""
    questions = [
        Question("learner", learner, *(measure(metric).metric, measure(metric).arguments)) for metric in METRICS
    ]
    return len(await answers.read(database, actor, questions))


async def roster(actor: Actor, wanted: Wanted, database: Database) -> int:
    """How many learners are on the first page of a list, with its length."""
    page = await pages.page(
        database, actor, wanted, Window(first=PAGE), since=NOW - WEEK, until=NOW, counted=True, most_missing=1_000
    )
    return len(page.rows)


async def by_turns(ask: Callable[[Database], Awaitable[int]], under: Database, beside: Database) -> str:
    """The medians in milliseconds of both ways, and their ratio; the quartiles of the ratios of each pair of calls."""
    spent: tuple[list[float], list[float]] = ([], [])
    found = set()
    for n in range(WARM + ROUNDS):
        for place in (0, 1) if n % 2 else (1, 0):
            start = time.perf_counter()
            found.add(await ask((under, beside)[place]))
            if n >= WARM:
                spent[place].append(1000 * (time.perf_counter() - start))
    if len(found) != 1 or not found.pop():
        sys.exit("both ways must find the same, and something")
    with_rules, without = (statistics.median(one) for one in spent)
    low, _, high = statistics.quantiles([a / b for a, b in zip(*spent, strict=True)], n=4)
    return f"{with_rules:8.2f} | {without:8.2f} | {with_rules / without:5.2f} | {low:.2f} to {high:.2f} |"


async def measured(app_url: str, owner_url: str) -> None:
    """Print one line for each statement and actor."""
    under = await Database.open(app_url, size=1)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect_application(owner_url), pool_size=1, max_overflow=0
    )
    beside = Database(owner_url, engine)
    trainer = f"{HERE} trainer 1"
    admin = Actor(HERE, "admin", "org-admin")
    learner = (await roster_of(under, admin, trainer))[0]
    teaching = Actor(HERE, trainer, "trainer")
    by_risk = Wanted(by=measure(RISK), falling=True)
    asked = {
        "dashboard, as the learner": partial(dashboard, Actor(HERE, learner, "learner"), learner),
        "dashboard, as their trainer": partial(dashboard, teaching, learner),
        "dashboard, as an admin": partial(dashboard, admin, learner),
        "roster by risk, as a trainer": partial(roster, teaching, Wanted(trainer=trainer, by=by_risk.by, falling=True)),
        "roster by risk, as an admin": partial(roster, admin, by_risk),
        "roster by name, as an admin": partial(roster, admin, Wanted()),
    }
    print("| statement | ms with | ms without | ratio | middle half of the pairs |")
    print("|---|---|---|---|---|")
    for name, ask in asked.items():
        print(f"| {name} | {await by_turns(ask, under, beside)}", flush=True)
    await under.close()
    await beside.close()


async def roster_of(database: Database, admin: Actor, trainer: str) -> list[str]:
    """The first learners of a trainer, by name, of whom everything is kept."""
    page = await pages.page(
        database, admin, Wanted(trainer=trainer), Window(first=PAGE), since=NOW - WEEK, until=NOW, counted=False
    )
    return [person.id for _, person in page.rows]


async def unbind(owner: Any) -> None:
    """Let the owner of the tables read them whole: what a program would that forgot row-level security."""
    for (table,) in await owner.fetch(
        "SELECT oid::regclass::text FROM pg_class WHERE relforcerowsecurity AND relnamespace = 'public'::regnamespace"
    ):
        await owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")


async def main(home: Path, learners: int) -> None:
    """Fill a database, and measure."""
    running = embedded.start(home)
    try:
        await migrate.prepare(running.owner_url, running.app_password)
        owner = await connect(running.owner_url)
        await fill(owner, HERE, learners, METRICS)
        await owner.close()
        owner = await connect(running.owner_url)
        await owner.execute("VACUUM ANALYZE")
        await unbind(owner)
        await owner.close()
        await measured(running.app_url, running.owner_url)
    finally:
        running.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        Path(made).chmod(0o711)
        asyncio.run(main(Path(made) / "postgres", int(sys.argv[1]) if len(sys.argv) > 1 else LEARNERS))
