"""What lives as long as the process, and every request works with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import structlog

from analytics.keeping import question, to_kept
from datasources.hub import Hub, Together
from datasources.postgres import answers
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.policy import Subject
    from analytics.record import Answer
    from analytics.roster import Roster
    from analytics.standing import Standings
    from datasources.calling import Calls
    from datasources.fetch import Services
    from datasources.memory import Memory
    from datasources.postgres.answers import Kept, Question
    from datasources.postgres.replica import Replica
    from datasources.postgres.session import Database

Watcher: TypeAlias = "Callable[[str | None, Collection[str] | None], None]"

log = structlog.get_logger(__name__)

REQUEST_SECONDS = 5.0
MOST_UNKEPT = 10_000
"""The most answers of an organization that wait for the database."""


@dataclass(frozen=True, slots=True)
class World:
    """What lives as long as the process: the two tiers, the services, who is where, and two clocks.

    `clock` is the platform's (a demo's stands still), `now` is real: formulas read the first,
    freshness the second. `patience` is how many seconds one request waits for services. `unkept` is what
    was worked out for an organization and is not in Postgres yet: whoever asked first may be gone by then,
    so the next request that ends keeps it, one at a time by the locks in `keeping`. `hub` tells who waits that a
    job, or an answer about a subject, has changed; under which keys, `analytics.watching` says. By `together` they
    share looking. `standings`: who may be heard at all, where people ask and not only jobs. `watchers` are told
    of every change: of which organization, of which subjects (None: of any). `keepers`: those who keep
    what may name people, and let go of all of it when somebody is forgotten. `calls`: the actions of services that have
    an address, by service.
    """

    database: Database
    services: Services
    memory: Memory[tuple[str, Question], Answer]
    roster: Roster
    clock: Callable[[], datetime]
    now: Callable[[], datetime]
    patience: float = REQUEST_SECONDS
    unkept: dict[str, dict[Question, Kept]] = field(default_factory=dict)
    keeping: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    hub: Hub[None] = field(default_factory=Hub)
    replica: Replica | None = None
    together: Together = field(default_factory=Together)
    standings: Standings | None = None
    watchers: list[Watcher] = field(default_factory=list)
    keepers: list[Callable[[], None]] = field(default_factory=list)
    calls: Mapping[str, Calls] = field(default_factory=lambda: MappingProxyType({}))

    async def keep(self, organization: str) -> None:
        """Keep what was worked out for an organization; while the database is away it waits for the next request.

        What somebody else keeps just now has been kept, or waits again, when this returns.
        """
        async with self.keeping[organization]:
            if rows := self.unkept.pop(organization, None):
                await self._keep(organization, rows)

    async def _keep(self, organization: str, rows: dict[Question, Kept]) -> None:
        try:
            await answers.keep(self.database, organization, rows)
        except asyncio.CancelledError:
            self._wait(organization, rows)
            raise
        except UNAVAILABLE as error:
            log.warning("answers.not_kept", error=type(error).__name__, answers=len(rows))
            self._wait(organization, rows)
        else:
            self.changed(organization, {asked.subject for asked in rows})
            # Of two processes that took a snapshot the first one's stands: who asks next reads whose it is.
            self.memory.drop([(organization, asked) for asked in rows if asked.scope == "cohort"])

    async def keep_now(self, organization: str, worked_out: Iterable[tuple[Subject, Answer]]) -> None:
        """Keep those of these answers, all without a choice, that are worth it, and return when they are kept.

        Raises what `UNAVAILABLE` names when the database does not answer; then nothing of them is kept.
        """
        waiting = self.unkept.get(organization, {})
        rows = {}
        for subject, answer in worked_out:
            asked = question(answer.metric, subject, {})
            row = waiting.pop(asked, None)
            if row is None and answer.whole and self.memory.get((organization, asked)) is answer:
                # Somebody else is about to keep it; that is not to be waited for, and does no harm twice.
                row = to_kept(answer)
            if row is not None:
                rows[asked] = row
        await answers.keep(self.database, organization, rows)
        self.changed(organization, {asked.subject for asked in rows})

    async def forget(self, organization: str, questions: Sequence[Question]) -> None:
        """Have no process know these answers any more: what they stand on was changed by us."""
        self.drop(organization, questions)
        await answers.forget(self.database, organization, questions)
        self.changed(organization, {asked.subject for asked in questions})
        # Once more: what was read in between may have been read before the rows went.
        self.drop(organization, questions)

    def changed(self, organization: str | None = None, subjects: Collection[str] | None = None) -> None:
        """What is said of these subjects is no longer what it was; None: of any, in an organization or in all.

        The primary is asked about them until the replica knows of the change as well.
        """
        if self.replica is not None:
            self.replica.changed(organization, subjects)
        for watcher in self.watchers:
            watcher(organization, subjects)

    def ask_again(self, service: str) -> None:
        """Close this process's breakers of a service; of a name that is no service's there are none."""
        for one in (self.services.remotes.get(service), self.calls.get(service)):
            if one is not None:
                one.reset()

    def let_go(self, organization: str, person: str) -> None:
        """Know nothing any more, in this process, that was said of a person of an organization (PLATFORM: of any)."""
        where = None if organization == PLATFORM else organization
        self.changed(where)
        self.memory.drop_where(lambda key: where in {None, key[0]})
        self.roster.let_go(where, person)
        if self.standings is not None:
            self.standings.changed(organization, person)
        self._have_let_go()
        for waiting in [rows for one, rows in self.unkept.items() if where in {None, one}]:
            for asked in [asked for asked, kept in waiting.items() if person in repr((asked, kept))]:
                del waiting[asked]

    def let_go_of_all(self) -> None:
        """Know nothing any more, in this process, that was said of anybody: who is forgotten may have been missed.

        What waits for the database still does; there it is held against who is forgotten. So is, as soon as it
        answers, who is known for the time it is away.
        """
        self.changed()
        self.memory.clear()
        self.roster.let_go_of_missed()
        self._have_let_go()

    def drop(self, organization: str, questions: Iterable[Question]) -> None:
        """Forget answers in this process, those that wait for the database among them."""
        asked = list(questions)
        self.memory.drop([(organization, one) for one in asked])
        for one in asked:
            self.unkept.get(organization, {}).pop(one, None)

    def _have_let_go(self) -> None:
        for keeper in (self.database.let_go, *self.keepers):
            try:
                keeper()
            except Exception:
                # Whatever is wrong with one of them, the others let go.
                log.exception("people.not_let_go")

    def _wait(self, organization: str, rows: dict[Question, Kept]) -> None:
        """Have answers wait for the database, under those that were worked out meanwhile, and not without bound."""
        if len(rows) <= MOST_UNKEPT:
            self.unkept[organization] = {**rows, **self.unkept.get(organization, {})}
