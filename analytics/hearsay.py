"""The audit of what is heard, for requests that take less time than writing it down would.

Who heard how many answers about whom is added up and written soon after, for all viewers in one statement. What is
lost with a process that is killed is what was heard in the last moment (docs/decisions/0025).
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import structlog

from datasources.postgres.audit import record_heard
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasources.postgres.session import Actor, Database

log = structlog.get_logger(__name__)

SOON = 1.0
"""Seconds until what was heard is written."""
AT_ONCE = 2_000
"""The most rows of one statement."""
MOST = 200_000
"""The most rows that wait for a database that does not answer; beyond them, what was heard is logged as a number."""


class Hearsay:
    """What was heard and is not written yet. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard: defaultdict[Actor, Counter[str]] = defaultdict(Counter)
        self._again: dict[int, tuple[Actor, Mapping[str, int], int]] = {}
        self._rows = 0
        self._writing: asyncio.Task[None] | None = None

    def heard(self, actor: Actor, answers: Mapping[str, int]) -> None:
        """An actor was told of so many answers about each of these learners; to be written soon.

        The same mapping, told again, is only counted: a kept response about two hundred learners costs no more
        than one about a single one.
        """
        if not answers:
            return
        known = self._again.get(id(answers))
        if known is None:
            self._rows += len(answers)
        # The mapping is held on to, so that its id stays its own.
        self._again[id(answers)] = (actor, answers, 1 if known is None else known[2] + 1)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon(), name="write what was heard")

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self._write()

    async def _write_soon(self) -> None:
        try:
            while self._rows:
                await asyncio.sleep(SOON)
                await self._write()
        finally:
            self._writing = None

    async def _write(self) -> None:
        """Write what waits; what cannot be written now waits on, as far as there is room."""
        again, self._again = self._again, {}
        for actor, answers, times in again.values():
            counted = self._heard[actor]
            for learner, number in answers.items():
                counted[learner] += number * times
        while self._heard:
            part = _part(self._heard)
            try:
                await record_heard(self._database, part)
            except UNAVAILABLE as error:
                log.warning("audit.not_recorded_yet", error=type(error).__name__)
                self._wait(part)
                break
            except asyncio.CancelledError:
                self._wait(part)
                raise
        self._rows = sum(map(len, self._heard.values())) + sum(len(answers) for _, answers, _ in self._again.values())

    def _wait(self, part: Mapping[Actor, Counter[str]]) -> None:
        """Have rows wait for the database, and not without bound."""
        for actor, counted in part.items():
            self._heard[actor].update(counted)
        while (rows := sum(map(len, self._heard.values()))) > MOST:
            actor = max(self._heard, key=lambda one: len(self._heard[one]))
            lost = self._heard.pop(actor)
            log.error("audit.not_recorded", rows=len(lost), waiting=rows)


def _part(heard: dict[Actor, Counter[str]]) -> dict[Actor, Counter[str]]:
    """Take some of what was heard out of it: at most `AT_ONCE` rows."""
    part: dict[Actor, Counter[str]] = {}
    room = AT_ONCE
    while heard and room > 0:
        actor = next(iter(heard))
        counted = heard[actor]
        taken = Counter({learner: counted[learner] for learner in list(counted)[:room]})
        for learner in taken:
            del counted[learner]
        if not counted:
            del heard[actor]
        part[actor] = taken
        room -= len(taken)
    return part
