"""The root of a document: who is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from analytics.declare import Role, Scope
from analytics.planned import MARKET, Unplanned, Who
from resolvers.errors import BadInput
from resolvers.ids import from_global, uuid_of
from resolvers.plan.drafting import Always, made
from resolvers.plan.leaves import reader
from resolvers.plan.places import Alone
from resolvers.plan.subjects import organization, subject
from resolvers.plan.variables import arguments
from resolvers.plan.writing import NULL, dumps, in_braces
from resolvers.query import to_viewer

if TYPE_CHECKING:
    from resolvers.plan.drafting import Draft, Field, Given, Maker, Told
    from resolvers.plan.writing import Text

ROLES = {Scope.LEARNER: Role.LEARNER, Scope.TRAINER: Role.TRAINER}
PERSONS = {"learner": Scope.LEARNER, "trainer": Scope.TRAINER}
NODE, NODES = "node", {"Learner", "Trainer", "Organization"}
"""The field that finds anything by its global id, and what it finds."""


def root(draft: Draft, kind: str, field: Field | None) -> Text[Told]:
    """A field of the query.

    Raises:
        Unplanned: it is none that a plan knows.
    """
    if field is None:
        return [dumps(kind)]
    draft.permit(field)
    match field.name:
        case "viewer":
            return in_braces((key, _of_viewer(draft, field.object.name, one)) for key, one in draft.fields(field))
        case "learner" | "trainer":
            return _person(draft, field, PERSONS[field.name], field.object)
        case "organization":
            draft.checks.append(_own(arguments(field.declared, field.parts[0].node)))
            return organization(draft, field)
        case "market":
            return subject(draft, field, Alone(draft, MARKET))
        case "node":
            return _node(draft, field)
    raise Unplanned


def _of_viewer(draft: Draft, kind: str, field: Field | None) -> Text[Told]:
    if field is None:
        return [dumps(kind)]
    match field.name:
        case "organization":
            return organization(draft, field)
        case "learner" | "trainer":
            scope = PERSONS[field.name]
            return _person(draft, field, scope, field.object) if draft.role is ROLES[scope] else [NULL]
    read = reader(draft, field)
    return [lambda scene: dumps(read(to_viewer(scene.viewer)))]


def _node(draft: Draft, field: Field) -> Text[Told]:
    found = draft.schema.get_type(draft.nodes[field.key])
    match found:
        case GraphQLObjectType(name="Learner"):
            return _person(draft, field, Scope.LEARNER, found)
        case GraphQLObjectType(name="Trainer"):
            return _person(draft, field, Scope.TRAINER, found)
        case GraphQLObjectType(name="Organization"):
            draft.checks.append(_own(arguments(field.declared, field.parts[0].node)))
            return organization(draft, field, found)
    return [NULL]


def _person(draft: Draft, field: Field, scope: Scope, kind: GraphQLObjectType) -> Text[Told]:
    given = arguments(field.declared, field.parts[0].node) if field.declared.args else Always({})
    role = ROLES[scope]

    def who(brought: Given) -> Who:
        ident = made(given, brought).get("id")
        if ident is not None:
            return Who(scope, _uuid(ident, kind.name))
        if role not in brought.viewer.roles:
            raise Unplanned
        return Who(scope, brought.viewer.user)

    return subject(draft, field, Alone(draft, draft.person(who)), kind)


def _own(given: Maker[dict[str, Any]]) -> Any:
    """Raises `Unplanned` for another organization than the viewer's own."""

    def check(brought: Given) -> None:
        ident = made(given, brought).get("id")
        if ident is not None and _uuid(ident, "Organization") != brought.viewer.organization:
            raise Unplanned

    return check


def _uuid(text: str, kind: str) -> str:
    try:
        return uuid_of(text, kind)
    except BadInput:
        raise Unplanned from None


def kind_of(given: Maker[dict[str, Any]], brought: Given) -> str:
    """The type of what a `node` is asked for; nothing where it is of none that has nodes."""
    try:
        found = from_global(made(given, brought)["id"]).type
    except BadInput:
        raise Unplanned from None
    return found if found in NODES else ""
