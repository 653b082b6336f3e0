"""Working one answer out: what the formula asks for is read, the formula is run, and what it stands on is said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from analytics.codec import text_of
from analytics.declare import DataQuality, DataQualityLevel, Input, Metric, Scope, Withheld, WithheldReason
from analytics.inputs import DEGRADED_FOR, Inputs, Read, down
from analytics.record import NO_QUALITY, Answer, Source, worst
from datasources.declare import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.policy import Subject

log = structlog.get_logger(__name__)

WANTING = {WithheldReason.NOT_ENOUGH_DATA, WithheldReason.TOO_FEW_PEERS}
FAULT = Withheld(WithheldReason.FAULT, "This number could not be worked out. The fault is ours, and is logged.")
WIDE = {Scope.COURSE, Scope.TRAINER, Scope.ORGANIZATION, Scope.MARKET}
"""Scopes whose formulas look at many learners."""


class Working:
    """One request's way from inputs to answers, as of one instant."""

    def __init__(self, inputs: Inputs, at: datetime, now: Callable[[], datetime]) -> None:
        self._inputs = inputs
        self._at = at
        self._now = now

    async def out(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any], *, mocks: bool) -> Answer:
        """The answer by the formula, or why there is none; it never raises for a fault of the formula."""
        reads = await asyncio.gather(
            *(self._inputs.read(given, metric, subject, mocks=mocks) for given in metric.inputs)
        )
        sources = worst(source for read in reads for source in read.sources)
        missing = [
            read.value
            for read, given in zip(reads, metric.inputs, strict=True)
            if isinstance(read.value, Withheld) and not given.optional
        ]
        broken = [read.value for read, given in zip(reads, metric.inputs, strict=True) if _broken(read, given)]
        outcome = (broken or missing or [None])[0] or await self._compute(metric, subject, arguments, reads)
        blank = self.blank(metric, sources, until=(read.expires_at for read in reads if read.expires_at))
        if isinstance(outcome, Withheld):
            stands_on = [
                source
                for read, given in zip(reads, metric.inputs, strict=True)
                if not (outcome.certain and given.optional)
                for source in read.sources
            ]
            poorer = any(source.origin in {None, Origin.MOCK} for source in stands_on)
            if outcome.reason is WithheldReason.SOURCE_DOWN or (poorer and outcome.reason in WANTING):
                # What a mock or nothing is too little for says nothing about the person: the source is down.
                outcome = down(sources)
            return replace(blank, withheld=outcome)
        return replace(
            blank,
            value=text_of(outcome),
            quality=_quality(outcome.quality, sources),
            score=metric.score(outcome),
            level=metric.level(outcome),
        )

    async def _compute(
        self, metric: Metric, subject: Subject, arguments: Mapping[str, Any], reads: Sequence[Read]
    ) -> Any:
        inputs = [
            None if isinstance(read.value, Withheld) and not given.reasons else read.value
            for read, given in zip(reads, metric.inputs, strict=True)
        ]
        chosen = {a.name: arguments.get(a.name, a.default) for a in metric.arguments}
        if metric.wants_clock:
            chosen["at"] = self._at
        if metric.wants_subject:
            chosen["course"] = subject.id
        try:
            if metric.scope in WIDE:
                # Over thousands of learners a formula takes seconds: others are served meanwhile.
                return await asyncio.to_thread(metric.compute, *inputs, **chosen)
            return metric.compute(*inputs, **chosen)
        except Exception as error:
            # A metric never costs the rest of a dashboard: the fault is ours, is logged, and withholds this one.
            log.exception("metric.fault", metric=metric.key, error=type(error).__name__)
            return FAULT

    def blank(self, metric: Metric, sources: tuple[Source, ...], until: Iterable[datetime] = ()) -> Answer:
        """An answer of this moment, without anything said yet; fresh no longer than the answers it is made of."""
        now = self._now()
        whole = all(source.origin is Origin.LIVE for source in sources)
        expires = min((now + (metric.fresh_for if whole else DEGRADED_FOR), *until))
        return Answer(metric, None, None, NO_QUALITY, sources, None, None, self._at, now, expires)


def _broken(read: Read, given: Input) -> bool:
    """Whether an input is missing for a fault of ours: what follows from it is not known to be right."""
    withheld = isinstance(read.value, Withheld) and read.value.reason is WithheldReason.FAULT
    return withheld and not given.reasons


def _quality(quality: DataQuality, sources: tuple[Source, ...]) -> DataQuality:
    """How much a value stands on: nothing where it is mocked, little where a service is missing from it."""
    given = {source.origin for source in sources}
    if Origin.MOCK in given:
        return NO_QUALITY
    return replace(quality, level=DataQualityLevel.LOW) if None in given else quality
