"""Stops an embedded Postgres when the last process that used it is gone, however it went.

Every user of a cluster holds a shared lock on one file, and the kernel drops it even on `kill -9`. This
small program waits for the exclusive lock, which it gets exactly when nobody is left, and then stops
the server. A second file stays locked by the server itself, which inherits it: a lock that can be had
means that no server of ours runs, whatever a stale `postmaster.pid` says.

It needs the standard library only, so that it is small and quick to start:
`python -I -S keeper.py USERS ALIVE PG_CTL DATA [UID GID]`.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """The arguments of `subprocess.run` that make a program run as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def identity(user: tuple[int, int] | None) -> Identity:
    """How to run a program as this user; None is ourselves."""
    return Identity(user=user[0], group=user[1], extra_groups=[]) if user else Identity()


def locked(path: Path) -> bool:
    """Whether somebody else holds the lock on this file."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def stop(alive: Path, pg_ctl: Path, data: Path, user: tuple[int, int] | None) -> None:
    """Stop the server of this data directory, if it runs, and return when all of it is gone."""
    if not alive.exists():
        return
    with alive.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _order(pg_ctl, data, user)
            fcntl.flock(file, fcntl.LOCK_EX)


def _order(pg_ctl: Path, data: Path, user: tuple[int, int] | None) -> None:
    for mode in ("fast", "immediate"):
        done = subprocess.run(  # noqa: S603 - a program of Postgres, with our own paths
            [pg_ctl, "stop", "-D", data, "-m", mode, "-w", "-t", "30"],
            cwd="/",
            **identity(user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return


def main(users: str, alive: str, pg_ctl: str, data: str, *user: str) -> None:
    """Leave the caller's session, wait until nobody uses the cluster, and stop it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    with Path(users).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        stop(Path(alive), Path(pg_ctl), Path(data), (int(user[0]), int(user[1])) if user else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
