"""Relay connections: how a client asks for a part of a list, and how it gets it."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import orjson
import strawberry
from strawberry.types.nodes import SelectedField, Selection

from datasources.postgres.pages import Key, Window
from resolvers.context import Info
from resolvers.errors import BadInput

DEFAULT, MOST = 20, 200
LONGEST = 12_000
"""Characters of the longest cursor there can be: a name may be long."""

T = TypeVar("T")

First = Annotated[
    int | None,
    strawberry.argument(description=f"How many, from the start or after `after`; 1 to {MOST}, {DEFAULT} unless said."),
]
After = Annotated[str | None, strawberry.argument(description="Go on after the edge with this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(description=f"How many, from the end or before `before`; 1 to {MOST}.")
]
Before = Annotated[str | None, strawberry.argument(description="Go back from the edge with this cursor.")]


@strawberry.type(description="Where a page stands in the whole list.")
class PageInfo:
    """Cursors are those of the edges on the page."""

    has_next_page: bool = strawberry.field(description="Whether there is more after the last edge.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before the first edge.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge; null on an empty page.")


@strawberry.type(description="One row of a list, and where it stands.")
class Edge(Generic[T]):
    """A row with its cursor."""

    cursor: str = strawberry.field(description="Where the row stands; for `after` and `before`.")
    node: T = strawberry.field(description="The row itself.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """A page with its place in the whole."""

    edges: list[Edge[T]] = strawberry.field(description="The rows of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the whole list.")
    total_count: int = strawberry.field(description="How many rows the whole list has, all pages together.")


def window(first: int | None, after: str | None, last: int | None, before: str | None, order: str) -> Window:
    """The part of a list, in an order of this name, that a client means.

    Raises:
        BadInput: contradicting or unbounded arguments, or a cursor that is none of ours or of another order.
    """
    if first is not None and last is not None:
        msg = "Both first and last were given; use first (with after) to go forward, or last (with before) to go back."
        raise BadInput(msg)
    if last is None and before is not None:
        msg = "before goes with last; use first with after to go forward."
        raise BadInput(msg)
    if last is not None and after is not None:
        msg = "after goes with first; use last with before to go back."
        raise BadInput(msg)
    for name, count in (("first", first), ("last", last)):
        if count is not None and not 1 <= count <= MOST:
            msg = f"{name} must be from 1 to {MOST}; it was {count}."
            raise BadInput(msg)
    if last is not None:
        return Window(None, None, last, _read("before", before, order))
    return Window(first or DEFAULT, _read("after", after, order), None, None)


def cursor(order: str, key: Key) -> str:
    """The opaque cursor of a row in an order."""
    return base64.urlsafe_b64encode(orjson.dumps((order, *key))).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The rows of a page with where they stand, and what there is around them."""

    rows: Sequence[tuple[Key, T]]
    total: int | None
    has_next: bool
    has_previous: bool


def part_of(rows: Sequence[tuple[Key, T]], window: Window) -> Part[T]:
    """The part of a list that is at hand, in the order of its keys."""
    rows = sorted(rows, key=lambda row: row[0][1:])
    inside = [
        n
        for n, (key, _) in enumerate(rows)
        if (window.after is None or key[1:] > window.after[1:])
        and (window.before is None or key[1:] < window.before[1:])
    ]
    chosen = inside[: window.first] if window.last is None else inside[-window.last :]
    return Part(
        [rows[n] for n in chosen],
        len(rows),
        has_next=bool(chosen) and chosen[-1] < len(rows) - 1,
        has_previous=bool(chosen) and chosen[0] > 0,
    )


def connection(part: Part[T], order: str, kind: Any = Connection, **more: Any) -> Any:
    """A page with its cursors; `more` are the fields that this kind of connection has beside the common ones."""
    edges = [Edge(cursor=cursor(order, key), node=node) for key, node in part.rows]
    return kind(
        edges=edges,
        page_info=PageInfo(
            has_next_page=part.has_next,
            has_previous_page=part.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        total_count=part.total,
        **more,
    )


def selects(info: Info, name: str) -> bool:
    """Whether the client selects a field of this name on what is being resolved."""
    return any(_names(name, selected.selections) for selected in info.selected_fields)


def _names(name: str, selections: Sequence[Selection]) -> bool:
    return any(
        one.name == name if isinstance(one, SelectedField) else _names(name, one.selections) for one in selections
    )


def _read(name: str, text: str | None, order: str) -> Key | None:
    if text is None:
        return None
    try:
        padded = text[:LONGEST].encode() + b"=" * (-len(text[:LONGEST]) % 4)
        match orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(of), float() | None as rank, str(by), str(ident)] if cursor(of, (rank, by, ident)) == text:
                if of == order:
                    return rank, by, ident
                msg = f"{name} is a cursor of another order; use it with the order it came from."
                raise BadInput(msg)
    except (binascii.Error, ValueError):
        pass
    msg = f"{name} is not a cursor; use the `cursor` of an edge, or `pageInfo.endCursor`."
    raise BadInput(msg)
