"""Load: wrk on so many connections for so many seconds, and what the server and Postgres spent on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.made.processes import Family

SCRIPT = Path(__file__).with_name("rotate.lua")
HEAD_START = 0.5
"""Seconds that rosters are already being asked for when the cheap query beside them is measured."""
PATIENCE = 30
"""Seconds after its end that the load generator is waited for."""

LONGEST_SETTLING = 20.0
GLANCE = 0.25
"""Seconds between two looks at whether a server still works."""
IDLE = 0.2
"""The share of a processor below which it does not."""


class LoadError(RuntimeError):
    """Nothing could be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of load: which file of requests, to which address, on how many connections, for how many seconds."""

    url: str
    requests: Path
    connections: int
    seconds: float
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """How a load went. Latencies in milliseconds, processor time in microseconds a request, memory in MiB.

    `transactions` are those of Postgres for one request, None where nobody counted; a statement alone is one. `server`,
    `postgres` and `memory` are None where no process of this machine is known to be theirs. Where nothing was
    answered, latencies are as long as the load lasted, and nothing is known of one request.
    """

    requests: int
    per_second: float
    p50: float
    p95: float
    p99: float
    bytes: float
    errors: int
    server: float | None
    postgres: float | None
    transactions: float | None
    memory: float | None

    def plain(self) -> dict[str, float | None]:
        """As JSON takes it."""
        return asdict(self)


def check() -> None:
    """See that there is a load generator.

    Raises:
        LoadError: there is none.
    """
    if shutil.which("wrk") is None:
        msg = "There is no wrk here, which makes the load. On Debian and Ubuntu: apt-get install wrk"
        raise LoadError(msg)


def measured(load: Load, server: Family | None, postgres: Family | None) -> Measured:
    """Load a server.

    Raises:
        LoadError: the load generator said nothing.
    """
    before = _spent(server), _spent(postgres)
    with _wrk(load) as running:
        told = _heard(running, load.seconds)
    after = _spent(server), _spent(postgres)
    count = told["requests"]
    memory = None if server is None else server.largest()
    if not count:
        least = 1000 * told["seconds"]
        return Measured(0, 0.0, least, least, least, 0.0, int(told["errors"]), None, None, None, memory)
    each = [None if a is None or b is None else 1e6 * (a - b) / count for a, b in zip(after, before, strict=True)]
    return Measured(
        requests=int(count),
        per_second=count / told["seconds"],
        p50=told["p50"],
        p95=told["p95"],
        p99=told["p99"],
        bytes=told["bytes"] / count,
        errors=int(told["errors"]),
        server=each[0],
        postgres=each[1],
        transactions=None,
        memory=memory,
    )


def settle(server: Family | None) -> None:
    """Wait until a server has let go of what nobody waits for any more, so that it is nobody else's burden."""
    until = time.monotonic() + LONGEST_SETTLING
    while server is not None and time.monotonic() < until:
        before = server.seconds()
        time.sleep(GLANCE)
        if server.seconds() - before < IDLE * GLANCE:
            return


def beside(cheap: Load, heavy: Load, server: Family | None, postgres: Family | None) -> Measured:
    """Load a server with something cheap while it is loaded with something heavy; of the cheap one is told.

    What was spent is what both took.
    """
    with _wrk(heavy) as other:
        try:
            time.sleep(HEAD_START)
            return measured(cheap, server, postgres)
        finally:
            other.terminate()


def _wrk(load: Load) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own arguments
        [  # noqa: S607 - where it is differs from machine to machine
            "wrk",
            "--threads=1",
            f"--connections={load.connections}",
            f"--duration={max(1, round(load.seconds))}s",
            "--timeout=20s",
            f"--script={SCRIPT}",
            load.url,
            "--",
            str(load.requests),
            str(load.seed),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _heard(running: subprocess.Popen[str], seconds: float) -> dict[str, float]:
    try:
        said, _ = running.communicate(timeout=seconds + PATIENCE)
    except subprocess.TimeoutExpired as error:
        running.kill()
        msg = "wrk does not end"
        raise LoadError(msg) from error
    line = next((line for line in said.splitlines() if line.startswith("== ")), None)
    if line is None:
        msg = f"wrk measured nothing: {said[-500:]}"
        raise LoadError(msg)
    told: dict[str, float] = json.loads(line[3:])
    return told


def _spent(family: Family | None) -> float | None:
    return None if family is None else family.seconds()
