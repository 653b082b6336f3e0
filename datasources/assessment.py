"""The assessment service: what was set, what was handed in, and what it scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from datasources.declare import Endpoint, Id, Instant, Score, Service, Text, Weight

Points = Annotated[float, Ge(0), Le(10_000)]
Attempt = Annotated[int, Ge(1), Le(1000)]


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """One submission: `score` of `max_score`, null while not marked; banked means carried over from an earlier run."""

    assessment_id: Id
    course_id: Id
    submitted_at: Instant
    score: Points | None
    max_score: Points = 100.0
    skill_ids: tuple[Id, ...] = ()
    attempt: Attempt = 1
    graded_at: Instant | None = None
    banked: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything a learner handed in."""

    scores: tuple[ScoreRecord, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One assessment set for a learner; `counts` is false for formative work."""

    id: Id
    course_id: Id
    title: Text
    type: Text
    weight: Weight
    counts: bool = True
    due_at: Instant | None = None
    threshold: Score = 40.0


@dataclass(frozen=True, slots=True)
class Assessments:
    """Everything set for a learner, over all courses."""

    assessments: tuple[Assessment, ...]


SERVICE = Service(
    "assessment",
    (
        Endpoint(Scores, "/api/v1/scores/{id}"),
        Endpoint(Assessments, "/api/v1/assessments/{id}"),
    ),
)
