"""Accounts of our own, for where no auth service is: an address, and the argon2 hash of a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlmodel import col, select, update

from datasources.postgres.people import sayable
from datasources.postgres.session import Actor, Database, system
from datasources.postgres.session_tables import LocalAccountRow

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """One account; `email` is in small letters, `hashed` an argon2 hash."""

    organization: str
    person: str
    email: str
    name: str
    roles: tuple[str, ...]
    hashed: str
    disabled: bool = False


async def find(database: Database, email: str) -> LocalAccount | None:
    """The account of an address, whatever its organization: who types an address sees its one row."""
    async with database.session(Actor("", sayable(email), "bearer")) as session:
        row = (await session.exec(select(LocalAccountRow))).first()
    return None if row is None else _of_row(row)


async def found(database: Database, organization: str, person: str) -> LocalAccount | None:
    """The account of a person."""
    async with database.session(system(organization)) as session:
        row = (await session.exec(select(LocalAccountRow).where(LocalAccountRow.person == person))).first()
    return None if row is None else _of_row(row)


async def add(database: Database, account: LocalAccount) -> None:
    """Make an account.

    Raises:
        sqlalchemy.exc.IntegrityError: the person, or the address, has one already.
    """
    async with database.session(system(account.organization)) as session:
        session.add(
            LocalAccountRow(
                organization=account.organization,
                person=account.person,
                email=account.email,
                name=account.name,
                roles=list(account.roles),
                password=account.hashed,
            )
        )


async def listed(database: Database, organization: str) -> Sequence[LocalAccount]:
    """The accounts of an organization, by address."""
    async with database.session(system(organization)) as session:
        rows = (await session.exec(select(LocalAccountRow).order_by(LocalAccountRow.email))).all()
    return [_of_row(row) for row in rows]


async def disable(database: Database, organization: str, email: str) -> bool:
    """Let nobody sign in with an account any more; whether there is one that could."""
    async with database.session(system(organization)) as session:
        mine = update(LocalAccountRow).where(
            col(LocalAccountRow.email) == email, col(LocalAccountRow.disabled_at).is_(None)
        )
        done = await session.exec(mine.values(disabled_at=func.clock_timestamp()))
    return done.rowcount > 0


def _of_row(row: LocalAccountRow) -> LocalAccount:
    return LocalAccount(
        row.organization, row.person, row.email, row.name, tuple(row.roles), row.password, row.disabled_at is not None
    )
