"""What is known of thousands, held as packed text and read one at a time.

A fact of a year takes one to five times as much in objects as in text, and its text ten times as much as when packed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")

FEW = 100
"""So many are held read, once they were: that takes less than reading them for each formula."""
ROOM = 8 << 20
"""So many bytes of what services said of groups a process holds read, for requests that are under way; in objects
they take one to five times as much. The rest is packed."""
LEVEL = 1
"""How hard to pack: harder takes two times as long, and saves a fifth."""


def pack(text: bytes) -> bytes:
    """A text, packed."""
    return zlib.compress(text, LEVEL)


def unpack(packed: bytes) -> bytes:
    """The text that was packed."""
    return zlib.decompress(packed)


class Room:
    """So many bytes, for whoever takes them first, until they give them back."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, size: int) -> bool:
        """Take so many, if there are as many left, and say so."""
        fits = size <= self._left
        self._left -= size * fits
        return fits

    def give(self, size: int) -> None:
        """Give so many back."""
        self._left += size


class Packed(Mapping[str, T]):
    """Things by id, each read anew whenever it is asked for, and held by nobody but who asked, unless they are `few`.

    Two readings give equal things, which may be the same one: nobody changes them. Who needs something of them all
    takes it from one at a time. What is not packed is itself.
    """

    def __init__(self, packed: Mapping[str, bytes | T], read: Callable[[bytes], T], few: int = FEW) -> None:
        """`read` makes a thing, which is not bytes, of what it was packed to."""
        self._packed = packed
        self._read = read
        self._held: dict[str, T] | None = {} if len(packed) <= few else None

    def __getitem__(self, key: str) -> T:
        if self._held is not None and key in self._held:
            return self._held[key]
        packed = self._packed[key]
        thing = self._read(packed) if isinstance(packed, bytes) else packed
        if self._held is not None:
            self._held[key] = thing
        return thing

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, key: object) -> bool:
        # The mapping's own way would read the thing.
        return key in self._packed


class Chosen(Mapping[str, T]):
    """Those of a mapping's things that have one of these ids, in the order of the ids; read when they are asked for."""

    def __init__(self, ids: Iterable[str], of: Mapping[str, T]) -> None:
        self._ids = dict.fromkeys(one for one in ids if one in of)
        self._of = of

    def __getitem__(self, key: str) -> T:
        if key not in self._ids:
            raise KeyError(key)
        return self._of[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, key: object) -> bool:
        return key in self._ids
