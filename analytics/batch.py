"""The nightly batch: everyone's answers worked out before they are asked for, in parts that any process can take.

A part is a step, a scope and a share of the ids by their checksum, so that it names nobody. Within a step nothing
stands on a group's numbers of the same step, so its parts can be done in any order; a step begins when the one
before is done. What was calculated since the night began is done, whoever did it: a part that is begun again does
the rest only.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from analytics.catalog import METRICS, PRODUCERS
from analytics.declare import Many, Metric, Scope
from analytics.keeping import question
from analytics.policy import Subject
from analytics.solve import Solver
from analytics.working import FAULT
from datasources.declare import Origin
from datasources.postgres import nights
from datasources.postgres.session import system

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from analytics.record import Answer
    from analytics.world import World

OF_PART = {Scope.LEARNER: 100, Scope.COURSE: 2, Scope.TRAINER: 25, Scope.ORGANIZATION: 1, Scope.MARKET: 1}
"""How many subjects one part has, about."""

AT_ONCE = {Scope.LEARNER: 25, Scope.COURSE: 1, Scope.TRAINER: 5, Scope.ORGANIZATION: 1, Scope.MARKET: 1}
"""How many subjects are worked out, and kept, at a time: what a worker that dies loses, and what it holds."""

LARGE = {Scope.COURSE, Scope.ORGANIZATION, Scope.MARKET}
"""Of whom thousands of facts are read for one subject."""

EVERYONE = {Scope.ORGANIZATION, Scope.MARKET}
"""Whose metrics read what is known of every learner."""

SECONDS = 300.0
"""How long services may take for so many."""

DATABASE = "database"
FAULTS = "fault"


@functools.cache
def rank(metric: Metric) -> int:
    """In which step a metric is worked out: one after the latest of those it reads of a group, or of somebody else."""
    read = [(PRODUCERS[given.type], given.many) for given in metric.inputs if given.type in PRODUCERS]
    return max((rank(one) + (many is not Many.ONE or one.scope is not metric.scope) for one, many in read), default=0)


STEPS: tuple[dict[Scope, tuple[Metric, ...]], ...] = tuple(
    {
        scope: found
        for scope in Scope
        if (found := tuple(m for m in METRICS.values() if rank(m) == number and m.scope is scope))
    }
    for number in range(1 + max(rank(metric) for metric in METRICS.values()))
)
"""The metrics of each step, by scope."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some subjects of one step: of `of` shares of all ids the one with this number, from 0.

    Whoever comes in between is in one of the shares. `since` is when the night began.
    """

    step: int
    scope: Scope
    number: int
    of: int
    since: datetime

    def wire(self) -> dict[str, Any]:
        """The part as a job carries it."""
        return {
            "step": self.step,
            "scope": self.scope.name,
            "number": self.number,
            "of": self.of,
            "since": self.since.isoformat(),
        }

    @classmethod
    def read(cls, wire: Mapping[str, Any]) -> Part:
        """The part that a job carries."""
        since = datetime.fromisoformat(wire["since"])
        return cls(wire["step"], Scope[wire["scope"]], wire["number"], wire["of"], since)

    def has(self, subject: str) -> bool:
        """Whether a subject is in this part."""
        return crc32(subject.encode()) % self.of == self.number


@dataclass(slots=True)
class Tally:
    """What came of it: answers, how many of them withhold their value for a reason, and what failed, by cause."""

    answers: int = 0
    withheld: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def wire(self) -> dict[str, Any]:
        """The tally as a job's result."""
        failures = [{"cause": cause, "count": count} for cause, count in sorted(self.failures.items())]
        return {"answers": self.answers, "withheld": self.withheld, "failures": failures}

    def add(self, wire: Mapping[str, Any]) -> None:
        """Count the result of another job in."""
        self.answers += wire["answers"]
        self.withheld += wire["withheld"]
        self.failures.update({one["cause"]: one["count"] for one in wire["failures"]})


async def parts(world: World, organization: str, step: int, since: datetime) -> list[Part]:
    """The parts of a step, which together are everyone."""
    found = []
    for scope in STEPS[step]:
        shares = math.ceil(len(await _subjects(world, organization, scope)) / OF_PART[scope])
        found += [Part(step, scope, number, shares, since) for number in range(shares)]
    return found


async def work_out(world: World, organization: str, part: Part, tell: Callable[[int, int], Awaitable[None]]) -> Tally:
    """Work out what is not done of a part; `tell` is told how many subjects of how many are.

    The tally is of all answers of the part, whoever worked them out.
    """
    # A clock that is behind the one the night was begun by must not have its own work look undone.
    since = min(part.since, world.now())
    metrics = STEPS[part.step][part.scope]
    subjects = [one for one in await _subjects(world, organization, part.scope) if part.has(one)]
    causes: dict[tuple[str, str, str], list[str]] = {}
    at_once = AT_ONCE[part.scope]
    for start in range(0, len(subjects), at_once):
        some = subjects[start : start + at_once]
        done = await nights.done(world.database, organization, part.scope.value, some, since)
        wanted = [
            (metric, Subject(part.scope, organization, one))
            for metric in metrics
            for one in some
            if _key(metric, one) not in done
        ]
        for these in _together(wanted):
            solver = Solver(world, system(organization), since=since, patience=SECONDS)
            answers = await asyncio.gather(*(_answer(solver, metric, subject) for metric, subject in these))
            await world.keep_now(organization, answers)
            await solver.afterwards()
            causes |= {_key(answer.metric, one.id): why for one, answer in answers if (why := _causes(answer))}
            if part.scope in LARGE:
                # A solver and its loaders hold each other: what was read of thousands would stay for a long time.
                del solver, answers
                gc.collect()
        await tell(start + len(some), len(subjects))
    done = await nights.done(world.database, organization, part.scope.value, subjects, since)
    tally = Tally()
    for key in (_key(metric, one) for one in subjects for metric in metrics):
        if key in done:
            tally.answers += 1
            tally.withheld += not done[key]
        else:
            tally.failures.update(causes.get(key, [DATABASE]))
    return tally


def _together(wanted: Sequence[tuple[Metric, Subject]]) -> Sequence[Sequence[tuple[Metric, Subject]]]:
    """What is worked out with one solver: what stands on everyone in an organization is large, and goes alone."""
    wide = any(metric.scope in EVERYONE for metric, _ in wanted)
    return [[one] for one in wanted] if wide else [wanted]


async def _answer(solver: Solver, metric: Metric, subject: Subject) -> tuple[Subject, Answer]:
    return subject, await solver.anew(metric, subject, {})


def _key(metric: Metric, subject: str) -> tuple[str, str, str]:
    asked = question(metric, Subject(metric.scope, "", subject), {})
    return asked.subject, asked.metric, asked.arguments


def _causes(answer: Answer) -> list[str]:
    """Why an answer is not worth keeping: a fault of ours, or the services that did not answer."""
    if answer.withheld == FAULT:
        return [FAULTS]
    return [source.service for source in answer.sources if source.origin is not Origin.LIVE]


async def _subjects(world: World, organization: str, scope: Scope) -> Sequence[str]:
    """Who or what an organization has answers about, by id."""
    if scope is Scope.COURSE:
        return sorted(await world.roster.places.courses(organization, None, world.clock()))
    if scope in {Scope.ORGANIZATION, Scope.MARKET}:
        return [organization]
    return await nights.people(world.database, organization, scope.value)
