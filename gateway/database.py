"""Which Postgres a process uses: the one that is set, else an embedded one, made ready either way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from datasources.postgres import revisions
from datasources.postgres.connection import DatabaseError, connect
from datasources.postgres.session import Database
from gateway import embedded

if TYPE_CHECKING:
    from pathlib import Path

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
            asyncio.run(_migrate(settings.owner_database_url.get_secret_value(), url))
        asyncio.run(_check(url))
        return Ready(url, lambda: None)
    from datasources.postgres import migrate  # noqa: PLC0415 - who does not migrate needs nothing of it

    cluster = _embedded(settings.home, say)
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
    if (settings.database_url is None) != (settings.owner_database_url is None):
        missing = "GATEWAY_DATABASE_URL" if settings.database_url is None else "GATEWAY_OWNER_DATABASE_URL"
        msg = (
            f"{missing} is not set. Migrating takes both: GATEWAY_OWNER_DATABASE_URL, the role that owns the tables, "
            "and GATEWAY_DATABASE_URL, the role that serves, each as postgresql://role:password@host/database."
        )
        raise DatabaseError(msg)
    if settings.database_url is not None and settings.owner_database_url is not None:
        url = settings.database_url.get_secret_value()
        asyncio.run(_migrate(settings.owner_database_url.get_secret_value(), url))
    else:
        ready(settings, say).stop()
    say(f"The database is at {revisions.wanted()}.")


def _embedded(home: Path, say: Say) -> embedded.Embedded:
    try:
        return embedded.start(home / "postgres", say=say)
    except OSError as error:
        msg = (
            f"Cannot write under {home.absolute()}: {error.strerror}. "
            "Name another directory, GATEWAY_HOME, or a database, GATEWAY_DATABASE_URL."
        )
        raise DatabaseError(msg) from error


async def _migrate(owner_url: str, url: str) -> None:
    from datasources.postgres import migrate  # noqa: PLC0415 - who does not migrate needs nothing of it

    serving = urlsplit(url)
    if serving.username != revisions.APPLICATION_ROLE:
        msg = (
            f"GATEWAY_DATABASE_URL names the role {serving.username or 'of nobody'}: it must name "
            f"{revisions.APPLICATION_ROLE}, which owns nothing."
        )
        raise DatabaseError(msg)
    # Without a password in the address the role has one from elsewhere, or needs none.
    if serving.password is None:
        await migrate.upgrade(owner_url)
    else:
        await migrate.prepare(owner_url, unquote(serving.password))


async def _check(url: str) -> None:
    """See that the database can be served from, before anything is started that would only fail later."""
    database = await Database.open(url, size=1)
    try:
        complaint = revisions.complaint(await revisions.found(database))
    finally:
        await database.close()
    if complaint:
        raise DatabaseError(complaint)


async def _make(owner_url: str, name: str) -> None:
    connection = await connect(owner_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


def _named(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
