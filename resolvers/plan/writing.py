"""How bytes are put together: what is the same every time is written once, what is not has its place in between."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

P = TypeVar("P")

NULL = b"null"

Text: TypeAlias = "list[bytes | P]"
"""JSON in pieces: bytes, and places for bytes."""


dumps: Callable[[object], bytes] = orjson.dumps
"""A value as the JSON of a response."""


def in_braces(fields: Iterable[tuple[str, Text[P]]]) -> Text[P]:
    """An object of these fields, in order."""
    pieces: Text[P] = []
    before = b"{"
    for key, text in fields:
        pieces += [before + dumps(key) + b":", *text]
        before = b","
    return [*pieces, b"}"] if pieces else [b"{}"]


class Template(Generic[P]):
    """A text with its places, in order."""

    def __init__(self, text: Text[P]) -> None:
        self.places: tuple[P, ...] = tuple(piece for piece in text if not isinstance(piece, bytes))
        self._pattern = b"".join(piece.replace(b"%", b"%%") if isinstance(piece, bytes) else b"%b" for piece in text)

    def filled(self, pieces: Sequence[bytes]) -> bytes:
        """The text with these in its places."""
        return self._pattern % tuple(pieces)

    def rows(self, columns: Sequence[Iterable[bytes]], length: int) -> Iterable[bytes]:
        """The text so many times, each place filled from its column.

        Raises:
            ValueError: a column is not as long as another.
        """
        return map(self._pattern.__mod__, zip(*columns, strict=True)) if columns else repeat(self.filled(()), length)
