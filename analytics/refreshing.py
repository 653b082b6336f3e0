"""Answers worked out anew, as the gateway itself: what a job was asked for, done and kept before it says so."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from analytics.catalog import METRICS
from analytics.declare import Scope
from analytics.keeping import chosen, question
from analytics.policy import Subject
from analytics.working import FAULT
from datasources.declare import Origin
from datasources.postgres.connection import DatabaseError
from datasources.postgres.jobs import Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from analytics.declare import Metric
    from analytics.record import Answer
    from analytics.solve import Solver
    from datasources.postgres.jobs import Job

BY_HAND = "by hand"
"""How the name of a job begins that somebody asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer that is to be newer than a moment."""

    metric: Metric
    subject: Subject
    arguments: Mapping[str, Any]
    since: datetime


@dataclass(slots=True)
class Outcome:
    """What became of some answers; `missing` counts those that stay as they are, by what they wait for."""

    answers: int = 0
    already_fresh: int = 0
    withheld: int = 0
    missing: Counter[str] = field(default_factory=Counter)

    @property
    def wire(self) -> dict[str, int]:
        """The result of a job."""
        return {
            "answers": self.answers,
            "alreadyFresh": self.already_fresh,
            "withheld": self.withheld,
            "unanswered": self.missing.total(),
        }


def by_hand(subject: Subject, metrics: Iterable[Metric], now: datetime) -> Wanted:
    """The job that works all of these metrics of one subject out again, and what they are made of."""
    asked = sorted(question(metric, subject, {}) for metric in metrics)
    names = " ".join(one.metric for one in asked)
    return Wanted(
        once=f"{BY_HAND} {subject.scope.value} {subject.id} {names}",
        scope=subject.scope.value,
        subject=subject.id,
        details={
            "asked": [[one.metric, one.arguments] for one in asked],
            "since": now.isoformat(),
            "inputs": True,
        },
    )


def asked_of(job: Job) -> list[Asked]:
    """What a refresh was asked for; what this release knows no more is left out."""
    if job.scope is None or job.subject is None:
        return []
    subject = Subject(Scope(job.scope), job.organization, job.subject)
    since = datetime.fromisoformat(job.details["since"])
    found = []
    for name, arguments in job.details["asked"]:
        key, _, version = name.rpartition("@")
        metric = METRICS.get(key)
        if metric is None or str(metric.version) != version:
            continue
        try:
            found.append(Asked(metric, subject, chosen(metric, arguments), since))
        except (KeyError, ValueError):
            continue
    return found


async def refresh(
    solver: Solver, asked: Sequence[Asked], *, inputs: bool, told: Callable[[int, int], Awaitable[None]]
) -> Outcome:
    """Have these answers worked out and kept, each once, unless a newer one is kept already.

    Args:
        solver: reads and works out as the gateway itself.
        asked: which answers, newer than when.
        inputs: whether the answers they are made of are to be as new.
        told: hears how many of how many are done.

    Raises:
        DatabaseError: what was worked out could not be kept.
        Exception: whatever `told` raises; what is not done by then is left.
    """
    if inputs:
        for one in asked:
            solver.not_before(one.subject, one.since)
    outcome = Outcome()
    tasks = [asyncio.create_task(solver.renewed(one.metric, one.subject, one.arguments, one.since)) for one in asked]
    try:
        for done, task in enumerate(asyncio.as_completed(tasks), 1):
            _count(outcome, *await task)
            if done < len(tasks):
                await told(done, len(tasks))
    finally:
        for left in tasks:
            left.cancel()
    if not await solver.keep([question(one.metric, one.subject, one.arguments) for one in asked]):
        msg = "What was worked out could not be kept."
        raise DatabaseError(msg)
    return outcome


def _count(outcome: Outcome, answer: Answer, worked_out: bool) -> None:  # noqa: FBT001 - a pair, as `anew` gives it
    if answer.withheld == FAULT:
        outcome.missing["fault"] += 1
    elif not answer.whole:
        silent = [source.service for source in answer.sources if source.origin is not Origin.LIVE]
        outcome.missing[" and ".join(silent)] += 1
    else:
        outcome.answers += worked_out
        outcome.already_fresh += not worked_out
        outcome.withheld += answer.withheld is not None
