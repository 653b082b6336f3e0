"""Accounts of our own and what was revoked, looked after from the command line."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from analytics.declare import Role
from datasources.postgres import local_accounts, sessions
from datasources.postgres.audit import Event, record
from datasources.postgres.connection import DatabaseError
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.local_accounts import LocalAccount
from datasources.postgres.session import Database, system
from gateway.auth import IDENTITY
from gateway.sessions.desk import LONGEST_EMAIL
from gateway.sessions.passwords import Passwords

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.settings import Settings

EMAIL = re.compile(r"[^@\s\0]+@[^@\s\0]+")


class AccountError(RuntimeError):
    """Nothing was done; the message says why, and what would be right."""


async def add(settings: Settings, account: LocalAccount, password: str) -> None:
    """Make an account; its `hashed` is filled in here.

    Raises:
        AccountError: something in it is no good, or it is there already.
        DatabaseError: there is no database.
    """
    email, organization, person = account.email.strip().lower(), uuid(account.organization), uuid(account.person)
    if not EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL:
        msg = f"{account.email!r} is no address: it is like lena@example.org, at most {LONGEST_EMAIL} characters."
        raise AccountError(msg)
    if not account.roles or not set(account.roles) <= set(Role):
        msg = f"An account has one role or more of {', '.join(Role)}; not {', '.join(account.roles) or 'none'}."
        raise AccountError(msg)
    try:
        hashed = await Passwords().hash(password)
    except ValueError as error:
        msg = f"This is no password: {error}."
        raise AccountError(msg) from error
    made = LocalAccount(organization, person, email, account.name, account.roles, hashed)
    async with _database(settings) as database:
        try:
            await local_accounts.add(database, made)
        except IntegrityError as error:
            msg = f"{email}, or this user, has an account already."
            raise AccountError(msg) from error
        await record(database, system(organization), [Event("account.added", person)])


async def listed(settings: Settings, organization: str) -> Sequence[LocalAccount]:
    """The accounts of an organization.

    Raises:
        AccountError: this is no id.
        DatabaseError: there is no database.
    """
    async with _database(settings) as database:
        return await local_accounts.listed(database, uuid(organization))


async def disable(settings: Settings, email: str, say: Callable[[str], None]) -> None:
    """Let nobody sign in with an account any more, nor stay signed in.

    Raises:
        AccountError: there is no such account, or it was disabled before.
        DatabaseError: there is no database.
    """
    async with _database(settings) as database:
        known = await local_accounts.find(database, email.strip().lower())
        if known is None or not await local_accounts.disable(database, known.organization, known.email):
            msg = f"{email} has no account that is open."
            raise AccountError(msg)
        await sessions.revoke(database, known.person)
        await record(database, system(known.organization), [Event("account.disabled", known.person)])
    say(f"{known.email} signs in no more, and is signed out everywhere.")


async def revoke(settings: Settings, user: str, say: Callable[[str], None]) -> None:
    """Make everything void that a user was given until now: tokens, sessions, streams.

    Raises:
        AccountError: this is no id.
        DatabaseError: there is no database.
    """
    person = uuid(user)
    async with _database(settings) as database:
        await sessions.revoke(database, person)
        await record(database, system(PLATFORM), [Event("person.revoked", person)])
    say("Every token and session of this user is void, in every process, within a minute at the latest.")
    say("Who may still sign in can do so again: deactivate the account in the directory to keep them out.")


def uuid(told: str) -> str:
    """An id, in small letters.

    Raises:
        AccountError: it is none.
    """
    found = told.strip().lower()
    if not IDENTITY.fullmatch(found):
        msg = f"{told!r} is not an id: it is a UUID, like 6f1c0e0a-5b7e-4c55-9f0b-0d8d3f3a9c11."
        raise AccountError(msg)
    return found


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    if settings.database_url is None:
        msg = "GATEWAY_DATABASE_URL is not set: name the database that the gateway serves from."
        raise DatabaseError(msg)
    database = await Database.open(settings.database_url.get_secret_value(), size=1)
    try:
        yield database
    finally:
        await database.close()
