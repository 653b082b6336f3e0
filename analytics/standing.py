"""Whether somebody may be heard at all: still there, still active, still of their organization, nothing revoked.

A token says who somebody was when it was made. The directory and our own revocations say whether they still are.
Each is looked at once in `lasts` for everyone who asks in this process, and from half of that on in the background:
of whoever asked lately, many at a time, so that nobody who comes back waits for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from datasources.directory import SERVICE, User
from datasources.gathering import Gathering
from datasources.hub import Hub
from datasources.memory import Memory
from datasources.postgres import sessions
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.jobs import PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from datasources.postgres.session import Database
    from datasources.remote import Remote

log = structlog.get_logger(__name__)

MINUTE = timedelta(seconds=60)
KNOWN_EARLIER = timedelta(hours=24)
"""How long the last verdict is kept for when nobody can tell."""
BEGINNING = datetime.min.replace(tzinfo=UTC)
SOON = timedelta(seconds=5)
"""How long it stands that nothing is known to be revoked, where nobody could say."""
PATIENCE = 1.0
"""Seconds that a request waits for the directory, or for the database, to say something."""
LATELY = timedelta(minutes=10)
"""How long after somebody last asked they are still looked at in the background."""
AT_ONCE = 100
"""The most who are looked at together."""
MOST = 50_000
LEEWAY = timedelta(seconds=10)
"""How far the clock of who issued a token may be before ours."""

_USER = next(endpoint for endpoint in SERVICE.endpoints if endpoint.fact is User)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a good token claims: who, of which organization, since when; `token` is the digest of the token."""

    organization: str
    person: str
    token: str
    issued_at: datetime


@dataclass(slots=True)
class _Verdict:
    looked_at: datetime
    belongs: bool
    revoked: datetime | None = None
    tokens: frozenset[str] = field(default_factory=frozenset)
    asked_at: datetime = BEGINNING

    def holds(self, claim: Claim) -> bool:
        void = self.revoked is not None and claim.issued_at <= self.revoked + LEEWAY
        return self.belongs and not void and claim.token not in self.tokens


