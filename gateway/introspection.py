"""What it costs to read the schema: the fields that every schema has, and how much of this one they tell.

The rule that lists of types do not go in circles is the validation's (`MaxIntrospectionDepthRule`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    TypeNameMetaFieldDef,
    is_introspection_type,
)

if TYPE_CHECKING:
    from graphql import GraphQLField, GraphQLNamedType

EVERYWHERE = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef, "__typename": TypeNameMetaFieldDef}
FIELDS_FOR_ONE = 3
"""So many fields of the schema are read for the cost of one object: to read all of it takes most of what a document
may cost, and to read it twice takes more."""
LISTS = {"fields": 5, "directives": 10}
"""How long a list is for one type, or for the schema; the other lists are empty for most types."""
WRAPPED = 2
"""Of so many types of fields one is another with a mark on it, and of those again."""
LARGEST = 10
"""How much more there is to the largest type than to most."""


def field_of(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    """A field of a type by its name; every type has those of introspection."""
    if name in EVERYWHERE:
        return EVERYWHERE[name]
    return parent.fields.get(name) if isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)) else None


def reads_schema(parent: GraphQLNamedType | None, name: str) -> bool:
    """Whether a field tells of the schema."""
    return name in {"__schema", "__type"} or (parent is not None and is_introspection_type(parent))


def reading(name: str, inner: int, types: int) -> int:
    """What it costs to read a field of a schema of so many types, of whose values each one costs `inner`.

    What is inside of the schema is counted in fields, leaves as well; the two fields that open it in costs.
    """
    if name == "__schema":
        return 1 + inner // FIELDS_FOR_ONE
    if name == "__type":
        return 1 + inner * LARGEST // FIELDS_FOR_ONE
    if name == "ofType":
        return 1 + inner // WRAPPED
    return 1 + inner * (types if name == "types" else LISTS.get(name, 1))
