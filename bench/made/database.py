"""A database with the made-up schools in it, filled once a day and kept for the next run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.made import school, values
from bench.made.processes import Family, parent
from datasources.postgres import answers, migrate, revisions, roster
from datasources.postgres.connection import connect
from datasources.postgres.session import Database, system
from gateway import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.made.school import School
    from gateway.embedded import Embedded

HOME = Path(".gateway/bench")
SERVER = {
    "shared_buffers": "512MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "autovacuum": "off",
}
"""What is set of the server, for every database in it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A database by its two ways in: as who owns the tables, and as who serves."""

    owner_url: str
    app_url: str


def server(home: Path = HOME) -> Embedded:
    """The Postgres of the measurements, started or joined."""
    return embedded.start(home / "postgres", settings=SERVER)


async def filled(
    running: Embedded, name: str, schools: Sequence[School], keys: tuple[str, ...], say: Callable[[str], None]
) -> Filled:
    """The database of this name with these schools and the answers about their learners to these metrics.

    It is made anew when anything it is made of has changed, and on another day; then those of before go.
    """
    family, name = name, f"{name}_{_mark(schools, keys)}"
    here = Filled(_named(running.owner_url, name), _named(running.app_url, name))
    if await _there(running.owner_url, name):
        return here
    for old in await _like(running.owner_url, rf"^{family}_[0-9a-f]{{12}}(_|$)"):
        await _statements(running.owner_url, f'DROP DATABASE "{old}"')
    half = f"{name}_half"
    await _statements(running.owner_url, f'CREATE DATABASE "{half}"')
    await migrate.prepare(_named(running.owner_url, half), running.app_password)
    await _fill(_named(running.app_url, half), schools, keys, say)
    await _statements(_named(running.owner_url, half), "VACUUM ANALYZE")
    await _statements(running.owner_url, f'ALTER DATABASE "{half}" RENAME TO "{name}"')
    return here


async def copied(here: Filled, schools: Sequence[School]) -> None:
    """Have the rosters of these schools be as new as if they were copied just now: there are no services to ask."""
    connection = await connect(here.app_url)
    try:
        for one in schools:
            async with connection.transaction():
                await connection.execute("SELECT act_as($1, $2, $3)", *system(one.id).settings)
                await connection.execute("UPDATE syncs SET synced_at = clock_timestamp()")
    finally:
        await connection.close()


async def opened(running: Embedded, original: Filled) -> Filled:
    """A copy of a database in which row-level security is off, to show what it costs.

    Only who owns the tables can do that, and only measurements do.
    """
    before = urlsplit(original.owner_url).path[1:]
    name = f"{before}_open"
    here = Filled(_named(running.owner_url, name), _named(running.app_url, name))
    if await _there(running.owner_url, name):
        return here
    half = f"{name}_half"
    await _statements(
        running.owner_url, f'DROP DATABASE IF EXISTS "{half}"', f'CREATE DATABASE "{half}" TEMPLATE "{before}"'
    )
    connection = await connect(_named(running.owner_url, half))
    try:
        tables = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity AND relowner = current_user::regrole"
        )
        for table in tables:
            await connection.execute(f"ALTER TABLE {table['name']} DISABLE ROW LEVEL SECURITY")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    await _statements(running.owner_url, f'ALTER DATABASE "{half}" RENAME TO "{name}"')
    return here


async def postmaster(running: Embedded) -> tuple[Family, str]:
    """The processes of the server, and its version."""
    connection = await connect(running.owner_url)
    try:
        version = await connection.fetchval("SHOW server_version")
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        return Family(parent(backend)), f"Postgres {version.split()[0]}"
    finally:
        await connection.close()


async def _fill(app_url: str, schools: Sequence[School], keys: tuple[str, ...], say: Callable[[str], None]) -> None:
    """As the gateway itself does it: rosters are synced, answers are kept."""
    now = datetime.now(UTC)
    database = await Database.open(app_url, size=2)
    number = 0
    try:
        for done, one in enumerate(schools, 1):
            await roster.sync(database, one.roster(now))
            rows: dict[answers.Question, answers.Kept] = {}
            for learner in one.learner_ids:
                rows |= values.answers(one.id, learner, number, keys, now)
                number += 1
                if len(rows) >= answers.AT_ONCE:
                    await answers.keep(database, one.id, rows)
                    rows = {}
            await answers.keep(database, one.id, rows)
            if done % 10 == 0 or done == len(schools):
                say(f"filled {done} of {len(schools)} organizations, {number:,} learners")
    finally:
        await database.close()


def _mark(schools: Sequence[School], keys: tuple[str, ...]) -> str:
    """What a filled database is known by: who is in it, what is said of them, how it is made, and the day."""
    made = [Path(module.__file__ or "").read_text() for module in (school, values)]
    said = [*map(repr, schools), *keys, revisions.wanted(), datetime.now(UTC).date().isoformat(), *made]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:12]


async def _there(owner_url: str, name: str) -> bool:
    return bool(await _like(owner_url, f"^{name}$"))


async def _like(owner_url: str, pattern: str) -> list[str]:
    """The databases with such a name."""
    connection = await connect(owner_url)
    try:
        return [
            row["datname"]
            for row in await connection.fetch("SELECT datname FROM pg_database WHERE datname ~ $1", pattern)
        ]
    finally:
        await connection.close()


async def _statements(owner_url: str, *statements: str) -> None:
    connection = await connect(owner_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
