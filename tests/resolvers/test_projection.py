"""The compiled way and the ordinary way say the same, in the same order, errors included."""

import copy
import functools
import gc
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    is_object_type,
    parse,
)
from graphql.execution import execute
from hypothesis import given, settings
from hypothesis import strategies as st
from school import METRICS, PROGRESS, WITHHELD, answer, lena
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers import projection
from resolvers.projection import ProjectingExecutor
from resolvers.schema import build, graphql_schema

TYPES = graphql_schema(build(METRICS)).type_map
ANSWER = TYPES["ProgressAnswer"]
SCHEMA = GraphQLSchema(
    GraphQLObjectType(
        "Query",
        {
            "answer": GraphQLField(ANSWER),
            "sure": GraphQLField(GraphQLNonNull(ANSWER)),
            "roster": GraphQLField(GraphQLList(GraphQLNonNull(ANSWER))),
        },
    )
)
METRIC = METRICS["made-up-progress"]


def run(executor: type[Any], document: DocumentNode, root: Any, variables: dict[str, Any] | None = None) -> Any:
    result = execute(SCHEMA, document, root, variable_values=variables, executor_class=executor)
    assert isinstance(result, ExecutionResult)
    return result


@functools.lru_cache(4)
def parsed(source: str) -> DocumentNode:
    """A document, which may be asked thousands of times in a row."""
    return parse(source)


def both(source: str, root: Any, variables: dict[str, Any] | None = None) -> tuple[str, str]:
    """What each way answers, as text: data in response order, and errors."""
    document = parsed(source)
    texts = []
    for executor in (ProjectingExecutor, StrawberryGraphQLCoreExecutionContext):
        result = run(executor, document, root, variables)
        texts.append(json.dumps([result.data, [e.formatted for e in result.errors or []]], default=repr))
    return texts[0], texts[1]


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Int": st.integers(-(2**31), 2**31 - 1),
    "Seconds": st.integers(0, 2**31 - 1),
    "Boolean": st.booleans(),
    **dict.fromkeys(("Float", "Score", "Share"), st.floats(allow_nan=False, allow_infinity=False)),
}
NEVER = st.just(False)  # noqa: FBT003 - a strategy's value
SELDOM = st.integers(0, 25).map(lambda n: n == 0)
ODDITIES = [None, 5, 2**40, -1.5, True, "odd", "", float("nan"), float("inf"), [], {}, [None], (), ValueError("boom")]
ODD = st.sampled_from(ODDITIES)


@functools.cache
def values(kind: Any, odd: st.SearchStrategy[bool]) -> st.SearchStrategy[Any]:
    """Wire values of a type; now and then an odd one instead."""
    match kind:
        case GraphQLNonNull():
            right = present(kind.of_type, odd)
        case _:
            right = st.none() | present(kind, odd)
    return right if odd is NEVER else odd.flatmap(lambda is_odd: ODD if is_odd else right)


@functools.cache
def present(kind: Any, odd: st.SearchStrategy[bool]) -> st.SearchStrategy[Any]:
    match kind:
        case GraphQLNonNull():
            return present(kind.of_type, odd)
        case GraphQLEnumType():
            return st.sampled_from(sorted(kind.values))
        case GraphQLScalarType():
            return SCALARS.get(kind.name, st.text(max_size=5))
        case GraphQLList():
            return st.lists(values(kind.of_type, odd), max_size=3)
        case GraphQLUnionType():
            return st.one_of([present(one, odd).map(functools.partial(named, one.name)) for one in kind.types])
        case _:
            return st.fixed_dictionaries({name: values(field.type, odd) for name, field in kind.fields.items()})


