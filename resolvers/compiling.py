"""The compiler behind `resolvers.projection`: a selection of plain types to one Python function."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails

from resolvers.scalars import UNPLAIN
from resolvers.types import is_plain

Projection: TypeAlias = Callable[[Any], dict[str, Any]]
Collect: TypeAlias = Callable[[GraphQLObjectType, list[FieldDetails]], Mapping[str, list[FieldDetails]]]

STEERING = {"skip", "include"}


class Unplain(Exception):  # noqa: N818 - no error: the value, or the selection, is for the ordinary way
    """Not as plain as declared; the ordinary way decides."""


def steering(nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDetails]) -> tuple[str, ...] | None:
    """The variables that decide, by `@skip` and `@include`, what a selection holds.

    None when anything in it is beyond the compiler: another directive, an argument, a fragment with
    variables of its own.
    """
    names: dict[str, None] = {}
    visited: set[str] = set()
    waiting: list[SelectionSetNode] = [node.selection_set for node in nodes if node.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            steered = steered_by(selection)
            if steered is None or (isinstance(selection, FieldNode) and selection.arguments):
                return None
            names.update(dict.fromkeys(steered))
            below = getattr(selection, "selection_set", None)
            if isinstance(selection, FragmentSpreadNode) and (name := selection.name.value) not in visited:
                visited.add(name)
                if name not in fragments or fragments[name].variable_signatures:
                    return None
                below = fragments[name].definition.selection_set
            if below:
                waiting.append(below)
    return tuple(names)


def steered_by(selection: SelectionNode) -> list[str] | None:
    """The variables in the directives of one selection; None when a directive is another, or an odd one."""
    names = []
    for directive in selection.directives or ():
        match directive.name.value in STEERING, [argument.value for argument in directive.arguments or ()]:
            case True, [VariableNode() as variable]:
                names.append(variable.name.value)
            case True, [BooleanValueNode()]:
                pass
            case _:
                return None
    return names


def compiled(
    schema: GraphQLSchema, kind: GraphQLObjectType, details: list[FieldDetails], collect: Collect
) -> Projection | None:
    """The selection as a function from wire dict to response dict.

    The function raises `Unplain` or KeyError for a value that is not what the schema declares. None
    when a type in the selection is not plain.
    """
    writer = _Writer(schema, collect)
    try:
        name = writer.object(kind, details)
    except Unplain:
        return None
    # The source is ours; of the document only names are in it, as quoted text.
    exec("\n".join(writer.lines), writer.globals)  # noqa: S102 - see above
    function: Projection = writer.globals[name]
    return function


class _Writer:
    """Writes one function for each object of the selection, the innermost first."""

    def __init__(self, schema: GraphQLSchema, collect: Collect) -> None:
        self.schema = schema
        self.collect = collect
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {"Unplain": Unplain}
        self.made = 0

    def fresh(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}{self.made}"

    def object(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> str:
        """Write the function of one object; its name."""
        if not is_plain(kind):
            raise Unplain
        body = ["    if type(o) is not dict: raise Unplain"]
        shown = []
        for key, parts in self.collect(kind, details).items():
            field_name = parts[0].node.name.value
            if field_name == "__typename":
                shown.append(f"{key!r}: {kind.name!r}")
                continue
            field = self.schema.get_field(kind, field_name)
            if field is None or field.args:
                raise Unplain
            value = self.fresh("v")
            body.append(f"    {value} = o[{field_name!r}]")
            body.extend(self.value(field.type, value, parts, "    "))
            shown.append(f"{key!r}: {value}")
        name = self.fresh("project")
        self.lines += [f"def {name}(o):", *body, f"    return {{{', '.join(shown)}}}"]
        return name

    def value(self, kind: GraphQLOutputType, name: str, parts: list[FieldDetails], indent: str) -> list[str]:
        """Statements that turn the wire value in a variable into the response value, or raise."""
        match kind:
            case GraphQLNonNull():
                return self.present(kind.of_type, name, parts, indent)
            case _:
                return [f"{indent}if {name} is not None:", *self.present(kind, name, parts, indent + " ")]

    def present(self, kind: Any, name: str, parts: list[FieldDetails], indent: str) -> list[str]:
        """The same for a value that must not be null."""
        match kind:
            case GraphQLEnumType() if all(member.value == said for said, member in kind.values.items()):
                names = self.fresh("names")
                self.globals[names] = frozenset(kind.values)
                return [f"{indent}if type({name}) is not str or {name} not in {names}: raise Unplain"]
            case GraphQLScalarType() if kind.name in UNPLAIN:
                return [f"{indent}if {UNPLAIN[kind.name].format(v=name)}: raise Unplain"]
            case GraphQLObjectType():
                return [f"{indent}{name} = {self.object(kind, parts)}({name})"]
            case GraphQLList():
                item, items = self.fresh("i"), self.fresh("l")
                return [
                    f"{indent}if type({name}) is not list: raise Unplain",
                    f"{indent}{items} = []",
                    f"{indent}for {item} in {name}:",
                    *self.value(kind.of_type, item, parts, indent + " "),
                    f"{indent} {items}.append({item})",
                    f"{indent}{name} = {items}",
                ]
            case _:
                raise Unplain
