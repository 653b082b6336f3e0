"""Working an answer out: kept in memory, kept in Postgres, else from facts by the formula.

What is kept and too old is served nevertheless, and a job is made that works a newer one out (`analytics.refreshing`).

One descent and one ascent. Only the leaves are batched (kept answers and facts); a derived metric
inside a loader would wait for its own batch. Every question is solved once however many ask for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from aiodataloader import DataLoader

from analytics import cohorts
from analytics.cohorts import EVERYWHERE, Member, Snapshot
from analytics.declare import Metric, Scope
from analytics.inputs import PATIENCE, TOGETHER, Inputs, is_down
from analytics.keeping import from_kept, question, to_kept
from analytics.policy import Subject
from analytics.record import Answer, Found, Source, Tier, worst
from analytics.renewals import NONE, Renewals
from analytics.working import FAULT, Working
from datasources.postgres import answers as table
from datasources.postgres.answers import Kept, Question
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.prune import ANSWERS as RETENTION
from datasources.postgres.session import Actor, system

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from analytics.world import World

log = structlog.get_logger(__name__)

AT_ONCE = 1_000
"""The most kept answers that are read in one statement: what is said of a group may read ten thousand."""

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""Before any answer."""


class Solver:
    """One request's way to answers about one organization.

    With `since`, what was calculated before then is not told of a subject, nor used of the same subject's: it is
    worked out again. What a group's numbers are made of may still be older.
    """

    def __init__(
        self,
        world: World,
        actor: Actor,
        request_id: str | None = None,
        *,
        since: datetime = BEGINNING,
        patience: float | None = None,
    ) -> None:
        """`patience` is how many seconds services have; as long as the world has for a request, unless said."""
        self._world = world
        self._organization = actor.organization
        self._since = since
        self._at = world.clock()
        self._database_away = False
        self._facts = world.services.facts(
            self._organization,
            at=self._at,
            deadline=asyncio.get_running_loop().time() + (world.patience if patience is None else patience),
            request_id=request_id,
        )
        inputs = Inputs(self._organization, self._at, self._facts, world.roster, self)
        self._working = Working(inputs, self._at, world.now)
        self._kept = self._loader(actor)
        self._kept_by_system = self._loader(system(actor.organization))
        self._renewals = Renewals(world, actor)
        self._since_about: dict[tuple[str, str], datetime] = {}

    def remembered(self, asked: Question) -> Answer | None:
        """The answer in this process's memory, if it is still fresh."""
        answer = self._world.memory.get((self._organization, asked))
        return None if answer is not None and self._is_too_old(asked, answer.calculated_at) else answer

    async def find(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Found:
        """The answer for whoever asks: a stale one at once (and a job for a newer one), else a fresh one.

        Only here, and only where a service that is needed gave nothing, is an answer made of mocks.
        """
        asked = question(metric, subject, arguments)
        tried = self.remembered(asked)
        if tried is not None and tried.complete:
            return Found(tried, Tier.MEMORY)
        mark = self._world.memory.mark()
        kept = await self._recall(metric, asked, self._kept)
        if kept is not None and kept.expires_at <= self._world.now():
            # An older answer from everything it needs says more than a newer one that something is missing from.
            renewal = await self._renewals.of(asked, kept.calculated_at) if tried is None else NONE
            return Found(kept, Tier.DATABASE, fresh=False, refreshing=renewal.on_its_way, job=renewal.job)
        if kept is not None:
            self._remember(asked, kept, mark)
            return Found(kept, Tier.DATABASE)
        answer = tried or await self._solve(metric, subject, arguments)
        if is_down(answer) and self._world.services.mocks:
            mocked = await self._working.out(metric, subject, arguments, mocks=True)
            if mocked.value is not None:
                return Found(mocked, Tier.SOURCE)
        return Found(answer, Tier.MEMORY if tried else Tier.SOURCE)

    async def anew(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Answer:
        """The answer worked out from facts now, whatever is kept; one solving for all who want it now."""
        return await self._solve(metric, subject, arguments)

    async def own(self, metric: Metric, subject: Subject, *, mocks: bool) -> Answer:
        """An answer about the same subject that a metric reads, as the viewer may read it; never a stale one."""
        answer = await self._fresh(metric, subject, self._kept)
        if mocks and is_down(answer):
            return await self._working.out(metric, subject, {}, mocks=True)
        return answer

    async def known(self, metric: Metric, subject: Subject, *, patience: timedelta = timedelta(0)) -> Answer:
        """An answer that others are made of, as the gateway itself may read it."""
        return await self._fresh(metric, subject, self._kept_by_system, patience)

    async def known_of(self, metric: Metric, learners: Sequence[str]) -> Sequence[Answer]:
        """An answer about each of some learners, as groups are made of; nothing of it is held on to here."""
        subjects = [Subject(Scope.LEARNER, self._organization, learner) for learner in learners]
        answers = await asyncio.gather(*(self.known(metric, subject, patience=PATIENCE) for subject in subjects))
        for subject in subjects:
            self._kept_by_system.clear(question(metric, subject, {}))
        return answers

    async def snapshot(self, metric: Metric, group: str) -> Answer:
        """Today's snapshot of a group: in memory, kept, else taken now and kept until midnight."""
        asked = Question("cohort", group, f"{metric.key}@{metric.version}", "")
        if (answer := self.remembered(asked)) is not None:
            return answer
        mark = self._world.memory.mark()
        answer = await self._recall(metric, asked, self._kept_by_system)
        if answer is not None and answer.expires_at > self._world.now():
            self._remember(asked, answer, mark)
            return answer
        return await self._once(asked, lambda: self._take_snapshot(metric, group))

    async def afterwards(self) -> None:
        """What need not be waited for, at the end: answers and facts are kept, and nothing is held any more.

        A database that is down costs the keeping for a while, never an error.
        """
        try:
            await self.keep(())
        finally:
            self._facts.let_go()

    async def renewed(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any], since: datetime
    ) -> tuple[Answer, bool]:
        """An answer that was worked out at this moment or later, and whether it was worked out now.

        What is kept is looked at as the gateway itself; what only this process remembers does not count.
        """
        asked = question(metric, subject, arguments)
        kept = await self._recall(metric, asked, self._kept_by_system)
        if kept is not None and kept.calculated_at >= since and kept.expires_at > self._world.now():
            return kept, False
        answer = await self._once(asked, lambda: self._working.out(metric, subject, arguments, mocks=False))
        self._kept_by_system.clear(asked)
        return answer, True

    def not_before(self, subject: Subject, since: datetime) -> None:
        """Let no answer about this subject count that was worked out before, and none about a course if it has many."""
        wide = subject.scope in {Scope.TRAINER, Scope.ORGANIZATION}
        for place in [(subject.scope.value, subject.id), *([(Scope.COURSE.value, EVERYWHERE)] if wide else [])]:
            self._since_about[place] = max(since, self._since_about.get(place, BEGINNING))

    async def keep(self, asked: Iterable[Question]) -> bool:
        """Keep what was worked out in this process, and say whether none of these waits for the database still."""
        await self._world.keep(self._organization)
        await self._facts.keep()
        return self._world.unkept.get(self._organization, {}).keys().isdisjoint(asked)

    def _is_too_old(self, asked: Question, calculated_at: datetime) -> bool:
        return calculated_at < max(self._since, self._since_of(asked))

    def _since_of(self, asked: Question) -> datetime:
        places = ((asked.scope, asked.subject), (asked.scope, EVERYWHERE))
        return max(self._since_about.get(place, BEGINNING) for place in places)

    def _loader(self, actor: Actor) -> DataLoader[Question, Kept | None]:
        async def read(asked: Sequence[Question]) -> list[Kept | None]:
            if self._database_away:
                return [None] * len(asked)
            try:
                async with asyncio.timeout(self._world.patience / 4):
                    kept = await table.read(self._world.database, actor, asked, self._world.replica)
            except UNAVAILABLE as error:
                # Waited for once in a request, and no longer: the rest of its time is for the services.
                self._database_away = True
                log.warning("answers.not_read", error=type(error).__name__)
                return [None] * len(asked)
            return [kept.get(one) for one in asked]

        return DataLoader(read, max_batch_size=AT_ONCE)

    async def _recall(
        self, metric: Metric, asked: Question, loader: DataLoader[Question, Kept | None]
    ) -> Answer | None:
        """What Postgres keeps, unless it is past its term or says more than the clock allows."""
        kept = await loader.load(asked)
        if kept is None or kept.as_of > self._at or kept.calculated_at < self._world.now() - RETENTION:
            return None
        if loader is self._kept and self._is_too_old(asked, kept.calculated_at):
            return None
        try:
            return from_kept(metric, kept)
        except (KeyError, ValueError, TypeError) as error:
            # Kept by a release that knew another shape of it.
            log.warning("answers.not_understood", metric=metric.key, error=type(error).__name__)
            return None

    async def _fresh(
        self,
        metric: Metric,
        subject: Subject,
        loader: DataLoader[Question, Kept | None],
        patience: timedelta = timedelta(0),
    ) -> Answer:
        asked = question(metric, subject, {})
        answer = self.remembered(asked)
        if answer is not None and answer.complete:
            return answer
        kept = await self._recall(metric, asked, loader)
        if (
            kept is not None
            and kept.expires_at + patience > self._world.now()
            and kept.calculated_at >= self._since_of(asked)
        ):
            return kept
        return answer or await self._solve(metric, subject, {})

    async def _solve(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Answer:
        """The answer from facts, without mocks; one solving for all who ask for it now, in any request.

        Whoever joins another request's solving inherits what was left of its time. Where that was too
        little, they solve it once more in their own.
        """
        asked = question(metric, subject, arguments)
        if (answer := self.remembered(asked)) is not None:
            return answer
        led = False

        async def work() -> Answer:
            nonlocal led
            led = True
            return await self._working.out(metric, subject, arguments, mocks=False)

        answer = await self._once(asked, work)
        if not answer.complete and not led:
            answer = await self._once(asked, work)
        return answer

    async def _once(self, asked: Question, work: Callable[[], Awaitable[Answer]]) -> Answer:
        key = (self._organization, asked)

        async def store() -> Answer:
            answer = await work()
            # What was dropped meanwhile may stand on what is no longer so: it is said, and not held on to.
            if answer.withheld != FAULT and self._world.memory.leads(key):
                self._remember(asked, answer)
                if answer.whole:
                    self._world.unkept.setdefault(self._organization, {})[asked] = to_kept(answer)
            return answer

        return await self._world.memory.once(key, store)

    def _remember(self, asked: Question, answer: Answer, mark: int | None = None) -> None:
        """Hold an answer; one that was read, with the mark from before, unless newer ones were kept meanwhile."""
        self._world.memory.put((self._organization, asked), answer, until=answer.expires_at, mark=mark)

    async def _take_snapshot(self, metric: Metric, group: str) -> Answer:
        learners = await self._world.roster.places.learners(self._organization, None if group == EVERYWHERE else group)
        members: list[Member] = []
        sources: tuple[Source, ...] = ()
        for start in range(0, len(learners), TOGETHER):
            # Whole answers are held of some at a time, and of all only what is compared.
            peers = learners[start : start + TOGETHER]
            answers = await self.known_of(metric, [peer.id for peer in peers])
            sources = worst((*sources, *(source for answer in answers for source in answer.sources)))
            members += (
                Member(peer.id, peer.region, peer.age_band, answer.score if answer.complete else None)
                for peer, answer in zip(peers, answers, strict=True)
            )
        taken = Snapshot(self._world.now().date(), tuple(members))
        blank = self._working.blank(metric, sources)
        expires = cohorts.until_midnight(blank.calculated_at) if blank.whole else blank.expires_at
        return replace(blank, value=taken.text(), expires_at=expires)
