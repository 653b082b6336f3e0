"""Plain values adopted as GraphQL types: names, nullability, descriptions and scalars from their annotations.

A value travels as a dict in wire shape, so an adopted type reads its fields by key and an adopted
enum has its member names for values. Adopted types are marked `plain`: the projection compiles them.
"""

import ast
import functools
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Optional, TypeVar, Union, get_args, get_origin
from uuid import UUID

import strawberry
from graphql import GraphQLObjectType

from analytics.codec import camel
from analytics.declare import DataQuality, DeclarationError
from analytics.describe import describe
from datasources.breaker import State
from datasources.course import Result
from datasources.postgres.jobs import Kind, Status
from datasources.report import Cause, ErrorCount, ServiceReport
from resolvers.scalars import BY_UNIT, unit_of

F = TypeVar("F", bound=Callable[..., Any])

NAMES: dict[type[Any], str] = {
    ServiceReport: "ServiceStatus",
    State: "BreakerState",
    ErrorCount: "ServiceErrors",
    Cause: "ServiceErrorCause",
    Result: "CourseResult",
    Kind: "JobKind",
    Status: "JobStatus",
}
"""What has another name in the graph, where its own would say too little."""


class Plain:
    """What every adopted type inherits: its fields are keys of a dict, it has no resolvers."""

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """A value that could be one of several says in `__typename` which one it is."""
        name: str = cls.__strawberry_definition__.name  # type: ignore[attr-defined]  # Strawberry puts it there
        return not isinstance(value, dict) or value.get("__typename", name) == name


@dataclass(frozen=True, slots=True)
class OneOf:
    """The note on a hint that is one of several value types: the name of the union, and what it is."""

    name: str
    description: str


def field(description: str, name: str | None = None) -> Callable[[F], F]:
    """A field that the decorated method resolves; `strawberry.field`, with the method's type kept.

    It has the method's name unless said.
    """
    decorate: Callable[[F], F] = strawberry.field(description=description, name=name)
    return decorate


def read(source: Any, name: str) -> Any:
    """A field without a resolver: the key of a dict, the attribute of anything else."""
    return source.get(name) if isinstance(source, dict) else getattr(source, name)


def is_plain(kind: GraphQLObjectType) -> bool:
    """Whether a type of the schema is an adopted one."""
    definition = kind.extensions.get("strawberry-definition")
    return definition is not None and issubclass(definition.origin, Plain)


def adopt(kind: Any) -> Any:
    """The GraphQL type of a value dataclass or an enum, and of all inside it; the same one every time.

    Raises:
        DeclarationError: a field without a sentence, or of a kind that GraphQL cannot say.
    """
    return _adopt_enum(kind) if issubclass(kind, Enum) else _adopt_value(kind)


@functools.cache
def _adopt_value(kind: Any) -> type[Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    docs = describe(kind)
    names = [f.name for f in fields(kind) if hints[f.name] is not DataQuality]  # an answer says it, beside the value
    return plain(
        NAMES.get(kind, kind.__name__),
        inspect.getdoc(kind),
        {camel(name): (graphql_type(hints[name], f"{kind.__name__}.{name}"), docs[name]) for name in names},
    )


def plain(
    name: str, description: str | None, shape: Mapping[str, tuple[Any, str]], interface: type[Any] | None = None
) -> type[Any]:
    """A plain type of this name and shape: wire key to annotation and description."""
    namespace: dict[str, Any] = {key: strawberry.field(name=key, description=says) for key, (_, says) in shape.items()}
    namespace["__annotations__"] = {key: annotation for key, (annotation, _) in shape.items()}
    bases = (Plain,) if interface is None else (Plain, interface)
    made = types.new_class(name, bases, exec_body=lambda body: body.update(namespace))
    return strawberry.type(made, name=name, description=description)


@functools.cache
def _adopt_enum(kind: type[Enum]) -> type[Enum]:
    name = NAMES.get(kind, kind.__name__)
    # The wire has names, never values; so the mirror's values are its names.
    mirror = StrEnum(name, {member: member for member in kind.__members__})  # type: ignore[misc]  # mypy wants literals
    made = strawberry.enum(mirror, name=name, description=inspect.getdoc(kind))
    says = _member_docs(kind)
    for member in made.__strawberry_definition__.values:  # type: ignore[attr-defined]  # Strawberry puts it there
        member.description = says.get(member.name)
    return made


def _member_docs(kind: type[Enum]) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = typing.cast("ast.ClassDef", tree).body
    docs: dict[str, str] = {}
    for statement, following in itertools.pairwise(body):
        match statement, following:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(sentence))):
                docs[name] = inspect.cleandoc(sentence)
    return docs


def graphql_type(hint: Any, where: str) -> Any:
    """The Strawberry annotation of a hint.

    Raises:
        DeclarationError: GraphQL has no word for it; the message names `where`.
    """
    if get_origin(hint) is Annotated:
        return _annotated(hint, where)
    if get_origin(hint) in (Union, types.UnionType):
        inner = [member for member in get_args(hint) if member is not type(None)]
        if len(inner) == 1:
            return Optional[graphql_type(inner[0], where)]  # noqa: UP045 - a NewType or mirror is no operand of `|`
    if get_origin(hint) is tuple:
        return list[graphql_type(get_args(hint)[0], where)]  # type: ignore[misc]  # worked out at run time
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, Enum)):
        return adopt(hint)
    if hint in (strawberry.ID, int, float, str, bool, datetime, date, UUID):
        return hint
    msg = f"{where}: GraphQL has no word for {hint}"
    raise DeclarationError(msg)


def _annotated(hint: Any, where: str) -> Any:
    bare, *notes = get_args(hint)
    for note in notes:
        if isinstance(note, OneOf):
            several: Any = Union[tuple(adopt(kind) for kind in get_args(bare))]  # noqa: UP007 - made at run time
            return Annotated[several, strawberry.union(note.name, description=note.description)]
    unit = unit_of(hint)
    return BY_UNIT[unit] if unit in BY_UNIT and unit is not None else graphql_type(bare, where)
