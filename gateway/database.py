"""Which Postgres a process uses: the one that is set, else an embedded one, made ready either way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from datasources.postgres import migrate
from datasources.postgres.connection import DatabaseError, connect
from gateway import embedded

if TYPE_CHECKING:
    from gateway.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ready:
    """A migrated database, and how to let go of it when done."""

    url: str
    stop: Callable[[], None]


def ready(settings: Settings, say: Say, *, name: str | None = None) -> Ready:
    """A database to serve from.

    With GATEWAY_DATABASE_URL it is that one, migrated first where GATEWAY_OWNER_DATABASE_URL says as whom. Without,
    it is the database `name` of the embedded cluster under the home, both made where they are missing.

    Raises:
        EmbeddedError, DatabaseError: there is none to be had; the message says what to do.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        if settings.owner_database_url is not None:
            say("Migrating the database")
            owner = settings.owner_database_url.get_secret_value()
            asyncio.run(migrate.prepare(owner, urlsplit(url).password or ""))
        return Ready(url, lambda: None)
    cluster = embedded.start(settings.home / "postgres", say=say)
    try:
        say("Migrating the database")
        name = name or "gateway"
        asyncio.run(_make(cluster.owner_url, name))
        asyncio.run(migrate.prepare(_named(cluster.owner_url, name), cluster.app_password))
    except BaseException:
        cluster.stop()
        raise
    return Ready(_named(cluster.app_url, name), cluster.stop)


def migrate_only(settings: Settings, say: Say) -> None:
    """Bring the database up to date, and say where it stands.

    Raises:
        EmbeddedError, DatabaseError: there is none, or nobody to migrate as.
    """
    if settings.database_url is not None and settings.owner_database_url is None:
        msg = "GATEWAY_OWNER_DATABASE_URL is not set: name the role that owns the tables, as postgresql://role:password@host/database."
        raise DatabaseError(msg)
    ready(settings, say).stop()
    say(f"The database is at {migrate.heads()}.")


async def _make(owner_url: str, name: str) -> None:
    connection = await connect(owner_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
