"""How each simulated service behaves just now: well, slowly, not at all, or talking nonsense."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive

FAR = -1e300
"""A number outside every bound that a service could promise."""


class Mode(StrEnum):
    """How a service behaves."""

    OK = "ok"
    SLOW = "slow"
    FAILING = "failing"
    HANGING = "hanging"
    NONSENSE = "nonsense"


@dataclass(frozen=True, slots=True)
class Switch:
    """A mode, and for `slow` the seconds it takes to answer."""

    mode: Mode = Mode.OK
    seconds: float = 2.0


class Switchboard:
    """One switch per service.

    A hanging service lets go when its caller leaves, after `hang_for` seconds, or when the server closes.
    """

    def __init__(self, names: Iterable[str], *, hang_for: float) -> None:
        self._switches = dict.fromkeys(names, Switch())
        self._turns: Counter[str] = Counter()
        self._hang_for = hang_for
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let go of everyone who is kept waiting: the server is about to stop."""
        self._closing.set()

    def turn(self, service: str, switch: Switch) -> None:
        """Change how a service behaves; KeyError for a service that is not there."""
        if service not in self._switches:
            raise KeyError(service)
        self._switches[service] = switch

    def positions(self) -> dict[str, Switch]:
        """Every switch by its service."""
        return dict(self._switches)

    async def failure(self, service: str, receive: Receive) -> tuple[int, str] | None:
        """Take the time the mode asks for; then the status and reason of the failure, or None to answer."""
        switch = self._switches[service]
        match switch.mode:
            case Mode.SLOW:
                await self._wait(switch.seconds)
            case Mode.FAILING:
                return 503, f"{service} is switched to failing"
            case Mode.HANGING:
                await self._wait(self._hang_for, receive)
                return 504, f"{service} is switched to hanging"
        return None

    def write(self, service: str, payload: Any) -> bytes:
        """The payload as JSON; of a service talking nonsense, by turns broken, misshapen and out of range."""
        if self._switches[service].mode is not Mode.NONSENSE:
            return orjson.dumps(payload)
        turn = self._turns[service] % 3
        self._turns[service] += 1
        if turn == 0:
            return orjson.dumps(payload)[:-1]
        absurd, changed = _absurd(orjson.loads(orjson.dumps(payload)))
        return orjson.dumps(absurd if turn == 2 and changed else ["nonsense"])  # noqa: PLR2004  # the third kind

    async def _wait(self, seconds: float, receive: Receive | None = None) -> None:
        """Until the seconds are over, the server closes, or the caller of `receive` leaves."""
        waits: list[asyncio.Task[bool]] = [asyncio.create_task(self._closing.wait())]
        if receive:
            waits.append(asyncio.create_task(_left(receive)))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()


async def _left(receive: Receive) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    return True


def _absurd(value: Any) -> tuple[Any, bool]:
    """The same JSON with every number far out of range, and whether there was a number at all."""
    match value:
        case bool() | str() | None:
            return value, False
        case int() | float():
            return FAR, True
        case list():
            parts = [_absurd(part) for part in value]
            return [part for part, _ in parts], any(changed for _, changed in parts)
        case _:
            named = {key: _absurd(part) for key, part in value.items()}
            return {key: part for key, (part, _) in named.items()}, any(changed for _, changed in named.values())
