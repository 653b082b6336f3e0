"""Pages of people, written column by column; and courses, which are few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from analytics.codec import camel
from analytics.planned import Listing, Unplanned
from resolvers.errors import BadInput
from resolvers.lists import LearnerFilter, LearnerOrder, choice, order_of, place, to_course, to_enrollment
from resolvers.pages import PageInfo, connection, cursor, part_of, window
from resolvers.plan.drafting import changed, made, together
from resolvers.plan.leaves import shower
from resolvers.plan.places import Among
from resolvers.plan.variables import arguments
from resolvers.plan.writing import Template, dumps, in_braces
from resolvers.subjects import BY_NAME, BY_START

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.planned import Rows
    from analytics.rosters import Choice
    from datasources.postgres.pages import Window
    from resolvers.plan.drafting import Column, Draft, Field, Given, Scene, Told
    from resolvers.plan.writing import Text

    Whole = Callable[[Scene, Rows], bytes]

T = TypeVar("T", LearnerFilter, LearnerOrder)


def people(draft: Draft, field: Field, about: int, node: Callable[[Field, Among], Text[Column]]) -> Told:
    """A page of learners or trainers, each of whom is written as `node` says.

    Raises:
        Unplanned: something is selected that no plan knows, or a list of each of the people.
    """
    lists = index, _ = len(draft.listings), len(draft.courses)
    reading = _Reading(draft, index, node)
    template = Template(in_braces((key, reading.part(field.object.name, one)) for key, one in draft.fields(field)))
    if lists != (len(draft.listings), len(draft.courses)):
        raise Unplanned
    given, terms = arguments(field.declared, field.parts[0].node), together(reading.among.terms)
    trainers, counted = field.name == "trainers", reading.counted

    def listing(brought: Given) -> Listing:
        told = made(given, brought)
        chosen = None if trainers else _choice(told)
        return Listing(about, chosen, _window(told, _order(chosen)), counted, made(terms, brought))

    draft.listings.append(listing)

    def written(scene: Scene) -> bytes:
        rows = scene.found.pages[index]
        return template.filled([make(scene, rows) for make in template.places])

    return written


class _Reading:
    """The selection on one page of people."""

    def __init__(self, draft: Draft, index: int, node: Callable[[Field, Among], Text[Column]]) -> None:
        self._draft, self._index, self._node = draft, index, node
        self.among = Among()
        self.counted = False

    def part(self, kind: str, field: Field | None) -> Text[Whole]:
        """A field of the connection."""
        if field is None:
            return [dumps(kind)]
        match field.name:
            case "edges":
                return [self._edges(field)]
            case "pageInfo":
                show = shower(self._draft, field)
                return [lambda scene, rows: dumps(show(_page_info(rows, self._cursors(scene, rows))))]
            case "totalCount":
                self.counted = True
                return [lambda _scene, rows: dumps(_there(rows.total))]
            case "unknownCount":
                return [lambda _scene, rows: dumps(rows.unknown)]
        raise Unplanned

    def _edges(self, field: Field) -> Whole:
        template = Template(
            in_braces((key, self._edge(field.object.name, one)) for key, one in self._draft.fields(field))
        )

        def edges(scene: Scene, rows: Rows) -> bytes:
            columns = [make(scene, rows) for make in template.places]
            return b"[" + b",".join(template.rows(columns, len(rows.ids))) + b"]"

        return edges

    def _edge(self, kind: str, field: Field | None) -> Text[Column]:
        if field is None:
            return [dumps(kind)]
        match field.name:
            case "node":
                return self._node(field, self.among)
            case "cursor":
                return [lambda scene, rows: map(dumps, map(self._cursors(scene, rows), range(len(rows.ids))))]
        raise Unplanned

    def _cursors(self, scene: Scene, rows: Rows) -> Callable[[int], str]:
        """The cursor of a row."""
        order = _order(scene.ask.listings[self._index].choice)
        return lambda row: cursor(order, (rows.ranks[row], rows.names[row], rows.ids[row]))


def courses(draft: Draft, field: Field, about: int, *, taken: bool) -> Told:
    """A page of the courses of somebody; of a learner they are `taken`.

    Raises:
        Unplanned: something is selected that a resolver works out.
    """
    show = shower(draft, field)
    given = arguments(field.declared, field.parts[0].node)
    index = draft.courses_of(about, changed(given, lambda told: _window(told, BY_START)))

    def written(scene: Scene) -> bytes:
        found: Any = scene.found.courses[index]
        rows: list[Any]
        if taken:
            rows = [(place(one.course), to_enrollment(one)) for one in found]
        else:
            rows = [(place(one), to_course(one)) for one in found]
        return dumps(show(connection(part_of(rows, scene.windows[index]), BY_START)))

    return written


def _there(total: int | None) -> int:
    if total is None:
        raise Unplanned
    return total


def _page_info(rows: Rows, cursor_of: Callable[[int], str]) -> PageInfo:
    length = len(rows.ids)
    return PageInfo(
        has_next_page=rows.has_next,
        has_previous_page=rows.has_previous,
        start_cursor=cursor_of(0) if length else None,
        end_cursor=cursor_of(length - 1) if length else None,
    )


def _order(chosen: Choice | None) -> str:
    return BY_NAME if chosen is None else order_of(chosen)


def _choice(told: Mapping[str, Any]) -> Choice:
    try:
        return choice(_input(LearnerFilter, told.get("filter")), _input(LearnerOrder, told.get("orderBy")))
    except BadInput:
        raise Unplanned from None


def _input(kind: type[T], told: Mapping[str, Any] | None) -> T | None:
    """An input object as its class has it."""
    if told is None:
        return None
    names = [one.python_name for one in kind.__strawberry_definition__.fields]  # type: ignore[attr-defined]  # Strawberry puts it there
    return kind(**{name: told[camel(name)] for name in names if camel(name) in told})


def _window(told: Mapping[str, Any], order: str) -> Window:
    try:
        return window(told.get("first"), told.get("after"), told.get("last"), told.get("before"), order)
    except BadInput:
        raise Unplanned from None
