"""One learner's counted work in one course: what was due, what was handed in, what it scored.

Formative work, which is work without weight in a course that weighs anything, is not in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from datasources.assessment import Assessment, ScoreRecord


@dataclass(frozen=True, slots=True)
class Work:
    """One counted assessment and what the learner did about it by now.

    `score` is 0 to 100, None while nothing is handed in or marked. `banked` work was carried over from an
    earlier run: its score is known, but it was never due here.
    """

    id: str
    weight: float
    due_at: datetime | None
    handed_in: datetime | None
    score: float | None
    banked: bool

    def due(self, at: datetime) -> bool:
        """Whether it had to be handed in by then."""
        return not self.banked and self.due_at is not None and self.due_at <= at

    @property
    def late(self) -> bool:
        """Whether it was handed in after it was due."""
        return self.handed_in is not None and self.due_at is not None and self.handed_in > self.due_at


def counted(assessments: Iterable[Assessment], course: str) -> tuple[Assessment, ...]:
    """The assessments of a course that count, each once, by due date, then id.

    A weight of 0 means formative, except in a course that gives no weight to anything.
    """
    ours: dict[str, Assessment] = {}
    for one in assessments:
        if one.course_id == course and one.counts:
            ours[one.id] = max(ours[one.id], one, key=repr) if one.id in ours else one
    weighed = any(a.weight > 0 for a in ours.values())
    kept = [a for a in ours.values() if a.weight > 0 or not weighed]
    return tuple(sorted(kept, key=lambda a: (a.due_at is None, a.due_at.timestamp() if a.due_at else 0.0, a.id)))


def coursework(
    assessments: Iterable[Assessment], scores: Iterable[ScoreRecord], *, course: str, at: datetime
) -> tuple[Work, ...]:
    """The counted work of a course as it stood at `at`, by due date, then id."""
    attempts: dict[str, list[ScoreRecord]] = {}
    for record in scores:
        if record.course_id == course and record.submitted_at <= at:
            attempts.setdefault(record.assessment_id, []).append(record)
    return tuple(
        _work(assessment, _in_order(attempts.get(assessment.id, [])), at) for assessment in counted(assessments, course)
    )


def _in_order(attempts: list[ScoreRecord]) -> list[ScoreRecord]:
    """By time; most are alone, and to spell one out is dear."""
    if len(attempts) > 1:
        attempts.sort(key=lambda attempt: (attempt.submitted_at, attempt.attempt, repr(attempt)))
    return attempts


def _work(assessment: Assessment, attempts: list[ScoreRecord], at: datetime) -> Work:
    """Of several attempts the best one in time stands, else the first; the first says when it was handed in."""
    due_at = assessment.due_at
    in_time = [record for record in attempts if due_at is None or record.submitted_at <= due_at]
    marks = [mark for record in in_time or attempts[:1] if (mark := _mark(record, at)) is not None]
    return Work(
        id=assessment.id,
        weight=assessment.weight,
        due_at=due_at,
        handed_in=attempts[0].submitted_at if attempts else None,
        score=max(marks, default=None),
        banked=any(record.banked for record in attempts),
    )


def _mark(record: ScoreRecord, at: datetime) -> float | None:
    """The points of 100, None while it is not marked or cannot be read as a share."""
    marked = record.graded_at is None or record.graded_at <= at
    if record.score is None or record.max_score <= 0 or not marked:
        return None
    return min(100.0, 100 * record.score / record.max_score)
