"""The audit of what is heard, for requests that take less time than writing it down would.

Whom viewers were told of is added up and written soon after, for all viewers in one statement: the rows that
`analytics.trail` would write, where one request told of somebody within a second, and one row for them all where
several did. What is told second after second is soon written only once a minute, and when that stops. What is lost with
a process that is killed is what was heard in the last moment, and how often it was told again (docs/decisions/0025).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import structlog

from datasources.postgres.audit import Told, record_told
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasources.postgres.session import Actor, Database

    Asker: TypeAlias = tuple[Actor, str | None]
    """Who asks, and from which address: nothing is added up beyond them."""
    Rows: TypeAlias = dict[tuple[str, bool], Told]
    """By whom they are about, and whether answers were heard or only a name was seen."""

log = structlog.get_logger(__name__)

SOON = 1.0
"""Seconds from one look at what was heard to the next."""
OFTEN = 2
"""At so many looks in a row what is told is written; from the next on it is only counted."""
AGAIN = 60
"""So many looks in a row it is only counted; the last of them writes it."""
COUNTED = 500_000
"""The most rows that what is counted stands for; beyond them, what is told is made rows of at once."""
LEAST = 20
"""As so many rows a mapping counts that stands for fewer: it takes room of its own."""
AT_ONCE = 1_000
"""The most rows of one statement."""
IN_A_STEP = 500
"""About so many rows are made before others get their turn."""
MOST = 200_000
"""The most rows that wait for a database that does not answer; beyond them, what was heard is logged as a number."""


@dataclass(slots=True)
class _Again:
    """The same mapping, told to the same asker so many times since it was written, first in the request of this id.

    `seen` of these times were known at the last look. `looks` is at how many looks in a row there were more.
    """

    asker: Asker
    told: Mapping[str, int]
    request_id: str
    times: int = 0
    seen: int = 0
    looks: int = 0

    @property
    def size(self) -> int:
        """As how many rows it counts."""
        return max(LEAST, len(self.told))

    def look(self) -> bool:
        """Whether it is due to be written. Where `looks` is 0 then, it was told no more."""
        self.looks = self.looks + 1 if self.times > self.seen else 0
        self.seen = self.times
        return self.looks <= OFTEN or (self.looks - OFTEN) % AGAIN == 0

    def rows(self) -> Rows:
        """What there is to write, if anything; it is counted anew from here."""
        times, self.times, self.seen = self.times, 0, 0
        if not times:
            return {}
        return {
            (person, answers > 0): Told(answers * times, times, self.request_id)
            for person, answers in self.told.items()
        }


@dataclass(slots=True)
class _Waiting:
    """The rows of each asker; and the number of them and of those that were taken and are not `written` yet."""

    most: int
    rows: dict[Asker, Rows] = field(default_factory=dict)
    number: int = 0

    def add(self, asker: Asker, added: Rows) -> None:
        """Have these wait as well, and not without bound: who has the most gives theirs up."""
        if not added:
            return
        rows = self.rows.setdefault(asker, {})
        for about, told in added.items():
            before = rows.get(about)
            rows[about] = told if before is None else before.and_then(told)
            self.number += before is None
        if self.number > self.most:
            self._give_up(self.number - self.most + self.most // 10)

    def _give_up(self, rows: int) -> None:
        """Lose so many rows at least, or all that wait, of those who have the most: once, for a while."""
        lost = 0
        for asker in sorted(self.rows, key=lambda one: len(self.rows[one]), reverse=True):
            if lost >= rows:
                break
            lost += len(self.rows.pop(asker))
        self.number -= lost
        log.error("audit.not_recorded", rows=lost, waiting=self.number)

    def take(self, room: int) -> dict[Asker, Rows]:
        """Take some of the rows: at most so many."""
        part: dict[Asker, Rows] = {}
        while self.rows and room > 0:
            asker = next(iter(self.rows))
            rows = self.rows[asker]
            part[asker] = {about: rows.pop(about) for about in [*islice(rows, room)]}
            if not rows:
                del self.rows[asker]
            room -= len(part[asker])
        return part

    def written(self, part: Mapping[Asker, Rows]) -> None:
        """Be done with rows that were taken."""
        self.number -= sum(map(len, part.values()))

    def put_back(self, part: Mapping[Asker, Rows]) -> None:
        """Have rows wait again that were taken: after those of others, before later ones of the same asker."""
        self.written(part)
        for asker, rows in part.items():
            later = self.rows.pop(asker, {})
            self.number -= len(later)
            self.add(asker, rows)
            self.add(asker, later)


class Hearsay:
    """What was heard and is not written yet. Belongs to one event loop."""

    def __init__(self, database: Database, *, counted: int = COUNTED, most: int = MOST) -> None:
        """`counted` and `most`: the bounds of those names; together they bound what is `held`."""
        self._database = database
        self._room = counted
        self._counted = 0
        self._again: dict[tuple[int, str | None], _Again] = {}
        self._waiting = _Waiting(most)
        self._turn = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None

    @property
    def held(self) -> int:
        """As how many rows counts what is held: to be written, or to be known again when it is told again."""
        return self._counted + self._waiting.number

    def heard(self, actor: Actor, told: Mapping[str, int], address: str | None, request_id: str) -> None:
        """An actor was told of so many answers about each of these people, 0: who they are; to be written soon.

        The same mapping, told again, is only counted: a kept response about two hundred learners costs no more
        than one about a single one. A mapping is always told to the same actor.
        """
        if not told:
            return
        key = id(told), address
        again = self._again.get(key)
        if again is None:
            again = _Again((actor, address), told, request_id)
            if self._counted + again.size <= self._room:
                # The mapping is held on to, so that its id stays its own.
                self._again[key] = again
                self._counted += again.size
        if not again.times:
            again.request_id = request_id
        again.times += 1
        if key not in self._again:
            self._waiting.add(again.asker, again.rows())
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon(), name="write what was heard")

    async def close(self) -> None:
        """Write what is left; what the database does not take now is lost, and logged as a number."""
        async with self._turn:
            # Nobody is in the middle of a statement now, of which it would not be known whether it was done.
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
                self._writing = None
        await self.write_all()
        if self._waiting.number:
            log.error("audit.not_recorded", rows=self._waiting.number, waiting=0)

    async def write_all(self) -> None:
        """Write everything that was heard so far."""
        await self.look(everything=True)

    async def look(self, *, everything: bool = False) -> None:
        """Look at what was heard, and write what is due, or everything, some rows at a time; one look at a time."""
        async with self._turn:
            answers, made = True, 0
            for key, one in list(self._again.items()):
                if one.look() or everything:
                    rows = one.rows()
                    self._waiting.add(one.asker, rows)
                    made += len(rows)
                if not one.looks:
                    del self._again[key]
                    self._counted -= one.size
                made += 1
                if answers and self._waiting.number >= AT_ONCE:
                    answers = await self._write()
                elif made > IN_A_STEP:
                    made = 0
                    await asyncio.sleep(0)
            if answers:
                await self._write()

    async def _write_soon(self) -> None:
        try:
            while self.held:
                await asyncio.sleep(SOON)
                await self.look()
        finally:
            self._writing = None

    async def _write(self) -> bool:
        """Write what waits by now. False: the database does not take it, and it waits on."""
        for _ in range(0, self._waiting.number, AT_ONCE):
            part = self._waiting.take(AT_ONCE)
            try:
                await record_told(self._database, part)
            except asyncio.CancelledError:
                self._waiting.put_back(part)
                raise
            except UNAVAILABLE as error:
                log.warning("audit.not_recorded_yet", error=type(error).__name__)
            except Exception:
                # Whatever the database has against it, what was heard is not let go of for that.
                log.exception("audit.not_recorded_yet")
            else:
                self._waiting.written(part)
                continue
            self._waiting.put_back(part)
            return False
        return True
