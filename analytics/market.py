"""Skill demand (definition 16): what the market asks for, which way that goes, and what the organization has of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.arithmetic import unique
from analytics.declare import (
    DataQuality,
    DataQualityLevel,
    Everyone,
    Family,
    Role,
    Scope,
    Withheld,
    WithheldReason,
    metric,
)
from analytics.learner.demand import demand_scores
from analytics.learner.gaps import current_levels
from analytics.learner.knowledge import Mastery
from analytics.privacy import DAILY, K, said_part
from datasources.declare import MOST, Count, Id, Score, Share, Text, Unit
from datasources.skills import Demand, SkillDemand, UserSkills

SUPPLIED = 60
"""The level from which a member has a skill."""
BEYOND_CHANCE = 2
MOST_LISTED, MOST_SHORT = 100, 20
ENOUGH = 20

Growth = Annotated[float, Ge(-22), Le(22), Unit("log ratio, 0 is no change", digits=3)]
Rank = Annotated[int, Ge(1), Le(MOST), Unit("place, 1 is the most asked for")]


class DemandTrend(StrEnum):
    """Which way the demand goes from the period before, beyond chance."""

    RISING = "rising"
    """Clearly more is asked for."""
    FALLING = "falling"
    """Clearly less is asked for."""
    STEADY = "steady"
    """No difference beyond chance."""
    UNKNOWN = "unknown"
    """The skill is not listed for a period before."""


@dataclass(frozen=True, slots=True)
class DemandedSkill:
    """One skill that the market asks for."""

    skill_id: Id
    """The skill."""
    name: Text
    """Its name."""
    demand_score: Score
    """100 ln(1 + count) / ln(1 + the highest count)."""
    rank: Rank
    """The place by count; equal counts share one."""
    count: Count
    """Postings, or occupations that list it, in the latest period."""
    in_demand: Count
    """Those of them where it is marked as in demand."""
    hot: bool
    """Whether it is marked as a hot technology."""
    growth: Growth | None
    """ln((count + 1) / (count before + 1)); null where the period before does not list it."""
    trend: DemandTrend
    """Rising or falling where (n1 - n0) / sqrt(n1 + n0) is beyond 2."""
    supply: Share | None
    """The share of the organization's learners at level 60 or above: these counted to the nearest 5, the share to 5
    percent under 50 learners, else to 1.

    Null where fewer than 10 of them have a level in this skill.
    """
    shortage: Score | None
    """max(0, demandScore - 100 x supply); null without a supply."""


@dataclass(frozen=True, slots=True)
class MarketSkillDemand:
    """What the market asks for, beside what one organization can do."""

    skill_demand: tuple[DemandedSkill, ...]
    """The 100 skills that are asked for most, by count, then id."""
    shortages: tuple[DemandedSkill, ...]
    """The 20 largest shortages above 0, of all skills with a supply."""
    skills_considered: Count
    """How many skills the market lists in the latest period."""
    skills_with_supply: Count
    """How many of them 10 or more of the organization's learners have a level in."""
    period: Text | None
    """The latest period; null when the service names none."""
    period_before: Text | None
    """The one it is compared with; null when there is one period only."""
    quality: DataQuality
    """The skills listed in the latest period; OK from 20."""


def growth_of(now: int, before: int) -> float:
    """ln((n1 + 1) / (n0 + 1))."""
    return math.log((now + 1) / (before + 1))


def trend_of(now: int, before: int) -> DemandTrend:
    """Two counts compared: z = (n1 - n0) / sqrt(n1 + n0), a trend beyond 2 in size."""
    z = (now - before) / math.sqrt(now + before) if now + before else 0.0
    if z > BEYOND_CHANCE:
        return DemandTrend.RISING
    return DemandTrend.FALLING if z < -BEYOND_CHANCE else DemandTrend.STEADY


def supply_of(has: Everyone[UserSkills] | None, masteries: Everyone[Mastery] | None, at: datetime) -> dict[str, float]:
    """The share of learners at level 60 or above, by skill; only skills that 10 or more have a level in.

    A learner who hears it is one of them: nothing where they have not 10 others.
    """
    if has is None or len(has.by_learner) <= K:
        return {}
    mastered = masteries.by_learner if masteries else {}
    assessed: dict[str, int] = {}
    able: dict[str, int] = {}
    for learner, fact in has.by_learner.items():
        for skill, current in current_levels(fact, mastered.get(learner), at).items():
            assessed[skill] = assessed.get(skill, 0) + 1
            able[skill] = able.get(skill, 0) + (current.level >= SUPPLIED)
    n = len(has.by_learner)
    return {skill: said_part(able[skill], n) for skill, some in assessed.items() if some >= K}


