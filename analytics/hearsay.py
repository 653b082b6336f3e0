"""The audit of what is heard, for requests that take less time than writing it down would.

Whom viewers were told of is added up and written soon after, for all viewers in one statement: the rows that
`analytics.trail` would write, where one request told of somebody within a second, and one row for them all where
several did. What is told again and again is written when it is told first, and then once a minute. What is lost with a
process that is killed is what was heard in the last moment, and how often it was told again (docs/decisions/0025).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
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
"""Seconds until what was heard is written."""
AGAIN = 60
"""How many times `SOON` what is told again and again is only counted, once it was written."""
COUNTED = 20_000
"""The most mappings that are told again and again; where there are more, all are written."""
AT_ONCE = 1_000
"""The most rows of one statement."""
IN_A_STEP = 500
"""About so many rows are made before others get their turn."""
MOST = 200_000
"""The most rows that wait for a database that does not answer; beyond them, what was heard is logged as a number."""


@dataclass(slots=True)
class _Again:
    """The same mapping, told to the same asker so many times since it was written, first in the request of this id.

    `looks` is how often it was looked at since then, to write it.
    """

    asker: Asker
    told: Mapping[str, int]
    request_id: str
    times: int = 0
    looks: int = 0


@dataclass(slots=True)
class _Waiting:
    """The rows of each asker, and how many they are."""

    rows: dict[Asker, Rows] = field(default_factory=dict)
    number: int = 0

    def add(self, asker: Asker, about: tuple[str, bool], told: Told) -> None:
        rows = self.rows.setdefault(asker, {})
        before = rows.get(about)
        self.number += before is None
        rows[about] = told if before is None else before.and_then(told)

    def take(self, room: int) -> dict[Asker, Rows]:
        """Take some of the rows: at most so many."""
        part: dict[Asker, Rows] = {}
        while self.rows and room > 0:
            asker = next(iter(self.rows))
            rows = self.rows[asker]
            part[asker] = {about: rows.pop(about) for about in list(rows)[:room]}
            if not rows:
                del self.rows[asker]
            room -= len(part[asker])
            self.number -= len(part[asker])
        return part

    def put_back(self, part: Mapping[Asker, Rows]) -> None:
        """Have rows wait again that were taken, and not without bound: who has the most gives theirs up."""
        for asker, rows in part.items():
            later = self.rows.pop(asker, {})
            self.number -= len(later)
            for about, told in [*rows.items(), *later.items()]:
                self.add(asker, about, told)
        while self.number > MOST:
            asker = max(self.rows, key=lambda one: len(self.rows[one]))
            lost = len(self.rows.pop(asker))
            self.number -= lost
            log.error("audit.not_recorded", rows=lost, waiting=self.number)


class Hearsay:
    """What was heard and is not written yet. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._again: dict[tuple[int, str | None], _Again] = {}
        self._waiting = _Waiting()
        self._writing: asyncio.Task[None] | None = None

    def heard(self, actor: Actor, told: Mapping[str, int], address: str | None, request_id: str) -> None:
        """An actor was told of so many answers about each of these people, 0: who they are; to be written soon.

        The same mapping, told again, is only counted: a kept response about two hundred learners costs no more
        than one about a single one. A mapping is always told to the same actor.
        """
        if not told:
            return
        # The mapping is held on to, so that its id stays its own.
        again = self._again.get((id(told), address))
        if again is None:
            again = self._again[id(told), address] = _Again((actor, address), told, request_id)
        if not again.times:
            again.request_id = request_id
        again.times += 1
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon(), name="write what was heard")

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self.write_all()

    async def write_all(self) -> None:
        """Write everything that was heard so far."""
        await self._add_up(everything=True)
        await self._write()

    async def _write_soon(self) -> None:
        try:
            while self._again or self._waiting.rows:
                await asyncio.sleep(SOON)
                await self._add_up(everything=len(self._again) > COUNTED)
                await self._write()
        finally:
            self._writing = None

    async def _add_up(self, *, everything: bool) -> None:
        """Have what is due wait to be written: all of it, or what is told for the first time in a while."""
        made = 0
        for key, one in list(self._again.items()):
            if made > IN_A_STEP:
                made = 0
                await asyncio.sleep(0)
            if not one.times:
                # It was written at the last look, and nobody was told since.
                self._again.pop(key, None)
                continue
            one.looks += 1
            if everything or one.looks == 1 or one.looks > AGAIN:
                for person, answers in one.told.items():
                    told = Told(answers * one.times, one.times, one.request_id)
                    self._waiting.add(one.asker, (person, answers > 0), told)
                made += len(one.told)
                one.times, one.looks = 0, 1

    async def _write(self) -> None:
        """Write what waits; what cannot be written now waits on, as far as there is room."""
        while self._waiting.rows:
            part = self._waiting.take(AT_ONCE)
            try:
                await record_told(self._database, part)
            except UNAVAILABLE as error:
                log.warning("audit.not_recorded_yet", error=type(error).__name__)
                self._waiting.put_back(part)
                break
            except asyncio.CancelledError:
                self._waiting.put_back(part)
                raise
            except Exception:
                # Whatever the database has against it, what was heard is not let go of for that.
                log.exception("audit.not_recorded_yet")
                self._waiting.put_back(part)
                break
