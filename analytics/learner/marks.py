"""What a learner handed in, as it is known at one moment."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from analytics.arithmetic import clamp, known, unique
from datasources.assessment import ScoreRecord


def handed_in(scores: Iterable[ScoreRecord], at: datetime) -> list[ScoreRecord]:
    """The submissions up to `at`, each once, unmarked when the mark came later.

    One with a maximum of 0 is left out: out of nothing no mark can be read.
    """
    submissions = (
        record if known(record.graded_at, at) == record.graded_at else replace(record, score=None, graded_at=None)
        for record in scores
        if record.submitted_at <= at and record.max_score > 0
    )
    return unique(submissions, lambda r: (r.course_id, r.assessment_id, r.attempt, r.submitted_at))


def success(record: ScoreRecord) -> float | None:
    """The score as a share of the maximum, 0 to 1; None while it is not marked."""
    return None if record.score is None else clamp(record.score / record.max_score, 0, 1)
