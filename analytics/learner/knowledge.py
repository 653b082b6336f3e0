"""Learner mastery (definition 4): how well a learner does in each skill lately, as an exponentially weighted mean."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analytics.arithmetic import day_of, known, mean, quality, shrunk, unique, weighted_mean
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.marks import handed_in, success
from datasources.assessment import ScoreRecord, Scores
from datasources.declare import Count, Id, Score, Share, Text
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.skills import RequiredSkill, RequiredSkills

DECAY = 0.8
PRIOR = 0.5
PRIOR_WEIGHT = 1.0
MASTERED, DEVELOPING = 0.85, 0.6
ENOUGH = 3
"""Observations of a skill from which it can be called mastered."""


class MasteryState(StrEnum):
    """How far a skill is mastered."""

    NOT_ASSESSED = "not-assessed"
    """Nothing that names the skill has a result."""
    NOVICE = "novice"
    """Below 0.6."""
    DEVELOPING = "developing"
    """From 0.6."""
    MASTERED = "mastered"
    """From 0.85, with three observations or more."""


@dataclass(frozen=True, slots=True)
class SkillMastery:
    """One skill."""

    skill_id: Id
    """The skill."""
    name: Text | None
    """Its name; null for a skill that the learner's role does not ask for."""
    mastery: Share | None
    """The weighted mean of the results, recent ones counting more; null while there is none."""
    state: MasteryState
    """The band of the mastery."""
    confidence: Share
    """n / (n + 1) for n observations, older ones counting less: 0 for none, below 0.84 always."""
    observations: Count
    """Results that name the skill."""
    last_observed: datetime | None
    """When the latest of them was earned."""


@dataclass(frozen=True, slots=True)
class CourseMastery:
    """The skills that one course has assessed."""

    course_id: Id
    """The course."""
    mastery: Share
    """The mean mastery of these skills, with all the learner's results in them."""
    skills: Count
    """How many they are."""


@dataclass(frozen=True, slots=True)
class Mastery:
    """How well a learner masters the skills that their role asks for, and all others they showed."""

    mastery_progress: Score | None
    """The importance-weighted mean mastery of the required skills, one without results counted at the prior (0.5).

    Null when no skill is required, or none of the required ones has a result.
    """
    skills: tuple[SkillMastery, ...]
    """Every skill that is required or has a result, by id."""
    by_course: tuple[CourseMastery, ...]
    """The same by the courses whose assessments name the skills, by id."""
    mastered_count: Count
    """Skills that are mastered."""
    assessed_count: Count
    """Skills that have a result."""
    quality: DataQuality
    """The results this stands on, and the days they span."""


@dataclass(frozen=True, slots=True, order=True)
class Result:
    """One result: when it was earned, in what, and how good it was, 0 to 1."""

    earned: datetime
    source: str
    success: float


def result_of_score(record: ScoreRecord) -> Result | None:
    """The result of a submission; None while it is not marked."""
    reached = success(record)
    source = f"{record.course_id} {record.assessment_id} {record.attempt}"
    return None if reached is None else Result(record.submitted_at, source, reached)


def ended(sessions: Iterable[PracticeSession], at: datetime) -> list[PracticeSession]:
    """The sittings that had ended with a result by `at`, each once."""
    over = (
        session
        for session in sessions
        if session.score is not None
        and session.started_at <= at
        and known(session.completed_at, at) == session.completed_at
    )
    return unique(over, lambda session: session.id)


def result_of_practice(session: PracticeSession) -> Result | None:
    """The result of a sitting, when it ended; None when it was left unfinished."""
    earned = session.completed_at or session.started_at
    return None if session.score is None else Result(earned, session.id, session.score)


def results_by_skill(results: Iterable[tuple[Result, Iterable[str]]]) -> dict[str, list[Result]]:
    """The results in each skill, oldest first, from results with the skills they name."""
    by_skill: dict[str, list[Result]] = {}
    for result, skills in results:
        for skill in set(skills):
            by_skill.setdefault(skill, []).append(result)
    return {skill: sorted(of_skill) for skill, of_skill in by_skill.items()}


def effective(observations: int) -> float:
    """n_eff = the sum of 0.8^a over the ages a = 0, 1, ... of so many observations."""
    return math.fsum(DECAY**age for age in range(observations))


