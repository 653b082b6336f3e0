"""Every place in the schema that takes text, found by walking it, and documents that give it some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from gateway.app import SCHEMA
from resolvers.ids import to_global
from tests.cast import LENA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRAPH = build_schema(SCHEMA.as_str())
TEXT = {"String", "ID"}
DEEPEST = 3
LENAS = to_global("Learner", LENA)
SAMPLES = {"Int": 1, "Float": 1.0, "Boolean": True, "Date": "2026-03-02", "DateTime": "2026-03-02T00:00:00Z"}
HELD = {"edges", "node", "job"}
"""The fields by which a list or a result holds what it is about."""


@dataclass(frozen=True, slots=True)
class Place:
    """An argument, or a member of one, that takes text: the way to its field, and the way to it in the arguments."""

    operation: str
    fields: tuple[tuple[str, GraphQLField], ...]
    inside: tuple[str, ...]

    def asked(
        self, text: str, selected: Callable[[GraphQLNamedType], str] = lambda _: "__typename"
    ) -> tuple[str, dict[str, Any]]:
        """A document that gives it this text, and the variables; `selected` says what is asked of a type."""
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
        kind = get_named_type(self.fields[-1][1].type)
        if not is_leaf_type(kind):
            opening += f"{{ {selected(kind)} "
            closing += "}"
        return f"{self.operation}({', '.join(declared)}) {opening}{closing}", variables


def everything(kind: GraphQLNamedType) -> str:
    """All leaves of a type, of each that it may be, and of what it is a list or a result of."""
    if isinstance(kind, GraphQLUnionType):
        return " ".join(f"... on {one.name} {{ {_leaves(one)} }}" for one in kind.types)
    if isinstance(kind, GraphQLInterfaceType):
        return " ".join(f"... on {one.name} {{ {_leaves(one)} }}" for one in GRAPH.get_possible_types(kind))
    return _leaves(kind)


def _leaves(kind: Any) -> str:
    names = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if is_leaf_type(inner) and not any(map(is_required_argument, field.args.values())):
            names.append(f"{kind.name}_{name}: {name}")
        elif name in HELD:
            names.append(f"{name} {{ {_leaves(inner)} }}")
    return " ".join(names)


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
