"""What is only read of an object, and worked out by no resolver: of an organization, the viewer, a page, a course."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, is_leaf_type

from analytics.planned import Unplanned
from resolvers.types import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolvers.plan.drafting import Draft, Field


def reader(draft: Draft, field: Field) -> Callable[[Any], Any]:
    """What a field shows of the object it is a field of.

    Raises:
        Unplanned: a resolver works out the field, or something inside it.
    """
    definition = field.definition
    if not definition.is_basic_field:
        raise Unplanned
    show, name = _shown(draft, field, field.type), definition.python_name
    return lambda source: show(read(source, name))


def _shown(draft: Draft, field: Field, kind: Any) -> Callable[[Any], Any]:
    """What a value of a type is in the response; raises `Unplanned` for null where there must be none."""
    if isinstance(kind, GraphQLNonNull):
        inner = _present(draft, field, kind.of_type)

        def sure(value: Any) -> Any:
            if value is None:
                raise Unplanned
            return inner(value)

        return sure
    present = _present(draft, field, kind)
    return lambda value: None if value is None else present(value)


def _present(draft: Draft, field: Field, kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, GraphQLList):
        item = _shown(draft, field, kind.of_type)
        return lambda values: [item(value) for value in values]
    if not is_leaf_type(kind):
        return shower(draft, field)

    def leaf(value: Any) -> Any:
        try:
            return kind.coerce_output_value(value)
        except GraphQLError:
            raise Unplanned from None

    return leaf


def shower(draft: Draft, field: Field) -> Callable[[Any], dict[str, Any]]:
    """What is selected of an object that a field holds.

    Raises:
        Unplanned: a resolver works something of it out.
    """
    name = field.object.name
    parts = [(key, (lambda _source: name) if one is None else reader(draft, one)) for key, one in draft.fields(field)]
    return lambda source: {key: show(source) for key, show in parts}
