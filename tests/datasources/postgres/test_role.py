"""The role the application connects as owns nothing and can open nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres import roster
from datasources.postgres.connection import DatabaseError, connect
from datasources.postgres.session import Database
from tests.datasources.postgres.rosters import acme

if TYPE_CHECKING:
    from tests.conftest import Clone


async def test_it_owns_nothing(clone: Clone) -> None:
    connection = await connect(clone.app_url)
    owned = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relowner = current_user::regrole "
        "UNION ALL SELECT proname FROM pg_proc WHERE proowner = current_user::regrole"
    )
    rights = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit "
        "FROM pg_roles WHERE rolname = current_user"
    )
    memberships = await connection.fetch("SELECT 1 FROM pg_auth_members WHERE member = current_user::regrole")
    await connection.close()
    assert owned == []
    assert not any(rights)
    assert memberships == []


FORBIDDEN = (
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE people DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE people NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY tenant ON people",
    "CREATE POLICY mine ON people USING (true)",
    "ALTER TABLE answers DROP CONSTRAINT answers_are_never_mocks",
    "TRUNCATE people",
    "UPDATE audit SET kind = 'nothing'",
    "DELETE FROM audit",
    "UPDATE alembic_version SET version_num = '0000'",
    "SET ROLE gateway_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "ALTER ROLE gateway_app BYPASSRLS",
    "GRANT pg_read_all_data TO gateway_app",
    "COPY people TO PROGRAM 'cat'",
    "COPY people TO '/tmp/people'",
    "SET session_replication_role = replica",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_it_is_refused(module_clone: Clone, statement: str) -> None:
    connection = await connect(module_clone.app_url)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
        await connection.execute(statement)
    await connection.close()


async def test_it_cannot_ask_for_rows_without_the_policies(module_clone: Clone) -> None:
    connection = await connect(module_clone.app_url)
    await connection.execute("SET row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await connection.fetch("SELECT * FROM people")
    await connection.close()


async def test_every_table_is_closed_even_to_its_owner(database: Database, clone: Clone) -> None:
    await roster.sync(database, acme())
    owner = await connect(clone.owner_url)
    tables = await owner.fetch(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS closed FROM pg_class "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
    )
    bypasses = await owner.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    seen = await owner.fetchval("SELECT count(*) FROM people")
    await owner.close()
    assert len(tables) == 19
    assert [table["relname"] for table in tables if not table["closed"]] == []
    assert bypasses or seen == 0


async def test_the_organization_comes_first_in_every_key(module_clone: Clone) -> None:
    owner = await connect(module_clone.owner_url)
    firsts = await owner.fetch(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
        "WHERE indisprimary AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) "
        "AND indrelid <> 'alembic_version'::regclass"
    )
    await owner.close()
    assert len(firsts) == 19
    assert {row["attname"] for row in firsts} == {"organization"}


async def test_a_role_that_steps_around_the_policies_or_could_change_them_is_refused(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    may = await owner.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    await owner.close()
    with pytest.raises(DatabaseError, match="steps around row-level security" if may else "owns the tables"):
        await Database.open(clone.owner_url)
