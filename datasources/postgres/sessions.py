"""Who is signed in, and who no longer is: sessions, their refresh tokens, and what was revoked.

Tokens come here as digests only. What ends somebody's standing is told to every process in the same transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from datasources.postgres.session import Database

CHANNEL = "standing"
"""Where every process hears whose standing is no longer what it was."""

LIFETIME = timedelta(days=7)
"""How long a refresh token may be used, once."""

REMEMBERED = timedelta(days=30)
"""How long everything of a person stays revoked that was given out before: longer than any token lives."""

NOTHING: frozenset[str] = frozenset()
"""What is void of nearly everybody: an empty set takes 216 bytes each time."""


class Verdict(StrEnum):
    """What became of a refresh token that was shown."""

    TAKEN = "taken"
    """It is used now, and whoever took it goes on."""
    REUSED = "reused"
    """It was used before: two had it, so the session is over for both."""
    OVER = "over"
    """Its session ended, or its time is up."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is remembered of a pair of tokens: their digests, and until when the access token is good."""

    refresh: str
    access: str
    access_until: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """A refresh token that was shown: whose it is, and `upstream`, sealed, where it was taken."""

    verdict: Verdict
    organization: str
    session: str
    person: str
    upstream: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of somebody.

    `active`: in the copy of the directory; only says something where there is a copy (`copied`). `revoked`: all
    they were given before it is void. `tokens`: digests of access tokens that are void.
    """

    copied: bool
    active: bool
    revoked: datetime | None
    tokens: frozenset[str]


async def start(database: Database, organization: str, person: str, upstream: str | None, given: Given) -> str:
    """Begin a session with its first pair of tokens; its id."""
    rows = await database.fetch(
        "SELECT start_session($1, $2, $3, $4, $5, $6, $7) AS id",
        organization, person, upstream, given.refresh, given.access, given.access_until, LIFETIME,
    )  # fmt: skip
    found: str = rows[0]["id"]
    return found


async def take(database: Database, refresh: str) -> Shown | None:
    """Use a refresh token. Of any number who show it at once one has it; the next ends the session. None: unknown."""
    rows = await database.fetch("SELECT * FROM take_refresh_token($1)", refresh)
    if not rows:
        return None
    row = rows[0]
    return Shown(Verdict(row["verdict"]), row["organization"], row["session"], row["person"], row["upstream"])


async def give_back(database: Database, shown: Shown, refresh: str) -> None:
    """Have a refresh token as if it had not been used: nothing came of it."""
    await database.fetch("SELECT give_back_refresh_token($1, $2, $3)", shown.organization, shown.session, refresh)


async def follow(database: Database, shown: Shown, upstream: str | None, given: Given) -> None:
    """Give a session its next pair of tokens; one that ended meanwhile has them revoked at once."""
    await database.fetch(
        "SELECT follow_session($1, $2, $3, $4, $5, $6, $7)",
        shown.organization, shown.session, upstream, given.refresh, given.access, given.access_until, LIFETIME,
    )  # fmt: skip


async def end(database: Database, shown: Shown) -> None:
    """End a session, and revoke its access tokens."""
    await database.fetch("SELECT end_session($1, $2)", shown.organization, shown.session)


async def sign_out(database: Database, organization: str, person: str, access: str, until: datetime) -> int:
    """Revoke an access token, and end the sessions it was given in; how many those are."""
    rows = await database.fetch("SELECT sign_out($1, $2, $3, $4) AS ended", organization, person, access, until)
    found: int = rows[0]["ended"]
    return found


async def revoke(database: Database, person: str) -> None:
    """Revoke all that a person was given until now, wherever they are: no session of theirs goes on."""
    await database.fetch("SELECT revoke_person($1, $2)", person, REMEMBERED)


async def revoke_forgotten(database: Database, person: str) -> None:
    """The same for somebody who is forgotten, as long as any token lasts: by a digest, so that it names nobody."""
    await database.fetch("SELECT revoke_forgotten($1, $2)", person, REMEMBERED)


async def standings(database: Database, whose: Sequence[tuple[str, str]]) -> list[Standing]:
    """What is known of each of these (organization, person), in order; one statement."""
    rows = await database.fetch(
        "SELECT * FROM read_standings($1, $2)", [one for one, _ in whose], [person for _, person in whose]
    )
    return [Standing(row["copied"], row["active"], row["revoked"], frozenset(row["tokens"]) or NOTHING) for row in rows]


def told(payload: str) -> tuple[str, str]:
    """The organization (`*`: any) and the person that a notification names."""
    organization, person = json.loads(payload)
    return organization, person
