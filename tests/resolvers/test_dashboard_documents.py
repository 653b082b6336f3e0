"""The dashboard documents are valid, leave nothing out, fit the limits, and are projected whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLUnionType,
    parse,
    validate,
)
from school import Answering, Asking, as_

from analytics.catalog import METRICS, PUBLIC, definition
from analytics.codec import camel
from analytics.declare import Family, Metric, Role, Scope
from gateway.limits import Limits, excess, measure
from resolvers.schema import build, graphql_schema
from tests.cast import LENA, OLGA, TOMAS

if TYPE_CHECKING:
    from analytics.policy import Viewer

SCHEMA = build(METRICS)
TYPES = graphql_schema(SCHEMA).type_map
DOCUMENTS = {path.stem: path.read_text() for path in (Path(__file__).parent.parent / "operations").glob("*.graphql")}
READERS: dict[str, tuple[Viewer, tuple[Scope, ...]]] = {
    "learner-dashboard": (as_(LENA, Role.LEARNER), (Scope.LEARNER,)),
    "trainer-dashboard": (as_(TOMAS, Role.TRAINER), (Scope.TRAINER,)),
    "organization-dashboard": (as_(OLGA, Role.ORG_ADMIN), (Scope.ORGANIZATION, Scope.MARKET)),
}
"""Who reads a document, and about what it must say everything."""
every_document = pytest.mark.parametrize("name", READERS)


def test_every_document_has_its_reader() -> None:
    assert set(DOCUMENTS) == set(READERS)


@every_document
def test_a_dashboard_document_is_valid(name: str) -> None:
    assert validate(graphql_schema(SCHEMA), parse(DOCUMENTS[name])) == []


@every_document
def test_a_dashboard_document_needs_less_than_half_of_what_is_allowed(name: str) -> None:
    limits = Limits()
    halved = Limits(
        depth=limits.depth // 2 + 1, fields=limits.fields // 2, cost=limits.cost // 2, repeats=limits.repeats // 2
    )
    assert excess(halved, measure(graphql_schema(SCHEMA), parse(DOCUMENTS[name]), limits.page)) == []


def wire(kind: Any) -> Any:
    """A wire value of a type, two of everything that is a list."""
    match kind:
        case GraphQLNonNull():
            return wire(kind.of_type)
        case GraphQLList():
            return [wire(kind.of_type), wire(kind.of_type)]
        case GraphQLEnumType():
            return min(kind.values)
        case GraphQLScalarType():
            return {"Int": 3, "Seconds": 3, "Boolean": True, "Float": 1.5, "Score": 50.5, "Share": 0.25}.get(
                kind.name, "x"
            )
        case GraphQLUnionType():
            one = kind.types[0]
            return {"__typename": one.name, **wire(one)}
    return {name: wire(field.type) for name, field in kind.fields.items()}


def said(metric: Metric, *_: Any) -> dict[str, Any]:
    """An answer with something in every field."""
    return {**wire(TYPES[f"{metric.value_type.__name__}Answer"]), "definition": definition(metric)}


async def asked(name: str) -> tuple[Asking, dict[str, Any]]:
    """What a document is answered with, and by whom it was asked."""
    who = Asking(READERS[name][0], Answering(said))
    result = await SCHEMA.execute(DOCUMENTS[name], context_value=who)
    assert result.errors is None
    assert result.data is not None
    return who, result.data


def subjects(name: str, data: dict[str, Any]) -> dict[Scope, dict[str, Any]]:
    """The subjects on the page."""
    if name == "learner-dashboard":
        return {Scope.LEARNER: data["viewer"]["learner"]}
    return {Scope(key): part for key, part in data.items() if key in set(Scope)}


@every_document
async def test_a_dashboard_shows_every_field_of_every_metric_of_its_reader(name: str) -> None:
    _, data = await asked(name)
    found = subjects(name, data)
    for metric in PUBLIC.values():
        if metric.scope in READERS[name][1]:
            group = found[metric.scope]
            if metric.family is not Family.SUBJECT:
                group = group[metric.family.value]
            whole = said(metric)
            del whole["definition"]
            job = whole["freshness"]["refreshJob"]
            whole["freshness"]["refreshJob"] = {key: job[key] for key in ("id", "status", "progress")}
            assert group[camel(metric.name)] == whole, metric.key


@every_document
async def test_a_dashboard_asks_for_no_metric_twice(name: str) -> None:
    who, _ = await asked(name)
    own = [key for key, subject, _ in who.answers.asked if subject.scope in READERS[name][1]]
    assert len(own) == len(set(own))


@pytest.mark.parametrize("name", ["trainer-dashboard", "organization-dashboard"])
async def test_those_at_risk_come_first_with_what_their_risk_is_made_of(name: str) -> None:
    who, data = await asked(name)
    chosen = next(choice for choice, _ in who.chosen if choice.risk)
    assert (chosen.by.name, chosen.direction.name) == ("RISK", "DESC")
    assert {level.name for level in chosen.risk or ()} == {"HIGH", "CRITICAL"}
    page = next(part["atRisk"] for part in data.values() if "atRisk" in part)
    (row, *_) = [edge["node"] for edge in page["edges"]]
    risk = row["prediction"]["dropOffRisk"]["value"]
    assert {"factor", "contribution", "description"} <= risk["riskFactors"][0].keys()
    assert {"action", "reason"} <= risk["interventions"][0].keys()
