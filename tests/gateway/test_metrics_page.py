"""docs/metrics.md: everything about every metric, and everything that dashboards' cards read."""

from __future__ import annotations

import re

import pytest

from analytics.catalog import METRICS, PUBLIC, definition
from analytics.codec import camel
from analytics.declare import Family, Metric
from gateway.metrics_page import metrics
from resolvers.cards import CARDS

PAGE = metrics()
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)


def section(metric: Metric) -> str:
    """What the page says under the heading of a metric."""
    found = re.search(rf"^### {metric.key}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@every_metric
def test_a_metric_is_told_whole(metric: Metric) -> None:
    told, said = definition(metric), section(metric)
    for part in (
        metric.doc,
        metric.formula,
        metric.evidence,
        f"Version {metric.version}.",
        "Fresh for ",
        *told["roles"],
    ):
        assert part in said
    assert (f"Groups of {metric.k} or more" in said) == bool(metric.k)
    for given in metric.inputs:
        assert given.type.__name__ in said
    for argument in metric.arguments:
        assert f"`{argument.name}` (default" in said
    for field in told["fields"]:
        row = next(line for line in said.splitlines() if line.startswith(f"| `{field['name']}` |"))
        assert all(part in row for part in (field["unit"], field["range"]) if part)


@every_metric
def test_a_metric_is_in_the_contents_with_its_place_in_the_graph(metric: Metric) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| [{metric.key}](#{metric.key}) |")]
    group = {Family.SUBJECT: "", Family.INTERNAL: None}.get(metric.family, f"{metric.family.value}.")
    place = "an input of" if group is None else f"`{metric.scope.value}.{group}{camel(metric.name)}`"
    assert place in row
    assert (metric.key in PUBLIC) == (group is not None)


def test_fields_inside_of_others_are_told_too() -> None:
    assert "| `byCourse.paceRatio` |" in section(METRICS["learner-velocity"])


def test_every_field_of_every_card_has_its_row() -> None:
    for card in CARDS:
        for name, path in card.paths().items():
            assert f"| {card.analytic} | {name} | `{path}` |" in PAGE
        for name, reason in card.absent.items():
            assert f"| {card.analytic} | {name} | {reason} |" in PAGE
