"""What tests share: one Postgres for the whole run, one migrated template in it, a clone for each test that asks.

The server is embedded, and every worker of the run joins the same one; `GATEWAY_TEST_DATABASE_URL`, the
address of a role that may make roles and databases, puts another in its place. Everything goes at the end.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
import pytest_asyncio

from datasources.postgres import migrate
from datasources.postgres.connection import connect
from datasources.postgres.session import Database
from gateway import embedded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

HOME = "GATEWAY_TEST_HOME"
OUTSIDE = "GATEWAY_TEST_DATABASE_URL"
NIGHTS = {"test_nightly.py", "test_history.py", "test_arriving.py", "test_database_that_fails.py"}
# Nothing here has to survive anything.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True, slots=True)
class Server:
    """The server of this run, as the owner of its databases; `template` is one that is migrated and empty."""

    owner_url: str
    app_password: str
    template: str

    def owner(self, name: str) -> str:
        """The address of a database, as its owner."""
        return urlunsplit(urlsplit(self.owner_url)._replace(path=f"/{name}"))

    def application(self, name: str) -> str:
        """The address of a database, as the application."""
        parts = urlsplit(self.owner_url)
        where = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"gateway_app:{self.app_password}@{where}", path=f"/{name}"))


@dataclass(frozen=True, slots=True)
class Clone:
    """One fresh, migrated, empty database."""

    owner_url: str
    app_url: str


def pytest_configure(config: pytest.Config) -> None:
    if HOME not in os.environ:
        # Where every worker finds it, and where the user that Postgres runs as can enter.
        home = Path(tempfile.mkdtemp(prefix="gateway-tests-"))
        home.chmod(0o711)
        os.environ[HOME] = str(home)
        config.add_cleanup(lambda: _clear(home))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Whole nights take longest: begun first, nobody waits for them at the end. The rest stays in its order.
    items.sort(key=lambda item: item.path.name not in NIGHTS)


def pytest_collection_finish() -> None:
    # What nights collect after wide parts is theirs, and not five thousand tests that are all alive.
    gc.collect()
    gc.freeze()


def _clear(home: Path) -> None:
    del os.environ[HOME]
    if (outside := os.environ.get(OUTSIDE)) and (home / "password").exists():
        asyncio.run(_execute(outside, f'DROP DATABASE IF EXISTS "{_template(home)}"'))
    shutil.rmtree(home)


def _template(home: Path) -> str:
    return home.name.replace("-", "_")


async def _execute(url: str, *statements: str) -> None:
    connection = await connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    home = Path(os.environ[HOME])
    outside = os.environ.get(OUTSIDE)
    running = None if outside else embedded.start(home / "postgres", settings=QUICK)
    template = _template(home)
    try:
        with (home / "template.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            password = home / "password"
            made = password.exists()
            word = password.read_text() if made else secrets.token_urlsafe(16)
            found = Server(outside or (running.owner_url if running else ""), word, template)
            if not made:
                asyncio.run(_execute(found.owner_url, f'CREATE DATABASE "{template}"'))
                asyncio.run(migrate.prepare(found.owner(template), word))
                password.write_text(word)
        yield found
    finally:
        if running:
            running.stop()


_numbers = count()


def _clone(server: Server) -> Iterator[Clone]:
    name = f"{server.template}_{os.getpid()}_{next(_numbers)}"
    asyncio.run(
        _execute(
            server.owner_url,
            f'CREATE DATABASE "{name}" TEMPLATE "{server.template}" STRATEGY file_copy',
            f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC',
        )
    )
    yield Clone(server.owner(name), server.application(name))
    try:
        asyncio.run(_execute(server.owner_url, f'DROP DATABASE "{name}" WITH (FORCE)'))
    except asyncpg.InsufficientPrivilegeError:
        # Somebody is just leaving whom the owner of the database may not throw out: this waits some seconds for them.
        asyncio.run(_execute(server.owner_url, f'DROP DATABASE "{name}"'))


@pytest.fixture
def clone(server: Server) -> Iterator[Clone]:
    """A database of this test's own."""
    yield from _clone(server)


@pytest.fixture(scope="module")
def module_clone(server: Server) -> Iterator[Clone]:
    """A database that the tests of a module share: for those that only read it, or clean up."""
    yield from _clone(server)


@pytest.fixture
def owner_url(clone: Clone) -> str:
    """The test's own database, as its owner."""
    return clone.owner_url


@pytest_asyncio.fixture
async def database(clone: Clone) -> AsyncIterator[Database]:
    """The test's own database, as the application."""
    opened = await Database.open(clone.app_url, size=4)
    yield opened
    await opened.close()
