"""Forgetting a person, as a command: in every organization, and with a word about what it does not reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from datasources.postgres import erasure, prune
from datasources.postgres.connection import DatabaseError
from datasources.postgres.session import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings

USER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ForgetError(RuntimeError):
    """Nobody was forgotten; the message says why."""


async def forget(settings: Settings, user: str, say: Callable[[str], None]) -> None:
    """Forget a user everywhere, and say how much of what went where, and what is left to do.

    Raises:
        ForgetError: this is not the id of a user.
        DatabaseError: there is no database to forget them in.
    """
    person = user.strip().lower()
    if not USER.fullmatch(person):
        msg = f"{user!r} is not the id of a user: it is a UUID, like 6f1c0e0a-5b7e-4c55-9f0b-0d8d3f3a9c11."
        raise ForgetError(msg)
    if settings.database_url is None:
        msg = "GATEWAY_DATABASE_URL is not set: name the database that the gateway serves from."
        raise DatabaseError(msg)
    database = await Database.open(settings.database_url.get_secret_value(), size=1)
    try:
        found = [forgotten for forgotten in await erasure.everywhere(database, person) if forgotten.rows]
        for forgotten in found:
            went = ", ".join(f"{name} {count}" for name, count in forgotten.rows.items())
            say(f"Forgotten in {forgotten.organization}: {went}.")
    finally:
        await database.close()
    if not found:
        say("Nothing is kept of this user.")
    hours = round(prune.FORGOTTEN.total_seconds() / 3600)
    say(
        f"For {hours} hours nothing about this user is kept, whoever tells of it. After that, services that still know "
        "the user are heard again: delete the account there."
    )
