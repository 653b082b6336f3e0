"""The log: in order, whole where it is read, and never waited for where it is not."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.pen import Pen
from tests.gateway.processes import COMMAND, ROOT, answers, free_port, run, surroundings, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Clone

LINES = 5_000
FILLS_A_PIPE = 64 * 1024


def read(file: int) -> list[str]:
    """All lines that come out of a pipe until its other end is closed."""
    with os.fdopen(file, encoding="utf-8") as pipe:
        return pipe.read().splitlines()


def closing(pen: Pen, file: int) -> threading.Thread:
    """Close a pen and then its file, while somebody reads."""

    def close() -> None:
        pen.close()
        os.close(file)

    thread = threading.Thread(target=close)
    thread.start()
    return thread


def test_what_is_said_is_read_in_its_order_to_the_last_line() -> None:
    taken, given = os.pipe()
    pen = Pen(given)
    for number in range(LINES):
        pen.write(f"{number} äß\n")
    thread = closing(pen, given)
    assert read(taken) == [f"{number} äß" for number in range(LINES)]
    thread.join()


def test_nobody_waits_for_a_reader_who_takes_nothing_and_what_is_lost_is_counted() -> None:
    taken, given = os.pipe()
    pen = Pen(given, room=10_000)
    for number in range(LINES):
        pen.write(f"{number:0100}\n")
    thread = closing(pen, given)
    said = read(taken)
    thread.join()
    written = [int(line) for line in said if not line.startswith("{")]
    told = [json.loads(line) for line in said if line.startswith("{")]
    assert {one["event"] for one in told} == {"log.lost"}
    assert sum(one["lines"] for one in told) > 0
    assert written == sorted(written)
    assert len(written) + sum(one["lines"] for one in told) == LINES


def test_two_who_write_to_one_pipe_that_is_read_slowly_do_not_cut_each_others_lines() -> None:
    taken, given = os.pipe()
    both = [os.dup(given), given]
    pens = [Pen(file) for file in both]
    for number in range(LINES):
        for pen in pens:
            pen.write(f"{number:0200}\n")
    threads = [closing(pen, file) for pen, file in zip(pens, both, strict=True)]
    said = read(taken)
    for thread in threads:
        thread.join()
    assert sorted(said) == [f"{number // 2:0200}" for number in range(2 * LINES)]


def test_a_file_that_has_nobody_wait_gets_every_line() -> None:
    taken, given = os.pipe()
    os.set_blocking(given, False)
    pen = Pen(given)
    pen.write("".join(f"{number:0100}\n" for number in range(LINES)))
    thread = closing(pen, given)
    assert read(taken) == [f"{number:0100}" for number in range(LINES)]
    thread.join()


def test_what_is_said_after_the_end_is_written_if_it_is_taken_and_a_file_that_is_gone_troubles_nobody() -> None:
    taken, given = os.pipe()
    pen = Pen(given)
    pen.close()
    long = "x" * (2 * select.PIPE_BUF)
    pen.write(f"{long}\n")
    os.close(given)
    pen.write("nobody takes this\n")
    pen.close()
    assert read(taken) == [long]


def test_a_gateway_that_cannot_start_says_why(tmp_path: Path) -> None:
    nowhere = f"postgresql://gateway_app@127.0.0.1:{free_port()}/gateway"
    said = run("serve", GATEWAY_DATABASE_URL=nowhere, GATEWAY_HOME=tmp_path, GATEWAY_PORT=free_port())
    assert said.returncode != 0
    assert "No database at" in said.stderr


def test_a_gateway_whose_log_nobody_reads_answers_and_ends(module_clone: Clone, tmp_path: Path) -> None:
    port = free_port()
    environ = surroundings(GATEWAY_DATABASE_URL=module_clone.app_url, GATEWAY_HOME=tmp_path, GATEWAY_PORT=port)
    taken, given = os.pipe()
    process = subprocess.Popen([*COMMAND, "serve"], env=environ, cwd=ROOT, stderr=given)  # noqa: S603 - our own command
    os.close(given)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(f"{url}/readyz"), what="the gateway is ready")
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            # A line is longer than a hundred bytes.
            for _ in range(FILLS_A_PIPE // 100):
                assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
        process.terminate()
        assert process.wait(30) in {0, -signal.SIGTERM}
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(taken)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_log_of_a_gateway_that_is_told_to_stop_is_whole(module_clone: Clone, tmp_path: Path, workers: int) -> None:
    port = free_port()
    environ = surroundings(GATEWAY_DATABASE_URL=module_clone.app_url, GATEWAY_HOME=tmp_path, GATEWAY_PORT=port)
    with (tmp_path / "err").open("wb") as given:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "serve", "--workers", str(workers)], env=environ, cwd=ROOT, stderr=given
        )
    try:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/readyz"), what="it is ready")
        process.terminate()
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    said = [json.loads(line)["event"] for line in (tmp_path / "err").read_text().splitlines()]
    assert sum("Finished server process" in one for one in said) == workers
