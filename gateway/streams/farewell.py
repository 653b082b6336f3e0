"""Leaving in good order: a process that is told to stop says so to whoever listens, at once.

uvicorn waits for open responses before it ends the application's lifespan, and a stream would go on for as long as
its token holds; so the signal itself is heard here, and handed on to whoever heard it before.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.refusal import error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

WORDS = "This process is stopping: subscribe again, and another one answers."
STOPPING = error("STOPPING", WORDS)
"""The last word of a stream over HTTP."""


@contextmanager
def told_to_stop(leaving: asyncio.Event) -> Iterator[None]:
    """Set the event when the process is told to stop, while the context is open.

    Only signals that somebody handles already are heard: what would end the process at once still does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(leaving.set)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    heard = [number for number, handler in before.items() if callable(handler)]
    for number in heard:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
