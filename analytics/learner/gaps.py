"""Learner skill gap (definition 2): what a learner's role asks for and they do not yet show, by priority."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from analytics.arithmetic import day_of, quality, unique
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.demand import demand_scores
from analytics.learner.knowledge import ENOUGH, Mastery
from datasources.declare import Count, Id, Score, Share, Text
from datasources.skills import RequiredSkill, RequiredSkills, SkillDemand, UserSkills

NOTABLE_GAP = 5
"""Points from which a gap is counted."""
IMPORTANT = 0.5
"""The importance from which a gap can be critical."""
MOST_RECOMMENDED = 3


class LevelEvidence(StrEnum):
    """What a level stands on."""

    MASTERY = "mastery"
    """Three or more results of the learner, as mastery weighs them."""
    ASSESSED = "assessed"
    """The level that the skills service holds."""
    NONE = "none"
    """Nothing: the level counts as 0."""


class SkillAction(StrEnum):
    """What would close a gap."""

    ASSESS = "assess"
    """Show it first: nothing is known yet."""
    LEARN = "learn"
    """Learn it: less than half of what is asked for is there."""
    PRACTISE = "practise"
    """Practise it: half or more is there."""


@dataclass(frozen=True, slots=True)
class CurrentSkill:
    """A skill the learner shows."""

    skill_id: Id
    """The skill."""
    name: Text | None
    """Its name; null when no service says it."""
    level: Score
    """How well the learner masters it."""
    evidence: LevelEvidence
    """What the level stands on."""
    last_assessed: datetime | None
    """When it was last shown or assessed."""


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """A skill the learner's role asks for."""

    skill_id: Id
    """The skill."""
    name: Text
    """Its name."""
    required_level: Score
    """The level asked for."""
    importance: Share
    """How much it matters in the role."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing in one skill."""

    skill_id: Id
    """The skill."""
    name: Text
    """Its name."""
    current: Score
    """The level shown; 0 when nothing is known."""
    required: Score
    """The level asked for."""
    gap: Score
    """Required minus current."""
    priority: Score
    """100 x gap/100 x importance x (0.5 + 0.5 demand/100)."""
    importance: Share
    """How much it matters in the role."""
    demand: Score | None
    """What the market asks for it, on a logarithmic scale; null (and no part of the priority) when not known."""
    evidence: LevelEvidence
    """What the current level stands on."""
    critical: bool
    """Whether an important skill (from 0.5) is less than half there."""


@dataclass(frozen=True, slots=True)
class SkillRecommendation:
    """What to do about one of the most urgent gaps."""

    skill_id: Id
    """The skill."""
    name: Text
    """Its name."""
    action: SkillAction
    """What would close the gap."""
    priority: Score
    """The priority of the gap."""


@dataclass(frozen=True, slots=True)
class SkillGap:
    """What a learner's role asks for, what they show of it, and what is missing."""

    coverage: Share
    """The importance-weighted share of the required levels that is there; 1 when nothing is required."""
    skill_gap_count: Count
    """Gaps of more than 5 points."""
    critical_gaps: Count
    """Important skills (from 0.5) that are less than half there."""
    gaps: tuple[Gap, ...]
    """Every gap, most urgent first."""
    recommendations: tuple[SkillRecommendation, ...]
    """What to do about the three most urgent."""
    current_skills: tuple[CurrentSkill, ...]
    """Every skill with a known level, by id."""
    required_skills: tuple[SkillNeed, ...]
    """Every skill the role asks for, by id."""
    quality: DataQuality
    """The required skills with a known level, and the days these were last assessed on."""


def gap_of(required: float, level: float) -> float:
    """The gap: max(0, required - level)."""
    return max(0.0, required - level)


def priority_of(gap: float, importance: float, demand: float | None) -> float:
    """100 x (gap/100) x importance x (0.5 + 0.5 demand/100); an unknown demand adds nothing."""
    return gap * importance * (0.5 + 0.5 * (demand or 0.0) / 100)


def coverage_of(needs: Sequence[tuple[float, float, float]]) -> float:
    """Coverage of (level, required, importance): sum imp min(level, req) / sum imp req; 1 when nothing is required.

    Importances that are all 0 count as equal.
    """
    if not any(importance > 0 for _, _, importance in needs):
        needs = [(level, required, 1.0) for level, required, _ in needs]
    asked = math.fsum(importance * required for _, required, importance in needs)
    there = math.fsum(importance * min(level, required) for level, required, importance in needs)
    return there / asked if asked > 0 else 1.0


