"""Forgetting a person: they are signed out, a tombstone is set, every row about them goes, and processes are told.

The tombstone comes first, in a transaction of its own: what was begun before and ends later is not written down
any more (migration 0013). It stands for as long as anything from before may still be written, and names nobody.
That they are signed out holds longer, for as long as any token lasts, and names nobody either (migration 0018).

What the audit holds of them, their id beside what was done, stays until its term: it is the evidence that others
rely on, and names nobody. Aggregates are of ten or more people, and nobody is in them by name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import select

from datasources.postgres import prune, sessions
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.session import Database, system
from datasources.postgres.tables import ForgottenRow

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNEL = "people"
"""Where every process hears who is to be forgotten."""

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Who stands where a job of somebody else named the person."""

SECONDS = 60
"""How long one statement may look through an organization."""

_TOMBSTONE = text("SELECT remember_forgotten(:organization, :person)")

_STATEMENTS: Mapping[str, str] = {
    # Who else is in the day's snapshot of a cohort stays as they are: taken anew, they would move with the day.
    "snapshots": """
        UPDATE answers SET value = jsonb_set(value::jsonb, '{members}', (
            SELECT coalesce(jsonb_agg(m), '[]') FROM jsonb_array_elements(value::jsonb -> 'members') m
            WHERE m ->> 0 <> :person))::text
        WHERE organization = :organization AND scope = 'cohort' AND strpos(value, :person) > 0
        """,
    "answers": """
        DELETE FROM answers WHERE organization = :organization
            AND (subject = :person OR strpos(concat(value, withheld, about, arguments), :person) > 0)
        """,
    "facts": """
        DELETE FROM facts WHERE organization = :organization AND (id = :person OR strpos(payload, :person) > 0)
        """,
    "jobs": "DELETE FROM jobs WHERE organization = :organization AND (owner = :person OR subject = :person)",
    "jobs of others": """
        UPDATE jobs SET once = replace(once, :person, :nobody),
            details = replace(details::text, :person, :nobody)::jsonb,
            result = replace(result::text, :person, :nobody)::jsonb
        WHERE organization = :organization AND strpos(concat(once, details, result), :person) > 0
        """,
    "choices": "DELETE FROM leaderboard_choices WHERE organization = :organization AND person = :person",
    "decisions": "DELETE FROM recommendation_decisions WHERE organization = :organization AND person = :person",
    "reports": """
        DELETE FROM reports WHERE organization = :organization AND (owner = :person OR strpos(content, :person) > 0)
        """,
    "sessions": "DELETE FROM sessions WHERE organization = :organization AND person = :person",
    "revocations": "DELETE FROM revocations WHERE organization = :organization AND person = :person",
    "accounts": "DELETE FROM local_accounts WHERE organization = :organization AND person = :person",
    # Enrolments and teaching go with the person.
    "people": "DELETE FROM people WHERE organization = :organization AND id = :person",
}
_AUDIT = text(
    "SELECT record_audit(:organization, 'system', 'system', ARRAY['person.forgotten'], ARRAY[NULL::text], "
    "ARRAY[:details]::jsonb[])"
)
_TELL = text("SELECT pg_notify(:channel, :told)")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of an organization went, or lost what they said of the person, by what they were."""

    organization: str
    rows: Mapping[str, int]


async def everywhere(database: Database, person: str) -> list[Forgotten]:
    """Sign a person out, forget them in every organization, and have every process let go of what it has of them.

    What a process has may name them in an organization that keeps nothing of them: so in the end each is told
    once to look everywhere. When this fails on the way, it is to be done again.

    Args:
        database: the database.
        person: as `forget` has it.
    """
    await sessions.revoke_forgotten(database, person)
    # First what belongs to no organization: one that is copied later than it is listed heeds what is set there.
    gone = [await forget(database, PLATFORM, person)]
    listed = await prune.organizations(database)
    gone += [await forget(database, organization, person) for organization in listed if organization != PLATFORM]
    # Once more: they may have signed in while their account was still there.
    await sessions.revoke_forgotten(database, person)
    for organization in listed:
        async with database.session(system(organization)) as session:
            for name in ("sessions", "revocations"):
                who = {"organization": organization, "person": person}
                await (await session.connection()).execute(text(_STATEMENTS[name]), who)
    await database.fetch("SELECT pg_notify($1, $2)", CHANNEL, json.dumps([PLATFORM, person]))
    return gone


async def forget(database: Database, organization: str, person: str) -> Forgotten:
    """Forget a person in one organization, and tell every process of it.

    Where nothing was kept only the tombstone is left, and nobody is told; else the audit counts.

    Args:
        database: the database.
        organization: where.
        person: a user's id, a UUID in small letters, as it is looked for inside of texts.
    """
    who = {"organization": organization, "person": person}
    rows: dict[str, int] = {}
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        await connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
        await connection.execute(_TOMBSTONE, who)
    async with database.session(system(organization)) as session:
        connection = await session.connection()
        await connection.execute(text(f"SET LOCAL statement_timeout = '{SECONDS}s'"))
        for name, statement in _STATEMENTS.items():
            given: dict[str, Any] = who | ({"nobody": NOBODY} if ":nobody" in statement else {})
            rows[name] = (await connection.execute(text(statement), given)).rowcount
        found = {name: count for name, count in rows.items() if count}
        if found:
            await connection.execute(_AUDIT, {"organization": organization, "details": json.dumps(found)})
            if organization != PLATFORM:
                await connection.execute(_TELL, {"channel": CHANNEL, "told": json.dumps([organization, person])})
    return Forgotten(organization, found)


async def forgotten(database: Database, organization: str) -> frozenset[bytes]:
    """The digests of those whose tombstone stands in an organization, as `digest_of` has them."""
    async with database.session(system(organization)) as session:
        return frozenset((await session.exec(select(ForgottenRow.digest))).all())


def digest_of(organization: str, person: str) -> bytes:
    """What a tombstone has of a person: the `forgotten_digest` of the database."""
    return sha256(f"{organization} {person}".encode()).digest()


def told(payload: str) -> tuple[str, str]:
    """The organization (PLATFORM: any) and the person that a notification names."""
    organization, person = json.loads(payload)
    return organization, person
