"""Every metric, listed once; the catalog refuses what nobody could supply."""

from __future__ import annotations

import functools
import typing
from typing import Any

from analytics import comparison, content_effectiveness, course, market, shelf, skill_comparison
from analytics.codec import camel
from analytics.decisions import Decisions
from analytics.declare import DeclarationError, Family, Many, Metric, Scope
from analytics.describe import describe, measured
from analytics.gamification import ranking, rewards
from analytics.learner import attainment, gaps, hours, knowledge, participation, path, velocities
from analytics.organization import alignment, culture, results
from analytics.organization import velocity as organization_velocity
from analytics.outcomes import Outcomes
from analytics.prediction import calibration, forecast, recommendations, risk
from analytics.rolls import Membership, Roll
from analytics.standings import course as standings_course
from analytics.standings import intake as standings_intake
from analytics.trainer import distribution, effectiveness, health, performance
from datasources import course as course_service
from datasources import directory
from datasources.catalog import SOURCES
from datasources.declare import About

if typing.TYPE_CHECKING:
    from types import ModuleType

SUPPLIES = {
    Scope.LEARNER: {About.USER, About.MARKET},
    Scope.COURSE: {About.COURSE, About.MARKET},
    Scope.TRAINER: {About.USER, About.MARKET},
    Scope.ORGANIZATION: {About.ORGANIZATION, About.MARKET},
    Scope.MARKET: {About.MARKET},
}
"""What one fact can be about, for a metric of each scope."""

ABOUT_MANY: dict[Many, set[About]] = {
    Many.COURSES: set(),
    Many.COHORT: set(),
    Many.EVERYONE: {About.USER},
    Many.STARTERS: {About.USER},
    Many.ITEMS: {About.CONTENT},
}
"""What many facts can be about."""

VALUES_OF = {Many.COURSES: Scope.COURSE, Many.COHORT: Scope.LEARNER, Many.EVERYONE: Scope.LEARNER}
"""What many values can be of."""

WITH_COURSES = {Scope.LEARNER, Scope.TRAINER, Scope.ORGANIZATION}

ROSTER: dict[type[Any], Scope] = {
    Roll: Scope.COURSE,
    Membership: Scope.ORGANIZATION,
    Outcomes: Scope.ORGANIZATION,
    Decisions: Scope.LEARNER,
}
"""What our own tables supply, and to which scope."""

TELLERS = frozenset({directory.SERVICE.name, course_service.SERVICE.name})
"""Who the roster is copied from."""


def collect(*modules: ModuleType) -> dict[str, Metric]:
    """The metrics declared in these modules by key, in reading order.

    Raises:
        DeclarationError: two metrics share a key, a value type or a field; or an input is neither a
            fact that the scope can be asked about nor the value of another metric.
    """
    declared = [
        vars(formula)["__metric__"]
        for module in modules
        for formula in vars(module).values()
        if getattr(formula, "__module__", None) == module.__name__ and hasattr(formula, "__metric__")
    ]
    metrics = {metric.key: metric for metric in declared}
    _unique(declared)
    produced = {metric.value_type: metric for metric in declared}
    for metric in declared:
        describe(metric.value_type)
        for given in metric.inputs:
            _supplied(metric, given.name, given.type, given.many, produced)
    return metrics


def _unique(declared: list[Metric]) -> None:
    for what, of in (
        ("key", lambda m: m.key),
        ("value type", lambda m: m.value_type.__name__),
        ("field", lambda m: (m.scope, m.family, m.name)),
    ):
        seen: dict[Any, Metric] = {}
        for metric in declared:
            if (other := seen.setdefault(of(metric), metric)) is not metric:
                msg = f"{metric} and {other} share the {what} {of(metric)!r}"
                raise DeclarationError(msg)


def _supplied(metric: Metric, name: str, kind: type[Any], many: Many, produced: dict[type[Any], Metric]) -> None:
    if many is Many.ONE and ROSTER.get(kind) is metric.scope:
        return
    if kind in SOURCES and SOURCES[kind][1].about in (SUPPLIES[metric.scope] if many is Many.ONE else ABOUT_MANY[many]):
        return
    if many is Many.ONE and kind in produced and is_wider(produced[kind], metric.scope):
        return
    scope = metric.scope if many is Many.ONE else VALUES_OF.get(many)
    if (
        kind in produced
        and produced[kind].scope is scope
        and (many is not Many.COURSES or metric.scope in WITH_COURSES)
    ):
        return
    msg = f"{metric}: nobody can supply `{name}`, a {kind.__name__} ({many.value}), to a {metric.scope.value} metric"
    raise DeclarationError(msg)


def is_wider(producer: Metric, scope: Scope) -> bool:
    """Whether one value of this metric, read for a learner, is about their organization; it is never said by itself."""
    return scope is Scope.LEARNER and producer.scope is Scope.ORGANIZATION and producer.family is Family.INTERNAL


METRICS = collect(
    course,
    shelf,
    velocities,
    gaps,
    participation,
    knowledge,
    attainment,
    hours,
    path,
    content_effectiveness,
    comparison,
    skill_comparison,
    calibration,
    risk,
    forecast,
    recommendations,
    rewards,
    ranking,
    standings_course,
    standings_intake,
    performance,
    health,
    distribution,
    effectiveness,
    organization_velocity,
    alignment,
    culture,
    results,
    market,
)
PRODUCERS: dict[type[Any], Metric] = {metric.value_type: metric for metric in METRICS.values()}
PUBLIC = {key: metric for key, metric in METRICS.items() if metric.family is not Family.INTERNAL}


@functools.cache
def services_of(metric: Metric) -> frozenset[str]:
    """The names of the services a metric stands on, through the metrics it reads and the roster as well."""
    names: set[str] = set()
    for given in metric.inputs:
        if given.many is not Many.ONE:
            names |= TELLERS
        if given.type in SOURCES:
            names.add(SOURCES[given.type][0].name)
        elif given.type is Decisions:
            continue
        elif given.type in ROSTER:
            names |= TELLERS
        else:
            producer: Any = PRODUCERS[given.type]
            names |= services_of(producer)
    return frozenset(names)


@functools.cache
def definition(metric: Any) -> dict[str, Any]:
    """What a frontend shows beside a metric's number, in wire shape.

    `unit` and `range` are those of the value's first measured field, which is its headline.
    """
    said = [{**one, "name": camel(one["name"])} for one in measured(metric.value_type)]
    headline = next((field for field in said if field["unit"]), {"unit": None, "range": None})
    return {
        "key": metric.key,
        "name": camel(metric.name),
        "scope": metric.scope.name,
        "family": metric.family.name,
        "description": metric.doc,
        "formula": metric.formula,
        "unit": headline["unit"],
        "range": headline["range"],
        "fields": said,
        "inputs": [given.type.__name__ for given in metric.inputs],
        "roles": sorted(role.name for role in metric.roles),
        "freshFor": int(metric.fresh_for.total_seconds()),
        "k": metric.k,
        "version": metric.version,
        "evidence": metric.evidence,
    }
