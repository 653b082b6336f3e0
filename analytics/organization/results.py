"""Organization performance (definition 14): its key figures against their targets, and how its learners do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from annotated_types import Ge, Le

from analytics.arithmetic import mean
from analytics.declare import DataQuality, Everyone, Role, Scope, Withheld, metric
from analytics.learner.attainment import Performance
from analytics.organization.outcomes import completion_rate, of_people, pass_rate, retention_rate, taken_lately
from analytics.organization.people import (
    by_department,
    members_of,
    of_members,
    places_of,
    quality_of,
    too_few,
)
from analytics.organization.targets import KeyPerformanceIndicator, indicators, score_of, weight_with_data
from analytics.prediction.interventions import AT_RISK
from analytics.prediction.values import DropOffRisk
from analytics.privacy import DAILY, K, in_fives, said, said_share
from analytics.rolls import Member, Membership
from datasources.declare import Count, Score, Share, Text, Unit
from datasources.directory import Kpis
from datasources.skills import SkillAcquisition

QUARTER = timedelta(days=90)

PerPerson = Annotated[float, Ge(0), Le(1e6), Unit("per person in 90 days", digits=1)]


@dataclass(frozen=True, slots=True)
class PerformanceMetrics:
    """How the learners do. Rounded to 5 under 50 persons, else to 1; null under 10 persons."""

    pass_rate: Share | None
    """Passed, of the places in courses that are over with a result or left; null while over a tenth have neither."""
    completion_rate: Share | None
    """Completed, of the places in courses that are over."""
    attainment: Score | None
    """The mean attainment of the members with work that is due or handed in."""
    at_risk_share: Share | None
    """Members at a high or critical risk of not passing, of those with a running course."""


@dataclass(frozen=True, slots=True)
class DepartmentPerformance:
    """One department; a number is null where it is not known of 10 persons, or could be had by subtraction."""

    department: Text | None
    """Its name; null for those who are in no department, or not learners here any more."""
    performance: Score | None
    """The mean attainment."""
    skill_development_rate: PerPerson | None
    """Skills reached per person in the last 90 days, rounded to 0.5 under 50 persons, else to 0.1."""
    retention_rate: Share | None
    """Places in courses taken in the last twelve months that were not left."""


@dataclass(frozen=True, slots=True)
class OrgPerformance:
    """How far an organization is towards its targets, and how its learners do."""

    overall_performance: Score | None
    """100 x the weighted mean attainment of the key figures with a value; null without any. Learners are not in it."""
    kpi_coverage: Share | None
    """The share of the weights that lies on key figures with a value; null without key figures."""
    key_performance_indicators: tuple[KeyPerformanceIndicator, ...]
    """Every key figure that the directory holds, by id; one without a value never counts as 0."""
    performance_metrics: PerformanceMetrics
    """How the learners do."""
    department_performance: tuple[DepartmentPerformance, ...]
    """The departments of which something can be said, by name."""
    members: Count
    """Active learners of the organization, in fives."""
    quality: DataQuality
    """The members, in fives; the days are not counted. OK from 50."""


def departments(
    members: Mapping[str, Member],
    attained: Mapping[str, float],
    reached: Mapping[str, int],
    stays: Mapping[str | None, float | None],
) -> tuple[DepartmentPerformance, ...]:
    """Each department's numbers, each number by the parts that it can be told of."""
    performances = {
        name: said(mean(attained[one] for one in part) or 0.0, len(part))
        for name, part in by_department(members, attained)
    }
    skills = {
        name: said(10 * (mean(reached[one] for one in part) or 0.0), len(part)) / 10
        for name, part in by_department(members, reached)
    }
    shown = {*performances, *skills, *(name for name, stay in stays.items() if stay is not None)}
    return tuple(
        DepartmentPerformance(name, performances.get(name), skills.get(name), stays.get(name))
        for name in sorted(shown, key=lambda name: (name is None, name or ""))
    )


def reached_within(fact: SkillAcquisition, at: datetime) -> int:
    """How many different skills were reached in the last 90 days."""
    return len({skill.skill_id for skill in fact.skills if at - QUARTER < skill.acquired_at <= at})


@metric(
    Scope.ORGANIZATION,
    key="org-performance",
    roles={Role.ORG_ADMIN},
    k=K,
    fresh_for=DAILY,
    formula=(
        "100 sum w a / sum w over the key figures with a value; "
        "a = clamp((value - baseline) / (target - baseline), 0, 1)"
    ),
    evidence="A definition, not a finding: the key figures and their targets are the organization's own.",
    score=lambda value: value.overall_performance,
)
def performance(  # noqa: PLR0913 - one parameter for each fact it stands on
    membership: Membership,
    kpis: Kpis,
    performances: Everyone[Performance] | None,
    risks: Everyone[DropOffRisk] | None,
    acquired: Everyone[SkillAcquisition] | None,
    *,
    at: datetime,
) -> OrgPerformance | Withheld:
    """How far an organization is towards its targets, and how its learners do.

    A key figure without a value never counts as 0, and meeting every target is 100. Withheld under 10 members.
    """
    members = members_of(membership)
    if len(members) < K:
        return too_few("Fewer than 10 learners are members, so nothing is told of them.")
    attained = {
        one: value.overall_score
        for one, value in of_members(members, performances.by_learner if performances else {}).items()
        if value.overall_score is not None
    }
    levels = [value.risk_level in AT_RISK for value in of_members(members, risks.by_learner if risks else {}).values()]
    acquisitions = of_members(members, acquired.by_learner if acquired else {})
    reached = {one: reached_within(fact, at) for one, fact in acquisitions.items()}
    places, figures = places_of(membership.rolls, at), indicators(kpis.kpis)
    recent = taken_lately(places, at)
    parts = by_department(members, [place.learner for place in recent])
    a, r = len(attained), len(levels)
    return OrgPerformance(
        overall_performance=score_of(figures),
        kpi_coverage=weight_with_data(figures),
        key_performance_indicators=figures,
        performance_metrics=PerformanceMetrics(
            pass_rate=pass_rate(places, at),
            completion_rate=completion_rate(places, at),
            attainment=said(mean(attained.values()) or 0.0, a) if a >= K else None,
            at_risk_share=said_share(sum(levels) / r, r) if r >= K else None,
        ),
        department_performance=departments(
            members,
            attained,
            reached,
            {name: retention_rate(of_people(recent, part)) for name, part in parts},
        ),
        members=in_fives(len(members)),
        quality=quality_of(len(members), 0),
    )
