"""Reading what a formula asks for: facts, values of other metrics, courses, peers; each with what it stands on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from analytics import cohorts, privacy
from analytics.arithmetic import day_of
from analytics.catalog import PRODUCERS, ROSTER, TELLERS, is_wider
from analytics.cohorts import EVERYWHERE, Snapshot
from analytics.decisions import Decisions
from analytics.declare import Cohort, Everyone, Input, Items, Many, Metric, Scope, Starters, Withheld, WithheldReason
from analytics.keeping import packed_value, reader_of, value_of
from analytics.outcomes import Outcomes
from analytics.policy import Subject
from analytics.record import Answer, Source, worst
from datasources.catalog import SOURCES
from datasources.content import Interactions
from datasources.declare import About, Origin
from datasources.packed import Packed
from datasources.postgres.connection import UNAVAILABLE
from datasources.wire import wire_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from analytics.roster import Roster
    from datasources.fetch import Facts

log = structlog.get_logger(__name__)

DEGRADED_FOR = timedelta(seconds=30)
"""How long an answer that a service is missing from is held in memory: as long as a breaker rests."""


MISSING_AT_MOST = 0.1
"""The share of a group that may be missing for want of a service, and what is said of the group still stand."""
PATIENCE = timedelta(hours=18)
"""How long past its freshness a person's answer is still good enough for what is said of a group."""
TOGETHER = 500
"""Of how many persons whole answers are held at a time, where something is said of a group."""


@dataclass(frozen=True, slots=True)
class Read:
    """One input of a formula, or why there is none, and what it stands on."""

    value: Any
    sources: tuple[Source, ...]
    expires_at: datetime | None = None


class Known(Protocol):
    """The way to other answers, from which formulas read."""

    def own(self, metric: Metric, subject: Subject, *, mocks: bool) -> Awaitable[Answer]:
        """Another answer about the same subject."""

    def known(self, metric: Metric, subject: Subject, *, patience: timedelta = ...) -> Awaitable[Answer]:
        """An answer that is made of no mocks, past its freshness by `patience` at most."""

    def known_of(self, metric: Metric, learners: Sequence[str]) -> Awaitable[Sequence[Answer]]:
        """Such an answer about each of some learners, in their order, past its freshness by `PATIENCE` at most.

        Nothing of it is held on to.
        """

    def snapshot(self, metric: Metric, group: str) -> Awaitable[Answer]:
        """Today's snapshot of a group, as an answer whose value is that of `Snapshot.text`."""


