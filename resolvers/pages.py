"""Relay connections: how a client asks for a part of a list, and how it gets it."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import orjson
import strawberry

from resolvers.errors import BadInput

DEFAULT, MOST = 20, 200
LONGEST = 1000

T = TypeVar("T")
Key = tuple[str, str]
"""Where a row stands in its list: what it is sorted by, and its id."""

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


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for: exactly one of `first` and `last` is set."""

    first: int | None
    after: Key | None
    last: int | None
    before: Key | None


def window(first: int | None, after: str | None, last: int | None, before: str | None) -> Window:
    """The part of a list that a client means.

    Raises:
        BadInput: contradicting or unbounded arguments, or a cursor that is none of ours.
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
        return Window(None, None, last, _read("before", before))
    return Window(first or DEFAULT, _read("after", after), None, None)


def cursor(key: Key) -> str:
    """The opaque cursor of a row."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def connection(nodes: list[tuple[Key, T]], *, total: int, has_next: bool, has_previous: bool) -> Connection[T]:
    """A page with its cursors."""
    edges = [Edge(cursor=cursor(key), node=node) for key, node in nodes]
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        total_count=total,
    )


def _read(name: str, text: str | None) -> Key | None:
    if text is None:
        return None
    try:
        padded = text[:LONGEST].encode() + b"=" * (-len(text[:LONGEST]) % 4)
        match orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(by), str(ident)] if cursor((by, ident)) == text:
                return by, ident
    except (binascii.Error, ValueError):
        pass
    msg = f"{name} is not a cursor; use the `cursor` of an edge, or `pageInfo.endCursor`."
    raise BadInput(msg)
