"""The schema, grown from the metrics it is given."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    lexicographic_sort_schema,
    print_schema,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from analytics.declare import Metric
from resolvers.fields import Straight, groups
from resolvers.guard import guard
from resolvers.mutation import Mutation
from resolvers.permissions import TABLE, Grant, of_metrics
from resolvers.projection import PLAIN, ProjectingExecutor
from resolvers.query import Query, definitions
from resolvers.scalars import SCALARS
from resolvers.subjects import SUBJECTS
from resolvers.subscription import Subscription
from resolvers.types import is_plain, read


class Grown(strawberry.Schema):
    """A schema whose subject types have more fields than their classes say: the groups of metrics."""

    def __init__(
        self, grown: Mapping[type[Any], list[StrawberryField]], table: Mapping[str, Grant], **kwargs: Any
    ) -> None:
        """`table` says who may ask for which field: what it does not grant is closed."""
        self._grown = grown
        super().__init__(**kwargs)
        for kind in graphql_schema(self).type_map.values():
            if isinstance(kind, GraphQLObjectType):
                _finish(kind)
                if has_resolvers(kind):
                    guard(kind, table)
            if isinstance(kind, GraphQLInputObjectType):
                for given in kind.fields.values():
                    _leave_out(given)

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """The fields a class declares, and those grown onto it."""
        return [*type_definition.fields, *self._grown.get(type_definition.origin, ())]


def has_resolvers(kind: GraphQLObjectType) -> bool:
    """Whether the fields of a type are asked for one by one: not those of plain values, nor of introspection."""
    return not is_plain(kind) and not kind.name.startswith("__")


def _finish(kind: GraphQLObjectType) -> None:
    if is_plain(kind):
        kind.extensions[PLAIN] = True
    for field in kind.fields.values():
        definition = field.extensions.get("strawberry-definition")
        if isinstance(definition, Straight):
            field.resolve = definition.straight
        elif isinstance(definition, StrawberryField) and definition.is_basic_field:
            field.resolve = _reader(definition.python_name)
        for argument in field.args.values():
            _leave_out(argument)


def _leave_out(given: GraphQLArgument | GraphQLInputField) -> None:
    """What may be left out says no more than that."""
    if given.default_value is None:
        given.default_value = Undefined


def _reader(name: str) -> Callable[[Any, Any], Any]:
    def resolve(source: Any, _info: Any) -> Any:
        return read(source, name)

    return resolve


def build(
    metrics: Mapping[str, Metric], query: type[Any] = Query, table: Mapping[str, Grant] | None = None
) -> strawberry.Schema:
    """The schema in which these metrics can be asked; internal ones stay out of it. `query` is its root.

    `table` says who may ask for which field; None: the table of permissions, and what the metrics declare.

    Raises:
        DeclarationError: a metric cannot be shown: its place is taken, its subject is not in the
            graph, or its value has a field without a sentence or of a kind GraphQL has no word for.
    """
    shown = list(metrics.values())
    return Grown(
        {**groups(shown, SUBJECTS), query: [definitions(shown)]},
        {**TABLE, **of_metrics(shown)} if table is None else table,
        query=query,
        mutation=Mutation,
        subscription=Subscription,
        types=list(SUBJECTS.values()),
        execution_context_class=ProjectingExecutor,
        config=StrawberryConfig(default_resolver=read, scalar_map=SCALARS),
    )


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema inside, for parsing-and-validating once and for printing."""
    return schema._schema  # noqa: SLF001 - Strawberry has no public word for it


def sdl(schema: strawberry.Schema) -> str:
    """The schema as SDL, types and fields in alphabetical order, so that a diff shows what changed and nothing else."""
    return print_schema(lexicographic_sort_schema(graphql_schema(schema))) + "\n"
