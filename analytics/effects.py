"""Which exposure goes with a better outcome, like people compared with like, and shrunk by its own noise.

An association, not a cause: whoever opens much also does much else. People are compared only within a
stratum (the same fifth by activity, the same half by earlier score), and an item's difference is pulled
towards 0 by as much as differences between items could be noise (empirical Bayes with mean 0).
"""

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.arithmetic import mean
from analytics.declare import Points
from datasources.declare import Count, Id, Text, Unit

FIFTHS = 5
HALVES = 2
FEWEST_IN_STRATUM = 5
FEWEST = 30
FEWEST_TO_LEARN_FROM = 3
Z95 = 1.959964

StandardError = Annotated[float, Ge(0), Le(100), Unit("points", digits=2)]


class Verdict(StrEnum):
    """What can be said of an item's effect, by its 95 % interval."""

    HELPFUL = "helpful"
    """The whole interval is above 0."""
    UNCLEAR = "unclear"
    """0 is in the interval."""
    UNHELPFUL = "unhelpful"
    """The whole interval is below 0."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One person: what they were exposed to before the outcome was settled, and the outcome, 0 to 100.

    `activity` is how much they did by then, `earlier` their earlier score (None: they have none), `day` the
    day on which it was settled.
    """

    items: frozenset[str]
    activity: float
    earlier: float | None
    outcome: float
    day: date


@dataclass(frozen=True, slots=True)
class Effect:
    """How much better those did who opened an item than others like them."""

    content_id: Id
    """The item."""
    type: Text
    """The platform's word for what it is."""
    raw: Points
    """The difference within like learners, before shrinking."""
    effect: Points
    """The same, pulled towards 0 by as much as it could be noise."""
    error: StandardError
    """The standard error of the raw difference."""
    low: Points
    """The lower end of the 95 % interval of the shrunk effect."""
    high: Points
    """The upper end."""
    openers: Count
    """How many opened it."""
    others: Count
    """How many did not."""
    compared: Count
    """How many of them have like learners on the other side, and so stand behind the effect."""
    verdict: Verdict
    """What the interval allows to say."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """An item's raw difference and its sampling variance, openers and others, and how many could be compared."""

    raw: float
    variance: float
    openers: int
    others: int
    compared: int

    @property
    def fewer(self) -> int:
        """The size of the smaller side."""
        return min(self.openers, self.others)


def contrasts(people: Sequence[Exposure]) -> dict[str, Contrast]:
    """The raw difference of every item that some stratum can compare: at least 5 openers and 5 others in it."""
    strata: dict[tuple[int, int], list[Exposure]] = defaultdict(list)
    for person, stratum in zip(people, _strata(people), strict=True):
        strata[stratum].append(person)
    items = sorted(frozenset[str]().union(*(person.items for person in people)))
    variance = _variance(strata)
    found = {item: _contrast(item, strata, variance) for item in items}
    return {item: contrast for item, contrast in found.items() if contrast is not None}


def shrunk_effects(found: Mapping[str, Contrast], types: Mapping[str, str]) -> tuple[Effect, ...]:
    """The effects of the items with at least 30 openers, 30 others, and 30 of them who can be compared, by item.

    The variance of true effects is estimated by the method of moments: the mean of raw^2 less its sampling
    variance, not below 0.
    """
    enough = {item: one for item, one in found.items() if min(one.fewer, one.compared) >= FEWEST}
    spread = max(0.0, mean([c.raw**2 - c.variance for c in enough.values()]) or 0.0)
    return tuple(_effect(item, types.get(item, ""), enough[item], spread, len(enough)) for item in sorted(enough))


def _strata(people: Sequence[Exposure]) -> Iterable[tuple[int, int]]:
    """Each person's fifth by activity and half by earlier score; without an earlier score it is the lower half."""
    activities = sorted(person.activity for person in people)
    scores = sorted(person.earlier for person in people if person.earlier is not None)
    for person in people:
        half = 0 if person.earlier is None else _part(scores, person.earlier, HALVES)
        yield _part(activities, person.activity, FIFTHS), half


def _part(ranked: Sequence[float], value: float, parts: int) -> int:
    """Which of so many equal parts of a sorted group a value of it falls into; equal values stay together."""
    twice_the_middle = bisect.bisect_left(ranked, value) + bisect.bisect_right(ranked, value)
    return min(parts - 1, parts * twice_the_middle // (2 * len(ranked)))


def _variance(strata: Mapping[tuple[int, int], Sequence[Exposure]]) -> float:
    """The variance of the outcome among people of one stratum, pooled over all strata.

    It is taken over openers and others together, so that it stands on everybody even where only a few of a
    stratum can be compared; a real effect makes it larger, which errs on the careful side.
    """
    residuals: list[float] = []
    for people in strata.values():
        centre = mean(person.outcome for person in people) or 0.0
        residuals += [(person.outcome - centre) ** 2 for person in people]
    return math.fsum(residuals) / max(1, len(residuals) - len(strata))


def _contrast(item: str, strata: Mapping[tuple[int, int], Sequence[Exposure]], variance: float) -> Contrast | None:
    differences: list[float] = []
    weights: list[float] = []
    openers = others = compared = 0
    for people in strata.values():
        with_it = [person.outcome for person in people if item in person.items]
        without = [person.outcome for person in people if item not in person.items]
        openers, others = openers + len(with_it), others + len(without)
        if min(len(with_it), len(without)) >= FEWEST_IN_STRATUM:
            differences.append((mean(with_it) or 0.0) - (mean(without) or 0.0))
            weights.append(1 / (1 / len(with_it) + 1 / len(without)))
            compared += len(people)
    if not weights:
        return None
    total = math.fsum(weights)
    raw = math.fsum(d * w for d, w in zip(differences, weights, strict=True)) / total
    return Contrast(raw, variance / total, openers, others, compared)


def _effect(item: str, kind: str, contrast: Contrast, spread: float, items: int) -> Effect:
    """Given the spread of true effects, the posterior of this one: mean, and 95 % interval."""
    kept = spread / (spread + contrast.variance) if spread > 0 else 0.0
    effect = contrast.raw * kept
    margin = Z95 * math.sqrt(_posterior_variance(contrast, kept, items))
    low, high = max(-100.0, effect - margin), min(100.0, effect + margin)
    return Effect(
        content_id=item,
        type=kind,
        raw=contrast.raw,
        effect=effect,
        error=math.sqrt(contrast.variance),
        low=low,
        high=high,
        openers=contrast.openers,
        others=contrast.others,
        compared=contrast.compared,
        verdict=Verdict.HELPFUL if low > 0 else Verdict.UNHELPFUL if high < 0 else Verdict.UNCLEAR,
    )


def _posterior_variance(contrast: Contrast, kept: float, items: int) -> float:
    """How uncertain a shrunk effect is, the spread being itself only an estimate from so many items.

    After Morris (1983), doi:10.1080/01621459.1983.10477920, for effects around 0: without the correction a
    spread estimated as 0 would claim to know every effect exactly. From few items nothing can be learned
    about the spread, and the interval stays as wide as that of the raw difference.
    """
    if items <= 2 + FEWEST_TO_LEARN_FROM:
        return contrast.variance
    pulled = 1 - kept
    known = contrast.variance * (1 - pulled * (items - 2) / items)
    return min(contrast.variance, known + 2 / (items - 2) * (pulled * contrast.raw) ** 2)
