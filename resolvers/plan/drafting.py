"""What a plan gathers while a document is read: whom it is about, and what it asks about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from graphql import GraphQLObjectType, get_named_type
from strawberry.types.field import StrawberryField

from analytics.planned import Ask, Found, Listing, Point, Rows, Term, Unplanned, Who
from resolvers.guard import answered
from resolvers.types import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphql import GraphQLField, GraphQLOutputType, GraphQLSchema
    from graphql.execution.collect_fields import FieldDetails
    from graphql.execution.values import VariableValues

    from analytics.declare import Role
    from analytics.policy import Viewer
    from analytics.record import Tier
    from datasources.postgres.pages import Window
    from datasources.postgres.people import Organization
    from resolvers.compiling import Collect

T = TypeVar("T")

DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class Given:
    """What one asking of a document brings: its variables, and who asks."""

    values: VariableValues
    viewer: Viewer


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a response is made of. `windows` are the parts wanted of `Ask.courses`."""

    ask: Ask
    windows: tuple[Window, ...]
    found: Found
    tier: Tier
    viewer: Viewer

    @property
    def firm(self) -> Organization:
        """The viewer's organization."""
        if self.found.organization is None:
            raise Unplanned
        return self.found.organization


Told: TypeAlias = "Callable[[Scene], bytes]"
"""Makes one place of a response."""

Column: TypeAlias = "Callable[[Scene, Rows], Iterable[bytes]]"
"""Makes one place of each row of a page."""


@dataclass(frozen=True, slots=True)
class Always(Generic[T]):
    """What is the same whatever is given."""

    value: T


Maker: TypeAlias = "Always[T] | Callable[[Given], T]"


def made(maker: Maker[T], given: Given) -> T:
    """What a maker makes of what is given."""
    return maker.value if isinstance(maker, Always) else maker(given)


def together(makers: Sequence[Maker[T]]) -> Maker[tuple[T, ...]]:
    """All that some makers make, in order."""
    settled = [maker.value if isinstance(maker, Always) else None for maker in makers]
    open_ones = [(place, maker) for place, maker in enumerate(makers) if not isinstance(maker, Always)]
    if not open_ones:
        return Always(tuple(settled))  # type: ignore[arg-type]  # no None is left of those that are open

    def make(given: Given) -> tuple[T, ...]:
        several = settled.copy()
        for place, maker in open_ones:
            several[place] = maker(given)
        return tuple(several)  # type: ignore[arg-type]  # likewise

    return make


def changed(maker: Maker[Any], change: Callable[[Any], T]) -> Maker[T]:
    """A maker of what another makes, changed."""
    if isinstance(maker, Always):
        return Always(change(maker.value))
    return lambda given: change(maker(given))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a selection, under the name it has in the response."""

    key: str
    name: str
    parts: list[FieldDetails]
    type: GraphQLOutputType
    declared: GraphQLField

    @property
    def definition(self) -> StrawberryField:
        """The field as our classes declare it."""
        found = self.declared.extensions.get(DEFINITION)
        if not isinstance(found, StrawberryField):
            raise Unplanned
        return found

    @property
    def object(self) -> GraphQLObjectType:
        """The type of what it holds, or of each of what it holds; it is an object."""
        named = get_named_type(self.type)
        if not isinstance(named, GraphQLObjectType):
            raise Unplanned
        return named


def fields_of(
    schema: GraphQLSchema, kind: GraphQLObjectType, collected: Mapping[str, list[FieldDetails]]
) -> Iterable[tuple[str, Field | None]]:
    """The fields collected of an object, by their names in the response; None stands for `__typename`."""
    for key, details in collected.items():
        name = details[0].node.name.value
        if name == "__typename":
            yield key, None
            continue
        declared = schema.get_field(kind, name)
        if declared is None:
            raise Unplanned
        yield key, Field(key, name, details, declared.type, declared)


@dataclass(slots=True)
class Draft:
    """A document being read for one role, with one choice of what `@skip` and `@include` leave of it.

    Whatever reads it raises `Unplanned` at what it does not know.
    """

    schema: GraphQLSchema
    collect: Collect
    role: Role
    nodes: dict[str, str]
    """The type of what each root field `node` is asked for, by its name in the response."""
    people: list[Maker[Who]] = field(default_factory=list)
    points: list[Maker[Point]] = field(default_factory=list)
    listings: list[Maker[Listing]] = field(default_factory=list)
    courses: list[int] = field(default_factory=list)
    windows: list[Maker[Window]] = field(default_factory=list)
    checks: list[Callable[[Given], None]] = field(default_factory=list)
    """What raises `Unplanned` where it does not like what is given."""
    organization: bool = False
    headcounts: bool = False
    tells_tier: bool = False

    def fields(self, of: Field, kind: GraphQLObjectType | None = None) -> Iterable[tuple[str, Field | None]]:
        """The fields selected of what a field holds, by their names in the response; None stands for `__typename`.

        `kind` says which type it is, where the field may hold several.

        Raises:
            Unplanned: one of them is not for the role.
        """
        kind = kind or of.object
        for key, one in fields_of(self.schema, kind, self.collect(kind, of.parts)):
            if one is not None and not is_plain(kind):
                self.permit(one)
            yield key, one

    def permit(self, one: Field) -> None:
        """Go on with a field that the table of permissions has for the role.

        Raises:
            Unplanned: it has none such, and the ordinary way says so.
        """
        if not answered(one.declared, self.role):
            raise Unplanned

    def person(self, who: Maker[Who]) -> int:
        """The place of a person that the document is about."""
        self.people.append(who)
        return len(self.people) - 1

    def point(self, about: int, term: Maker[Term]) -> int:
        """The place of one answer."""
        self.points.append(changed(term, lambda one: Point(about, one)))
        return len(self.points) - 1

    def courses_of(self, about: int, window: Maker[Window]) -> int:
        """The place of the courses of somebody, of which a part is shown."""
        self.courses.append(about)
        self.windows.append(window)
        return len(self.courses) - 1

    def ask(self) -> Maker[Ask]:
        """The whole of what is asked for."""
        people, points, listings = together(self.people), together(self.points), together(self.listings)
        organization, courses, headcounts = self.organization, tuple(self.courses), self.headcounts
        if isinstance(people, Always) and isinstance(points, Always) and isinstance(listings, Always):
            return Always(Ask(people.value, organization, points.value, listings.value, courses, headcounts))
        return lambda given: Ask(
            made(people, given), organization, made(points, given), made(listings, given), courses, headcounts
        )
