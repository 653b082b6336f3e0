"""What a process holds in memory, looked through from what lives as long as it does."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from asyncpg import Connection  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

ELSEWHERE = (
    type,
    ModuleType,
    CodeType,
    FrameType,
    asyncio.AbstractEventLoop,
    asyncio.BaseTransport,
    asyncio.Future,
    Connection,
)
"""What does not belong to what holds it; and connections, where the last that was read lies until the next is."""


def holding(root: object, words: Collection[str], beside: Iterable[object] = ()) -> set[str]:
    """The ways from an object to each text, and each piece of bytes, that has one of these words in it.

    A way names the types that are passed. Nothing is looked for in what is under way, in modules, nor in `beside`.
    """
    marks = [word.encode() for word in words]
    met = {id(one) for one in beside}
    waiting: deque[tuple[Any, tuple[str, ...]]] = deque([(root, ())])
    found = set()
    while waiting:
        one, way = waiting.popleft()
        if id(one) in met or isinstance(one, ELSEWHERE):
            continue
        met.add(id(one))
        if isinstance(one, (str, bytes)):
            text = one.encode("utf-8", "replace") if isinstance(one, str) else one
            if any(mark in text for mark in marks):
                found.add(" > ".join(way))
            continue
        further = (*way, type(one).__name__)
        waiting.extend((part, further) for part in _parts(one))
    return found


def _parts(one: Any) -> Iterable[Any]:
    """What an object refers to; of a function what it was made with, not the module it is from."""
    if isinstance(one, FunctionType):
        return (one.__closure__, one.__defaults__, one.__kwdefaults__)
    # Of a mapping whose keys are all texts the collector only knows the values.
    return (*one.keys(), *gc.get_referents(one)) if isinstance(one, dict) else gc.get_referents(one)
