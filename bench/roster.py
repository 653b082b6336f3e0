"""How long a page of a roster ordered by risk takes, and how that grows: `python bench/roster.py [SIZE ...]`.

Makes learners, enrolments and kept answers with random numbers, straight in SQL, in a database of its own on
an embedded Postgres that goes with it. Times are of whole calls, through the pool, as an organization admin.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.rosters import RISK, measure
from datasources.postgres import migrate, pages
from datasources.postgres.connection import connect
from datasources.postgres.pages import Wanted, Window
from datasources.postgres.session import Actor, Database
from gateway import embedded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.declare import Metric
    from datasources.postgres.pages import Key, Page

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 20
WEEK = timedelta(days=7)
PAGE = 20
NOW = datetime.now(UTC)
VALUE_BYTES = 3_000
"""A kept risk, with its factors, is about this long."""
EXPLAINING = {
    "shared_preload_libraries": "auto_explain",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
}

# Every hundredth learner has nothing kept, every fiftieth an answer that says why there is none; scores tie.
FILLED = """
    INSERT INTO organizations VALUES ($1, 'A university', NULL, NULL, '{}', '{Arts,Sciences}');
    INSERT INTO syncs VALUES ($1, now());
    INSERT INTO people (organization, id, name, folded, roles, department, is_active)
        SELECT $1, gen_random_uuid()::text, 'Learner ' || n % ($2 / 2), 'learner ' || n % ($2 / 2), '{learner}',
            CASE WHEN n % 2 = 0 THEN 'Arts' ELSE 'Sciences' END, true
        FROM generate_series(1, $2) n;
    INSERT INTO people (organization, id, name, folded, roles, is_active)
        SELECT $1, $1 || ' trainer ' || n, 'Trainer ' || n, 'trainer ' || n, '{trainer}', true
        FROM generate_series(1, 20) n;
    INSERT INTO courses (organization, id, title, starts_at, ends_at)
        SELECT $1, 'course ' || n, 'Course ' || n, now() - interval '60 days', now() + interval '60 days'
        FROM generate_series(1, 20) n;
    INSERT INTO teaching SELECT $1, 'course ' || n, $1 || ' trainer ' || n FROM generate_series(1, 20) n;
    INSERT INTO enrollments (organization, course, person, enrolled_at, status)
        SELECT $1, 'course ' || 1 + (n + k) % 20, p.id, now() - interval '50 days', 'active'
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM people
            WHERE organization = $1 AND 'learner' = ANY (roles)) p, generate_series(1, 2) k;
    INSERT INTO answers
        SELECT $1, 'learner', p.id, m.metric, m.arguments,
            CASE WHEN n % 50 = 0 THEN NULL ELSE (
                SELECT '"' || string_agg(md5(random()::text || n || i), '') || '"' FROM generate_series(1, $4 / 32) i
            ) END,
            CASE WHEN n % 50 = 0 THEN '["NOT_ENOUGH_DATA","",null,null]' END, '{}',
            CASE WHEN n % 50 = 0 THEN NULL ELSE round(random()::numeric * 100, 1) END,
            CASE WHEN n % 50 = 0 THEN NULL ELSE (ARRAY['LOW', 'MODERATE', 'HIGH', 'CRITICAL'])[1 + n % 4] END,
            'LIVE', $5, $5, $5 + interval '6 hours'
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM people
            WHERE organization = $1 AND 'learner' = ANY (roles)) p,
            jsonb_to_recordset($3) AS m (metric text, arguments text)
        WHERE n % 100 <> 1;
