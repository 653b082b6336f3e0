"""What is logged, written by a thread of its own: who says something never waits for who reads it."""

from __future__ import annotations

import atexit
import os
import select
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import orjson

STANDARD_ERROR = 2
ERRORS = "backslashreplace"
ROOM = 4 << 20
"""Characters that may wait to be written; whatever else is said meanwhile is lost, and counted."""
FAREWELL = 2.0
"""Seconds that writing the rest may take at the end."""


class Pen:
    """A stream of lines into an open file: `write` takes them, and a thread writes them in their order.

    A reader that takes nothing, such as a full pipe, costs lines, and nobody's time. How many were lost is a line of
    its own, `log.lost`, once the reader takes some again. One that is gone costs all of them.
    """

    def __init__(self, file: int, *, room: int = ROOM) -> None:
        """`file` is the number that the system knows it by."""
        self._file = file
        self._room = room
        self._waiting: deque[str] = deque()
        self._held = 0
        self._lost = 0
        self._over = False
        self._turn = threading.Condition()
        self._hand = threading.Thread(target=self._write_on, name="pen", daemon=True)
        self._hand.start()

    def write(self, text: str) -> int:
        """Have some lines written soon."""
        with self._turn:
            if self._over:
                self._write_last(text.encode(errors=ERRORS))
            elif self._held + len(text) > self._room:
                self._lost += text.count("\n")
            else:
                self._waiting.append(text)
                self._held += len(text)
                self._turn.notify()
        return len(text)

    def close(self) -> None:
        """Write what waits, as far as it is taken within `FAREWELL` seconds.

        What is said from now on is written at once where it is taken at once, else lost: a process that is ended by
        a signal gives no time to a thread.
        """
        with self._turn:
            self._over = True
            self._turn.notify()
        self._hand.join(FAREWELL)

    def _write_on(self) -> None:
        while (text := self._next()) is not None:
            rest = memoryview(text.encode(errors=ERRORS))
            with suppress(OSError):
                while rest:
                    rest = rest[os.write(self._file, rest) :]

    def _write_last(self, line: bytes) -> None:
        # So much a pipe takes without having anybody wait, if it takes anything.
        if len(line) <= select.PIPE_BUF and select.select((), (self._file,), (), 0)[1]:
            with suppress(OSError):
                os.write(self._file, line)

    def _next(self) -> str | None:
        """What is to be written next, once there is something; None: nothing any more."""
        with self._turn:
            while not (self._waiting or self._lost or self._over):
                self._turn.wait()
            text = "".join(self._waiting)
            self._waiting.clear()
            self._held = 0
            if self._lost:
                text += _lost(self._lost)
                self._lost = 0
            return text or None


@cache
def of_process() -> Pen:
    """The one in front of standard error; closed when the process ends of its own accord, if not before."""
    pen = Pen(STANDARD_ERROR)
    atexit.register(pen.close)
    return pen


def _lost(lines: int) -> str:
    said = {"event": "log.lost", "lines": lines, "logger": __name__, "level": "warning"}
    return orjson.dumps({**said, "timestamp": datetime.now(UTC)}, option=orjson.OPT_UTC_Z).decode() + "\n"
