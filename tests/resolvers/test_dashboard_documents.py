"""The dashboard documents are valid, leave nothing out, and are projected whole."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)
from school import lena

from analytics.catalog import METRICS, definition
from analytics.declare import Metric
from resolvers.schema import build, graphql_schema

SCHEMA = build(METRICS)
TYPES = graphql_schema(SCHEMA).type_map
DOCUMENTS = sorted((Path(__file__).parent.parent / "operations").glob("*.graphql"))
LEARNER = next(path.read_text() for path in DOCUMENTS if path.stem == "learner-dashboard")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_dashboard_document_is_valid(path: Path) -> None:
    assert validate(graphql_schema(SCHEMA), parse(path.read_text())) == []


class Selected(Visitor):
    """Collects which fields of which types a document selects."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.fields: set[tuple[str, str]] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self.info.get_parent_type()
        assert parent
        self.fields.add((parent.name, node.name.value))


METRICS = {
    ("LearnerAnalytics", "velocity"),
    ("LearnerAnalytics", "skillGap"),
    ("LearnerAnalytics", "engagement"),
    ("LearnerAnalytics", "mastery"),
    ("LearnerAnalytics", "performance"),
    ("LearnerAnalytics", "contentEffectiveness"),
    ("LearnerComparison", "peers"),
    ("LearnerPrediction", "dropOffRisk"),
}
"""What the learner's dashboard shows; a metric that is added later is not on it until somebody puts it there."""


def test_the_learner_dashboard_leaves_no_field_of_a_value_out() -> None:
    info = TypeInfo(graphql_schema(SCHEMA))
    selected = Selected(info)
    visit(parse(LEARNER), TypeInfoVisitor(info, selected))
    wanted: set[tuple[str, str]] = set(METRICS)
    waiting = [
        *(get_named_type(TYPES[group].fields[name].type) for group, name in METRICS),
        *(TYPES[name] for name in ("Freshness", "DataQuality", "Withheld")),
    ]
    while waiting:
        kind = waiting.pop()
        for name, field in kind.fields.items():
            if any(str(interface) == "Answer" for interface in kind.interfaces) and name != "value":
                continue  # selected on the interface, once for all
            below = get_named_type(field.type)
            if (kind.name, name) not in wanted and isinstance(below, GraphQLObjectType):
                waiting.append(below)
            wanted.add((kind.name, name))
    assert wanted - selected.fields == set()
    assert {("Answer", "freshness"), ("Answer", "quality"), ("Answer", "withheld")} <= selected.fields


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
    return {name: wire(field.type) for name, field in kind.fields.items()}


async def test_the_learner_dashboard_answers_with_everything_it_was_given() -> None:
    def how(metric: Metric, *_: Any) -> dict[str, Any]:
        return {**wire(TYPES[f"{metric.value_type.__name__}Answer"]), "definition": definition(metric)}

    who = lena(how)
    result = await SCHEMA.execute(LEARNER, context_value=who)
    assert result.errors is None
    learner = result.data["viewer"]["learner"]  # type: ignore[index]  # there are no errors, so there is data
    assert learner["analytics"]["velocity"]["value"] == wire(TYPES["LearningVelocity"])
    assert learner["prediction"]["dropOffRisk"]["value"] == wire(TYPES["DropOffRisk"])
    assert sorted(key for key, _, _ in who.answers.asked) == [
        "comparison-peer",
        "learner-content-effectiveness",
        "learner-engagement",
        "learner-mastery",
        "learner-performance",
        "learner-skill-gap",
        "learner-velocity",
        "predictive-drop-off-risk",
    ]
