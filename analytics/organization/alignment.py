"""Organization alignment (definition 12): whether what members can do, and learn, is what the goals ask for."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import clamp, mean, unique, weighted_mean
from analytics.declare import DataQuality, Everyone, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.demand import demand_scores
from analytics.learner.gaps import CurrentSkill, coverage_of, current_levels, gap_of, priority_of
from analytics.learner.knowledge import Mastery
from analytics.organization.effort import Effort, effort_by_goal, skills_by_course
from analytics.organization.outcomes import completion_rate
from analytics.organization.people import members_of, of_members, places_of, quality_of, too_few
from analytics.privacy import DAILY, K, crowd, in_fives, said, said_share, spoken
from analytics.rolls import Membership
from datasources.assessment import Scores
from datasources.content import Interactions
from datasources.declare import Count, Id, Score, Share, Text
from datasources.directory import Goal, Goals, GoalSkill
from datasources.skills import SkillDemand, UserSkills

COVERAGE, EFFORT = 0.6, 0.4


@dataclass(frozen=True, slots=True)
class StrategicGoal:
    """One goal, what there is of it, and what goes into it."""

    goal_id: Id
    """The goal."""
    name: Text
    """Its name."""
    weight: Share
    """Its share of the weights of all goals that ask for skills; 0 for one that asks for none."""
    coverage: Share | None
    """The mean over all members of the importance-weighted share of its target levels that is there.

    Null when it asks for no skill, or fewer than 10 members have a level in one that it asks for.
    """
    effort_share: Share | None
    """Its share of the effort of all goals; null as effortMatch is, and where under 10 members made it.

    Where only few did, the next smallest is null with it, so that it cannot be had by subtraction.
    """
    learner_count: Count | None
    """Members who opened content of courses that assess its skills, in fives; null from 1 to 9 and when not known."""
    completion_rate: Share | None
    """Completed, of the places in such courses that are over; null under 10 persons."""


@dataclass(frozen=True, slots=True)
class OrgSkillGap:
    """One skill that the goals ask for; only id, name and required level where under 10 have a level in it."""

    skill_id: Id
    """The skill."""
    name: Text | None
    """Its name; null when no service says it."""
    current_level: Score | None
    """The mean level of all members, one without a level counted as 0."""
    required_level: Score
    """The highest level that a goal asks for."""
    gap_size: Score | None
    """Required minus current, at least 0."""
    priority: Score | None
    """gap x importance x (0.5 + 0.5 demand/100), as for a learner; importance is the highest that a goal gives it."""
    affected_learners: Count | None
    """Members below the required level, those without a level among them, in fives; null from 1 to 9, too."""


@dataclass(frozen=True, slots=True)
class OrgStrategicAlignment:
    """Whether what the members of an organization can do, and learn, is what its goals ask for."""

    overall_alignment: Score | None
    """100 (0.6 coverage + 0.4 effortMatch); null when the effort match is."""
    coverage: Share
    """The weighted mean of the goals' coverage. Rounded to 5 percent under 50 members, else to 1, as all below."""
    effort_match: Share | None
    """1 when effort goes to the goals as their weights ask, 0 when all goes to goals without weight.

    Null when fewer than 10 members opened content of courses that assess skills of a goal, or nobody knows.
    """
    strategic_goals: tuple[StrategicGoal, ...]
    """Every goal, by id."""
    skill_gaps: tuple[OrgSkillGap, ...]
    """Every skill that a goal asks for, the most urgent gap first."""
    members: Count
    """Active learners of the organization, in fives."""
    assessed_members: Count
    """Those of them with a level in a skill that a goal asks for, in fives."""
    quality: DataQuality
    """The members with such a level, in fives; the days are not counted. OK from 50."""


