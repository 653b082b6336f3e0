"""One line per request, as `gateway.telemetry` says it, written without the detours of logging.

Making a line through the logging of Python takes 30 microseconds, as long as all the rest of a kept response. These
are the same lines, made at once and written together a moment later.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

SOON = 0.1
"""Seconds until what was said is written."""
MOST = 500
"""The most lines that wait."""


class Lines:
    """Says lines to `stream`, in order, at the latest `SOON` seconds later. Belongs to one event loop."""

    def __init__(self, stream: SupportsWrite[str]) -> None:
        """`stream` has nobody wait, as `gateway.pen` does."""
        self._stream = stream
        self._waiting: list[str] = []

    def info(self, event: str, **said: Any) -> None:
        """One line, as a logger of requests says it."""
        stamped = {"event": event, **said, "logger": "gateway.request", "level": "info", "timestamp": datetime.now(UTC)}
        line = orjson.dumps(stamped, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
        # As text: the bytes that orjson makes hold 4 KiB each, and new memory takes longer than the line.
        self._waiting.append(line.decode())
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(SOON, self.flush)
        elif len(self._waiting) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Have written what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._stream.write("".join(waiting))
