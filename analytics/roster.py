"""Who is where: each organization's people and courses, copied from the services and read under their rows' rules.

The copy is made when an organization is first asked about, and again behind the answers once it is older than
`EVERY`, whichever process made it. Services that are down leave the last copy standing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from analytics.catalog import TELLERS
from analytics.copying import described
from analytics.places import Places
from datasources.memory import Memory
from datasources.postgres import erasure, people, roster
from datasources.postgres.connection import UNAVAILABLE

if TYPE_CHECKING:
    from datasources.fetch import Services
    from datasources.postgres.session import Actor, Database

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)
LATE = 3 * EVERY
AGAIN = timedelta(seconds=30)
"""How long to wait after a copy that failed."""
REMEMBERED = EVERY / 2
"""How long people are remembered, unless it is heard before that their organization was copied anew."""
KNOWN_EARLIER = timedelta(hours=1)
"""How long people are still known while the database is away."""
SECONDS = 60.0
"""How long the services may take for one copy."""
PATIENCE = 2.0
"""How long a request waits for the first copy, or for the database; the rest of its time is for the answers."""


class Roster:
    """The rosters of the organizations this process has been asked about."""

    def __init__(
        self,
        database: Database,
        services: Services,
        *,
        clock: Callable[[], datetime],
        now: Callable[[], datetime],
        patience: float = PATIENCE,
    ) -> None:
        self._database = database
        self._services = services
        self._clock = clock
        self._now = now
        self._patience = patience
        self._memory: Memory[tuple[str, ...], Any] = Memory(items=20_000, room=20_000_000, size=_size, now=now)
        self._earlier: Memory[tuple[str, ...], people.Person] = Memory(
            items=20_000, room=20_000_000, size=_size, now=now
        )
        self.places = Places(database, now=now, patience=patience)
        self._next: dict[str, datetime] = {}
        self._missing: dict[str, frozenset[str]] = {}
        self._eras: Counter[str | None] = Counter()
        self._copies: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self.forgetting: list[Callable[[str | None], None]] = []
        """Who else is to be told of an organization that is asked about anew."""

    async def ready(self, organization: str) -> None:
        """See to it that the organization is copied; wait for it, and not for long, only where there is no copy yet."""
        due = self._next.get(organization)
        if due is None:
            due = await self._due(organization)
            if due is None:
                self._missing.setdefault(organization, TELLERS)
            else:
                due = self._next.setdefault(organization, due)
        if due is None or due <= self._now():
            self._begin(organization)
        if organization in self._missing and (copy := self._copies.get(organization)) is not None:
            await asyncio.wait((copy,), timeout=self._patience)

    def _begin(self, organization: str) -> None:
        """Begin to copy an organization, unless that is under way."""
        if organization not in self._copies:
            self._next[organization] = self._now() + AGAIN
            copying = self._copies[organization] = asyncio.create_task(self._copy(organization))
            copying.add_done_callback(lambda _: self._copies.pop(organization, None))

    async def _copy(self, organization: str) -> None:
        """Copy one organization from the directory and course services, in one transaction; what is new is left."""
        due = None if organization in self._missing else await self._due(organization)
        if due is not None and due > self._now():
            self._next[organization] = due
            self.forget(organization)
            return
        deadline = asyncio.get_running_loop().time() + SECONDS
        facts = self._services.facts(organization, at=self._clock(), deadline=deadline)
        try:
            read = await described(facts, organization, self._now())
        finally:
            facts.let_go()
        if isinstance(read, frozenset):
            if organization in self._missing:
                self._missing[organization] = read
            log.warning("roster.not_copied", services=sorted(read))
            return
        try:
            await roster.sync(self._database, read)
        except UNAVAILABLE as error:
            log.warning("roster.not_copied", error=type(error).__name__)
            return
        self._next[organization] = self._now() + EVERY
        self._missing.pop(organization, None)
        self.forget(organization)

    def forget(self, organization: str | None) -> None:
        """Ask the database anew who is in an organization; None: in any."""
        self._eras[organization] += 1
        self.places.drop(organization)
        self._memory.drop_where(lambda key: organization is None or organization in key)
        if organization is not None:
            # Nobody was seen to go: while the database is away, who was known is known still.
            self._earlier.drop_where(lambda key: organization in key)
        for told in self.forgetting:
            told(organization)

    def let_go(self, organization: str | None, person: str) -> None:
        """Ask anew who is in an organization (None: in any), and know a person no more while the database is away."""
        self.forget(organization)
        self._know_no_more(lambda _, named: person in named)

    def let_go_of_missed(self) -> None:
        """Ask anew who is where, and the database, as soon as it answers, who of those known earlier is forgotten."""
        self.forget(None)
        # What is being read now may be from before: this refuses it as well.
        self._earlier.drop_where(lambda key: self._earlier.until(key) is None)
        if self._looking is not None:
            self._looking.cancel()
        self._looking = asyncio.create_task(self._leave_out_forgotten(), name="look who is forgotten")

    async def _leave_out_forgotten(self) -> None:
        try:
            gone = {one: await self._forgotten(one) for one in {key[1] for key, _ in self._earlier.held()}}
            self._know_no_more(
                lambda here, named: any(erasure.digest_of(here, one) in gone[here] for one in named if gone.get(here))
            )
        except Exception:
            # Rather nobody is known for the time the database is away than somebody who is forgotten.
            log.exception("roster.not_read")
            self._earlier.clear()

    def _know_no_more(self, whether: Callable[[str, frozenset[str]], bool]) -> None:
        """Know nothing of old that is over, or names, in an organization, people of whom this is so."""
        held = {key: frozenset(key[2:]) | {one.id} | one.trainers for key, one in self._earlier.held()}
        self._earlier.drop_where(lambda key: key not in held or whether(key[1], held[key]))

    async def _forgotten(self, organization: str) -> frozenset[bytes]:
        """The digests of those who are forgotten in an organization; the database is asked until it answers."""
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    return await erasure.forgotten(self._database, organization)
            except UNAVAILABLE as error:
                log.warning("roster.not_read", error=type(error).__name__)
            await asyncio.sleep(AGAIN.total_seconds())

    async def found(self, organization: str) -> bool:
        """As `at_hand`; where this process does not know of a copy, the database is asked for one."""
        if organization not in self._next and (due := await self._due(organization)) is not None:
            self._next.setdefault(organization, due)
        return self.at_hand(organization)

    def at_hand(self, organization: str) -> bool:
        """Whether there is a copy, as far as this process knows; as `ready`, it has one that is due made anew."""
        due = self._next.get(organization)
        if due is None or organization in self._missing:
            return False
        if due <= self._now():
            self._begin(organization)
        return True

    def era(self, organization: str) -> int:
        """A number that is another one once the database was asked anew who is in an organization."""
        return self._eras[organization] + self._eras[None]

    def late(self, told_at: datetime) -> bool:
        """Whether a copy is so old that the services must have failed to tell of it anew."""
        return told_at + LATE < self._now()

    async def missing(self, organization: str) -> frozenset[str]:
        """The services for want of which nothing of an organization is known yet; none where there is a copy."""
        if self._missing.get(organization) and await self._due(organization) is not None:
            self._missing.pop(organization, None)
        return self._missing.get(organization, frozenset())

    async def _due(self, organization: str) -> datetime | None:
        """When the copy, by whichever process, is to be made anew; None: there is none, or no database answers."""
        try:
            async with asyncio.timeout(self._patience):
                made_at = await people.synced_at(self._database, organization)
        except UNAVAILABLE as error:
            log.warning("roster.not_read", error=type(error).__name__)
            return None
        if made_at is None:
            return None
        # One from a clock ahead of ours would not be due for as long as that is ahead.
        return made_at + EVERY if made_at <= self._now() else self._now()

    async def close(self) -> None:
        """Let no copy, and no look, outlive the process."""
        tasks = [*self._copies.values(), *([] if self._looking is None else [self._looking])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def mark(self) -> tuple[int, int]:
        """A mark to take before reading people who are then to be remembered."""
        return self._memory.mark(), self._earlier.mark()

    def remembered(self, actor: Actor, person: str) -> tuple[people.Person, datetime] | None:
        """Somebody whom the actor may see, if this process still remembers them, and until when it does."""
        key = ("person", *actor.settings, person)
        known: people.Person | None = self._memory.get(key)
        until = self._memory.until(key)
        return None if known is None or until is None else (known, until)

    def remember(self, actor: Actor, person: people.Person, mark: tuple[int, int]) -> None:
        """Hold on to somebody whom the database told this actor of."""
        key = ("person", *actor.settings, person.id)
        self._memory.put(key, person, until=self._now() + REMEMBERED, mark=mark[0])
        self._earlier.put(key, person, until=self._now() + KNOWN_EARLIER, mark=mark[1])

    async def persons(self, actor: Actor, ids: Sequence[str]) -> dict[str, people.Person | None]:
        """The people whom the actor may see, None for others; one statement for all that are not remembered.

        While the database does not answer, whom it told of in the last hour are still known, and who is
        neither is not among the answers at all.
        """
        keys = {person: ("person", *actor.settings, person) for person in ids}
        found: dict[str, people.Person | None] = {
            person: known for person, key in keys.items() if (known := self._memory.get(key)) is not None
        }
        unknown = [person for person in keys if person not in found]
        if not unknown:
            return found
        mark = self.mark()
        try:
            async with asyncio.timeout(self._patience):
                read = await people.find(self._database, actor, unknown)
        except UNAVAILABLE as error:
            log.warning("roster.not_read", error=type(error).__name__)
            return found | {p: known for p in unknown if (known := self._earlier.get(keys[p])) is not None}
        for row in read.values():
            self.remember(actor, row, mark)
        return found | {person: read.get(person) for person in unknown}

    async def organization(self, actor: Actor) -> people.Organization | None:
        """The actor's own organization, which everybody in it may know."""
        key = ("organization", actor.organization)
        found: people.Organization | None = await self._remembered(
            key, lambda: people.organization(self._database, actor)
        )
        return found

    async def _remembered(self, key: tuple[str, ...], load: Callable[[], Awaitable[Any]]) -> Any:
        return await self._memory.remembered(key, load, stay=REMEMBERED, patience=self._patience)


def _size(value: Any) -> int:
    """Rows, at a rough hundred bytes each."""
    return 100 * (len(value) + 1) if isinstance(value, Sequence) else 100