def shares_of(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights as shares that sum to 1; weights that are all 0 count as equal."""
    total = math.fsum(weights.values())
    return {name: weight / total if total > 0 else 1 / len(weights) for name, weight in weights.items()}


def effort_match(effort: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    """1 - 0.5 sum |effortShare - weight|, the weights being shares; None without any effort."""
    total = math.fsum(effort.values())
    if total <= 0:
        return None
    return clamp(1 - 0.5 * math.fsum(abs(effort[name] / total - weight) for name, weight in weights.items()), 0, 1)


def alignment_of(coverage: float, match: float) -> float:
    """100 (0.6 coverage + 0.4 effort match)."""
    return 100 * (COVERAGE * coverage + EFFORT * match)


def goal_coverage(asked: Sequence[GoalSkill], people: Sequence[Mapping[str, CurrentSkill]]) -> float:
    """The mean over people of sum imp min(level, target) / sum imp target; a skill without a level counts 0."""
    each = (
        coverage_of([(p[s.skill_id].level if s.skill_id in p else 0.0, s.target_level, s.importance) for s in asked])
        for p in people
    )
    return mean(each) or 0.0


def skill_gap_of(
    asked: Sequence[GoalSkill], people: Sequence[Mapping[str, CurrentSkill]], demand: Mapping[str, float]
) -> OrgSkillGap:
    """One skill, from what the goals ask of it (at least one does) and the levels of the members."""
    skill = asked[0].skill_id
    required, importance = max(s.target_level for s in asked), max(s.importance for s in asked)
    shown = [person[skill] for person in people if skill in person]
    name = min((one.name for one in shown if one.name), default=None)
    if len(shown) < K:
        return OrgSkillGap(skill, name if shown else None, None, required, None, None, None)
    level = said(math.fsum(one.level for one in shown) / len(people), len(people))
    gap = gap_of(required, level)
    below = len(people) - sum(one.level >= required for one in shown)
    priority = priority_of(gap, importance, demand.get(skill))
    return OrgSkillGap(skill, name, level, required, gap, priority, crowd(below if required else 0, K))


def levels_of(
    members: Sequence[str],
    has: Everyone[UserSkills],
    masteries: Everyone[Mastery] | None,
    wanted: AbstractSet[str],
    at: datetime,
) -> list[dict[str, CurrentSkill]]:
    """Each member's levels in the wanted skills, as learner-skill-gap has them."""
    nothing, mastered = UserSkills(()), masteries.by_learner if masteries else {}
    every = (current_levels(has.by_learner.get(one, nothing), mastered.get(one), at) for one in members)
    return [{skill: level for skill, level in levels.items() if skill in wanted} for levels in every]


def effort_shares(effort: Mapping[str, Effort]) -> dict[str, float]:
    """The share of all effort that went into each goal; nothing where fewer than ten made all of it."""
    total = math.fsum(each.item_days for each in effort.values())
    if len(frozenset().union(*(each.learners for each in effort.values()))) < K or total <= 0:
        return {}
    return {name: each.item_days / total for name, each in effort.items()}


def told_shares(effort: Mapping[str, Effort]) -> dict[str, float]:
    """Those of the shares that ten or more made, or nobody, and from which the share of few cannot be had."""
    told = spoken({name: len(each.learners) for name, each in effort.items()}, K)
    return {name: share for name, share in effort_shares(effort).items() if name in told or not effort[name].learners}


@metric(
    Scope.ORGANIZATION,
    key="org-strategic-alignment",
    roles={Role.ORG_ADMIN},
    k=K,
    fresh_for=DAILY,
    formula=(
        "100 (0.6 sum w coverage + 0.4 effortMatch); coverage = mean over members of sum imp min(level, target) / "
        "sum imp target; effortMatch = 1 - 0.5 sum |effortShare - w|"
    ),
    evidence="A definition, not a finding: levels as learner-skill-gap has them, effort in item-days.",
    score=lambda value: value.overall_alignment,
)
def strategic_alignment(  # noqa: PLR0913, PLR0917 - one parameter for each fact it stands on
    membership: Membership,
    goals: Goals,
    has: Everyone[UserSkills],
    masteries: Everyone[Mastery] | None,
    scores: Everyone[Scores] | None,
    interactions: Everyone[Interactions] | None,
    demand: SkillDemand | None,
    *,
    at: datetime,
) -> OrgStrategicAlignment | Withheld:
    """Whether what the members of an organization can do, and what they learn, is what its goals ask for.

    Goals that ask for no skill are listed and have no part in the numbers; without any other it is withheld.
    A course is mapped to a goal by the skills that its assessments name. More of a skill never lowers the coverage.
    """
    every = {goal.id: goal for goal in sorted(unique(goals.goals, lambda goal: goal.id), key=lambda goal: goal.id)}
    asked = {name: tuple(unique(goal.skills, lambda skill: skill.skill_id)) for name, goal in every.items()}
    mapped = {name: frozenset(s.skill_id for s in skills) for name, skills in asked.items() if skills}
    if not mapped:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "There are no goals that ask for skills.", needed=1)
    wanted = frozenset().union(*mapped.values())
    members = members_of(membership)
    people = levels_of(sorted(members), has, masteries, wanted, at)
    assessed = sum(map(bool, people))
    if assessed < K:
        return too_few("Fewer than 10 members have a level in a skill that the goals ask for.")
    n, weights = len(people), shares_of({name: every[name].weight for name in mapped})
    courses = skills_by_course(of_members(members, scores.by_learner), at) if scores else {}
    opened = of_members(members, interactions.by_learner) if interactions and scores else {}
    effort = effort_by_goal(mapped, opened, courses, at)
    told, match = told_shares(effort), effort_match(effort_shares(effort), weights)
    covered = {name: goal_coverage(asked[name], people) for name in mapped}
    coverage = said_share(weighted_mean((covered[name], weights[name]) for name in mapped) or 0.0, n)
    match = None if match is None else said_share(match, n)
    wants = demand_scores(demand, wanted) if demand else {}
    by_skill = {skill: [s for name in mapped for s in asked[name] if s.skill_id == skill] for skill in wanted}
    gaps = [skill_gap_of(asks, people, wants) for asks in by_skill.values()]
    places = places_of(membership.rolls, at)

    def shown(goal: Goal) -> StrategicGoal:
        skills = mapped.get(goal.id)
        if skills is None:
            return StrategicGoal(goal.id, goal.name, 0.0, None, None, None, None)
        known = sum(any(skill in person for skill in skills) for person in people) >= K
        taught = [(roll, place) for roll, place in places if courses.get(roll.course, set()) & skills]
        return StrategicGoal(
            goal_id=goal.id,
            name=goal.name,
            weight=weights[goal.id],
            coverage=said_share(covered[goal.id], n) if known else None,
            effort_share=said_share(told[goal.id], n) if goal.id in told else None,
            learner_count=crowd(len(effort[goal.id].learners), K) if opened else None,
            completion_rate=completion_rate(taught, at),
        )

    return OrgStrategicAlignment(
        overall_alignment=None if match is None else alignment_of(coverage, match),
        coverage=coverage,
        effort_match=match,
        strategic_goals=tuple(shown(goal) for goal in every.values()),
        skill_gaps=tuple(sorted(gaps, key=lambda gap: (gap.priority is None, -(gap.priority or 0.0), gap.skill_id))),
        members=in_fives(n),
        assessed_members=in_fives(assessed),
        quality=quality_of(assessed, 0),
    )
