"""The devlab service: practice, exercise by exercise."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.declare import Count, Endpoint, Id, Instant, Service, Share


@dataclass(frozen=True, slots=True)
class PracticeSession:
    """One sitting at one exercise; the score is a share, null when it was left unfinished."""

    id: Id
    exercise_id: Id
    started_at: Instant
    skill_ids: tuple[Id, ...] = ()
    completed_at: Instant | None = None
    score: Share | None = None
    attempts: Count = 1


@dataclass(frozen=True, slots=True)
class PracticeSessions:
    """Everything a learner practised."""

    sessions: tuple[PracticeSession, ...]


@dataclass(frozen=True, slots=True)
class MasteryCompletion:
    """An exercise that the service calls mastered."""

    exercise_id: Id
    completed_at: Instant


@dataclass(frozen=True, slots=True)
class MasteryCompletions:
    """The exercises that the service calls mastered."""

    completions: tuple[MasteryCompletion, ...]


SERVICE = Service(
    "devlab",
    (
        Endpoint(PracticeSessions, "/api/v1/users/{id}/practice-sessions"),
        Endpoint(MasteryCompletions, "/api/v1/users/{id}/mastery-completions"),
    ),
)
