"""Bringing a database up to date, as its owner, and making the role the application connects as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from datasources.postgres.connection import DatabaseError, connect
from datasources.postgres.revisions import APPLICATION_ROLE, MIGRATIONS, NEWER, known, wanted

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

ONE_AT_A_TIME = 20_261_121
"""The advisory lock of whoever migrates a database."""

MISSING_ROLE = (
    f"The role {APPLICATION_ROLE} is missing. Let somebody who may do it run "
    f"CREATE ROLE {APPLICATION_ROLE} LOGIN NOBYPASSRLS PASSWORD '...', then migrate again."
)


async def prepare(owner_url: str, app_password: str) -> str:
    """Make the application's role, or give it this password, and migrate; the revision the database is at.

    Raises:
        DatabaseError: there is no such database, its owner may not make roles, or see `upgrade`.
    """
    connection = await connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", ONE_AT_A_TIME)
            exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", APPLICATION_ROLE)
            verb = "ALTER" if exists else "CREATE"
            # DDL takes no arguments, so the server itself quotes the password into the statement.
            statement = await connection.fetchval(
                "SELECT format($1, $2::text)",
                f"{verb} ROLE {APPLICATION_ROLE} LOGIN NOINHERIT PASSWORD %L",
                app_password,
            )
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        # Somebody else makes the roles here, and has given this one its password.
        if not exists:
            raise DatabaseError(MISSING_ROLE) from error
    finally:
        await connection.close()
    return await upgrade(owner_url)


async def upgrade(owner_url: str) -> str:
    """Run the missing migrations in one transaction; the revision the database is at afterwards.

    Raises:
        DatabaseError: there is no such database, it is newer than this code, or `gateway_app` is missing.
    """
    engine = _engine(owner_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
            await _refuse_newer(connection)
            role = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
            if not (await connection.execute(role, {"name": APPLICATION_ROLE})).first():
                raise DatabaseError(MISSING_ROLE)
            await connection.run_sync(_run)
            await connection.execute(text(await _closing(connection)))
    finally:
        await engine.dispose()
    return wanted()


async def current(url: str) -> str | None:
    """The revision the database is at; None when it was never migrated."""
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_revision)
    finally:
        await engine.dispose()


async def _refuse_newer(connection: AsyncConnection) -> None:
    revision = await connection.run_sync(_revision)
    if revision is not None and revision not in known():
        raise DatabaseError(NEWER.format(revision))


async def _closing(connection: AsyncConnection) -> str:
    """What keeps others from making temporary tables here; a property of the database, so not of any migration."""
    name = (await connection.execute(text("SELECT quote_ident(current_database())"))).scalar_one()
    return f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _engine(url: str) -> AsyncEngine:
    async def create() -> Any:
        return await connect(url)

    return create_async_engine("postgresql+asyncpg://", async_creator=create, poolclass=NullPool)