class Inputs:
    """One request's inputs, for one organization, as of one instant."""

    def __init__(self, organization: str, at: datetime, facts: Facts, roster: Roster, known: Known) -> None:
        self._organization = organization
        self._at = at
        self._facts = facts
        self._roster = roster
        self._known = known
        self._snapshots: dict[tuple[str, str], tuple[str | None, Snapshot]] = {}

    async def read(self, given: Input, metric: Metric, subject: Subject, *, mocks: bool) -> Read:
        """One input of a metric. What a metric can do without is never mocked."""
        try:
            return await self._read(given, metric, subject, mocks=mocks and not given.optional)
        except UNAVAILABLE as error:
            log.warning("inputs.not_read", error=type(error).__name__)
            return _untold(TELLERS)

    async def _read(self, given: Input, metric: Metric, subject: Subject, *, mocks: bool) -> Read:
        if given.many is Many.ONE and given.type in SOURCES:
            return await self._fact(given, subject, mocks=mocks)
        if given.many is Many.ONE and given.type not in ROSTER:
            return await self._own(given, subject, mocks=mocks)
        # Whoever asks about a group may be the first to ask about the organization at all.
        await self._roster.ready(self._organization)
        if missing := await self._roster.missing(self._organization):
            return _untold(missing)
        match given.many:
            case Many.ONE:
                read = await self._of_roster(given, subject)
            case Many.COURSES:
                read = await self._of_courses(given, subject)
            case Many.EVERYONE:
                read = await self._of_everyone(given, metric, subject)
            case Many.STARTERS:
                learners = await self._roster.places.starters(self._organization, subject.id)
                read = _grouped(Starters, await self._facts_of(given.type, learners))
            case Many.ITEMS:
                read = await self._of_items(given, subject)
            case Many.COHORT:
                read = await self._of_peers(PRODUCERS[given.type], metric.k, subject)
        return read

    async def _own(self, given: Input, subject: Subject, *, mocks: bool) -> Read:
        producer = PRODUCERS[given.type]
        if is_wider(producer, subject.scope):
            # What is learned over years may be a day old, and ends no answer that stands on it.
            wide = Subject(producer.scope, self._organization, self._organization)
            answer = await self._known.known(producer, wide, patience=PATIENCE)
            return Read(answer.withheld or value_of(answer), answer.sources)
        answer = await self._known.own(producer, subject, mocks=mocks)
        if given.reasons and answer.withheld is None and not answer.complete:
            # What is poorer for want of a service cannot stand beside what is not.
            return Read(down(answer.sources), answer.sources)
        return Read(answer.withheld or value_of(answer), answer.sources, answer.expires_at)

    async def _fact(self, given: Input, subject: Subject, *, mocks: bool) -> Read:
        service, endpoint = SOURCES[given.type]
        key = subject.organization if endpoint.about is About.ORGANIZATION else subject.id
        fetched = await self._facts.load(given.type, key, mock=mocks)
        sources = (Source(service.name, fetched.origin, fetched.seen_at),)
        if fetched.fact is not None:
            return Read(fetched.fact, sources)
        if fetched.origin is None:
            return Read(down(sources), sources)
        message = f"The {service.name} service knows nothing about this {subject.scope.value} yet."
        return Read(Withheld(WithheldReason.NOT_ENOUGH_DATA, message), sources)

    async def _of_courses(self, given: Input, subject: Subject) -> Read:
        courses = await self._courses(subject)
        answers = await asyncio.gather(
            *(
                self._known.known(PRODUCERS[given.type], Subject(Scope.COURSE, self._organization, course))
                for course in courses
            )
        )
        sources = worst(source for answer in answers for source in answer.sources)
        values = tuple(value_of(answer) for answer in answers if answer.withheld is None)
        broken = [a.withheld for a in answers if a.withheld and a.withheld.reason is WithheldReason.FAULT]
        refused = broken or [answer.withheld for answer in answers if answer.withheld and is_down(answer)]
        expires = min((answer.expires_at for answer in answers), default=None)
        return Read(refused[0] if broken or (refused and not values) else values, sources, expires)

    async def _courses(self, subject: Subject) -> tuple[str, ...]:
        """The courses a learner takes now; those begun that a trainer teaches, or an organization takes part in."""
        places = self._roster.places
        if subject.scope is Scope.LEARNER:
            return await places.current_courses(self._organization, subject.id, self._at)
        trainer = subject.id if subject.scope is Scope.TRAINER else None
        return await places.courses(self._organization, trainer, self._at)

    async def _of_roster(self, given: Input, subject: Subject) -> Read:
        if given.type is Decisions:
            return Read(await self._roster.places.decisions(self._organization, subject.id), ())
        if given.type is Outcomes:
            return Read(await self._roster.places.outcomes(self._organization, self._at), ())
        told_at = await self._roster.places.told_at(self._organization)
        late = told_at is None or self._roster.late(told_at)
        origin = Origin.LAST_KNOWN if late else Origin.LIVE
        sources = tuple(Source(service, origin, told_at) for service in sorted(TELLERS))
        if subject.scope is Scope.ORGANIZATION:
            return Read(await self._roster.places.membership(self._organization), sources)
        roll = await self._roster.places.roll(self._organization, subject.id)
        return Read(roll or Withheld(WithheldReason.NOT_ENOUGH_DATA, "Nobody here takes this course."), sources)

    async def _of_everyone(self, given: Input, metric: Metric, subject: Subject) -> Read:
        """A fact about, or a value of, each learner of a course, or of the organization where there are k of them."""
        course = subject.id if subject.scope is Scope.COURSE else None
        learners = [one.id for one in await self._roster.places.learners(self._organization, course)]
        if course is None and len(learners) < metric.k:
            message = f"Fewer than {metric.k} learn here, so nothing is said of them together."
            return Read(Withheld(WithheldReason.TOO_FEW_PEERS, message, needed=metric.k), ())
        if given.type in SOURCES:
            return _grouped(Everyone, await self._facts_of(given.type, learners))
        return _grouped(Everyone, await self._values_of(PRODUCERS[given.type], learners))

    async def _of_items(self, given: Input, subject: Subject) -> Read:
        """A fact about each item that the learners of a course have opened by now."""
        learners = [one.id for one in await self._roster.places.learners(self._organization, subject.id)]
        opened = await self._facts_of(Interactions, learners)
        if isinstance(opened.value, Withheld):
            return opened
        items = {
            one.content_id
            for fact in opened.value.values()
            for one in fact.interactions
            if one.course_id == subject.id and one.date <= day_of(self._at)
        }
        read = await self._facts_of(given.type, sorted(items))
        return _grouped(Items, replace(read, sources=worst((*opened.sources, *read.sources))))

    async def _facts_of(self, fact: type[Any], ids: Sequence[str]) -> Read:
        """One fact about each of them, by id; refused where too many are missing for want of the service."""
        service, _ = SOURCES[fact]
        fetched = await self._facts.load_packed(fact, ids)
        sources = worst(Source(service.name, one.origin, one.seen_at) for one in fetched.values())
        if _too_many(one.origin is None for one in fetched.values()):
            return Read(down(sources), sources)
        packed = {one: found.fact for one, found in fetched.items() if found.fact is not None}
        return Read(Packed(packed, wire_of(fact).unpacked), sources)

    async def _values_of(self, producer: Metric, learners: Sequence[str]) -> Read:
        """The value of each of them, by id; refused where too many are missing for want of a service."""
        sources: tuple[Source, ...] = ()
        complete: list[bool] = []
        broken: list[Withheld] = []
        packed: dict[str, bytes] = {}
        for start in range(0, len(learners), TOGETHER):
            some = learners[start : start + TOGETHER]
            answers = await self._known.known_of(producer, some)
            sources = worst((*sources, *(source for answer in answers for source in answer.sources)))
            broken += [a.withheld for a in answers if a.withheld and a.withheld.reason is WithheldReason.FAULT]
            complete += [answer.complete for answer in answers]
            packed |= {
                learner: packed_value(answer)
                for learner, answer in zip(some, answers, strict=True)
                if answer.value is not None and answer.complete
            }
        if broken or _too_many(not told for told in complete):
            return Read(broken[0] if broken else down(sources), sources)
        return Read(Packed(packed, reader_of(producer)), sources)

    async def _of_peers(self, producer: Metric, k: int, subject: Subject) -> Read:
        course = await self._roster.places.main_course(self._organization, subject.id, self._at)
        sources: tuple[Source, ...] = ()
        for wide, group in ((False, course), (True, EVERYWHERE)):
            if group is None:
                continue
            taken = await self._known.snapshot(producer, group)
            sources = worst((*sources, *taken.sources))
            snapshot = self._snapshot(producer, group, taken)
            found = privacy.ladder(subject.id, snapshot.members, k, organization=wide)
            if found is not None:
                rung, scores = found
                return Read(Cohort(rung, snapshot.taken_on, scores), sources, taken.expires_at)
            if not taken.whole:
                # Those who are missing are missing for a while only: that is no reason to take other peers.
                return Read(down(sources), sources)
        return Read(cohorts.too_few(k), sources)

    def _snapshot(self, producer: Metric, group: str, taken: Answer) -> Snapshot:
        """The members in a snapshot, who may be thousands: read once for all who are compared with them."""
        text, snapshot = self._snapshots.get((producer.key, group), (None, None))
        if snapshot is None or text != taken.value:
            snapshot = Snapshot.of(taken.said)
            self._snapshots[producer.key, group] = taken.value, snapshot
        return snapshot


def _grouped(kind: Callable[[Mapping[str, Any]], Any], read: Read) -> Read:
    """What was read of each of a group, as the formula knows such groups."""
    return read if isinstance(read.value, Withheld) else replace(read, value=kind(read.value))


def _too_many(missing: Iterable[bool]) -> bool:
    """Whether more than a tenth of a group is missing: what is said of the rest would not be true of the group."""
    told = list(missing)
    return sum(told) > MISSING_AT_MOST * len(told)


def _untold(services: Iterable[str]) -> Read:
    sources = tuple(Source(service, None, None) for service in sorted(services))
    return Read(down(sources), sources)


def is_down(answer: Answer) -> bool:
    """Whether an answer is withheld because a service did not answer."""
    return answer.withheld is not None and answer.withheld.reason is WithheldReason.SOURCE_DOWN


def down(sources: Iterable[Source]) -> Withheld:
    """The refusal that says which services did not answer, and when to ask again."""
    names = sorted({source.service for source in sources if source.origin in {None, Origin.MOCK}})
    which = f"The {' and the '.join(names)} service{'s' * (len(names) > 1)}" if names else "A service"
    return Withheld(WithheldReason.SOURCE_DOWN, f"{which} did not answer.", retry_after=DEGRADED_FOR)
