"""How much a document may ask for, measured in one linear walk.

Every fragment is measured once and its result remembered, so a document of n nodes costs n steps however
often its fragments are spread; graphs that would expand to millions of fields are counted, not walked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from gateway.introspection import field_of, reading, reads_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import DocumentNode, GraphQLNamedType, SelectionNode, SelectionSetNode, ValueNode

PAGING = ("first", "last", "ids", "representations")
INTROSPECTION = frozenset({"__schema", "__type", "_service"})
"""The fields that tell the schema; the last one tells it to a router."""
HUGE = 10**9
BESIDES = {OperationType.QUERY: 0, OperationType.MUTATION: 100, OperationType.SUBSCRIPTION: 100}
"""What each root field costs beside what it answers: a mutation is a transaction, an audit row and often a job;
a subscription is a place that is held, and its answer comes again with every event."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may have at most; depth to cost are counted after expanding fragments.

    `repeats` are pairs of fields, or of spreads, with the same name anywhere in the text: validation compares
    them pair by pair, which costs seconds for a few thousand equal fields.
    `roots` are the fields at the root of an operation, which are resolved at once, or, in a mutation, one by one.
    `page` is what a paging argument counts as when the document does not say its value: the most it may be.
    """

    tokens: int = 5_000
    comments: int = 500
    fragments: int = 100
    operations: int = 20
    depth: int = 20
    fields: int = 2_000
    roots: int = 20
    aliases: int = 100
    directives: int = 100
    cost: int = 20_000
    repeats: int = 10_000
    page: int = 200


@dataclass(frozen=True, slots=True)
class Tally:
    """What a selection asks for, its fragments expanded.

    `cost` is the sum of the weights of its fields, where a page of n costs its node n times; `top` counts the
    fields that stand in the selection itself, `roots` are their names.
    """

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    introspects: bool = False
    top: int = 0
    roots: frozenset[str] = frozenset()


NOTHING = Tally()


def objects(definition: GraphQLField) -> int:
    """The cost of resolving one field: an object costs 1, a leaf inside it nothing."""
    return 0 if is_leaf_type(get_named_type(definition.type)) else 1


@dataclass(slots=True)
class Measure:
    """One walk over one document. `steps` counts the nodes visited, `paged` are the variables that size pages.

    `sizes` are those of their values that are known.
    """

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    page: int
    weigh: Callable[[GraphQLField], int] = objects
    sizes: Mapping[str, int] = field(default_factory=dict)
    steps: int = 0
    paged: set[str] = field(default_factory=set)
    names: Counter[str] = field(default_factory=Counter)
    _known: dict[str, Tally] = field(default_factory=dict)

    def operation(self, node: OperationDefinitionNode) -> Tally:
        """What an operation asks for."""
        root = self.schema.get_root_type(node.operation)
        variables = sum(len(variable.directives or ()) for variable in node.variable_definitions or ())
        inner = self._selection(node.selection_set, root)
        return replace(
            inner,
            directives=inner.directives + variables + len(node.directives or ()),
            cost=inner.cost + inner.top * BESIDES[node.operation],
        )

    def _selection(self, selected: SelectionSetNode, parent: GraphQLNamedType | None) -> Tally:
        parts = [self._one(node, parent) for node in selected.selections]
        return Tally(
            depth=max((part.depth for part in parts), default=0),
            fields=sum(part.fields for part in parts),
            aliases=sum(part.aliases for part in parts),
            directives=sum(part.directives for part in parts),
            cost=sum(part.cost for part in parts),
            introspects=any(part.introspects for part in parts),
            top=sum(part.top for part in parts),
            roots=frozenset().union(*(part.roots for part in parts)),
        )

    def _one(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Tally:
        self.steps += 1
        if isinstance(node, FieldNode):
            self.names[(node.alias or node.name).value] += 1
            part = self._field(node, parent)
        elif isinstance(node, FragmentSpreadNode):
            self.names["..." + node.name.value] += 1
            part = self.fragment(node.name.value)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            inside = self.schema.get_type(condition.name.value) if condition else parent
            part = self._selection(node.selection_set, inside)
        else:
            return NOTHING
        return replace(part, directives=part.directives + len(node.directives)) if node.directives else part

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Tally:
        definition = field_of(parent, node.name.value)
        inner = NOTHING
        if node.selection_set is not None:
            inner = self._selection(node.selection_set, get_named_type(definition.type) if definition else None)
        if reads_schema(parent, node.name.value):
            cost = reading(node.name.value, inner.cost, len(self.schema.type_map))
        else:
            cost = self.weigh(definition) + inner.cost * self._times(node, definition) if definition else inner.cost
        return Tally(
            depth=inner.depth + 1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
            cost=cost,
            introspects=inner.introspects or node.name.value in INTROSPECTION,
            top=1,
            roots=frozenset((node.name.value,)),
        )

    def fragment(self, name: str) -> Tally:
        """What a fragment asks for; nothing, if there is none of that name."""
        known = self._known.get(name)
        if known is not None:
            return known
        fragment = self.fragments.get(name)
        if fragment is None:
            return NOTHING
        # A fragment that spreads itself counts as empty inside itself; validation refuses it afterwards.
        self._known[name] = NOTHING
        inner = self._selection(fragment.selection_set, self.schema.get_type(fragment.type_condition.name.value))
        measured = replace(inner, directives=inner.directives + len(fragment.directives or ()))
        self._known[name] = measured
        return measured

    def _times(self, node: FieldNode, definition: GraphQLField) -> int:
        paging = [name for name in PAGING if name in definition.args]
        if not paging:
            return 1
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        said = [self._size(given[name]) for name in paging if name in given]
        if said:
            return max(said)
        defaults = [definition.args[name].default_value for name in paging]
        return max((default for default in defaults if isinstance(default, int)), default=self.page)

    def _size(self, value: ValueNode) -> int:
        if isinstance(value, IntValueNode):
            return max(0, int(value.value)) if len(value.value) < len(str(HUGE)) else HUGE
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, VariableNode):
            self.paged.add(value.name.value)
            return self.sizes.get(value.name.value, self.page)
        return self.page


@dataclass(frozen=True, slots=True)
class Measured:
    """What a whole document asks for: each operation by its name, and what is counted over all of the text."""

    operations: Mapping[str | None, Tally]
    operation_count: int
    fragments: int
    repeats: int
    steps: int
    paged: frozenset[str] = frozenset()


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    page: int,
    weigh: Callable[[GraphQLField], int] = objects,
    sizes: Mapping[str, int] | None = None,
) -> Measured:
    """Measure a document, unused fragments included; `sizes` are the values of variables that size pages.

    Raises:
        RecursionError: the document nests deeper than the interpreter can walk.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    walk = Measure(schema, fragments, page, weigh, {**_defaults(nodes), **(sizes or {})})
    operations = {node.name.value if node.name else None: walk.operation(node) for node in nodes}
    for name in fragments:
        walk.fragment(name)
    repeats = sum(count * (count - 1) // 2 for count in walk.names.values())
    return Measured(operations, len(nodes), len(fragments), repeats, walk.steps, frozenset(walk.paged))


def _defaults(operations: Iterable[OperationDefinitionNode]) -> dict[str, int]:
    """The sizes of variables that nobody sends; the largest, where operations share a name."""
    found: dict[str, int] = {}
    unsaid = set()
    for operation in operations:
        for variable in operation.variable_definitions or ():
            name, default = variable.variable.name.value, variable.default_value
            if isinstance(default, IntValueNode) and len(default.value) < len(str(HUGE)):
                found[name] = max(found.get(name, 0), int(default.value))
            else:
                unsaid.add(name)
    return {name: size for name, size in found.items() if name not in unsaid}


def size_of(value: Any) -> int | None:
    """How long a page is that a variable asks for; None if the value says nothing of that kind."""
    if isinstance(value, list):
        return len(value)
    return min(max(0, value), HUGE) if isinstance(value, int) and not isinstance(value, bool) else None


COUNTED = {
    "depth": "depth",
    "fields": "fields",
    "roots": "top",
    "aliases": "aliases",
    "directives": "directives",
    "cost": "cost",
}
"""The limits of one operation, and the count of it that each one bounds."""


def excess(limits: Limits, measured: Measured) -> list[dict[str, Any]]:
    """Every limit a document is over: `{"limit", "allowed", "found"}`, empty when it may pass."""
    found = {
        "fragments": measured.fragments,
        "operations": measured.operation_count,
        "repeats": measured.repeats,
    }
    for name, counted in COUNTED.items():
        found[name] = max((getattr(tally, counted) for tally in measured.operations.values()), default=0)
    return [
        {"limit": name, "allowed": getattr(limits, name), "found": min(count, HUGE)}
        for name, count in found.items()
        if count > getattr(limits, name)
    ]
