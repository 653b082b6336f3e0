"""Telling every process that a service is to be asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasources.postgres.session import Database

CHANNEL = "breakers"


async def tell(database: Database, service: str) -> None:
    """Have every process that hears the channel close its breakers of a service; the payload is its name."""
    await database.fetch("SELECT pg_notify($1, $2)", CHANNEL, service)
