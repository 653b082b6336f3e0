"""A process at the end of a line: it is the module it was asked to be, until whoever holds the line lets go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.gateway.processes import alive, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Says who it is, and stays; what it was told in the meantime it says at the end.
SITS = """
import os, signal, sys
def end(*_):
    print("told to end", flush=True)
    raise SystemExit(0)
if "tidy" in sys.argv:
    signal.signal(signal.SIGTERM, end)
print(os.getpid(), __name__, *sys.argv[1:], flush=True)
while True:
    signal.pause()
"""
HOLDS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-m", "gateway.lifeline", "sits"], stdin=subprocess.PIPE).wait()
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "sits.py").write_text(SITS)
    (tmp_path / "holds.py").write_text(HOLDS)
    (tmp_path / "fails.py").write_text("raise SystemExit(3)\n")
    return tmp_path


@contextmanager
def start(modules: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A process at the end of our line, killed in the end if it still runs."""
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-m", *command], cwd=modules, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def let_go(process: subprocess.Popen[str]) -> str:
    """Let go of the line, and hear what it still says until it has ended."""
    return process.communicate(timeout=10)[0]


def test_it_is_the_module_with_its_arguments(modules: Path) -> None:
    with start(modules, "gateway.lifeline", "sits", "--port", "1") as process:
        assert said(process) == f"{process.pid} __main__ --port 1"


def test_it_is_terminated_when_the_line_is_let_go(modules: Path) -> None:
    with start(modules, "gateway.lifeline", "sits") as process:
        said(process)
        let_go(process)
        assert process.returncode == -signal.SIGTERM


def test_it_may_put_its_things_away_first(modules: Path) -> None:
    with start(modules, "gateway.lifeline", "sits", "tidy") as process:
        said(process)
        assert let_go(process) == "told to end\n"
        assert process.returncode == 0


def test_what_comes_down_the_line_means_nothing(modules: Path) -> None:
    with start(modules, "gateway.lifeline", "sits", "tidy") as process:
        assert process.stdin
        process.stdin.write("a word\n")
        process.stdin.flush()
        assert said(process).endswith("tidy")
        process.terminate()
        assert said(process) == "told to end"


def test_it_ends_when_its_parent_is_killed(modules: Path) -> None:
    with start(modules, "holds") as parent:
        child = int(said(parent).split()[0])
        assert alive({child})
        os.kill(parent.pid, signal.SIGKILL)
        until(lambda: not alive({child}), 10, what="the child of a killed parent ends")


def test_its_status_is_that_of_the_module(modules: Path) -> None:
    with start(modules, "gateway.lifeline", "fails") as process:
        assert process.wait(10) == 3
