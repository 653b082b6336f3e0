"""What processes took: processor time and memory, read from /proc, so on Linux alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Family:
    """A process and all that it started, by its number."""

    head: int

    def members(self) -> list[int]:
        """Their numbers, as far as they live."""
        found, waiting = [], [self.head]
        while waiting:
            one = waiting.pop()
            found.append(one)
            for thread in PROC.glob(f"{one}/task/*/children"):
                try:
                    waiting += map(int, thread.read_text().split())
                except OSError:
                    continue
        return found

    def seconds(self) -> float:
        """Processor seconds so far: of all that live, and of those that the head outlived."""
        ticks = 0
        for one in self.members():
            if (said := _stat(one)) is not None:
                ticks += sum(map(int, said[11:15] if one == self.head else said[11:13]))
        return ticks / TICKS

    def largest(self) -> float:
        """MiB that the largest of them holds."""
        return max(map(_resident, self.members()))


def parent(one: int) -> int:
    """The process that started this one.

    Raises:
        ValueError: there is no such process here.
    """
    if (said := _stat(one)) is None:
        msg = f"process {one} does not run on this machine"
        raise ValueError(msg)
    return int(said[1])


def listening(port: int) -> int:
    """The first process that listens on a port of this machine.

    Raises:
        ValueError: none does, or it is somebody else's.
    """
    tables = (PROC / "net" / name for name in ("tcp", "tcp6"))
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if line[3] == LISTENING and line[1].endswith(f":{port:04X}")}
    for one in sorted(int(place.name) for place in PROC.glob("[0-9]*")):
        try:
            if any(str(file.readlink()) in sockets for file in (PROC / str(one) / "fd").iterdir()):
                return one
        except OSError:
            continue
    msg = f"no process of ours listens on port {port} of this machine"
    raise ValueError(msg)


def _stat(one: int) -> list[str] | None:
    """What the kernel says of a process after its name, which may hold anything; None when it is gone."""
    try:
        return (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _resident(one: int) -> float:
    try:
        lines = (PROC / str(one) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
