"""Every argument that takes text is given text that means something to somebody else: it means nothing here.

The documents are found by walking the schema, so that an argument that is new is tried by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)
from structlog.testing import capture_logs

from datasources.postgres.connection import connect
from gateway.app import SCHEMA
from resolvers.ids import to_global
from tests.campus import small_campus
from tests.cast import ACME, LENA, OTHER, TOMAS
from tests.river.banks import Clock, Services, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Clone
    from tests.river.banks import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRAPH = build_schema(SCHEMA.as_str())
TEXT = {"String", "ID"}
DEEPEST = 3
LENAS = to_global("Learner", LENA)
SAMPLES = {"Int": 1, "Float": 1.0, "Boolean": True, "Date": "2026-03-02", "DateTime": "2026-03-02T00:00:00Z"}

ATTEMPTS = {
    "a quote": "'",
    "a drop": "'; DROP TABLE answers; --",
    "a union": "x' UNION SELECT id, name, email, NULL FROM people --",
    "always": "%' OR '1'='1",
    "a setting": "'||set_config('app.role','system',false)||'",
    "a pattern": "%_\\",
    "a line of the log": 'x\n{"event": "signed in", "role": "org-admin"}',
    "a null": "x\u0000y",
    "a template": "{{7*7}}${7*7}%(x)s{0.__class__}",
    "half a character": "\ud800",
    "much": "a" * 20_000,
}


@dataclass(frozen=True, slots=True)
class Place:
    """An argument, or a member of one, that takes text: the way to its field, and the way to it in the arguments."""

    operation: str
    fields: tuple[tuple[str, GraphQLField], ...]
    inside: tuple[str, ...]

    def asked(self, text: str) -> tuple[str, dict[str, Any]]:
        """A document that gives it this text, and the variables."""
        declared: list[str] = []
        variables: dict[str, Any] = {}
        opening, closing = "", ""
        for depth, (name, field) in enumerate(self.fields):
            given = []
            for argument, about in field.args.items():
                tried = depth == len(self.fields) - 1 and argument == self.inside[0]
                if tried or is_required_argument(about):
                    variable = f"v{len(declared)}"
                    declared.append(f"${variable}: {about.type}")
                    given.append(f"{argument}: ${variable}")
                    variables[variable] = _value(about, self.inside[1:] if tried else None, text)
            opening += f"{{ {name}{'(' + ', '.join(given) + ')' if given else ''} "
            closing += "}"
        if not _is_leaf(self.fields[-1][1]):
            opening += "{ __typename "
            closing += "}"
        return f"{self.operation}({', '.join(declared)}) {opening}{closing}", variables


def _is_leaf(field: GraphQLField) -> bool:
    kind = get_named_type(field.type)
    return not (hasattr(kind, "fields") or hasattr(kind, "types"))


def _value(about: GraphQLArgument | GraphQLInputField, inside: tuple[str, ...] | None, text: str) -> Any:
    """What is given: the text where the way ends, and what is needed beside it. None in `inside`: a sample."""
    kind = about.type.of_type if isinstance(about.type, GraphQLNonNull) else about.type
    if isinstance(kind, GraphQLList):
        item = GraphQLArgument(kind.of_type)
        return [_value(item, inside, text)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: _value(field, inside[1:] if inside and inside[0] == name else None, text)
            for name, field in kind.fields.items()
            if is_required_input_field(field) or (inside and inside[0] == name)
        }
    if inside is not None:
        return text
    return next(iter(kind.values)) if isinstance(kind, GraphQLEnumType) else SAMPLES.get(kind.name, LENAS)


def _places() -> Iterator[tuple[str, Place]]:
    """Every place that takes text, by its coordinate; each once, by a short way to it."""
    seen: set[str] = set()
    roots = (("query", GRAPH.query_type), ("mutation", GRAPH.mutation_type))
    waiting = [(operation, root, ()) for operation, root in roots if root is not None]
    while waiting:
        operation, kind, way = waiting.pop(0)
        for name, field in kind.fields.items():
            fields = (*way, (name, field))
            for argument, about in field.args.items():
                for inside in _texts(about.type, (argument,)):
                    coordinate = f"{kind.name}.{name}({'.'.join(inside)})"
                    if coordinate not in seen:
                        seen.add(coordinate)
                        yield coordinate, Place(operation, fields, inside)
            inner = get_named_type(field.type)
            if operation == "query" and isinstance(inner, GraphQLObjectType) and len(fields) < DEEPEST:
                waiting.append((operation, inner, fields))


def _texts(kind: Any, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    named = get_named_type(kind)
    if named.name in TEXT:
        yield way
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _texts(field.type, (*way, name))


PLACES = dict(_places())


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """What was logged, which would only clutter the report."""
    with capture_logs():
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(module_clone: Clone) -> AsyncIterator[Gateway]:
    async with running(module_clone.app_url, Services(small_campus()), Clock()) as opened:
        for who in ("lena", "sam", "olga"):
            await opened.dashboard(who)
        await opened.settled()
        yield opened


async def rows(url: str) -> dict[str, int]:
    """How many rows there are of what nobody here may change."""
    connection = await connect(url)
    try:
        counted = await connection.fetch(
            "SELECT 'people' AS name, count(*) FROM people UNION ALL SELECT 'courses', count(*) FROM courses "
            "UNION ALL SELECT 'enrollments', count(*) FROM enrollments UNION ALL SELECT 'syncs', count(*) FROM syncs"
        )
        return dict(counted)
    finally:
        await connection.close()


async def test_the_walk_finds_what_takes_text() -> None:
    assert {"Query.learner(id)", "Query.nodes(ids)", "Organization.learners(filter.search)"} <= PLACES.keys()
    assert any(place.operation == "mutation" for place in PLACES.values())


@pytest.mark.parametrize("who", ["olga", "sam"])
@pytest.mark.parametrize("coordinate", PLACES)
async def test_text_means_nothing_but_itself(gateway: Gateway, module_clone: Clone, coordinate: str, who: str) -> None:
    before = await rows(module_clone.owner_url)
    for attempt, text in ATTEMPTS.items():
        document, variables = PLACES[coordinate].asked(text)
        reply = await gateway.ask(document, who, **variables)
        said = f"{coordinate} with {attempt}: {reply.text[:300]}"
        assert reply.status < 500, said
        assert "INTERNAL_SERVER_ERROR" not in reply.codes, said
        assert "GRAPHQL_VALIDATION_FAILED" not in reply.codes, said
        assert who != "sam" or not any(one in reply.text for one in ("Lena", "Tomas", "Acme", LENA, TOMAS)), said
        assert who != "olga" or not any(one in reply.text for one in ("Sam", OTHER)), said
    assert await rows(module_clone.owner_url) == before
    assert ACME in {one.organization for one in await gateway.kept()}
