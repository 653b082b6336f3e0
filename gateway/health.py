"""Whether the process is alive, and whether it is ready, naming each thing that is not."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.types import Receive, Scope, Send

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing we stand on.

    `ask` returns None when it is well, else what is wrong in words anybody may read. It has `seconds` to
    answer. When a thing that is not `essential` is unwell, we are degraded and still ready.
    """

    name: str
    ask: Callable[[], Awaitable[str | None]]
    essential: bool = True
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `ok`, `degraded` or `failing`, and why."""

    name: str
    state: str
    why: str | None
    ms: float


async def examine(check: Check) -> Finding:
    """Ask one check. Never raises: what it raises becomes a finding, by the name of its type."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(check.seconds):
            why = await check.ask()
    except TimeoutError:
        why = f"no answer within {check.seconds:g} s"
    except Exception as problem:
        LOG.exception("check failed", check=check.name)
        why = type(problem).__name__
    state = "ok" if why is None else "failing" if check.essential else "degraded"
    return Finding(check.name, state, why, round((time.perf_counter() - started) * 1000, 1))


class Readiness:
    """The ASGI application behind `/readyz`: 200 when every essential check is well, else 503.

    Its checks run together, and what they found is good for `keep` seconds, so that asking often costs little.
    """

    def __init__(
        self, checks: Sequence[Check], *, clock: Callable[[], float] = time.monotonic, keep: float = 1.0
    ) -> None:
        self._checks = tuple(checks)
        self._clock = clock
        self._keep = keep
        self._found: tuple[Finding, ...] = ()
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def findings(self) -> tuple[Finding, ...]:
        """What every check says, in the order they were given."""
        async with self._lock:
            if self._clock() >= self._until:
                self._found = tuple(await asyncio.gather(*(examine(check) for check in self._checks)))
                self._until = self._clock() + self._keep
            return self._found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whether we are ready."""
        found = await self.findings()
        ready = all(finding.state != "failing" for finding in found)
        body = {
            "ready": ready,
            "notReady": [finding.name for finding in found if finding.state == "failing"],
            "degraded": [finding.name for finding in found if finding.state == "degraded"],
            "checks": {finding.name: _shown(finding) for finding in found},
        }
        await _json(body, 200 if ready else 503)(scope, receive, send)


class Alive:
    """The ASGI application behind `/livez`: the process answers, so it is alive."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await _json({"alive": True}, 200)(scope, receive, send)


def _shown(finding: Finding) -> dict[str, Any]:
    return {"state": finding.state, "ms": finding.ms, **({"why": finding.why} if finding.why else {})}


def _json(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status, HEADERS, media_type="application/json")