class Standings:
    """What is known in this process of who may be heard.

    The directory has the word. While it is away the last verdict stands, else the copy of the roster, which has
    everyone of an organization; where there is neither, nothing speaks against a token. `now` is the real time.
    """

    def __init__(
        self,
        database: Database,
        directory: Remote,
        *,
        now: Callable[[], datetime],
        lasts: timedelta = MINUTE,
        patience: float = PATIENCE,
    ) -> None:
        self._database = database
        self._directory = directory
        self._now = now
        self._lasts = lasts
        self._half = lasts / 2
        self._patience = patience
        self._memory: Memory[tuple[str, str], _Verdict] = Memory(
            items=MOST, room=MOST, size=lambda verdict: 1 + len(verdict.tokens), now=now
        )
        self._renewing: dict[tuple[str, str], asyncio.Task[_Verdict]] = {}
        self._news: Hub[None] = Hub()
        self._users = Gathering(self._ask_directory)
        self._rows = Gathering(self._ask_database)
        self._rounds: asyncio.Task[None] | None = None

    def holds_now(self, claim: Claim) -> bool | None:
        """Whether a token still lets somebody in, where they were looked at lately; None: look."""
        key = claim.organization, claim.person
        known = self._memory.get(key)
        if known is None:
            return None
        known.asked_at = now = self._now()
        age = now - known.looked_at
        if age >= self._lasts:
            return None
        if age >= self._half:
            self._renew(key, known)
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._go_round(), name="look at who asked lately")
        return known.holds(claim)

    async def holds(self, claim: Claim) -> bool:
        """Whether a token still lets somebody in; at once where they were looked at lately."""
        known = self.holds_now(claim)
        if known is not None:
            return known
        key = claim.organization, claim.person
        task = self._renew(key, self._memory.get(key))
        # Unlike awaiting the task, waiting for it does not hand our cancellation on to it.
        await asyncio.wait((task,))
        return task.result().holds(claim)

    async def lost(self, claim: Claim) -> None:
        """Return when a token no longer lets somebody in; looks as often as a request would, and when told to."""
        with self._news.subscribe((claim.organization, claim.person)) as news:
            while await self.holds(claim):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._lasts.total_seconds()):
                        await anext(news)

    def heard(self, payload: str | None) -> None:
        """Somebody's standing changed (None: anybody's may have): look again before they are heard again."""
        if payload is None:
            self._forget(lambda _: True)
        else:
            self.changed(*sessions.told(payload))

    def changed(self, organization: str, person: str) -> None:
        """Somebody's standing in an organization changed (PLATFORM: in any): look again before they are heard again."""
        self._forget(lambda key: key[1] == person and organization in {key[0], PLATFORM})

    async def close(self) -> None:
        """Let no look outlive the process."""
        tasks = [*self._renewing.values(), *([] if self._rounds is None else [self._rounds])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._users.close()
        await self._rows.close()

    def _forget(self, about: Callable[[tuple[str, str]], bool]) -> None:
        # A look that is under way may have looked too early: who asks from now on gets one of their own.
        for key in [key for key in self._renewing if about(key)]:
            self._renewing.pop(key)
        self._memory.drop_where(about)
        self._news.publish_where(lambda key: isinstance(key, tuple) and about(key), None)

    def _renew(self, key: tuple[str, str], before: _Verdict | None) -> asyncio.Task[_Verdict]:
        task = self._renewing.get(key)
        if task is None:
            task = self._renewing[key] = asyncio.create_task(self._look(key, before))
            task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _done(self, key: tuple[str, str], done: asyncio.Task[_Verdict]) -> None:
        if self._renewing.get(key) is done:
            del self._renewing[key]

    async def _look(self, key: tuple[str, str], before: _Verdict | None) -> _Verdict:
        mark, at = self._memory.mark(), self._now()
        said, kept = await asyncio.gather(self._asked(key), self._read(key))
        verdict = self._verdict(at, kept, before, said=said)
        verdict.asked_at = at
        self._memory.put(key, verdict, until=at + KNOWN_EARLIER, mark=mark)
        return verdict

    def _verdict(
        self, at: datetime, kept: sessions.Standing | None, before: _Verdict | None, *, said: bool | None
    ) -> _Verdict:
        """What follows from what the directory said and what the database has, each None where it does not say."""
        if said is not None:
            belongs = said
        elif before is not None:
            belongs = before.belongs
        else:
            belongs = kept is None or not kept.copied or kept.active
        if kept is not None:
            return _Verdict(at, belongs, kept.revoked, kept.tokens)
        if before is not None:
            return _Verdict(at, belongs, before.revoked, before.tokens)
        # Nobody said what was revoked: it is asked again soon, and not in a minute.
        return _Verdict(at - self._lasts + SOON, belongs)

    async def _go_round(self) -> None:
        """Look at those who asked lately before their verdict is too old, for as long as there are any."""
        try:
            while any(self._asked_lately()):
                await asyncio.sleep(self._lasts.total_seconds() / 6)
                due = [key for key, verdict in self._asked_lately() if self._now() - verdict.looked_at >= self._half]
                for first in range(0, len(due), AT_ONCE):
                    await self._look_again(due[first : first + AT_ONCE])
        finally:
            self._rounds = None

    def _asked_lately(self) -> Iterable[tuple[tuple[str, str], _Verdict]]:
        since = self._now() - LATELY
        return [(key, verdict) for key, verdict in self._memory.held() if verdict.asked_at > since]

    async def _look_again(self, keys: Sequence[tuple[str, str]]) -> None:
        """Look at many together; of whom nobody says anything, what was known stands."""
        mark, at = self._memory.mark(), self._now()
        users: Mapping[str, User | Literal[False] | None] = {}
        rows: Mapping[tuple[str, str], sessions.Standing] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                users = await self._ask_directory([person for _, person in keys])
        try:
            async with asyncio.timeout(self._patience):
                rows = await self._ask_database(keys)
        except UNAVAILABLE as error:
            log.warning("standing.not_read", error=type(error).__name__)
        for key in keys:
            before = self._memory.get(key)
            if before is not None:
                said = _belongs(users.get(key[1]), key[0])
                verdict = self._verdict(at, rows.get(key), before, said=said)
                verdict.asked_at = before.asked_at
                self._memory.put(key, verdict, until=at + KNOWN_EARLIER, mark=mark)

    async def _asked(self, key: tuple[str, str]) -> bool | None:
        """Whether the directory has somebody as active, in this organization; None: it does not say."""
        organization, person = key
        try:
            async with asyncio.timeout(self._patience):
                return _belongs(await self._users.find(person), organization)
        except TimeoutError:
            return None

    async def _read(self, key: tuple[str, str]) -> sessions.Standing | None:
        try:
            async with asyncio.timeout(self._patience):
                return await self._rows.find(key)
        except UNAVAILABLE as error:
            log.warning("standing.not_read", error=type(error).__name__)
            return None

    async def _ask_directory(self, persons: Sequence[str]) -> Mapping[str, User | Literal[False] | None]:
        """Each person as the directory has them; False: it knows of none, None: it does not say."""
        deadline = asyncio.get_running_loop().time() + self._patience
        batch = await self._directory.read(_USER, persons, deadline, {})
        return {one: batch.facts.get(one, False if one in batch.missing else None) for one in persons}

    async def _ask_database(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], sessions.Standing]:
        return dict(zip(keys, await sessions.standings(self._database, keys), strict=True))


def _belongs(user: User | Literal[False] | None, organization: str) -> bool | None:
    """Whether somebody whom the directory has, does not know, or does not tell of, is active in an organization."""
    return user.is_active and user.organization_id.lower() == organization if isinstance(user, User) else user
