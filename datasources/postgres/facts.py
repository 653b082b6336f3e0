"""The last thing each endpoint said about each subject, for the time it does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.postgres.session import Database, system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

AT_ONCE = 1000
"""The most rows of one statement."""


class KeptFacts:
    """`datasources.fetch.LastKnown` in Postgres: facts are the system's, and each organization has its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(
        self, organization: str, endpoint: str, ids: Sequence[str], not_before: datetime
    ) -> dict[str, tuple[str, datetime]]:
        """Of these ids, the payloads seen at or after `not_before`, and when; one statement."""
        rows = await self._database.fetch(
            "SELECT * FROM read_facts($1, $2, $3, $4, $5, $6)",
            *system(organization).settings,
            endpoint,
            list(ids),
            not_before,
        )
        return {row["id"]: (row["payload"], row["seen_at"]) for row in rows}

    async def keep(self, organization: str, rows: Sequence[tuple[str, str, str, datetime]]) -> None:
        """Keep rows of (endpoint, id, payload, seen at), the newest of each; one statement for each 1,000."""
        newest: dict[tuple[str, str], tuple[str, str, str, datetime]] = {}
        for row in sorted(rows, key=lambda row: (row[0], row[1], row[3])):
            newest[row[0], row[1]] = row
        kept = list(newest.values())
        for start in range(0, len(kept), AT_ONCE):
            await self._database.fetch(
                "SELECT keep_facts($1, $2, $3, $4, $5, $6, $7)",
                *system(organization).settings,
                *map(list, zip(*kept[start : start + AT_ONCE], strict=True)),
            )
