"""A mapping that forgets what was used longest ago, bounded by count and by weight."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `count` entries that weigh at most `weight` together; the least recently used leave first.

    An entry heavier than the whole bound is not kept at all.
    """

    __slots__ = ("_count", "_entries", "_weight", "held")

    def __init__(self, count: int, weight: int) -> None:
        self._count = count
        self._weight = weight
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.held = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """What is kept under a key; being asked for makes it recent."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: K, value: V, weight: int = 1) -> None:
        """Remember a value, forgetting as many others as the bounds ask for."""
        self.forget(key)
        if weight > self._weight:
            return
        self._entries[key] = (value, weight)
        self.held += weight
        while len(self._entries) > self._count or self.held > self._weight:
            _, (_, freed) = self._entries.popitem(last=False)
            self.held -= freed

    def forget(self, key: K) -> None:
        """Drop one entry, if it is there."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.held -= entry[1]

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self.held = 0
