"""A Postgres of our own: it starts, is shared, survives what is stale, and never outlives its users."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from datasources.postgres import migrate, revisions
from datasources.postgres.connection import DatabaseError, connect
from gateway import embedded, keeper
from gateway.cluster import EmbeddedError, Programs, find_programs

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = {"fsync": "off"}


@pytest.fixture(scope="module")
def reachable() -> Iterator[Path]:
    """A directory that the user Postgres runs as can enter, which pytest's own cannot be."""
    with tempfile.TemporaryDirectory(prefix="gateway-embedded-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture(scope="module")
def made(reachable: Path) -> Path:
    """A home with a cluster that has run once, for others to copy: it takes a moment to make."""
    embedded.start(reachable / "made", settings=QUICK).stop()
    return reachable / "made"


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    copy = made.with_name("copy")
    # Only `cp` keeps the owner.
    subprocess.run(["/bin/cp", "-a", made, copy], check=True)  # noqa: S603 - our own paths
    yield copy
    shutil.rmtree(copy)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def ask(url: str, question: str = "SELECT 1") -> object:
    connection = await connect(url)
    answer: object = await connection.fetchval(question)
    await connection.close()
    return answer


def wait_until_stopped(home: Path) -> None:
    """Return when the server is gone: the kernel says so by giving its lock away."""
    with (home / "alive.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


async def test_it_starts_from_nothing_and_says_what_it_does(reachable: Path) -> None:
    said: list[str] = []
    home = reachable / "deep" / "home"
    server = embedded.start(home, say=said.append, settings=QUICK)
    try:
        assert await migrate.prepare(server.owner_url, server.app_password) == revisions.wanted()
        assert await ask(server.app_url, "SELECT current_user::text") == "gateway_app"
        assert await ask(server.owner_url, "SHOW listen_addresses") == "127.0.0.1"
    finally:
        server.stop()
    assert mode(home / "secrets.json") == 0o600
    assert said == ["Making the database cluster", "Starting Postgres"]


async def test_nobody_comes_in_without_a_password(home: Path) -> None:
    server = embedded.start(home, settings=QUICK)
    user, _, rest = server.owner_url.partition("@")
    try:
        for stranger in (
            f"postgresql://gateway_owner:wrong@{rest}",
            f"{user}@{rest}".replace("gateway_owner", "postgres"),
        ):
            with pytest.raises(DatabaseError, match=r"password|pg_hba"):
                await ask(stranger)
    finally:
        server.stop()


async def test_a_second_user_shares_the_server_and_the_last_one_stops_it(home: Path) -> None:
    first = embedded.start(home, settings=QUICK)
    second = embedded.start(home, settings=QUICK)
    assert second.owner_url == first.owner_url
    first.stop()
    first.stop()
    assert await ask(second.owner_url) == 1
    second.stop()
    assert not keeper.locked(home / "alive.lock")
    with pytest.raises(DatabaseError):
        await ask(second.owner_url)


async def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    first = embedded.start(home, settings=QUICK)
    await ask(first.owner_url, "CREATE TABLE kept (id int)")
    first.stop()
    second = embedded.start(home, settings=QUICK)
    try:
        assert await ask(second.owner_url, "SELECT count(*) FROM kept") == 0
    finally:
        second.stop()


@pytest.mark.parametrize("pid", [2**22 - 3, os.getpid()], ids=["a process that is gone", "some other process"])
async def test_a_stale_pid_file_is_seen_through(home: Path, pid: int) -> None:
    data = home / "cluster" / "data"
    lines = [str(pid), str(data), "1700000000", "5432", "", "127.0.0.1", "  1 1", "ready   "]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    server = embedded.start(home, settings=QUICK)
    try:
        assert await ask(server.owner_url) == 1
    finally:
        server.stop()


PARENT = """
import sys
from pathlib import Path
from gateway import embedded
print(embedded.start(Path(sys.argv[1]), settings={"fsync": "off"}).owner_url, flush=True)
sys.stdin.read()
"""


def parent(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", PARENT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_its_user_is_killed(home: Path, blow: signal.Signals) -> None:
    with parent(home) as user:
        assert user.stdout
        url = user.stdout.readline().strip()
        assert await ask(url) == 1
        # The whole group hears it, as it does from a terminal.
        os.killpg(user.pid, blow)
    await asyncio.wait_for(asyncio.to_thread(wait_until_stopped, home), 30)
    with pytest.raises(DatabaseError):
        await ask(url)


async def test_it_runs_on_when_only_one_of_its_users_is_killed(home: Path) -> None:
    with parent(home) as user:
        assert user.stdout
        url = user.stdout.readline().strip()
        mine = embedded.start(home)
        os.killpg(user.pid, signal.SIGKILL)
    assert mine.owner_url == url
    assert await ask(url) == 1
    mine.stop()
    assert not keeper.locked(home / "alive.lock")


def test_a_data_directory_of_another_major_version_is_left_alone(home: Path) -> None:
    version = home / "cluster" / "data" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"made by Postgres 12.*remove the directory"):
        embedded.start(home)
    assert version.read_text() == "12\n"
    assert not keeper.locked(home / "users.lock")


def test_what_postgres_says_when_it_does_not_start_is_told(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="no_such_setting"):
        embedded.start(home, settings={"no_such_setting": "1"})
    assert not keeper.locked(home / "alive.lock")


def test_a_cluster_half_made_is_made_again(home: Path) -> None:
    (home / "cluster" / "data").rename(home / "cluster" / "data.half")
    said: list[str] = []
    embedded.start(home, say=said.append, settings=QUICK).stop()
    assert said[0] == "Making the database cluster"
    assert not (home / "cluster" / "data.half").exists()


def test_the_programs_are_found_and_are_new_enough(tmp_path: Path) -> None:
    assert find_programs(tmp_path).major >= 16
    (tmp_path / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.4'\n")
    (tmp_path / "postgres").chmod(0o755)
    assert find_programs(tmp_path).directory != tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server to another user")
def test_root_keeps_the_cluster_where_another_user_reaches_it(reachable: Path) -> None:
    said: list[str] = []
    elsewhere = reachable / "elsewhere"
    with tempfile.TemporaryDirectory() as closed:
        # Programs that only root reaches, as in a clone under /root.
        found = find_programs()
        package = found.directory.parents[1]
        for part in package.parent.glob(f"{package.name}*"):
            shutil.copytree(part, Path(closed) / part.name)
        programs = Programs(Path(closed) / found.directory.relative_to(package.parent), found.major)
        home = Path(closed) / "home"
        for _ in range(2):
            server = embedded.start(home, say=said.append, programs=programs, settings=QUICK, elsewhere=elsewhere)
            try:
                assert asyncio.run(ask(server.owner_url)) == 1
            finally:
                server.stop()
        assert not (home / "cluster").exists()
    assert sum("only root can reach" in line for line in said) == 2
    assert sum("Copying" in line for line in said) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server to another user")
def test_root_is_told_when_there_is_no_place_that_another_user_reaches() -> None:
    with (
        tempfile.TemporaryDirectory() as closed,
        pytest.raises(EmbeddedError, match="GATEWAY_HOME"),
    ):
        embedded.start(Path(closed) / "home", elsewhere=Path(closed) / "elsewhere")
