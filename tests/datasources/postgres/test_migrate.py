"""Migrations: from empty to now, once, and never backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from datasources.postgres import job_tables, migrate, revisions, session_tables, tables
from datasources.postgres.connection import DatabaseError, connect

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.conftest import Clone, Server


async def test_a_database_ends_at_the_revision_the_code_wants(clone: Clone) -> None:
    assert await migrate.current(clone.owner_url) == revisions.wanted()


def test_the_revisions_that_are_known_are_those_of_the_files() -> None:
    scripts = ScriptDirectory(str(revisions.MIGRATIONS))
    assert revisions.wanted() == scripts.get_current_head()
    assert revisions.known() == tuple(script.revision for script in scripts.walk_revisions())[::-1]


async def test_the_application_may_ask_for_the_revision(clone: Clone) -> None:
    assert await migrate.current(clone.app_url) == revisions.wanted()


async def test_migrating_twice_changes_nothing(clone: Clone, server: Server) -> None:
    assert await migrate.prepare(clone.owner_url, server.app_password) == revisions.wanted()
    assert await migrate.upgrade(clone.owner_url) == revisions.wanted()


async def test_a_database_that_was_never_migrated_has_no_revision(server: Server) -> None:
    assert await migrate.current(server.owner("postgres")) is None


async def test_a_database_newer_than_the_code_is_refused(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    await owner.close()
    with pytest.raises(DatabaseError, match=r"9999.*newer"):
        await migrate.upgrade(clone.owner_url)


async def test_a_wrong_address_is_told_without_the_password(server: Server) -> None:
    with pytest.raises(DatabaseError, match="nowhere") as told:
        await migrate.upgrade(server.owner("nowhere"))
    assert (urlsplit(server.owner_url).password or "no password") not in str(told.value)


async def test_tables_and_migrations_agree(clone: Clone) -> None:
    metadata = SQLModel.metadata
    assert tables.AnswerRow.metadata is job_tables.JobRow.metadata is session_tables.SessionRow.metadata is metadata

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    engine = create_async_engine(clone.owner_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_checks_and_columns_that_are_worked_out_agree_too(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    checks = await owner.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c'")
    made = await owner.fetch("SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attgenerated <> ''")
    await owner.close()
    declared = SQLModel.metadata.tables.values()
    assert {row["conname"] for row in checks} >= {
        str(check.name)
        for table in declared
        for check in table.constraints
        if type(check).__name__ == "CheckConstraint"
    }
    assert {tuple(row) for row in made} == {
        (table.name, column.name) for table in declared for column in table.columns if column.computed
    }