def mastery_of(successes: Sequence[float], prior: float = PRIOR) -> float:
    """Mastery m = (p0 + sum 0.8^a s) / (1 + sum 0.8^a), successes oldest first, a the number of later ones."""
    decayed = weighted_mean((s, DECAY**age) for age, s in enumerate(reversed(successes)))
    return prior if decayed is None else shrunk(decayed, prior, effective(len(successes)), PRIOR_WEIGHT)


def state_of(mastery: float, observations: int) -> MasteryState:
    """The band of a mastery that stands on so many observations."""
    if observations == 0:
        return MasteryState.NOT_ASSESSED
    if mastery >= MASTERED and observations >= ENOUGH:
        return MasteryState.MASTERED
    return MasteryState.DEVELOPING if mastery >= DEVELOPING else MasteryState.NOVICE


def skill_mastery(skill_id: str, name: str | None, results: Sequence[Result]) -> SkillMastery:
    """One skill, from its results, oldest first."""
    value = mastery_of([result.success for result in results])
    certain = effective(len(results))
    return SkillMastery(
        skill_id=skill_id,
        name=name,
        mastery=value if results else None,
        state=state_of(value, len(results)),
        confidence=certain / (certain + 1),
        observations=len(results),
        last_observed=results[-1].earned if results else None,
    )


def progress_of(required: Sequence[RequiredSkill], skills: dict[str, SkillMastery]) -> float | None:
    """100 x the importance-weighted mean mastery of the required skills; None when none of them has a result."""
    reached = [(skills[need.skill_id].mastery, need.importance) for need in required]
    if all(value is None for value, _ in reached):
        return None
    overall = weighted_mean((PRIOR if value is None else value, importance) for value, importance in reached)
    return None if overall is None else 100 * overall


def by_course(submissions: Sequence[ScoreRecord], skills: dict[str, SkillMastery]) -> tuple[CourseMastery, ...]:
    """The mean mastery of the skills that each course's results name."""
    assessed: dict[str, set[str]] = {}
    for record in submissions:
        if record.score is not None:
            assessed.setdefault(record.course_id, set()).update(record.skill_ids)
    return tuple(
        CourseMastery(course, mean(skills[skill].mastery or 0.0 for skill in named) or 0.0, len(named))
        for course, named in sorted(assessed.items())
        if named
    )


@metric(
    Scope.LEARNER,
    key="learner-mastery",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula=(
        "per skill m = (p0 + sum 0.8^a s) / (1 + sum 0.8^a), a = later observations, p0 = 0.5; "
        "masteryProgress = 100 x importance-weighted mean m of the required skills"
    ),
    evidence=(
        "ASSISTments 2009, next answer: AUC .828, RMSE .390, ahead of knowledge tracing (.811) and performance "
        "factors (.757) on the same file"
    ),
    score=lambda value: value.mastery_progress,
)
def mastery(
    scores: Scores, practice: PracticeSessions | None, required: RequiredSkills | None, *, at: datetime
) -> Mastery | Withheld:
    """How well a learner masters the skills that their role asks for, and all others they showed.

    Results are assessment scores that name skills and finished practice, each 0 to 1. A success at or above a skill's
    mastery never lowers it, a failure never raises it. The prior of a skill is 0.5 for everyone; it is not yet the
    mean of the learner's cohort. Quality is OK from 3 results over 7 days or more.
    """
    submissions = handed_in(scores.scores, at)
    sittings = ended(practice.sessions if practice else (), at)
    earned = [(result_of_score(record), record.skill_ids) for record in submissions]
    earned += [(result_of_practice(session), session.skill_ids) for session in sittings]
    used = [(result, named) for result, named in earned if result is not None and named]
    if not used:
        message = "Nothing that names a skill has a result yet."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1)
    results = results_by_skill(used)
    needs = unique(required.skills if required else (), lambda need: need.skill_id)
    names = {need.skill_id: need.name for need in needs}
    skills = {
        skill: skill_mastery(skill, names.get(skill), results.get(skill, ())) for skill in sorted({*names, *results})
    }
    return Mastery(
        mastery_progress=progress_of(needs, skills),
        skills=tuple(skills.values()),
        by_course=by_course(submissions, skills),
        mastered_count=sum(skill.state is MasteryState.MASTERED for skill in skills.values()),
        assessed_count=len(results),
        quality=quality([day_of(result.earned) for result, _ in used], enough=3, span=7),
    )
