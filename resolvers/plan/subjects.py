"""Learners, trainers, organizations and the market: who they are, and what is asked about them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from analytics.declare import Role
from analytics.naming import NAMING
from analytics.planned import ORGANIZATION, Unplanned, term
from resolvers.fields import Asked, Group
from resolvers.lists import Branch, Department
from resolvers.plan.answers import Shape
from resolvers.plan.drafting import changed
from resolvers.plan.leaves import reader
from resolvers.plan.lists import courses, people
from resolvers.plan.places import Alone
from resolvers.plan.variables import arguments
from resolvers.plan.writing import dumps, in_braces
from resolvers.subjects import to_organization

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import GraphQLObjectType

    from analytics.planned import Term
    from resolvers.plan.drafting import Draft, Field, Scene, Told
    from resolvers.plan.places import Place
    from resolvers.plan.writing import Text

P = TypeVar("P")

MOST = 64
"""The most choices of arguments that a place of a document remembers."""


def subject(draft: Draft, field: Field, place: Place[P], kind: GraphQLObjectType | None = None) -> Text[P]:
    """The text of a subject; `kind` says which type it is, where the field may hold several.

    Raises:
        Unplanned: something is selected that no plan knows.
    """
    kind = kind or field.object
    return in_braces((key, _part(draft, kind.name, one, place)) for key, one in draft.fields(field, kind))


def _part(draft: Draft, kind: str, field: Field | None, place: Place[P]) -> Text[P]:
    if field is None:
        return [dumps(kind)]
    definition = field.definition
    if isinstance(definition, Asked):
        return [_asked(draft, field, definition, place)]
    if isinstance(definition, Group):
        return in_braces((key, _part(draft, field.object.name, one, place)) for key, one in draft.fields(field))
    if field.name == "organization":
        return [piece if isinstance(piece, bytes) else place.same(piece) for piece in organization(draft, field)]
    if field.name in {"courses", "learners", "trainers"}:
        return [place.same(_listed(draft, kind, field, place.about))]
    return [place.same(_of_organization(draft, field)) if kind == "Organization" else place.shown(field.name, kind)]


def organization(draft: Draft, field: Field, kind: GraphQLObjectType | None = None) -> Text[Told]:
    """The text of the viewer's own organization."""
    draft.organization = True
    return subject(draft, field, Alone(draft, ORGANIZATION), kind)


def _asked(draft: Draft, field: Field, definition: Asked, place: Place[P]) -> P:
    if place.about is None and definition.metric.key in NAMING:
        # Whom each of many may name is not looked up for all of them at once.
        raise Unplanned
    shape = Shape(draft, definition.metric, field)

    known: dict[tuple[tuple[str, object], ...], Term] = {}

    def said(given: dict[str, object]) -> Term:
        key = tuple(given.items())
        found = known.get(key)
        if found is None:
            found = term(definition.metric, definition.chosen(given), shape.members, bare=shape.bare)
            if len(known) < MOST:
                known[key] = found
        return found

    return place.answer(shape, changed(arguments(field.declared, field.parts[0].node), said))


def _of_organization(draft: Draft, field: Field) -> Told:
    match field.name:
        case "departments" | "branches":
            return _parts(draft, field, field.name)
        case _:
            read = reader(draft, field)
            return lambda scene: dumps(read(to_organization(scene.firm)))


def _parts(draft: Draft, field: Field, name: str) -> Told:
    """The departments, or the branches, and how many learners belong to each."""
    make = Department if name == "departments" else Branch

    def part(one: Field | None) -> Callable[[Scene, str], Any]:
        if one is None:
            return lambda _scene, _told: field.object.name
        if one.name == "learnerCount":
            draft.headcounts |= draft.role is Role.ORG_ADMIN
            return lambda scene, told: _headcount(scene, name, told)
        read = reader(draft, one)
        return lambda _scene, told: read(make(name=told))

    shown = [(key, part(one)) for key, one in draft.fields(field)]
    return lambda scene: dumps([{key: show(scene, told) for key, show in shown} for told in getattr(scene.firm, name)])


def _headcount(scene: Scene, name: str, told: str) -> int | None:
    """As the resolvers of `resolvers.lists` count."""
    if scene.viewer.role is not Role.ORG_ADMIN:
        return None
    counts = scene.found.headcounts
    if counts is None:
        raise Unplanned
    return (counts.departments if name == "departments" else counts.regions).get(told, 0)


def _listed(draft: Draft, kind: str, field: Field, about: int | None) -> Told:
    """A page of people or of courses; not of each of many."""
    if about is None:
        raise Unplanned
    if field.name == "courses":
        return courses(draft, field, about, taken=kind == "Learner")
    return people(draft, field, about, functools.partial(subject, draft))
