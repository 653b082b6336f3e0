"""Values in the shape of our metrics, made up in numbers enough for ten thousand learners.

A metric has a pool of whole values, each made from the types alone as mocks are. A learner gets one of them with
its headline numbers made smaller by a share of their own, so that no two learners say the same, and an answer
that reaches the wrong learner shows.
"""

from __future__ import annotations

import functools
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from analytics.catalog import METRICS
from analytics.codec import text_of
from analytics.declare import DataQuality, DataQualityLevel, Scope
from analytics.keeping import question, to_kept
from analytics.policy import Subject
from analytics.record import Answer, Source
from datasources.declare import Origin
from datasources.mock import mock

if TYPE_CHECKING:
    from analytics.declare import Metric
    from datasources.postgres.answers import Kept, Question

KEPT = (
    "learner-velocity",
    "learner-skill-gap",
    "learner-engagement",
    "learner-mastery",
    "learner-performance",
    "learner-content-effectiveness",
    "comparison-peer",
    "predictive-drop-off-risk",
    "predictive-performance-forecast",
    "predictive-recommendations",
    "gamification",
)
"""What is kept of each learner: eleven answers, as in the data set of the peers."""

ROWS = {
    "gaps": 8,
    "weekly_engagement": 12,
    "skills": 4,
    "recent": 3,
    "by_type": 3,
    "risk_factors": 3,
}
"""How long the lists are that the dashboard of the comparison shows; together they make its 131 leaves."""

POOL = 100
QUALITY = DataQuality(120, 60, DataQualityLevel.OK)
FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)
"""Nothing grows stale while it is measured."""


def answers(organization: str, learner: str, number: int, keys: tuple[str, ...], now: datetime) -> dict[Question, Kept]:
    """What is kept of the learner of this number: one row for each of these metrics, worked out `now`, without end."""
    subject = Subject(Scope.LEARNER, organization, learner)
    metrics = [METRICS[key] for key in keys]
    return {question(metric, subject, {}): to_kept(_answer(metric, number, now)) for metric in metrics}


def _answer(metric: Metric, number: int, now: datetime) -> Answer:
    value = _own(_pool(metric, now.date().isoformat())[number % POOL], number)
    return Answer(
        metric=metric,
        value=text_of(value),
        withheld=None,
        quality=QUALITY,
        sources=(Source("assessment", Origin.LIVE, now), Source("course", Origin.LIVE, now)),
        score=metric.score(value),
        level=metric.level(value),
        as_of=now,
        calculated_at=now,
        expires_at=FOR_EVER,
    )


@functools.cache
def _pool(metric: Metric, day: str) -> tuple[Any, ...]:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    made = (mock(metric.value_type, metric.key, str(n), at) for n in range(POOL))
    return tuple(
        replace(value, **{f.name: _long(getattr(value, f.name), ROWS[f.name]) for f in fields(value) if f.name in ROWS})
        for value in made
    )


def _long(rows: Any, count: int) -> Any:
    """The rows over and over, until there are so many."""
    return tuple(rows[n % len(rows)] for n in range(count)) if isinstance(rows, tuple) else rows


def _own(value: Any, number: int) -> Any:
    """The value with each of its own decimal numbers made smaller by a share that no other learner of its pool has."""
    share = 1 - (number // POOL + 1) / 10_000
    own = {f.name: getattr(value, f.name) for f in fields(value)}
    return replace(value, **{name: round(it * share, 6) for name, it in own.items() if isinstance(it, float)})