def named(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """A value that says which of several types it is of."""
    return {"__typename": name, **value}


def bare(kind: Any) -> Any:
    while isinstance(kind, (GraphQLNonNull, GraphQLList)):
        kind = kind.of_type
    return kind


OBJECTS = sorted(
    {bare(f.type).name for t in TYPES.values() if is_object_type(t) for f in t.fields.values()}
    & {n for n, t in TYPES.items() if is_object_type(t) and "plain" in t.extensions}
    | {"ProgressAnswer"}
)
FRAGMENTS = {f"F{n}": TYPES[name] for n, name in enumerate(OBJECTS)} | {"FAnswer": TYPES["Answer"]}
DIRECTIVES = [
    "",
    "",
    "",
    " @skip(if: $x)",
    " @include(if: $y)",
    " @include(if: true)",
    " @skip(if: $y) @include(if: $x)",
]


def selection(dice: random.Random, kind: Any, depth: int) -> str:
    """A selection set of a type: aliases, repeats, fragments of both kinds, directives."""
    parts = []
    for _ in range(dice.randint(1, 5)):
        match dice.choice(["field", "field", "field", "typename", "inline", "spread"]):
            case "typename":
                parts.append(dice.choice(["__typename", "kind: __typename"]))
            case "inline" if depth:
                condition = dice.choice(["", f" on {kind.name}"])
                parts.append(f"...{condition}{dice.choice(DIRECTIVES)} {selection(dice, kind, depth - 1)}")
            case "spread" if depth:
                fitting = [n for n, t in FRAGMENTS.items() if t is kind or t.name == "Answer"]
                parts.append(f"...{dice.choice(fitting)}{dice.choice(DIRECTIVES)}")
            case _:
                name = dice.choice(sorted(kind.fields))
                below = bare(kind.fields[name].type)
                inner = inside(dice, below, max(0, depth - 1))
                alias = dice.choice(["", "", f"{name}2: ", "same: "])
                parts.append(f"{alias}{name}{dice.choice(DIRECTIVES)} {inner}")
    return "{ " + " ".join(parts) + " }"


def inside(dice: random.Random, kind: Any, depth: int) -> str:
    """What is selected below a field of this type: nothing of a leaf, something of each type of a union."""
    if is_object_type(kind):
        return selection(dice, kind, depth)
    if isinstance(kind, GraphQLUnionType):
        return "{ __typename " + " ".join(f"... on {one.name} {selection(dice, one, 0)}" for one in kind.types) + " }"
    return ""


def document_of(seed: int) -> str:
    """A document whose fragments spread others, but never themselves."""
    dice = random.Random(seed)
    fragments = [
        f"fragment {name} on {kind.name} " + selection(dice, kind, 2).replace(f"...{name}", "__typename")
        for name, kind in FRAGMENTS.items()
    ]
    chosen, again = selection(dice, ANSWER, 3), selection(dice, ANSWER, 1)
    head = f"query($x: Boolean!, $y: Boolean!) {{ answer {chosen} roster {chosen} roster {again} sure {again} }}"
    return "\n".join([head, *fragments])


# Drawing every choice through Hypothesis takes thirty times as long; a seed finds as much and shrinks enough.
documents = st.integers(0, 2**32).map(document_of)


@settings(max_examples=150, deadline=None)
@given(documents, st.booleans(), st.booleans(), st.data())
def test_both_ways_say_the_same(document: str, x: bool, y: bool, data: st.DataObject) -> None:  # noqa: FBT001 - generated
    answers = present(ANSWER, NEVER)
    root = {
        "answer": data.draw(answers),
        "sure": data.draw(answers),
        "roster": data.draw(st.lists(answers, max_size=3)),
    }
    compiled, ordinary = both(document, root, {"x": x, "y": y})
    assert compiled == ordinary


@settings(max_examples=100, deadline=None)
@given(documents, st.data())
def test_both_ways_complain_the_same(document: str, data: st.DataObject) -> None:
    answers = present(ANSWER, SELDOM)
    root = {"answer": data.draw(answers), "sure": data.draw(answers), "roster": [data.draw(answers)]}
    compiled, ordinary = both(document, root, {"x": False, "y": True})
    assert compiled == ordinary


WHOLE = """
{ answer {
    value { progress overallScore stepsDone mood bestStep { ...step } steps { ...step } grid gaps lastSeen late }
    freshness { state origin tier asOf calculatedAt expiresAt sources { service origin seenAt } }
    quality { observations coverageDays level }
    withheld { reason message retryAfter needed }
} }
fragment step on Step { title weight doneOn moods }
"""


def compiled_plans(document: DocumentNode) -> list[Any]:
    operation, *fragments = document.definitions
    held = projection.plans(operation, {f.name.value: f for f in fragments})  # type: ignore[arg-type,attr-defined]  # an operation, then fragments
    return list(held.compiled.values())


def test_a_whole_answer_is_projected_and_not_walked() -> None:
    document = parse(WHOLE)
    root = {"answer": answer(METRIC)}
    result = run(ProjectingExecutor, document, root)
    assert result.errors is None
    (project,) = compiled_plans(document)
    assert project(root["answer"]) == result.data["answer"]
    assert result.data["answer"]["value"] == PROGRESS


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inside:
        yield (key,)
        for rest in places(below):
            yield (key, *rest)


def test_an_odd_value_in_any_place_is_treated_as_on_the_ordinary_way() -> None:
    whole = answer(METRIC, withheld=WITHHELD) | {"value": PROGRESS}
    for place in places(whole):
        for odd in ODDITIES:
            changed = copy.deepcopy(whole)
            holder: Any = changed
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = odd
            compiled, ordinary = both(WHOLE, {"answer": changed})
            assert compiled == ordinary, (place, odd)


def test_a_key_that_is_missing_is_treated_as_on_the_ordinary_way() -> None:
    for key in PROGRESS:
        value = {name: said for name, said in PROGRESS.items() if name != key}
        compiled, ordinary = both(WHOLE, {"answer": answer(METRIC) | {"value": value}})
        assert compiled == ordinary, key


def test_a_withheld_answer_has_no_value() -> None:
    result = run(ProjectingExecutor, parse(WHOLE), {"answer": answer(METRIC, withheld=WITHHELD)})
    assert result.data["answer"]["value"] is None
    assert result.data["answer"]["withheld"] == WITHHELD


def test_a_document_is_compiled_once_for_each_choice_of_its_variables() -> None:
    document = parse("query($x: Boolean!) { answer { value { progress late @skip(if: $x) } } }")
    root = {"answer": answer(METRIC)}
    shown = [run(ProjectingExecutor, document, root, {"x": x}).data["answer"]["value"] for x in (True, False, True)]
    assert shown == [{"progress": 0.25}, {"progress": 0.25, "late": False}, {"progress": 0.25}]
    assert len(compiled_plans(document)) == 2


def test_a_variable_that_steers_nothing_makes_no_second_plan() -> None:
    document = parse("query($x: Boolean!, $z: Int) { answer { value { progress } } }")
    for z in range(5):
        run(ProjectingExecutor, document, {"answer": answer(METRIC)}, {"x": True, "z": z})
    assert len(compiled_plans(document)) == 1


def test_what_was_compiled_goes_with_its_document() -> None:
    gc.collect()
    before = len(projection._documents)
    for _ in range(50):
        run(ProjectingExecutor, parse(WHOLE), {"answer": answer(METRIC)})
    gc.collect()
    assert len(projection._documents) <= before


def test_documents_that_stay_are_bounded_too() -> None:
    root = {"answer": answer(METRIC)}
    kept = [parse("{ answer { __typename } }") for _ in range(projection.MOST_DOCUMENTS + 10)]
    for document in kept:
        run(ProjectingExecutor, document, root)
    assert len(projection._documents) <= projection.MOST_DOCUMENTS
    assert run(ProjectingExecutor, kept[0], root).data == {"answer": {"__typename": "ProgressAnswer"}}


def test_plans_of_one_document_are_bounded() -> None:
    names = [f"v{n}" for n in range(10)]
    fields = " ".join(f"a{n}: progress @skip(if: ${n})" for n in names)
    document = parse(
        f"query({' '.join(f'${n}: Boolean!' for n in names)}) {{ answer {{ value {{ {fields} late }} }} }}"
    )
    for chosen in itertools.product([True, False], repeat=len(names)):
        values = dict(zip(names, chosen, strict=True))
        data = run(ProjectingExecutor, document, {"answer": answer(METRIC)}, values).data
        assert len(data["answer"]["value"]) == 1 + chosen.count(False)
    assert len(compiled_plans(document)) == projection.MOST_PLANS


def test_fragments_of_the_same_name_in_another_document_are_other_fragments() -> None:
    root = {"answer": answer(METRIC)}
    one = parse("{ answer { ...part } } fragment part on ProgressAnswer { quality { level } }")
    other = parse("{ answer { ...part } } fragment part on ProgressAnswer { withheld { message } }")
    crossed = DocumentNode(definitions=(one.definitions[0], other.definitions[1]))
    assert run(ProjectingExecutor, one, root).data == {"answer": {"quality": {"level": "OK"}}}
    assert run(ProjectingExecutor, crossed, root).data == {"answer": {"withheld": None}}
    assert run(ProjectingExecutor, one, root).data == {"answer": {"quality": {"level": "OK"}}}


def test_what_is_projected_is_a_copy() -> None:
    value = answer(METRIC)
    data = run(ProjectingExecutor, parse(WHOLE), {"answer": value}).data
    data["answer"]["value"]["grid"][0].append(9.0)
    data["answer"]["freshness"]["sources"].clear()
    assert value == answer(METRIC)


async def test_an_extension_that_watches_fields_sees_every_one() -> None:
    seen: list[str] = []

    class Watching(strawberry.extensions.SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(info.field_name)
            return _next(root, info, *args, **kwargs)

    schema = build(METRICS)
    schema.extensions = (Watching,)
    await schema.execute("{ learner { analytics { progress { quality { level } } } } }", context_value=lena())
    assert seen == ["learner", "analytics", "progress", "quality", "level"]


def test_a_directive_the_compiler_does_not_know_goes_the_ordinary_way() -> None:
    document = parse("{ answer { quality { level @live } } }")
    assert run(ProjectingExecutor, document, {"answer": answer(METRIC)}).data == {
        "answer": {"quality": {"level": "OK"}}
    }
    assert compiled_plans(document) == []
