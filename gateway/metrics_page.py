"""The page of docs/ about metrics: what can be asked, how it is worked out, and what dashboards find where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.catalog import METRICS, definition, services_of
from analytics.declare import Family, Scope
from gateway.cards_page import cards
from gateway.cells import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.declare import Metric

SCOPES = {
    Scope.LEARNER: "Learner",
    Scope.TRAINER: "Trainer",
    Scope.ORGANIZATION: "Organization",
    Scope.MARKET: "Market",
    Scope.COURSE: "Course, inside one organization",
}


def metrics() -> str:
    """What can be asked, metric by metric, with formula, fields, inputs and evidence."""
    lines = [
        "# Metrics",
        "",
        "Every number the graph can say, as the catalog declares it. `metricDefinitions` says the same.",
        "",
        *_contents(),
        "",
    ]
    for metric in _in_order():
        lines += _section(metric)
    lines += cards()
    return "\n".join(lines).rstrip() + "\n"


def _in_order() -> Iterator[Metric]:
    for scope in SCOPES:
        yield from _of(scope)


def _of(scope: Scope) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.scope is scope]


def _contents() -> Iterator[str]:
    for scope, title in SCOPES.items():
        if found := _of(scope):
            yield from (f"## {title}", "")
            yield from _table(found)
            yield ""


def _table(found: Iterable[Metric]) -> Iterator[str]:
    yield "| metric | field | unit | range | for | fresh for | k | version |"
    yield "|---|---|---|---|---|---|---|---|"
    for metric in found:
        one = definition(metric)
        yield (
            f"| [{one['key']}](#{one['key']}) | {_field(metric)} | {one['unit'] or ''} | {one['range'] or ''} | "
            f"{_roles(one)} | {_hours(one)} | {one['k'] or ''} | {one['version']} |"
        )


def _section(metric: Metric) -> Iterator[str]:
    one = definition(metric)
    yield from (f"### {one['key']}", "", one["description"], "")
    yield from (f"**Asked as.** {_field(metric)}", "")
    yield from (f"**Formula.** {one['formula']}", "")
    yield from (f"**Stands on.** {', '.join(dict.fromkeys(one['inputs']))} ({_services(metric)})", "")
    if metric.arguments:
        given = ", ".join(f"`{a.name}` (default {getattr(a.default, 'name', a.default)})" for a in metric.arguments)
        yield from (f"**Arguments.** {given}", "")
    group = f"Groups of {one['k']} or more. " if one["k"] else ""
    yield from (
        f"**For.** {_roles(one) or 'other metrics'}. {group}Fresh for {_hours(one)}. Version {one['version']}.",
        "",
    )
    if one["evidence"]:
        yield from (f"**Evidence.** {one['evidence']}", "")
    yield from ("| field | says | unit | range |", "|---|---|---|---|")
    for field in one["fields"]:
        yield f"| `{field['name']}` | {cell(field['description'])} | {field['unit'] or ''} | {field['range'] or ''} |"
    yield ""


def _field(metric: Metric) -> str:
    """Where the graph has it; nowhere, where it is only ever an input."""
    one = definition(metric)
    group = {Family.SUBJECT: "", Family.INTERNAL: None}.get(metric.family, f"{metric.family.value}.")
    return "an input of other metrics" if group is None else f"`{metric.scope.value}.{group}{one['name']}`"


def _roles(one: dict[str, Any]) -> str:
    return ", ".join(one["roles"])


def _hours(one: dict[str, Any]) -> str:
    return f"{one['freshFor'] // 3600} h"


def _services(metric: Metric) -> str:
    return ", ".join(sorted(services_of(metric))) or "our own records"
