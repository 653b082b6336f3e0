"""Where a learner's marked work is strong, and where it is not: by the skills that the results name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.arithmetic import mean
from analytics.learner.counted import CountedCourse
from datasources.assessment import ScoreRecord
from datasources.declare import Count, Id, Score

STRONG_FROM, WEAK_BELOW = 85, 60
MOST = 3


@dataclass(frozen=True, slots=True)
class SkillScore:
    """The marked work that names one skill."""

    skill_id: Id
    """The skill."""
    score: Score
    """The mean score of that work."""
    results: Count
    """How many pieces of work that is."""


def skill_scores(courses: Iterable[CountedCourse], submissions: Iterable[ScoreRecord]) -> list[SkillScore]:
    """The mean score in each skill that marked counted work of these courses names, by skill."""
    named: dict[tuple[str, str], set[str]] = {}
    for record in submissions:
        named.setdefault((record.course_id, record.assessment_id), set()).update(record.skill_ids)
    scores: dict[str, list[float]] = {}
    for course in courses:
        for marked in course.marked:
            for skill in named.get((course.id, marked.assessment.id), ()):
                scores.setdefault(skill, []).append(marked.score)
    return [SkillScore(skill, mean(reached) or 0.0, len(reached)) for skill, reached in sorted(scores.items())]


def strong(skills: Sequence[SkillScore]) -> tuple[SkillScore, ...]:
    """The skills with a mean of 85 or more, the best first, three at most."""
    return tuple(sorted((s for s in skills if s.score >= STRONG_FROM), key=lambda s: (-s.score, s.skill_id))[:MOST])


def weak(skills: Sequence[SkillScore]) -> tuple[SkillScore, ...]:
    """The skills with a mean below 60, the lowest first, three at most."""
    return tuple(sorted((s for s in skills if s.score < WEAK_BELOW), key=lambda s: (s.score, s.skill_id))[:MOST])
