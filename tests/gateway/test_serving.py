"""`gateway serve` with several processes: each of them answers, logs like one, and ends with all the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.gateway.processes import (
    COMMAND,
    ROOT,
    alive,
    answers,
    children,
    free_port,
    listens,
    run,
    surroundings,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Clone


@dataclass(frozen=True)
class Serving:
    """A `gateway serve` that is ready, and where it writes what it says."""

    process: subprocess.Popen[bytes]
    port: int
    out: Path
    err: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> set[int]:
        return {pid for pid, command in children(self.process.pid).items() if "spawn_main" in command}

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.err.read_text().splitlines()]

    def ask(self, request_id: str = "") -> httpx.Response:
        """One question, on a connection of its own."""
        headers = {"x-request-id": request_id} if request_id else {}
        return httpx.post(
            f"{self.url}/graphql", json={"query": "{ __typename }"}, headers=headers, trust_env=False, timeout=20
        )


@pytest.fixture
def serving(module_clone: Clone, tmp_path: Path) -> Iterator[Serving]:
    """Two processes over a database whose address stands in a file, with no service."""
    (tmp_path / "url").write_text(module_clone.app_url)
    port = free_port()
    environ = surroundings(GATEWAY_DATABASE_URL_FILE=tmp_path / "url", GATEWAY_HOME=tmp_path, GATEWAY_PORT=port)
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as said, err.open("wb") as logged:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "serve", "--workers", "2"],
            env=environ,
            cwd=ROOT,
            stdout=said,
            stderr=logged,
            start_new_session=True,
        )
    one = Serving(process, port, out, err)
    try:
        until(lambda: process.poll() is not None or answers(f"{one.url}/readyz"), what="the gateway is ready")
        assert process.poll() is None, err.read_text()
        yield one
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_each_process_answers_and_all_end_together(serving: Serving) -> None:
    until(lambda: len(serving.workers) == 2, what="there are two processes")
    workers = serving.workers
    ready = httpx.get(f"{serving.url}/readyz", trust_env=False, timeout=20).json()
    assert (ready["ready"], ready["degraded"]) == (True, ["services"])
    for worker in workers:
        (other,) = workers - {worker}
        # While one stands still, only the other can have answered.
        os.kill(other, signal.SIGSTOP)
        try:
            answer = serving.ask(f"answered-by-{worker}")
        finally:
            os.kill(other, signal.SIGCONT)
        assert answer.json()["data"] == {"__typename": "Query"}
    everything = {serving.process.pid, *children(serving.process.pid)}
    assert workers < everything
    serving.process.terminate()
    assert serving.process.wait(30) == 0
    until(lambda: not alive(everything), 10, what="nothing that was started is left")
    assert not listens(serving.port)
    # One object a line on standard error, whichever process wrote it.
    requests = {line["request_id"] for line in serving.lines if line["event"] == "request"}
    assert requests == {f"answered-by-{worker}" for worker in workers}
    assert serving.out.read_text() == ""


def test_a_home_that_cannot_be_written_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = run("serve", GATEWAY_HOME=tmp_path / "file")
    assert (said.returncode, said.stdout) == (1, "")
    assert "Name another directory, GATEWAY_HOME" in said.stderr
    assert "Traceback" not in said.stderr


def test_whoever_serves_has_nothing_in_memory_that_only_migrating_or_redis_needs() -> None:
    said = "import sys, gateway.app; print(sorted({'alembic', 'mako', 'redis'} & sys.modules.keys()))"
    told = subprocess.run([sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert told.stdout.strip() == "[]"
