"""How a learner's skills compare with those of the course; a skill that few have shown is not compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.arithmetic import day_of, mean, quality, quantile
from analytics.declare import (
    DataQuality,
    Everyone,
    Family,
    Role,
    Scope,
    Withheld,
    WithheldReason,
    metric,
)
from analytics.learner import Mastery
from analytics.privacy import K, head_count, said
from datasources.declare import Count, Id, Score, Text

OTHERS = K
ENOUGH = OTHERS + 1
"""Learners from which each of them has ten others."""
DIGITS = 1
EVERYBODY = {Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN}


@dataclass(frozen=True, slots=True)
class SkillLevels:
    """How well the learners of a course master one skill."""

    skill_id: Id
    """The skill."""
    mean: Score
    """The mean mastery; to the nearest 5 below 50 learners, else to 1."""
    median: Score
    """The median; likewise."""
    learners: Count
    """How many have shown the skill, 11 or more; to the nearest 5 below 50."""


@dataclass(frozen=True, slots=True)
class CourseSkills:
    """How well the learners of a course master the skills that 11 or more of them have shown."""

    course: Id
    """The course."""
    skills: tuple[SkillLevels, ...]
    """The skills, by id."""
    quality: DataQuality
    """One observation for each learner and skill; one day."""


@metric(
    Scope.COURSE,
    key="course-skills",
    family=Family.INTERNAL,
    roles=EVERYBODY,
    k=OTHERS,
    fresh_for=timedelta(days=1),
    formula="mean and median of 100 x mastery over the present learners who have shown a skill, 11 or more",
)
def course_skills(masteries: Everyone[Mastery], *, course: str, at: datetime) -> CourseSkills | Withheld:
    """How well the learners of a course master each skill; a skill is told from 11 who have shown it."""
    shown: dict[str, list[float]] = {}
    for mastery in masteries.by_learner.values():
        for skill in mastery.skills:
            if skill.mastery is not None:
                shown.setdefault(skill.skill_id, []).append(round(100 * skill.mastery, DIGITS))
    told = {skill: levels for skill, levels in sorted(shown.items()) if len(levels) >= ENOUGH}
    if not told:
        message = f"No skill has been shown by {ENOUGH} learners of this course."
        return Withheld(WithheldReason.TOO_FEW_PEERS, message, needed=ENOUGH)
    return CourseSkills(
        course=course,
        skills=tuple(_levels(skill, levels) for skill, levels in told.items()),
        quality=quality([day_of(at)] * sum(map(len, told.values())), enough=ENOUGH, span=1),
    )


def _levels(skill: str, levels: list[float]) -> SkillLevels:
    people = len(levels)
    return SkillLevels(
        skill_id=skill,
        mean=said(mean(levels) or 0.0, people),
        median=said(quantile(levels, 0.5) or 0.0, people),
        learners=head_count(people),
    )


@dataclass(frozen=True, slots=True)
class SkillComparison:
    """One skill of a learner beside the course's."""

    skill_id: Id
    """The skill."""
    name: Text | None
    """Its name; null for a skill that the learner's role does not ask for."""
    course_id: Id
    """The course whose learners are compared: the one where most have shown the skill."""
    own: Score
    """The learner's own mastery."""
    mean: Score
    """The mean of the course's learners, this one among them; to the nearest 5 below 50, else to 1."""
    median: Score
    """Their median; likewise."""
    learners: Count
    """How many have shown the skill; to the nearest 5 below 50."""


@dataclass(frozen=True, slots=True)
class SkillComparisons:
    """A learner's skills beside those of the course's learners."""

    skills: tuple[SkillComparison, ...]
    """Every skill that the learner and 10 others of a running course have shown, by id."""
    quality: DataQuality
    """The skills compared, on one day."""


@metric(
    Scope.LEARNER,
    key="comparison-skills",
    family=Family.COMPARISON,
    roles=EVERYBODY,
    k=OTHERS,
    formula="own 100 x mastery beside mean and median of the course's learners who have shown the skill",
)
def skills(own: Mastery, courses: tuple[CourseSkills, ...], *, at: datetime) -> SkillComparisons | Withheld:
    """How well a learner masters each skill, beside the others of the course; a description, not a goal.

    A skill is compared from 10 others who have shown it; no lowest, no highest and no rank is told.
    """
    usual: dict[str, tuple[str, SkillLevels]] = {}
    for course in sorted(courses, key=lambda course: course.course):
        for levels in course.skills:
            if levels.skill_id not in usual or levels.learners > usual[levels.skill_id][1].learners:
                usual[levels.skill_id] = course.course, levels
    compared = tuple(
        SkillComparison(
            skill_id=skill.skill_id,
            name=skill.name,
            course_id=usual[skill.skill_id][0],
            own=100 * skill.mastery,
            mean=usual[skill.skill_id][1].mean,
            median=usual[skill.skill_id][1].median,
            learners=usual[skill.skill_id][1].learners,
        )
        for skill in own.skills
        if skill.mastery is not None and skill.skill_id in usual
    )
    if not compared:
        message = f"No skill of this learner has been shown by {OTHERS} others of a running course."
        return Withheld(WithheldReason.TOO_FEW_PEERS, message, needed=OTHERS)
    return SkillComparisons(compared, quality([day_of(at)] * len(compared), enough=1, span=1))
