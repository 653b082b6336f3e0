"""How recommendations are ranked: four terms, the largest of which is the reason, and not too many of a type."""

import math
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.arithmetic import clamp
from analytics.learner.gaps import Gap
from analytics.prediction.recommendations_values import (
    RankTerms,
    Recommendation,
    RecommendationKind,
    RecommendationPriority,
)

SOON = timedelta(days=14)
DAY = timedelta(days=1)
URGENCY, GAP, PEER_TREND, EFFECT = 0.4, 0.3, 0.2, 0.1
NOTABLE_EFFECT = 10
"""Points that weigh as one."""
HIGH, MEDIUM = 0.4, 0.2
DIGITS = 3
TOP, OF_ONE_TYPE, FURTHER = 5, 2, 15
LONGEST_TEXT = 2000
"""The bound of `Text`."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What speaks for one thing; what is not known does not.

    `recent` is the share of the course's learners who met it in the last 14 days, `busiest` the largest such
    share in the course, `effect` the points like learners scored more.
    """

    due_at: datetime | None = None
    gap: Gap | None = None
    recent: float = 0.0
    busiest: float = 0.0
    effect: float = 0.0


def identity(kind: RecommendationKind, course: str | None, item: str) -> str:
    """The id of a recommendation: the same for the same thing, however often and whenever it is recommended."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"recommendation:{(kind.value, course, item)!r}"))


def urgency_of(due_at: datetime | None, at: datetime) -> float:
    """1 when it is due now or overdue, falling evenly to 0 at 14 days ahead; 0 for what is never due."""
    return 0.0 if due_at is None else clamp(1 - (due_at - at) / SOON, 0, 1)


def terms_of(basis: Basis, at: datetime) -> RankTerms:
    """0.4 urgency + 0.3 gap priority/100 + 0.2 recent/busiest + 0.1 max(0, effect)/10, term by term."""
    return RankTerms(
        urgency=URGENCY * urgency_of(basis.due_at, at),
        gap=GAP * (basis.gap.priority if basis.gap else 0.0) / 100,
        peer_trend=PEER_TREND * (min(1.0, basis.recent / basis.busiest) if basis.busiest > 0 else 0.0),
        effect=EFFECT * max(0.0, basis.effect) / NOTABLE_EFFECT,
    )


def score_of(terms: RankTerms) -> float:
    """The four terms added up."""
    return math.fsum((terms.urgency, terms.gap, terms.peer_trend, terms.effect))


def priority_of(score: float) -> RecommendationPriority:
    """The band of a score as it is shown."""
    shown = round(score, DIGITS)
    if shown >= HIGH:
        return RecommendationPriority.HIGH
    return RecommendationPriority.MEDIUM if shown >= MEDIUM else RecommendationPriority.LOW


def reason_of(terms: RankTerms, basis: Basis, at: datetime) -> str:
    """The largest term in words, of equal ones the first of urgency, gap, peer trend, effect; empty when all are 0."""
    largest = max(terms.urgency, terms.gap, terms.peer_trend, terms.effect)
    if largest <= 0:
        return ""
    if terms.urgency == largest and basis.due_at is not None:
        return _when(basis.due_at, at)
    if terms.gap == largest and basis.gap is not None:
        missing = f"where {basis.gap.gap:.1f} points are missing to the level that the role asks for."
        return f"It is about {basis.gap.name[: LONGEST_TEXT // 2]}, {missing}"
    if terms.peer_trend == largest:
        return f"{100 * basis.recent:.0f} % of the course's learners turned to it in the last 14 days."
    return f"Like learners who opened it scored {basis.effect:.1f} points more (association, not cause)."


def _when(due_at: datetime, at: datetime) -> str:
    days = abs(due_at - at) // DAY
    span = "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"
    return f"It is due in {span}." if due_at > at else f"It was due {span} ago and is not handed in."


def ranked(candidates: Iterable[Recommendation]) -> list[Recommendation]:
    """The candidates, each id once with its best score, the highest score first, equal ones by id."""
    best: dict[str, Recommendation] = {}
    for one in sorted(candidates, key=lambda one: (-one.score, one.course_id or "", one.id)):
        best.setdefault(one.id, one)
    return sorted(best.values(), key=lambda one: (-one.score, one.id))


def first_and_further(
    ranking: Iterable[Recommendation],
) -> tuple[tuple[Recommendation, ...], tuple[Recommendation, ...]]:
    """The best five of which no more than two are of one type, and the best fifteen of what is left."""
    first: list[Recommendation] = []
    further: list[Recommendation] = []
    types: Counter[str] = Counter()
    for one in ranking:
        if len(first) < TOP and types[one.type] < OF_ONE_TYPE:
            types[one.type] += 1
            first.append(one)
        else:
            further.append(one)
    return tuple(first), tuple(further[:FURTHER])
