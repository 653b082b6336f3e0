"""How often a sign-in failed: a question to the audit, which every process adds to and none takes from.

A place among the few failures that are allowed is taken before the password is looked at. The account is a keyed
digest of what was typed; the address that of a machine, or the network it can choose its address in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from datasources.postgres.audit import Event, Whence, record
from datasources.postgres.jobs import PLATFORM
from datasources.postgres.session import system

if TYPE_CHECKING:
    from datasources.postgres.session import Database

SPAN = timedelta(minutes=15)
"""In how much time failures are counted, and how long they lock."""


class Outcome(StrEnum):
    """What became of an attempt."""

    PASSED = "sign-in.passed"
    FAILED = "sign-in.failed"
    UNJUDGED = "sign-in.unjudged"
    """Nobody could tell: it counts for nothing."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is under way. One that never ends counts as failed."""

    id: str
    account: str
    whence: Whence


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many failures in a span are forgiven: of one account, and from one address."""

    account: int = 5
    address: int = 5


async def begin(database: Database, account: str, whence: Whence, allowed: Allowed) -> Attempt | timedelta:
    """Take a place for an attempt; or how long there is none, for the account or the address."""
    rows = await database.fetch(
        "SELECT * FROM begin_sign_in($1, $2, $3, $4, $5, $6)",
        account, whence.address, whence.request_id, allowed.account, allowed.address, SPAN,
    )  # fmt: skip
    row = rows[0]
    if row["attempt"] is None:
        again_in: timedelta = row["again_in"]
        return again_in
    return Attempt(row["attempt"], account, whence)


async def settle(database: Database, attempt: Attempt, outcome: Outcome) -> None:
    """Say what became of an attempt."""
    event = Event(outcome.value, attempt.account, {"attempt": attempt.id})
    await record(database, system(PLATFORM), [event], attempt.whence)
