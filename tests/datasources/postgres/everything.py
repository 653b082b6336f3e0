"""Every table and function of the database, as its catalogs name them, with something of two organizations in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from tests.cast import ACME, OTHER

if TYPE_CHECKING:
    from datasources.postgres.session import Actor

KEY = "key of {}"
"""What ids are in the rows of an organization: somebody may guess them."""
SECRET = "secret of {}"
"""What everything else is: nobody of another organization may ever see it."""

TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text, has_schema_privilege('gateway_app', n.oid, 'USAGE') AS entered,
    c.relrowsecurity AND c.relforcerowsecurity OR 'security_invoker=true' = ANY (coalesce(c.reloptions, '{}')) AS closed
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 2, 3
"""
FUNCTIONS = """
SELECT p.oid, n.nspname, p.proname, p.prosecdef, p.proconfig, p.proretset, p.prosqlbody IS NOT NULL AS bound,
    ARRAY (SELECT format_type(t.type, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, n) ORDER BY t.n)
        AS takes,
    has_function_privilege('gateway_app', p.oid, 'EXECUTE') AS called, p.prorettype = 'trigger'::regtype AS trigger,
    EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS public,
    pg_get_userbyid(p.proowner) = 'gateway_app' AS own
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^(pg_|information_schema)' ORDER BY 2, 3
"""
COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL) AS type,
    a.attnum = ANY (coalesce((SELECT i.indkey FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary), ''))
        AS key
FROM pg_attribute a
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
"""
VALUES = {
    "text": "'{}'",
    "text[]": "ARRAY['{}']",
    "boolean": "true",
    "smallint": "20",
    "integer": "20",
    "bigint": "20",
    "double precision": "20",
    "date": "current_date",
    "interval": "interval '1 day'",
    "timestamp with time zone": "now()",
    "jsonb": '\'{{"told": "{}"}}\'',
    "bytea": "convert_to('{}', 'UTF8')",
}
"""A value of each type of column or argument, with a text in it where it has room for one."""


@dataclass(frozen=True, slots=True)
class Called:
    """What one call of a function came to: what it told, or why it did not."""

    function: str
    told: str
    refused: str | None


async def fill(owner: Any) -> list[str]:
    """Put a row of each organization into every table that has organizations; which tables those are.

    What keeps rows sensible is dropped for it, and what keeps tenants apart is as it was afterwards.
    """
    for table, name in await owner.fetch(
        "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint c "
        "WHERE contype IN ('c', 'f') AND conparentid = 0 AND connamespace = 'public'::regnamespace"
    ):
        await owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    filled = []
    for table in await owner.fetch(TABLES):
        columns = await owner.fetch(COLUMNS, table["oid"])
        if table["nspname"] != "public" or table["relkind"] == "v" or columns[0]["attname"] != "organization":
            continue
        name = table["relname"]
        await owner.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
        for organization in (ACME, OTHER):
            values = [f"'{organization}'", *(_value(column, organization) for column in columns[1:])]
            await owner.execute(
                f"INSERT INTO {name} ({', '.join(column['attname'] for column in columns)}) "  # noqa: S608 - our own names
                f"VALUES ({', '.join(values)})"
            )
        await owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        filled.append(name)
    await owner.execute("REFRESH MATERIALIZED VIEW comparisons.weeks")
    return filled


def _value(column: Any, organization: str) -> str:
    return VALUES[column["type"]].format((KEY if column["key"] else SECRET).format(organization))


async def contents(owner: Any, tables: list[str]) -> dict[str, list[str]]:
    """All that the first organization has, as its tables hold it."""
    found = {}
    for name in tables:
        await owner.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
        rows = await owner.fetch(f"SELECT t::text FROM {name} t WHERE organization = $1 ORDER BY 1", ACME)  # noqa: S608 - likewise
        await owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        found[name] = [row[0] for row in rows]
    return found


async def attempt(connection: Any, actor: Actor, statement: str, *, stays: bool = True) -> list[Any]:
    """The rows of a statement as an actor, in a transaction of its own; what it did stays, or is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SELECT act_as($1, $2, $3)", *actor.settings)
        rows: list[Any] = await connection.fetch(statement)
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.commit() if stays else transaction.rollback())
    return rows


async def call(connection: Any, function: Any, actor: Actor, guess: str, *, stays: bool = False) -> Called:
    """Call a function as an actor, with `guess` wherever it takes a text; what it did stays, or is undone."""
    takes = list(function["takes"])
    given = [f"'{text}'" for text in actor.settings] if takes[:3] == ["text"] * 3 else []
    given += [_argument(kind, guess) for kind in takes[len(given) :]]
    name = f"{function['nspname']}.{function['proname']}"
    try:
        statement = f"SELECT told::text FROM {name}({', '.join(given)}) told"  # noqa: S608 - likewise
        rows = await attempt(connection, actor, statement, stays=stays)
    except asyncpg.PostgresError as refusal:
        return Called(name, str(refusal), type(refusal).__name__)
    return Called(name, " ".join(str(row[0]) for row in rows), None)


def _argument(kind: str, guess: str) -> str:
    bare = kind.removesuffix("[]")
    value = "'2001-02-03'" if bare == "timestamp with time zone" else VALUES[bare].format(guess)
    return f"ARRAY[{value}]::{kind}" if kind.endswith("[]") else f"{value}::{kind}"
