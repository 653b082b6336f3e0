"""A Postgres of our own, for development and tests.

    home/users.lock     shared by every process that uses the cluster (`gateway.keeper` says why)
    home/alive.lock     held by the server as long as any part of it lives
    home/start.lock     one process at a time makes, starts or joins
    home/secrets.json   the passwords, readable by the owner of the home only
    home/cluster/       owned by the user the server runs as: data/, access.conf, log

The server listens on a free port of 127.0.0.1, asks everybody for a password, and has no superuser that
could log in. Its owner role is what a managed Postgres gives: it may make roles and databases, and
row-level security holds for it too.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gateway import keeper
from gateway.cluster import Cluster, EmbeddedError, Programs, Say, find_programs, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ELSEWHERE = Path("/var/lib/learning-analytics-gateway")
ACCESS = "host all gateway_owner,gateway_app 127.0.0.1/32 scram-sha-256\n"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running cluster. It runs until the last process that started or joined it stops or dies."""

    owner_url: str
    app_url: str
    app_password: str
    stop: Callable[[], None]


def start(
    home: Path,
    *,
    say: Say = lambda _: None,
    programs: Programs | None = None,
    settings: Mapping[str, str] | None = None,
    elsewhere: Path = ELSEWHERE,
) -> Embedded:
    """Make the cluster under `home` if there is none, start it if it does not run, and join it.

    The role `gateway_app` that `app_url` names is made by the migrations (`migrate.prepare`), not here.

    Args:
        home: the directory that is ours; made when missing.
        say: hears what is being done, for people.
        programs: the Postgres programs; found when not given (`find_programs`).
        settings: server settings on top of the defaults, for a server that has to be started.
        elsewhere: where root puts a cluster that the server's user could not reach under `home`.

    Raises:
        EmbeddedError: no usable programs, another major version made the data, nobody to run as, or
            Postgres itself refused; the message says what to do.
        OSError: the home cannot be written.
    """
    programs = programs or find_programs()
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    with _held(home / "start.lock"):
        # A bare descriptor: it stays open until `stop` or our death, even when everybody forgets about it.
        users = os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            # Waits for a keeper that is just stopping the server: afterwards it runs for us, or not at all.
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster = place(home, programs, elsewhere, say)
            passwords = _passwords(home)
            if not keeper.locked(cluster.alive):
                _make(cluster, passwords, say)
                say("Starting Postgres")
                _launch(cluster, {**SETTINGS, **(settings or {})})
            _set_keeper(cluster, home / "users.lock")
        except BaseException:
            os.close(users)
            raise
    port = int((cluster.data / "postmaster.pid").read_text().splitlines()[3])

    def url(role: str) -> str:
        return f"postgresql://gateway_{role}:{passwords[role]}@127.0.0.1:{port}/gateway"

    held = [users]

    def stop() -> None:
        """Stop the server if nobody else uses it; the keeper does it later if somebody does."""
        while held:
            users = held.pop()
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                cluster.stop()
            except BlockingIOError:
                pass
            finally:
                os.close(users)

    return Embedded(url("owner"), url("app"), passwords["app"], stop)


@contextmanager
def _held(path: Path) -> Iterator[IO[str]]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _passwords(home: Path) -> dict[str, str]:
    path = home / "secrets.json"
    if not path.exists():
        half = path.with_suffix(".half")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({role: secrets.token_urlsafe(32) for role in ("owner", "app")}, file)
        half.rename(path)
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _make(cluster: Cluster, passwords: Mapping[str, str], say: Say) -> None:
    """Make the data directory, whole or not at all, unless there is one that fits."""
    if cluster.data.exists():
        made_by = (cluster.data / "PG_VERSION").read_text().strip()
        if made_by != str(cluster.programs.major):
            msg = (
                f"{cluster.data} was made by Postgres {made_by}, and the programs here by {cluster.programs.major}. "
                f"Bring Postgres {made_by} back, or remove the directory: everything in it can be worked out again."
            )
            raise EmbeddedError(msg)
        return
    say("Making the database cluster")
    cluster.files.mkdir(mode=0o700, exist_ok=True)
    cluster.files.joinpath("access.conf").write_text(ACCESS)
    if cluster.user:
        os.chown(cluster.files, *cluster.user)
        os.chown(cluster.files / "access.conf", *cluster.user)
    shutil.rmtree(half := cluster.data.with_suffix(".half"), ignore_errors=True)
    # Bytes sort alike on every system, and a crash of the machine can at worst cost data that can be worked out again.
    options = ("--encoding=UTF8", "--locale=C", "--auth=reject", "--username=postgres", "--no-sync")
    cluster.run("initdb", "-D", half, *options)
    cluster.run(
        "postgres",
        *("--single", "-D", half, "-c", "exit_on_error=on", "postgres"),
        text=f"CREATE ROLE gateway_owner LOGIN CREATEDB CREATEROLE PASSWORD '{passwords['owner']}'\n"
        "CREATE DATABASE gateway OWNER gateway_owner\n",
    )
    half.rename(cluster.data)


def _launch(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Start the server on a free port, with the lock of life in its hands."""
    _clear_stale_pid(cluster)
    for attempt in range(1, 4):
        own = {"port": str(_free_port()), "hba_file": str(cluster.files / "access.conf")}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in {**settings, **own}.items())
        with _held(cluster.alive) as alive:
            try:
                cluster.run(
                    "pg_ctl",
                    *("start", "-D", cluster.data, "-l", cluster.files / "log", "-w", "-t", "60", "-o", options),
                    inherit=(alive.fileno(),),
                )
            except EmbeddedError as error:
                said = (cluster.files / "log").read_text(errors="replace")[-2000:]
                if attempt < 3 and "Address already in use" in said:  # noqa: PLR2004 - somebody was quicker; three tries
                    continue
                msg = f"Postgres did not start: {error}\n{said}"
                raise EmbeddedError(msg) from error
        return


def _clear_stale_pid(cluster: Cluster) -> None:
    """Remove a `postmaster.pid` whose process is gone, or is by now some other program.

    Postgres would refuse to start when another process of the same user has got that number since.
    """
    pid_file = cluster.data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = pid_file.read_text().split("\n", 1)[0].strip()
    if Path("/proc/self/cwd").exists():
        try:
            # A server works in its data directory.
            alive = Path(f"/proc/{pid}/cwd").samefile(cluster.data)
        except OSError:
            alive = False
    else:
        listed = subprocess.run(["/bin/ps", "-o", "command=", "-p", pid], capture_output=True, text=True, check=False)  # noqa: S603 - a number
        alive = str(cluster.data) in listed.stdout
    if alive:
        msg = f"A Postgres that we did not start (process {pid}) runs in {cluster.data}: stop it, then try again."
        raise EmbeddedError(msg)
    pid_file.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _set_keeper(cluster: Cluster, users: Path) -> None:
    """Leave a keeper behind; it outlives us, and needs nothing from us."""
    who = [str(part) for part in cluster.user or ()]
    subprocess.run(  # noqa: S603 - this interpreter, our own file
        [
            *(sys.executable, "-I", "-S", keeper.__file__),
            *(str(users), str(cluster.alive), str(cluster.programs.directory / "pg_ctl"), str(cluster.data)),
            *who,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
