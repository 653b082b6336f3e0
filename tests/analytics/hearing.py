"""A database in which what was heard is written, and that says what it was told."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.hearsay import Hearsay
from datasources.postgres.audit import SEPARATOR
from datasources.postgres.connection import DatabaseError
from datasources.postgres.session import Actor
from tests.cast import ACME, OLGA, TOMAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasources.postgres.session import Database

OLGA_RULES = Actor(ACME, OLGA, "org-admin")
TOMAS_TEACHES = Actor(ACME, TOMAS, "trainer")
HERE, THERE = "192.0.2.1", "2001:db8::1"
LOST = "audit.not_recorded"


@dataclass
class Pages:
    """A database that notes what it is told, after some `turns` of the loop; while it is `away`, it does not answer.

    A row is by whom, from where, and about whom: with the answers, the requests, and the id of the first of them.
    """

    away: bool = False
    turns: int = 0
    parts: list[int] = field(default_factory=list)
    rows: list[tuple[str, str | None, str, int, int, str]] = field(default_factory=list)
    when_asked: Callable[[], object] = lambda: None

    async def fetch(self, _: str, *arguments: Any) -> list[Any]:
        self.when_asked()
        for _turn in range(self.turns):
            await asyncio.sleep(0)
        if self.away:
            raise DatabaseError
        before = len(self.rows)
        for user, address, *texts in zip(arguments[1], *arguments[3:], strict=True):
            for person, answers, requests, one in zip(*(text.split(SEPARATOR) for text in texts), strict=True):
                self.rows.append((user, address, person, int(answers), int(requests), one))
        self.parts.append(len(self.rows) - before)
        return []

    @property
    def heard(self) -> Counter[tuple[str, str]]:
        """How many answers who was told about whom."""
        counted: Counter[tuple[str, str]] = Counter()
        for user, _, person, answers, _, _ in self.rows:
            counted[user, person] += answers
        return counted

    @property
    def requests(self) -> int:
        """In how many requests, each counted for every person."""
        return sum(requests for *_, requests, _ in self.rows)


def told(pages: Pages, **bounds: int) -> Hearsay:
    database: Database = pages  # type: ignore[assignment]  # all of it that is asked
    return Hearsay(database, **bounds)