"""


async def fill(owner: Any, organization: str, learners: int, metrics: Sequence[Metric] = (RISK,)) -> None:
    """One organization with so many learners, in twenty courses, and what is kept of them: their risk unless said."""
    told = json.dumps([asdict(measure(metric)) for metric in metrics])
    said = [
        f"'{organization}'",
        str(learners),
        f"'{told}'::jsonb",
        str(VALUE_BYTES),
        f"'{NOW.isoformat()}'::timestamptz",
    ]
    sql = FILLED
    for place, value in enumerate(said, 1):
        sql = sql.replace(f"${place}", value)
    await owner.execute("SET app.role = 'system'")
    await owner.execute(f"SET app.organization = '{organization}'")
    await owner.execute(sql)


async def timed(
    database: Database, actor: Actor, wanted: Wanted, window: Window, *, counted: bool
) -> tuple[float, Page]:
    """The median milliseconds of a page, and the page."""
    spent = []
    for _ in range(ROUNDS):
        before, start = database.statements, time.perf_counter()
        page = await pages.page(
            database, actor, wanted, window, since=NOW - WEEK, until=NOW, counted=counted, most_missing=1_000
        )
        spent.append(1000 * (time.perf_counter() - start))
        if database.statements != before + 1:
            sys.exit("a page is one statement")
    return statistics.median(spent), page


async def deep(database: Database, actor: Actor, wanted: Wanted, learners: int) -> Key:
    """Where the page in the middle of the list begins."""
    page = await pages.page(
        database, actor, wanted, Window(first=learners // 2), since=NOW - WEEK, until=NOW, counted=False
    )
    return page.rows[-1][0]


async def measured(database: Database, organization: str, learners: int) -> list[str]:
    """One row of the table for each list."""
    admin = Actor(organization, "admin", "org-admin")
    trainer = Actor(organization, f"{organization} trainer 1", "trainer")
    by_risk = Wanted(by=measure(RISK), falling=True)
    lists = {
        "by risk, as admin": (admin, by_risk),
        "by risk, as trainer of a tenth": (trainer, Wanted(trainer=trainer.user, by=by_risk.by, falling=True)),
        "by name, as admin": (admin, Wanted()),
    }
    lines = []
    for name, (actor, wanted) in lists.items():
        there = (await timed(database, actor, wanted, Window(first=1), counted=True))[1]
        middle = await deep(database, actor, wanted, there.total or 0)
        cells = []
        for counted in (False, True):
            for window in (Window(first=PAGE), Window(first=PAGE, after=middle)):
                spent, page = await timed(database, actor, wanted, window, counted=counted)
                if len(page.rows) != PAGE:
                    sys.exit("a page is not whole")
                cells.append(f"{spent:8.1f}")
        lines.append(f"| {learners:7,} | {name:30} | {' | '.join(cells)} |")
    return lines


async def planned(home: Path, organization: str) -> list[str]:
    """How the answers are read for a page ordered by risk, in the words of the server's own plan of it."""
    running = embedded.start(home, settings=EXPLAINING)
    try:
        database = await Database.open(running.app_url, size=1)
        admin, wanted = Actor(organization, "admin", "org-admin"), Wanted(by=measure(RISK), falling=True)
        await pages.page(database, admin, wanted, Window(first=PAGE), since=NOW - WEEK, until=NOW, most_missing=1_000)
        await database.close()
        lines = [line.strip() for line in _log(home).splitlines()]
        places = [n for n, line in enumerate(lines) if "on answers" in line]
        return [line for n in places for line in lines[n : n + 6] if "answers" in line or "Heap Fetches" in line]
    finally:
        running.stop()


def _log(home: Path) -> str:
    (log,) = home.resolve().rglob("log")
    return log.read_text()


async def main(home: Path, sizes: list[int]) -> None:
    """Measure, and print the table and the plan."""
    running = embedded.start(home)
    try:
        await migrate.prepare(running.owner_url, running.app_password)
        print("| learners | list | first page | deep page | first, counted | deep, counted |")
        print("|---|---|---|---|---|---|")
        for size in sizes:
            owner = await connect(running.owner_url)
            await fill(owner, f"organization-{size}", size)
            await owner.close()
            owner = await connect(running.owner_url)
            await owner.execute("VACUUM ANALYZE")
            await owner.close()
            database = await Database.open(running.app_url, size=1)
            print("\n".join(await measured(database, f"organization-{size}", size)), flush=True)
            await database.close()
    finally:
        running.stop()
    print("\n".join(["", *await planned(home, f"organization-{sizes[-1]}")]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        Path(made).chmod(0o711)
        asyncio.run(main(Path(made) / "postgres", [int(size) for size in sys.argv[1:]] or list(SIZES)))
