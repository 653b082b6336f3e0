"""A document as a plan: compiled once for each role and each choice of what `@skip` and `@include` leave of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution.collect_fields import FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from analytics.planned import Ask, Found, Unplanned
from resolvers.compiling import Unplain
from resolvers.plan.drafting import Draft, Field, Given, Scene, fields_of, made, together
from resolvers.plan.roots import NODE, kind_of, root
from resolvers.plan.variables import Variables, arguments, steering
from resolvers.plan.writing import Template, in_braces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DocumentNode, GraphQLObjectType, GraphQLSchema
    from graphql.execution.collect_fields import FieldDetails

    from analytics.declare import Role
    from analytics.policy import Viewer
    from analytics.record import Tier
    from datasources.postgres.pages import Window
    from resolvers.compiling import Collect
    from resolvers.plan.drafting import Maker, Told

MOST = 64
"""The most ways one document is compiled."""

SPOILT = (msgspec.MsgspecError, orjson.JSONEncodeError, Unplain, KeyError, ValueError, RecursionError)
"""What is raised over a kept answer that is not what the schema declares."""


def compile_plan(schema: GraphQLSchema, document: DocumentNode, name: str | None) -> Document | None:
    """A plan of the operation of this name, or of the only one; None where no plan could be.

    The document was validated. It is compiled at its first turn; what no plan knows of it turns up then.
    """
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    named = [one for one in operations if name is None or (one.name is not None and one.name.value == name)]
    if len(named) != 1 or named[0].operation is not OperationType.QUERY:
        return None
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    try:
        return Document(schema, named[0], fragments)
    except Unplanned:
        return None


@dataclass(frozen=True, slots=True)
class Roots:
    """What `@skip` and `@include` leave of a document.

    The fields of the query, the arguments of those that ask for a node, and how what is below them is collected.
    """

    fields: tuple[tuple[str, Field | None], ...]
    nodes: tuple[tuple[str, Maker[dict[str, Any]]], ...]
    collect: Collect


@dataclass(frozen=True, slots=True)
class Way:
    """One way a document was compiled."""

    draft: Draft
    template: Template[Told]
    ask: Maker[Ask]
    windows: Maker[tuple[Window, ...]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One asking of a document."""

    ask: Ask
    tells_tier: bool
    windows: tuple[Window, ...]
    viewer: Viewer
    template: Template[Told]

    def render(self, found: Found, tier: Tier) -> bytes:
        """The `data` of the response."""
        scene = Scene(self.ask, self.windows, found, tier, self.viewer)
        try:
            return self.template.filled([told(scene) for told in self.template.places])
        except SPOILT as error:
            raise Unplanned from error


class Document:
    """An operation and its fragments."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        """Read it.

        Raises:
            Unplanned: whatever is asked, no plan knows it.
        """
        query = schema.query_type
        if query is None:
            raise Unplanned
        self._schema = schema
        self._query = query
        self._operation = operation
        self._fragments = {name: FragmentDetails(node) for name, node in fragments.items()}
        self._variables = Variables(schema, operation)
        self._steering = steering(operation, fragments)
        self._roots: dict[tuple[Any, ...], Roots] = {}
        self._ways: dict[tuple[Any, ...], Way | None] = {}

    def turn(self, variables: Mapping[str, Any] | None, viewer: Viewer) -> Turn:
        """What the document asks for with these variables, asked by this viewer.

        Raises:
            Unplanned: the variables are not good, or they ask for something only the ordinary way knows.
        """
        given = Given(self._variables.of(variables), viewer)
        try:
            way = self._way(given)
        except GraphQLError:  # a null that steers
            raise Unplanned from None
        for check in way.draft.checks:
            check(given)
        return Turn(made(way.ask, given), way.draft.tells_tier, made(way.windows, given), viewer, way.template)

    def _way(self, given: Given) -> Way:
        coerced = given.values.coerced
        steered = {name: coerced[name] for name in self._steering if name in coerced}
        choice = tuple(steered.items())
        roots = self._roots.get(choice)
        if roots is None:
            if len(self._roots) >= MOST:
                raise Unplanned
            roots = self._roots[choice] = self._roots_of(VariableValues({}, steered))
        nodes = {key: kind_of(maker, given) for key, maker in roots.nodes}
        key = (given.viewer.role, choice, *nodes.values())
        if key not in self._ways:
            if len(self._ways) >= MOST:
                raise Unplanned
            self._ways[key] = self._compiled(roots, nodes, given.viewer.role)
        way = self._ways[key]
        if way is None:
            raise Unplanned
        return way

    def _roots_of(self, values: VariableValues) -> Roots:
        def collect(kind: GraphQLObjectType, details: list[FieldDetails]) -> Mapping[str, list[FieldDetails]]:
            return collect_subfields(
                self._schema, self._fragments, values, self._operation, kind, details
            ).grouped_field_set

        whole = collect_fields(self._schema, self._fragments, values, self._query, self._operation).grouped_field_set
        fields = tuple(fields_of(self._schema, self._query, whole))
        nodes = tuple(
            (key, arguments(one.declared, one.parts[0].node))
            for key, one in fields
            if one is not None and one.name == NODE
        )
        return Roots(fields, nodes, collect)

    def _compiled(self, roots: Roots, nodes: dict[str, str], role: Role) -> Way | None:
        draft = Draft(self._schema, roots.collect, role, nodes)
        try:
            template = Template(in_braces((key, root(draft, self._query.name, one)) for key, one in roots.fields))
        except Unplanned:
            return None
        return Way(draft, template, draft.ask(), together(draft.windows))
