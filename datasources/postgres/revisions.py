"""At which revision a database is, and which one this code wants: whoever serves knows it without what migrates.

Alembic and what comes with it take 7 MiB of each process.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from datasources.postgres.connection import DatabaseError

if TYPE_CHECKING:
    from datasources.postgres.session import Database

APPLICATION_ROLE = "gateway_app"
MIGRATIONS = Path(__file__).parents[2] / "migrations"
NEWER = "The database is at revision {}, which this version does not know: it is newer. Use a newer version."


@functools.cache
def known() -> tuple[str, ...]:
    """The revisions that this code knows, the oldest first: each is a file whose name begins with it.

    Raises:
        DatabaseError: they did not come with the code.
    """
    found = sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    if not found:
        msg = f"There are no migrations in {MIGRATIONS}: install the whole of the gateway."
        raise DatabaseError(msg)
    return tuple(found)


def wanted() -> str:
    """The revision that this code wants."""
    return known()[-1]


async def found(database: Database) -> str | None:
    """The revision an open database is at, in one round trip; None when it was never migrated."""
    try:
        rows = await database.fetch("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    except asyncpg.InsufficientPrivilegeError as error:
        msg = f"This role may read nothing here: GATEWAY_DATABASE_URL must name {APPLICATION_ROLE}."
        raise DatabaseError(msg) from error
    return rows[0]["version_num"] if rows else None


def complaint(revision: str | None) -> str | None:
    """What is wrong with a database at this revision, and what to do; None when it is the one we want."""
    if revision == wanted():
        return None
    if revision is not None and revision not in known():
        return NEWER.format(revision)
    return f"The database is at {revision or 'nothing'}, this version wants {wanted()}: run `gateway migrate`."
