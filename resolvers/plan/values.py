"""Values from kept JSON to the bytes of a selection.

A selection of plain types becomes a tree of msgspec structs whose fields are those selected, in the order of the
response: decoding validates what is selected and leaves out the rest, encoding writes it, both without a step of
Python. What structs cannot say (one field under another name) is compiled as `resolvers.projection` does. What
neither takes unchanged is not said at all: the ordinary way knows what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
)

from analytics.planned import Unplanned
from resolvers.compiling import compiled
from resolvers.plan.kept import INT
from resolvers.types import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graphql import GraphQLSchema
    from graphql.execution.collect_fields import FieldDetails

    from resolvers.compiling import Collect

PLAIN_FLOAT = 1e16
"""From here on msgspec writes exponents as orjson does not."""

FLOAT = Annotated[float, msgspec.Meta(gt=-PLAIN_FLOAT, lt=PLAIN_FLOAT)]
SCALARS: dict[str, Any] = {
    **dict.fromkeys(("Float", "Score", "Share"), FLOAT),
    **dict.fromkeys(("Int", "Seconds"), INT),
    **dict.fromkeys(("String", "ID", "DateTime", "Date", "UUID"), str),
    "Boolean": bool,
}

encode = msgspec.json.Encoder().encode


class Renamed(Exception):  # noqa: N818 - no error: another way of compiling is for it
    """A field is to be called by another name."""


class Value:
    """A selection of one type: `one` makes bytes of the JSON text of a value, `many` of a list of such or null.

    Both raise for text that is not what the schema declares, as `resolvers.plan.SPOILT` lists.
    """

    def __init__(
        self, schema: GraphQLSchema, kind: GraphQLObjectType, details: list[FieldDetails], collect: Collect
    ) -> None:
        """Compile a selection.

        Raises:
            Unplanned: a type in it is not plain.
        """
        self.members = tuple(
            dict.fromkeys(
                name for parts in collect(kind, details).values() if (name := parts[0].node.name.value) != "__typename"
            )
        )
        self.one: Callable[[str], bytes]
        self.many: Callable[[str], Iterable[bytes]]
        try:
            struct = _struct(schema, kind, details, collect)
        except Renamed:
            self.one, self.many = _projected(schema, kind, details, collect)
        else:
            self.one, self.many = _structured(struct)


def _structured(struct: Any) -> tuple[Callable[[str], bytes], Callable[[str], Iterable[bytes]]]:
    read = msgspec.json.Decoder(struct).decode
    read_many = msgspec.json.Decoder(list[struct | None]).decode
    return lambda text: encode(read(text)), lambda text: map(encode, read_many(text))


def _projected(
    schema: GraphQLSchema, kind: GraphQLObjectType, details: list[FieldDetails], collect: Collect
) -> tuple[Callable[[str], bytes], Callable[[str], Iterable[bytes]]]:
    project = compiled(schema, kind, details, collect)
    if project is None:
        raise Unplanned

    def one(text: str) -> bytes:
        return orjson.dumps(project(orjson.loads(text)))

    def many(text: str) -> Iterable[bytes]:
        return [orjson.dumps(None if value is None else project(value)) for value in orjson.loads(text)]

    return one, many


def _struct(schema: GraphQLSchema, kind: GraphQLObjectType, details: list[FieldDetails], collect: Collect) -> Any:
    """The struct of a selection on one object type."""
    if not is_plain(kind):
        raise Unplanned
    fields: list[Any] = []
    names: dict[str, str] = {}
    for key, parts in collect(kind, details).items():
        name = parts[0].node.name.value
        if name != key:
            raise Renamed
        attribute = f"f{len(fields)}"
        names[attribute] = name
        if name == "__typename":
            # Nothing that is kept says it, and so it has a default.
            fields.append((attribute, Literal[kind.name], kind.name))
            continue
        field = schema.get_field(kind, name)
        if field is None or field.args:
            raise Unplanned
        fields.append((attribute, _hint(schema, field.type, parts, collect)))
    return msgspec.defstruct(kind.name, fields, rename=names, kw_only=True, gc=False)


def _hint(schema: GraphQLSchema, kind: GraphQLOutputType, parts: list[FieldDetails], collect: Collect) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _present(schema, kind.of_type, parts, collect)
    return _present(schema, kind, parts, collect) | None


def _present(schema: GraphQLSchema, kind: Any, parts: list[FieldDetails], collect: Collect) -> Any:
    match kind:
        case GraphQLEnumType() if all(member.value == said for said, member in kind.values.items()):
            return Literal[tuple(kind.values)]
        case GraphQLScalarType() if kind.name in SCALARS:
            return SCALARS[kind.name]
        case GraphQLObjectType():
            return _struct(schema, kind, parts, collect)
        case GraphQLList():
            return list[_hint(schema, kind.of_type, parts, collect)]  # type: ignore[misc]  # worked out at run time
        case _:
            raise Unplanned
