"""How much the market asks for a skill, against what it asks for most."""

from collections.abc import Set as AbstractSet

from analytics.arithmetic import log_share, unique
from datasources.skills import SkillDemand


def demand_scores(demand: SkillDemand, skills: AbstractSet[str]) -> dict[str, float]:
    """100 ln(1 + count) / ln(1 + max) in the latest period, of those of the skills that the market lists.

    `max` is the highest count of the period over the whole market.
    """
    latest = max((listed.period or "" for listed in demand.skills), default="")
    current = [listed for listed in demand.skills if (listed.period or "") == latest]
    most = max((listed.count for listed in current), default=0)
    asked = unique((listed for listed in current if listed.skill_id in skills), lambda listed: listed.skill_id)
    return {listed.skill_id: 100 * log_share(listed.count, most) for listed in asked}
