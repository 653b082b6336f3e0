"""What a client gives a document: its variables, and the arguments of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    NamedTypeNode,
    NonNullTypeNode,
    VariableNode,
    Visitor,
    get_argument_values,
    get_variable_values,
    visit,
)
from graphql.execution.values import VariableValues

from analytics.planned import Unplanned
from resolvers.compiling import steered_by
from resolvers.plan.drafting import Always

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import FieldNode, GraphQLField, GraphQLSchema, Node, OperationDefinitionNode, VariableDefinitionNode

    from resolvers.plan.drafting import Given, Maker

NONE = VariableValues({}, {})
"""No variables."""

TEXTS = {"ID", "String"}
"""Types that take any text as it comes."""

MOST = 256
"""The most values that are remembered of the variables of one operation."""

SHORT = 100
"""Characters of the longest text that is remembered."""

SMALL = (bool, int, float, str, type(None))
MISSING = object()


class Variables:
    """The variables that an operation declares, each coerced once for each small value it was seen with."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._declared = [
            (node.variable.name.value, node, _takes_text(node)) for node in operation.variable_definitions or ()
        ]
        self._known: dict[tuple[str, type, Any], dict[str, Any]] = {}

    def of(self, told: Mapping[str, Any] | None) -> VariableValues:
        """The values of the variables, as the executor takes them.

        Raises:
            Unplanned: they are not what is declared.
        """
        coerced: dict[str, Any] = {}
        for name, node, takes_text in self._declared:
            value = MISSING if told is None else told.get(name, MISSING)
            if takes_text and type(value) is str:
                coerced[name] = value
            else:
                coerced |= self._coerced(name, node, value)
        return VariableValues({}, coerced)

    def _coerced(self, name: str, node: VariableDefinitionNode, value: Any) -> dict[str, Any]:
        """One variable by its name; nothing where it is left out."""
        small = value is MISSING or (isinstance(value, SMALL) and (type(value) is not str or len(value) <= SHORT))
        key = (name, type(value), value) if small else None
        if key is not None and (found := self._known.get(key)) is not None:
            return found
        values = get_variable_values(
            self._schema, [node], {} if value is MISSING else {name: value}, hide_suggestions=True
        )
        if isinstance(values, list):
            raise Unplanned
        if key is not None and len(self._known) < MOST:
            self._known[key] = values.coerced
        return values.coerced


def _takes_text(node: VariableDefinitionNode) -> bool:
    kind = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
    return isinstance(kind, NamedTypeNode) and kind.name.value in TEXTS


def steering(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> tuple[str, ...]:
    """The variables that decide, by `@skip` and `@include`, what an operation selects.

    Raises:
        Unplanned: it has other directives, or fragments with variables of their own.
    """
    names: dict[str, None] = {}
    met: set[str] = set()
    if operation.directives:
        raise Unplanned
    waiting = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            steered = steered_by(selection)
            if steered is None:
                raise Unplanned
            names.update(dict.fromkeys(steered))
            below = getattr(selection, "selection_set", None)
            if isinstance(selection, FragmentSpreadNode) and (name := selection.name.value) not in met:
                met.add(name)
                if name not in fragments or fragments[name].variable_definitions or fragments[name].directives:
                    raise Unplanned
                below = fragments[name].selection_set
            if below:
                waiting.append(below)
    return tuple(names)


class _Looking(Visitor):
    """Notes whether there is a variable in a node."""

    found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def varies(node: Node) -> bool:
    """Whether there is a variable in a node."""
    looking = _Looking()
    visit(node, looking)
    return looking.found


def arguments(field: GraphQLField, node: FieldNode) -> Maker[dict[str, Any]]:
    """The arguments of a field as its resolver gets them.

    Raises:
        Unplanned: they are no good.
    """
    said = {one.name.value: one.value for one in node.arguments or ()}
    if not any(varies(value) for value in said.values()):
        return Always(_worked_out(field, node, NONE))
    ((name, argument), *others) = field.args.items()
    if not others and isinstance(value := said[name], VariableNode):
        variable, name = value.name.value, argument.out_name or name

        def straight(given: Given) -> dict[str, Any]:
            found = given.values.coerced
            # A variable that is not there, or null, is for the rules about defaults.
            if found.get(variable) is None:
                return _worked_out(field, node, given.values)
            return {name: found[variable]}

        return straight
    return lambda given: _worked_out(field, node, given.values)


def _worked_out(field: GraphQLField, node: FieldNode, values: VariableValues) -> dict[str, Any]:
    try:
        return get_argument_values(field, node, values)
    except GraphQLError:
        raise Unplanned from None
