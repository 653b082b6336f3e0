"""Commands of the gateway as real processes: started as people start them, watched, and gone at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "gateway.cli")
PROC = Path("/proc")


@contextmanager
def reachable_home() -> Iterator[Path]:
    """A home that the user Postgres runs as can enter, which pytest's own directories cannot be."""
    with tempfile.TemporaryDirectory(prefix="gateway-home-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def surroundings(**ours: str | Path | int) -> dict[str, str]:
    """The environment of a command: that of the tests without anything about the gateway, and these variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GATEWAY_") and not name.endswith("_SERVICE_URL")
    }
    return kept | {name: str(value) for name, value in ours.items()}


def run(*arguments: str, seconds: float = 60, **ours: str | Path | int) -> subprocess.CompletedProcess[str]:
    """A command from its start to its end."""
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        env=surroundings(**ours),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def until(condition: Callable[[], bool], seconds: float = 30, *, what: str) -> None:
    """Wait until something is so that only other processes can bring about.

    They tell us nothing, so that looking again is all there is to do.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for this: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether an address says that all is well."""
    try:
        return httpx.get(url, trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False


def listens(port: int) -> bool:
    """Whether anybody takes connections at a port of this machine."""
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def children(parent: int) -> dict[int, str]:
    """The living processes that this one started itself, with their command lines."""
    return {pid: command for pid, above, command in _processes() if above == parent}


def alive(pids: set[int]) -> set[int]:
    """Those of these processes that still run."""
    return pids & {pid for pid, _, _ in _processes()}


def _processes() -> Iterator[tuple[int, int, str]]:
    """Number, parent and command line of every process, but those that only wait for their end to be noticed."""
    if not PROC.is_dir():
        listed = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,stat=,command="], capture_output=True, text=True, check=True
        )
        for line in listed.stdout.splitlines():
            pid, parent, state, command = line.split(None, 3)
            if not state.startswith("Z"):
                yield int(pid), int(parent), command
        return
    for directory in PROC.glob("[0-9]*"):
        try:
            # The name in brackets may hold anything, brackets too.
            state, parent = (directory / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in {"Z", "X"}:
            yield int(directory.name), int(parent), command
