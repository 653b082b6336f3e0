"""The learner-AI service: what another model suggests. Its numbers never replace ours."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.declare import Endpoint, Id, Score, Service, Share, Text


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing the service would do next."""

    id: Id
    type: Text
    title: Text
    reason: Text | None = None
    confidence: Share | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What the service would do next for a learner."""

    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class SuggestedRisk:
    """The service's own view of a learner's risk."""

    risk: Share | None


@dataclass(frozen=True, slots=True)
class SuggestedForecast:
    """The service's own view of a learner's final score."""

    score: Score | None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of a learning path."""

    order: int
    type: Text
    title: Text
    status: Text


@dataclass(frozen=True, slots=True)
class LearningPath:
    """A sequence of steps towards something."""

    id: Id
    title: Text
    steps: tuple[PathStep, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningPaths:
    """The learning paths a learner follows."""

    paths: tuple[LearningPath, ...]


SERVICE = Service(
    "learner-ai",
    (
        Endpoint(Suggestions, "/api/v1/recommendations/{id}"),
        Endpoint(SuggestedRisk, "/api/v1/risk/{id}"),
        Endpoint(SuggestedForecast, "/api/v1/forecast/{id}"),
        Endpoint(LearningPaths, "/api/v1/learning-paths/{id}"),
    ),
)
