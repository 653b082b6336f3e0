"""What a document may ask for is counted once, in a time that grows with its text and not with what it expands to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.bounded import Bounded
from gateway.documents import Document, Documents
from gateway.limits import Limits, Measure, Tally, measure
from tests.gateway.edge import SCHEMA

GRAPHQL_SCHEMA = SCHEMA._schema
LIMITS = Limits()


def tally(text: str) -> Tally:
    found = measure(GRAPHQL_SCHEMA, parse(text), LIMITS.page)
    return next(iter(found.operations.values()))


def read(text: str, limits: Limits = LIMITS, *, suggestions: bool = False) -> Document:
    return Documents(GRAPHQL_SCHEMA, limits, suggestions=suggestions).get(text)


def doubling(levels: int) -> str:
    """A document that expands to 2 to the power of `levels` fields."""
    spreads = "".join(
        f"fragment F{n} on Query {{ a: me {{ ...F{n + 1} }} b: me {{ ...F{n + 1} }} }} " for n in range(levels)
    )
    return f"{{ ...F0 }} {spreads} fragment F{levels} on Query {{ hello }}"


@pytest.mark.parametrize("levels", [1, 18, 60])
def test_a_fragment_is_walked_once_however_often_it_is_spread(levels: int) -> None:
    measured = measure(GRAPHQL_SCHEMA, parse(doubling(levels)), LIMITS.page)
    found = measured.operations[None]
    assert measured.steps == 4 * levels + 2
    assert found.fields == 2 ** (levels + 1) - 2 + 2**levels
    assert found.aliases == 2 ** (levels + 1) - 2
    assert found.depth == levels + 1


def test_a_document_that_expands_to_billions_is_refused_by_counting() -> None:
    errors = read(doubling(60)).errors
    assert {error["extensions"]["limit"] for error in errors} == {"depth", "fields", "aliases", "cost"}


@given(st.recursive(st.just("{ hello }"), lambda inner: st.lists(inner, min_size=1, max_size=3).map(
    lambda parts: "{ " + " ".join(f"x{n}: me {part}" for n, part in enumerate(parts)) + " }"
), max_leaves=20))  # fmt: skip
def test_a_fragment_counts_as_what_it_holds(selection: str) -> None:
    whole = tally(selection)
    assert tally(f"{{ ...F }} fragment F on Query {selection}") == whole
    assert tally(f"{{ ... on Query {selection} }}") == whole
    twice = tally(f"{{ ...F ...F }} fragment F on Query {selection}")
    assert (twice.fields, twice.aliases, twice.cost) == (2 * whole.fields, 2 * whole.aliases, 2 * whole.cost)
    assert twice.depth == whole.depth


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ hello }", 0),
        ("{ me { hello } }", 1),
        ("{ me { me { hello } } }", 2),
        ("{ people { me { hello } } }", 11),
        ("{ people(first: 3) { me { hello } } }", 4),
        ("query($n: Int) { people(first: $n) { me { hello } } }", 201),
        ("query($n: Int = 7) { people(first: $n) { me { hello } } }", 8),
        ("query($n: Int = null) { people(first: $n) { me { hello } } }", 201),
        ("mutation { change }", 100),
        ("mutation { a: change ...F } fragment F on Mutation { change }", 200),
        ("subscription { ticks }", 100),
        ("{ people(first: 3) { people(first: 5) { me { hello } } } }", 1 + 3 * (1 + 5)),
        ("{ people(first: -3) { me { hello } } }", 1),
        ("{ people(first: 99999999999999999999) { me { hello } } }", 1 + 10**9),
        ("{ nothing { me { hello } } }", 0),
    ],
)
def test_cost_counts_objects_and_a_page_counts_its_nodes(text: str, cost: int) -> None:
    assert tally(text).cost == cost


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (replace(LIMITS, depth=2), "{ me { hello } }", "{ me { me { hello } } }"),
        (replace(LIMITS, depth=2), "{ me { hello } }", "{ me { ...F } } fragment F on Query { me { hello } }"),
        (replace(LIMITS, aliases=1), "{ a: hello }", "{ a: hello b: hello }"),
        (replace(LIMITS, aliases=1), "{ a: hello }", "{ ...F me { ...F } } fragment F on Query { a: hello }"),
        (replace(LIMITS, fields=2), "{ hello hello }", "{ hello hello hello }"),
        (
            replace(LIMITS, roots=1),
            "{ me { hello me { hello } } }",
            "{ hello ... { ...F } } fragment F on Query { hello }",
        ),
        (replace(LIMITS, cost=1), "{ me { hello } }", "{ me { hello } a: me { hello } }"),
        (
            replace(LIMITS, directives=1),
            "{ hello @skip(if: true) }",
            "{ hello @skip(if: true) ... @include(if: true) { hello } }",
        ),
        (
            replace(LIMITS, fragments=1),
            "{ ...A } fragment A on Query { hello }",
            "{ ...A ...B } fragment A on Query { hello } fragment B on Query { hello }",
        ),
        (replace(LIMITS, repeats=1), "{ hello hello }", "{ hello hello me { me { __typename } } }"),
        (replace(LIMITS, operations=1), "{ hello }", "{ hello } { me { __typename } }"),
        (replace(LIMITS, operations=1), "query A { hello }", "query A { hello } query B { hello }"),
    ],
)
def test_each_limit_lets_its_own_number_pass_and_no_more(limits: Limits, good: str, bad: str) -> None:
    assert read(good, limits).errors == ()
    (error,) = read(bad, limits).errors
    assert error["extensions"]["code"] == "DOCUMENT_LIMIT"
    assert error["extensions"]["found"] == error["extensions"]["allowed"] + 1


def test_tokens_and_comments_are_bounded_before_anything_is_parsed() -> None:
    limits = replace(LIMITS, tokens=100, comments=10)
    assert read("{ me {" + " hello" * 95 + "} }", limits).errors == ()
    for text, name, allowed in (
        ("{" + " hello" * 101 + "}", "tokens", 100),
        ("#\n" * 11 + "{ hello }", "comments", 10),
    ):
        (error,) = read(text, limits).errors
        found = {"code": "DOCUMENT_LIMIT", "limit": name, "allowed": allowed, "found": allowed + 1}
        assert error["extensions"] == found


@pytest.mark.parametrize("opening", ["me {", "... {", "... on Query {"])
def test_nesting_past_the_interpreters_depth_is_a_clean_error(opening: str) -> None:
    levels = 1_200
    for text in ("{" + opening * levels, "{" + opening * levels + "hello" + "}" * levels + "}"):
        (error,) = read(text, replace(LIMITS, tokens=100_000)).errors
        assert "deep" in error["message"]


def test_a_chain_of_fragments_past_the_interpreters_depth_is_a_clean_error() -> None:
    chain = " ".join(f"fragment F{n} on Query {{ me {{ ...F{n + 1} }} }}" for n in range(900))
    document = read("{ ...F0 } " + chain + " fragment F900 on Query { hello }", replace(LIMITS, tokens=100_000))
    assert document.errors


CIRCLE = "{ ...A } fragment A on Query { me { ...B } } fragment B on Query { me { ...A } }"


@pytest.mark.parametrize("text", ["{ ...A } fragment A on Query { ...A }", CIRCLE])
def test_fragments_in_a_circle_are_left_to_validation(text: str) -> None:
    assert {error["extensions"]["code"] for error in read(text).errors} == {"GRAPHQL_VALIDATION_FAILED"}


def test_a_document_is_read_once() -> None:
    documents = Documents(GRAPHQL_SCHEMA, LIMITS)
    assert documents.get("{ hello }") is documents.get("{ " + "hello }")
    assert documents.get("{ nope }") is documents.get("{ nope }")


def test_documents_are_forgotten_by_count_and_by_size() -> None:
    few = Documents(GRAPHQL_SCHEMA, LIMITS, count=2)
    first = few.get("{ hello }")
    few.get("{ me { hello } }")
    assert few.get("{ hello }") is first
    few.get("{ a: hello }")
    assert len(few) == 2
    assert few.get("{ hello }") is first
    small = Documents(GRAPHQL_SCHEMA, LIMITS, mebibytes=1)
    for n in range(100):
        small.get("{ hello }" + " " * 1_000 + f"#{n}")
    assert len(small) < 10


def test_suggestions_are_only_made_when_asked_for() -> None:
    assert "Did you mean" in read("{ hell }", suggestions=True).errors[0]["message"]
    assert "Did you mean" not in read("{ hell }").errors[0]["message"]


def test_the_number_of_errors_is_bounded() -> None:
    assert len(read("{" + " ".join(f"nope{n}" for n in range(500)) + "}").errors) < 25


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("{ hello me { hello } }", 1),
        ("{ a: hello b: hello }", 0),
        ("{ ...F ...F } fragment F on Query { hello }", 1),
        ("{ hello } fragment Unused on Query { hello hello }", 3),
        ("{" + " hello" * 2_000 + "}", 1_999_000),
    ],
)
def test_repeated_names_are_counted_in_pairs_over_the_whole_text(text: str, pairs: int) -> None:
    assert measure(GRAPHQL_SCHEMA, parse(text), LIMITS.page).repeats == pairs


def test_introspection_and_roots_are_seen_through_fragments() -> None:
    found = tally("{ ...F me { hello } } fragment F on Query { ... { __schema { types { name } } } hello }")
    assert found.introspects
    assert found.roots == {"__schema", "hello", "me"}
    assert not tally("{ __typename me { __typename } }").introspects


def test_an_unknown_fragment_counts_as_nothing() -> None:
    walk = Measure(GRAPHQL_SCHEMA, {}, LIMITS.page)
    assert walk.operation(parse("{ ...Missing }").definitions[0]) == Tally()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=50))
def test_what_is_kept_never_outgrows_its_bounds(entries: list[tuple[int, int]]) -> None:
    kept: Bounded[int, int] = Bounded(count=4, weight=9)
    for key, weight in entries:
        kept.keep(key, weight, weight)
        assert kept.get(key) == weight
        assert len(kept) <= 4
        assert kept.held == sum(kept.get(key) or 0 for key in range(10)) <= 9


def test_what_is_heavier_than_everything_is_not_kept() -> None:
    kept: Bounded[str, str] = Bounded(count=4, weight=9)
    kept.keep("a", "light", 9)
    kept.keep("b", "heavy", 10)
    assert (kept.get("a"), kept.get("b")) == ("light", None)
