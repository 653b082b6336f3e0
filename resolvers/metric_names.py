"""The names by which clients choose metrics: the keys of the catalog, as an enum."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import strawberry

from analytics.catalog import PUBLIC
from analytics.codec import named
from analytics.declare import Metric

_members: Any = StrEnum("MetricName", {named(key): named(key) for key in PUBLIC})  # type: ignore[misc]  # mypy wants literals
MetricName: Any = strawberry.enum(_members, name="MetricName", description="A metric, by its key.")
for _member in MetricName.__strawberry_definition__.values:
    _member.description = next(
        metric.doc.splitlines()[0] for key, metric in PUBLIC.items() if named(key) == _member.name
    )

_BY_NAME = {named(key): metric for key, metric in PUBLIC.items()}


def metric_of(chosen: Any) -> Metric:
    """The metric that a client chose."""
    return _BY_NAME[chosen.name]


def metrics_of(chosen: Iterable[Any]) -> list[Metric]:
    """The metrics that a client chose, each once, in their order."""
    return list({metric.key: metric for metric in map(metric_of, chosen)}.values())
