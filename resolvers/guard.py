"""The table of permissions at work: it is put in front of every resolver while the schema is made.

A field that everybody signed in may ask for costs nothing at run time; what it shows is for the resolver, the
policy and the rows of the database to say.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo

from analytics.declare import Role
from analytics.policy import NotAllowed
from resolvers.context import Context
from resolvers.permissions import EVERY_ROLE, Grant, Reach, Verdict

Resolve = Callable[..., Any]
GRANT = "gateway-grant"
"""Where a field says, in its extensions, what the table grants."""


def guard(kind: GraphQLObjectType, table: Mapping[str, Grant]) -> None:
    """Close the fields of a type that the table does not grant, and those it grants to some, to all others."""
    for name, field in kind.fields.items():
        coordinate = f"{kind.name}.{name}"
        grant = table.get(coordinate)
        if grant is None:
            field.extensions.pop(GRANT, None)
            field.resolve = _closed(coordinate)
            field.subscribe = None if field.subscribe is None else _closed(coordinate)
            continue
        field.extensions[GRANT] = grant
        if grant.refusal is Verdict.FORBIDDEN and grant.roles != EVERY_ROLE and grant.reach is not Reach.PUBLIC:
            if field.subscribe is not None:
                field.subscribe = _for_some(coordinate, grant, field.subscribe)
            elif field.resolve is not None:
                field.resolve = _for_some(coordinate, grant, field.resolve)


def answered(field: GraphQLField, role: Role) -> bool:
    """Whether somebody in this role is answered by the field itself, be it with nothing, and not by a refusal."""
    grant = field.extensions.get(GRANT)
    return isinstance(grant, Grant) and (role in grant.roles or grant.refusal is Verdict.ABSENT)


def _closed(coordinate: str) -> Resolve:
    def refuse(_source: Any, info: GraphQLResolveInfo[Context], **_: Any) -> Any:
        raise _refused(coordinate, info, f"{coordinate} is for nobody.")

    return refuse


def _for_some(coordinate: str, grant: Grant, resolve: Resolve) -> Resolve:
    roles = " or ".join(role.name for role in sorted(grant.roles))

    def resolve_for_some(source: Any, info: GraphQLResolveInfo[Context], **given: Any) -> Any:
        if info.context.viewer.role not in grant.roles:
            raise _refused(
                coordinate, info, f"{coordinate} is for {roles}; you act as {info.context.viewer.role.name}."
            )
        return resolve(source, info, **given)

    return resolve_for_some


def _refused(coordinate: str, info: GraphQLResolveInfo[Context], message: str) -> NotAllowed:
    info.context.refused(coordinate)
    return NotAllowed(message)