def listed(demand: SkillDemand) -> tuple[list[str], dict[str, Demand], dict[str, Demand]]:
    """The periods, the latest first, and what the latest and the one before list, each skill once, by id."""
    periods = sorted({each.period or "" for each in demand.skills}, reverse=True)
    once = unique(demand.skills, lambda each: (each.period or "", each.skill_id))
    by_period = [{each.skill_id: each for each in once if (each.period or "") == period} for period in periods[:2]]
    latest, before = (*by_period, {}, {})[:2]
    return periods, latest, before


def demanded(
    latest: Mapping[str, Demand], before: Mapping[str, Demand], scores: Mapping[str, float], supply: Mapping[str, float]
) -> list[DemandedSkill]:
    """Every skill of the latest period, by count, then id."""
    ordered = sorted(latest.values(), key=lambda each: (-each.count, each.skill_id))
    ranks: dict[int, int] = {}
    for place, each in enumerate(ordered, start=1):
        ranks.setdefault(each.count, place)
    found = []
    for each in ordered:
        earlier, has = before.get(each.skill_id), supply.get(each.skill_id)
        found.append(
            DemandedSkill(
                skill_id=each.skill_id,
                name=each.name,
                demand_score=scores[each.skill_id],
                rank=ranks[each.count],
                count=each.count,
                in_demand=each.in_demand,
                hot=each.hot,
                growth=None if earlier is None else growth_of(each.count, earlier.count),
                trend=DemandTrend.UNKNOWN if earlier is None else trend_of(each.count, earlier.count),
                supply=has,
                shortage=None if has is None else max(0.0, scores[each.skill_id] - 100 * has),
            )
        )
    return found


def shortest(skills: list[DemandedSkill]) -> tuple[DemandedSkill, ...]:
    """The largest shortages above 0, equal ones by id."""
    short = [each for each in skills if each.shortage]
    return tuple(sorted(short, key=lambda each: (-(each.shortage or 0.0), each.skill_id))[:MOST_SHORT])


def coverage(value: MarketSkillDemand) -> float | None:
    """How much of the demand the organization can meet: the mean of 100 x supply, weighted by the demand.

    Of the skills that are listed and have a supply; None where none has.
    """
    supplied = [(each.demand_score, each.supply) for each in value.skill_demand if each.supply is not None]
    weight = sum(demand for demand, _ in supplied)
    return 100 * sum(demand * supply for demand, supply in supplied) / weight if weight else None


@metric(
    Scope.MARKET,
    key="comparison-skill-demand",
    family=Family.SUBJECT,
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    k=K,
    fresh_for=DAILY,
    score=coverage,
    version=2,
    formula=(
        "demandScore = 100 ln(1 + count) / ln(1 + max); growth = ln((n1 + 1) / (n0 + 1)); supply = share of learners "
        "with level >= 60; shortage = max(0, demandScore - 100 supply)"
    ),
    evidence="O*NET: 8,927 technologies by the occupations that list them, of 923; the most listed is in 859.",
)
def skill_demand(
    demand: SkillDemand, has: Everyone[UserSkills] | None, masteries: Everyone[Mastery] | None, *, at: datetime
) -> MarketSkillDemand | Withheld:
    """What the market asks for, which way that goes, and what the viewer's organization has of it.

    Demand is how many postings or occupations name a skill, on a logarithmic scale, not how many people are sought.
    An organization where a learner has fewer than 10 others sees the demand without a supply.
    """
    periods, latest, before = listed(demand)
    if not latest:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "The market lists no skill.", needed=1)
    supply = supply_of(has, masteries, at)
    every = demanded(latest, before, demand_scores(demand, latest.keys()), supply)
    level = DataQualityLevel.OK if len(every) >= ENOUGH else DataQualityLevel.LOW
    return MarketSkillDemand(
        skill_demand=tuple(every[:MOST_LISTED]),
        shortages=shortest(every),
        skills_considered=len(every),
        skills_with_supply=sum(each.supply is not None for each in every),
        period=periods[0] or None,
        period_before=periods[1] or None if before else None,
        quality=DataQuality(len(every), 0, level),
    )
