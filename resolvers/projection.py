"""Plain values, selected by one compiled function instead of a walk over every leaf.

graphql-core resolves and completes each leaf on its own. A plain type (`resolvers.types`) has no
resolvers: what a selection makes of it depends only on the selection. So the selection is compiled
once to a Python function from wire dict to response dict (`resolvers.compiling`), kept as long as its
document lives, and called. Whatever the compiler or the function does not know goes the ordinary
way, so that values, nulls and errors are the same on both ways.
"""

import weakref
from collections.abc import Mapping
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLObjectType, GraphQLResolveInfo, OperationDefinitionNode
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.compiling import Projection, Unplain, compiled, steering

PLAIN = "plain"
"""The extension that marks a type of the schema as plain."""

MOST_DOCUMENTS = 1024
MOST_PLANS = 512


class Plans:
    """The compiled selections of one document: one for each place, type and choice of `@skip` and `@include`."""

    def __init__(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        key = id(operation)
        self.operation = weakref.ref(operation, lambda dead: _forget(key, dead))
        self.fragments = dict(fragments)  # holds their nodes, so that no id below is ever used again
        self.steering: dict[tuple[Any, ...], tuple[str, ...] | None] = {}
        self.compiled: dict[tuple[Any, ...], Projection | None] = {}

    def of(self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
        """Whether these are the plans of this very document."""
        return (
            self.operation() is operation
            and len(self.fragments) == len(fragments)
            and all(self.fragments.get(name) is node for name, node in fragments.items())
        )


_documents: dict[int, Plans] = {}


def plans(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Plans:
    """The plans of a document, the same ones as long as it lives."""
    key = id(operation)
    found = _documents.get(key)
    if found is None or not found.of(operation, fragments):
        while len(_documents) >= MOST_DOCUMENTS:
            del _documents[next(iter(_documents))]
        _documents[key] = found = Plans(operation, fragments)
    return found


def _forget(key: int, dead: weakref.ref[OperationDefinitionNode]) -> None:
    if (found := _documents.get(key)) is not None and found.operation is dead:
        del _documents[key]


class ProjectingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with a shorter way for plain types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans = plans(self.operation, self.fragment_definitions)
        self._here: dict[tuple[GraphQLObjectType, int], tuple[list[FieldDetails], Projection | None]] = {}
        # A middleware wants to see every field.
        self._walks = bool(self.middleware_manager and self.middleware_manager.middlewares)

    def complete_object_value(  # noqa: PLR0913, PLR0917 - graphql-core's signature
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """The response of one object: projected when its type is plain and its value as declared."""
        if PLAIN in return_type.extensions:
            key = (return_type, id(field_details_list))
            known = self._here.get(key)
            if known is None:
                # The list is kept beside its projection, so that its id stays its own.
                known = self._here[key] = (field_details_list, self._projection(return_type, field_details_list))
            if known[1] is not None:
                try:
                    return known[1](result)
                except (Unplain, KeyError):
                    pass  # the ordinary way says what is wrong with it, and where
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def _projection(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Projection | None:
        """The function for this selection under this request's variables; None: the ordinary way."""
        if self._walks or any(d.defer_usage or d.fragment_variable_values for d in details):
            return None
        place = (kind, *(id(d.node) for d in details))
        held = self._plans
        if place not in held.steering:
            held.steering[place] = steering([d.node for d in details], self.fragments)
        variables = held.steering[place]
        if variables is None:
            return None
        coerced = self.variable_values.coerced
        key = (place, tuple(coerced.get(name) for name in variables))
        if key not in held.compiled:
            if len(held.compiled) >= MOST_PLANS:
                return None
            held.compiled[key] = compiled(self.schema, kind, details, self._subfields)
        return held.compiled[key]

    def _subfields(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Mapping[str, list[FieldDetails]]:
        """The fields of a selection by response key, fragments and directives worked in."""
        return self.collect_subfields(kind, details).grouped_field_set