def current_levels(has: UserSkills, mastery: Mastery | None, at: datetime) -> dict[str, CurrentSkill]:
    """The level of each known skill: its mastery from three observations on, else what the service holds."""
    assessed = (skill for skill in has.skills if skill.assessed_at is None or skill.assessed_at <= at)
    levels = {
        s.skill_id: CurrentSkill(s.skill_id, s.name, s.level, LevelEvidence.ASSESSED, s.assessed_at)
        for s in unique(assessed, lambda skill: skill.skill_id)
    }
    names = {skill.skill_id: skill.name for skill in levels.values()}
    for s in mastery.skills if mastery else ():
        if s.mastery is not None and s.observations >= ENOUGH:
            name = names.get(s.skill_id, s.name)
            levels[s.skill_id] = CurrentSkill(s.skill_id, name, 100 * s.mastery, LevelEvidence.MASTERY, s.last_observed)
    return dict(sorted(levels.items()))


def gap_in(need: RequiredSkill, current: CurrentSkill | None, demand: float | None) -> Gap:
    """What is missing in one skill."""
    level = current.level if current else 0.0
    gap = gap_of(need.required_level, level)
    return Gap(
        skill_id=need.skill_id,
        name=need.name,
        current=level,
        required=need.required_level,
        gap=gap,
        priority=priority_of(gap, need.importance, demand),
        importance=need.importance,
        demand=demand,
        evidence=current.evidence if current else LevelEvidence.NONE,
        critical=need.importance >= IMPORTANT and level < need.required_level / 2,
    )


def action_for(gap: Gap) -> SkillAction:
    """What would close a gap."""
    if gap.evidence is LevelEvidence.NONE:
        return SkillAction.ASSESS
    return SkillAction.LEARN if gap.current < gap.required / 2 else SkillAction.PRACTISE


def by_priority(
    needs: Sequence[RequiredSkill], levels: Mapping[str, CurrentSkill], demand: Mapping[str, float]
) -> list[Gap]:
    """Every gap that is one, most urgent first, equal ones by id."""
    every = [gap_in(need, levels.get(need.skill_id), demand.get(need.skill_id)) for need in needs]
    return sorted((each for each in every if each.gap > 0), key=lambda each: (-each.priority, each.skill_id))


@metric(
    Scope.LEARNER,
    key="learner-skill-gap",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula=(
        "gap = max(0, required - level); priority = gap x importance x (0.5 + 0.5 demand/100); "
        "coverage = sum imp min(level, required) / sum imp required"
    ),
    evidence="Importance and level as O*NET rates occupations; levels as mastery measures them (AUC .828)",
    score=lambda value: 100 * value.coverage,
)
def skill_gap(
    required: RequiredSkills,
    has: UserSkills,
    mastery: Mastery | None,
    demand: SkillDemand | None,
    *,
    at: datetime,
) -> SkillGap | Withheld:
    """What a learner's role asks for and they do not yet show, the most urgent first.

    A level is the learner's mastery where three results or more name the skill, else what the skills service holds,
    else 0 with evidence NONE. Raising a level never raises a gap nor lowers the coverage. Quality is OK when three
    or more required skills have a level.
    """
    needs = sorted(unique(required.skills, lambda need: need.skill_id), key=lambda need: need.skill_id)
    levels = current_levels(has, mastery, at)
    known = [levels[need.skill_id] for need in needs if need.skill_id in levels]
    if needs and not known:
        message = "None of the skills that the role asks for has been assessed yet."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1)
    gaps = by_priority(needs, levels, demand_scores(demand, {need.skill_id for need in needs}) if demand else {})
    level_of = {skill: current.level for skill, current in levels.items()}
    return SkillGap(
        coverage=coverage_of([(level_of.get(n.skill_id, 0.0), n.required_level, n.importance) for n in needs]),
        skill_gap_count=sum(each.gap > NOTABLE_GAP for each in gaps),
        critical_gaps=sum(each.critical for each in gaps),
        gaps=tuple(gaps),
        recommendations=tuple(
            SkillRecommendation(each.skill_id, each.name, action_for(each), each.priority)
            for each in gaps[:MOST_RECOMMENDED]
        ),
        current_skills=tuple(levels.values()),
        required_skills=tuple(SkillNeed(n.skill_id, n.name, n.required_level, n.importance) for n in needs),
        quality=quality([each.last_assessed and day_of(each.last_assessed) for each in known], enough=3, span=0),
    )
