"""What one stream may take, whichever way it goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manners:
    """The limits of one stream. Times in seconds.

    `init` is for a websocket to say who it is, `idle` for one that asks nothing, `slow` for a reader that does
    not take what is sent, `beat` between two signs of life over HTTP, `answer` for one operation to begin,
    `longest` for a stream over HTTP and for a websocket without a token. `operations` is how many one websocket
    may have open, `messages` how many it may send in ten seconds.
    """

    init: float = 10.0
    idle: float = 300.0
    slow: float = 15.0
    beat: float = 12.0
    answer: float = 15.0
    longest: float = 3_600.0
    operations: int = 50
    messages: int = 200
