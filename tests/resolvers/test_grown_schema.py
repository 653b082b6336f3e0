"""What the schema grows from metrics, what it refuses to grow, and that all of it is described."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    is_specified_scalar_type,
)
from school import EVERYBODY, METRICS, Progress, Span

from analytics.answer import Tier as FoundIn
from analytics.catalog import METRICS as EVERY_METRIC
from analytics.declare import DataQuality, DeclarationError, Family, Metric, Scope, metric
from datasources.declare import Score
from resolvers.answers import Tier
from resolvers.schema import build, graphql_schema, sdl
from resolvers.types import adopt

REAL = build(EVERY_METRIC)
TYPES = graphql_schema(build(METRICS)).type_map


def of(formula: Any) -> Metric:
    return formula.__metric__  # type: ignore[no-any-return]  # the record rides on the function


def test_a_value_becomes_a_type_of_the_same_shape() -> None:
    fields = TYPES["Progress"].fields
    assert {name: str(field.type) for name, field in fields.items()} == {
        "progress": "Share!",
        "overallScore": "Score",
        "stepsDone": "Int!",
        "mood": "Mood!",
        "bestStep": "Step",
        "steps": "[Step!]!",
        "grid": "[[Share!]!]!",
        "gaps": "[Int]!",
        "lastSeen": "DateTime",
        "late": "Boolean!",
    }
    assert fields["stepsDone"].description == "The steps that are done. Unit: count; range: 0 to 2,147,483,647."
    assert TYPES["Progress"].description == "How far somebody is."


def test_an_enum_keeps_its_names_and_its_sentences() -> None:
    mood = TYPES["Mood"]
    assert {name: value.description for name, value in mood.values.items()} == {
        "VERY_GOOD": "It goes very well.",
        "BAD": "It goes badly.",
    }


def test_a_metric_becomes_a_field_with_its_arguments() -> None:
    field = TYPES["LearnerAnalytics"].fields["progress"]
    assert str(field.type) == "ProgressAnswer!"
    assert field.description == "How far a learner is."
    assert "progress(" in sdl(build(METRICS))
    assert {name: str(argument.type) for name, argument in field.args.items()} == {"span": "Span!", "atLeast": "Int!"}
    assert "span: Span! = MONTH" in sdl(build(METRICS))
    assert "atLeast: Int! = 3" in sdl(build(METRICS))


def test_each_answer_is_an_answer() -> None:
    for name in ("ProgressAnswer", "StandingAnswer", "HealthAnswer"):
        assert [str(interface) for interface in TYPES[name].interfaces] == ["Answer"]


def test_groups_are_there_as_far_as_there_are_metrics() -> None:
    assert {"analytics", "comparison"} <= TYPES["Learner"].fields.keys()
    assert "prediction" not in TYPES["Learner"].fields
    assert "analytics" in TYPES["Organization"].fields
    assert "analytics" not in TYPES["Trainer"].fields


def test_two_metrics_cannot_have_one_place() -> None:
    @metric(Scope.LEARNER, key="other", roles=EVERYBODY, formula="")
    def progress(*, at: datetime) -> Progress:
        """Another."""

    with pytest.raises(DeclarationError, match=r"learner\.analytics\.progress"):
        build({**METRICS, "other": of(progress)})


def test_a_metric_of_a_subject_that_is_not_in_the_graph_is_refused() -> None:
    @metric(Scope.COURSE, key="demand", roles=EVERYBODY, formula="")
    def demand(*, at: datetime) -> Progress:
        """Demand."""

    with pytest.raises(DeclarationError, match="no course"):
        build({"demand": of(demand)})


def test_an_internal_metric_stays_out() -> None:
    @metric(Scope.COURSE, key="inner", roles=EVERYBODY, family=Family.INTERNAL, formula="")
    def inner(*, at: datetime) -> Progress:
        """Inner."""

    assert "Progress" not in graphql_schema(build({"inner": of(inner)})).type_map


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A value with a field that nobody explains."""

    score: Score
    quality: DataQuality
    """How much it stands on."""


@dataclass(frozen=True, slots=True)
class Unsayable:
    """A value that GraphQL has no word for."""

    odd: dict[str, int]
    """A map."""
    quality: DataQuality
    """How much it stands on."""


def test_a_field_without_a_sentence_is_refused_by_name() -> None:
    with pytest.raises(DeclarationError, match=r"Unsaid\.score"):
        adopt(Unsaid)


def test_a_field_graphql_has_no_word_for_is_refused_by_name() -> None:
    with pytest.raises(DeclarationError, match=r"Unsayable\.odd"):
        adopt(Unsayable)


def test_adopting_twice_gives_the_same_type() -> None:
    assert adopt(Progress) is adopt(Progress)
    assert adopt(Span) is adopt(Span)


def undescribed(kind: GraphQLNamedType) -> list[str]:
    """What of a type has no sentence."""
    parts: dict[str, Any] = {}
    if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        parts = dict(kind.fields)
        parts |= {f"{name}({a})": argument for name, field in kind.fields.items() for a, argument in field.args.items()}
    elif isinstance(kind, GraphQLEnumType):
        parts = dict(kind.values)
    missing = [f"{kind.name}.{name}" for name, part in parts.items() if not part.description]
    return missing if kind.description else [kind.name, *missing]


def test_everything_in_the_schema_is_described() -> None:
    ours = [t for name, t in graphql_schema(REAL).type_map.items() if not name.startswith("__")]
    assert [name for kind in ours for name in undescribed(kind)] == []


def test_every_scalar_of_ours_says_where_it_is_specified() -> None:
    for kind in graphql_schema(REAL).type_map.values():
        if hasattr(kind, "specified_by_url") and not is_specified_scalar_type(kind):
            assert kind.specified_by_url, kind.name


def test_the_sdl_is_a_schema_and_the_same_every_time() -> None:
    text = sdl(REAL)
    assert sdl(build(EVERY_METRIC)) == text
    assert {"LearnerAnalytics", "DropOffRiskAnswer"} <= build_schema(text).type_map.keys()


def test_the_tiers_of_the_graph_are_those_of_the_answers() -> None:
    assert [tier.name for tier in Tier] == [tier.name for tier in FoundIn]
