"""What is logged, written at once where it is taken at once, else by a thread: nobody waits for who reads it."""

from __future__ import annotations

import atexit
import os
import select
import threading
import time
from collections import deque
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STANDARD_ERROR = 2
ERRORS = "backslashreplace"
ROOM = 4 << 20
"""Bytes that may wait to be written; whatever else is said meanwhile is lost, and counted."""
FAREWELL = 2.0
"""Seconds that writing the rest may take at the end."""


class Pen:
    """A stream of lines into an open file: `write` takes them, and they are written in their order.

    A thread that is always at it would want its turn at Python again and again, and have a busy loop wait for that; so
    it writes only what the file does not take at once. A reader that takes nothing, such as a full pipe, costs lines,
    and nobody's time. How many were lost is a line of its own, `log.lost`, before the next that is taken. One that is
    gone costs all of them. Several processes may write to one pipe: lines up to `PIPE_BUF` bytes stay whole.
    """

    def __init__(
        self,
        file: int,
        *,
        room: int = ROOM,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`file` is the number that the system knows it by."""
        self._file = file
        self._room = room
        self._now = now
        self._monotonic = monotonic
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._lost = 0
        self._cut = False
        self._busy = False
        self._over: float | None = None
        self._turn = threading.Condition()
        self._hand = threading.Thread(target=self._write_on, name="pen", daemon=True)
        self._hand.start()

    def write(self, text: str) -> int:
        """Have some lines written, at once or soon."""
        lines = text.encode(errors=ERRORS)
        with self._turn:
            if self._over is not None:
                self._put(lines, self._over)
                return len(text)
            if not (self._busy or self._waiting):
                lines = self._put_at_once(self._told_lost() + lines)
            if self._held + len(lines) > self._room:
                self._lost += lines.count(b"\n")
            elif lines:
                self._waiting.append(lines)
                self._held += len(lines)
                self._turn.notify()
        return len(text)

    def close(self) -> None:
        """Write what waits, as far as it is taken within `FAREWELL` seconds; a second time it does nothing.

        What is said from now on is written at once, within the same seconds, or later if it is taken at once: a
        process that is ended by a signal gives no time to a thread.
        """
        with self._turn:
            if self._over is not None:
                return
            self._over = self._monotonic() + FAREWELL
            self._turn.notify()
        self._hand.join(FAREWELL)

    def _write_on(self) -> None:
        last = False
        while not last:
            with self._turn:
                self._busy = False
                while not self._waiting and self._over is None:
                    self._turn.wait()
                last, self._busy = self._over is not None, True
                lines = self._told_lost() + b"".join(self._waiting)
                self._waiting.clear()
                self._held = 0
            self._put(lines)

    def _told_lost(self) -> bytes:
        """The line that says how many were lost since the last such line; nothing where none were."""
        if not self._lost:
            return b""
        lines, self._lost = self._lost, 0
        said = {"event": "log.lost", "lines": lines, "logger": __name__, "level": "warning", "timestamp": self._now()}
        return orjson.dumps(said, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)

    def _put_at_once(self, lines: bytes) -> bytes:
        """Write what is taken without having anybody wait; the rest."""
        at = 0
        for piece in _pieces(lines):
            if len(piece) > select.PIPE_BUF or not self._taken(piece, self._monotonic()):
                break
            at += len(piece)
        return lines[at:]

    def _put(self, lines: bytes, until: float | None = None) -> None:
        """Write some lines, or count them as lost; None: wait for the reader as long as it takes."""
        lost = 0
        for piece in _pieces(lines):
            lost += 0 if self._taken(piece, until) else piece.count(b"\n")
        with self._turn:
            self._lost += lost

    def _taken(self, piece: bytes, until: float | None) -> bool:
        """Whether some lines were written to their end."""
        rest = memoryview(b"\n" + piece if self._cut else piece)
        try:
            while rest:
                left = None if until is None else max(0.0, until - self._monotonic())
                # So much a pipe takes without having anybody wait, if it takes anything.
                if left is not None and not select.select((), (self._file,), (), left)[1]:
                    break
                try:
                    rest = rest[os.write(self._file, rest if left is None else rest[: select.PIPE_BUF]) :]
                except BlockingIOError:
                    # Somebody else who has it open does not want to wait either.
                    select.select((), (self._file,), (), left)
        except (OSError, ValueError):
            pass
        self._cut = 0 < len(rest) < len(piece)
        return not rest


@cache
def of_process() -> Pen:
    """The one in front of standard error; closed when the process ends of its own accord, if not before."""
    pen = Pen(STANDARD_ERROR)
    atexit.register(pen.close)
    return pen


def _pieces(lines: bytes) -> Iterator[bytes]:
    """As many lines together as a pipe takes at once without mixing them with another's; a longer line alone."""
    start = 0
    while start < len(lines):
        most = start + select.PIPE_BUF
        end = len(lines) if most >= len(lines) else lines.rfind(b"\n", start, most) + 1
        if end <= start:
            end = lines.find(b"\n", most) + 1 or len(lines)
        yield lines[start:end]
        start = end
