"""The demo as people run it: it comes up whole, says what to do with it, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway import accounts, keeper
from gateway.cli import app
from gateway.demo import address, overlaid
from gateway.tabs import ASKERS, documents
from tests.gateway.processes import (
    COMMAND,
    ROOT,
    alive,
    answers,
    children,
    listens,
    reachable_home,
    surroundings,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 90


@dataclass(frozen=True)
class Demo:
    """A demo that has said all it has to say."""

    process: subprocess.Popen[bytes]
    home: Path
    said: str
    errors: Path

    @property
    def url(self) -> str:
        found = re.search(r"^(http://\S+/graphql) ", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    @property
    def tokens(self) -> dict[str, str]:
        """The value of the header of each account, as it is printed."""
        found = re.findall(r"^(\S+)  .+\n  Authorization: (Bearer \S+)$", self.said, re.MULTILINE)
        return dict(found)

    @property
    def ports(self) -> set[int]:
        """Where its processes can be reached over HTTP."""
        return {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)/", self.said)}

    def ask(self, account: str, document: str) -> dict[str, Any]:
        """What an account is answered to a document, asked the way the printed command asks it."""
        headers = {"Authorization": self.tokens[account]}
        answer = httpx.get(self.url, params={"query": document}, headers=headers, trust_env=False, timeout=30)
        assert answer.is_success, answer.text
        body: dict[str, Any] = answer.json()
        return body


class Stage:
    """Where demos run, one after the other: it has one that runs whenever somebody asks for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._demo: Demo | None = None
        self._started: set[int] = set()

    @property
    def demo(self) -> Demo:
        if self._demo is None or self._demo.process.poll() is not None:
            self._demo = self._start()
            self._started |= {self._demo.process.pid, *children(self._demo.process.pid)}
        return self._demo

    def clear(self) -> None:
        """Leave nothing running, whatever the tests have found."""
        for pid in alive(self._started):
            os.kill(pid, signal.SIGKILL)
        if self._demo:
            self._demo.process.wait()
        until(lambda: not keeper.locked(self.home / "postgres" / "users.lock"), what="the database is let go")

    def _start(self) -> Demo:
        # Any free port, and the token of the services from a file, as an environment for production would have it.
        (self.home / "token").write_text("from a file")
        environ = surroundings(
            GATEWAY_HOME=self.home, GATEWAY_PORT=0, GATEWAY_SERVICE_TOKEN_FILE=self.home / "token", COLUMNS=40
        )
        out, errors = self.home / "out", self.home / "errors"
        with out.open("wb") as said, errors.open("wb") as complained:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*COMMAND, "demo"], env=environ, cwd=ROOT, stdout=said, stderr=complained, start_new_session=True
            )
        try:
            until(
                lambda: "Ctrl-C stops everything." in out.read_text() or process.poll() is not None,
                START_SECONDS,
                what="the demo is up",
            )
            assert process.poll() is None, errors.read_text()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return Demo(process, self.home, out.read_text(), errors)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with reachable_home() as home:
        stage = Stage(home)
        yield stage
        stage.clear()


def test_it_prints_where_it_is_who_there_is_and_what_to_ask(stage: Stage) -> None:
    said = stage.demo.said
    assert list(stage.demo.tokens) == ["learner", "trainer", "org-admin", "stranger"]
    assert documents()["learner-dashboard"] in said
    assert f"curl -sG {stage.demo.url} --data-urlencode query@tests/operations/learner-dashboard.graphql" in said
    assert '"Authorization: Bearer $(.venv/bin/gateway token learner)"' in said
    assert re.search(r"curl -s http://127\.0\.0\.1:\d+/switches", said)


@pytest.mark.parametrize(("name", "asker"), ASKERS.items(), ids=list(ASKERS))
def test_everybody_gets_their_dashboard_without_errors(stage: Stage, name: str, asker: str) -> None:
    body = stage.demo.ask(asker, documents()[name])
    assert "errors" not in body
    # Each of the nine services is there, so that nothing had to be made up or remembered.
    assert re.findall(r"'origin': '(MOCK|LAST_KNOWN)'", str(body)) == []


def test_whoever_signs_in_is_let_in(stage: Stage) -> None:
    document = """mutation($email: String!) { signIn(input: { email: $email, password: "demo" }) {
      ... on SignedIn { tokens { accessToken } } } }"""
    learner = accounts.read(stage.demo.home).accounts["learner"]
    assert learner.email in stage.demo.said
    body = {"query": document, "variables": {"email": learner.email}}
    answer = httpx.post(stage.demo.url, json=body, trust_env=False, timeout=30).json()
    shown = answer["data"]["signIn"]["tokens"]["accessToken"]
    asked = {"query": "{ viewer { id activeRole } }"}
    headers = {"Authorization": f"Bearer {shown}"}
    heard = httpx.post(stage.demo.url, json=asked, headers=headers, trust_env=False, timeout=30).json()
    assert heard["data"]["viewer"]["activeRole"] == "LEARNER"


def test_the_learner_dashboard_knows_the_learner(stage: Stage) -> None:
    learner = stage.demo.ask("learner", documents()["learner-dashboard"])["data"]["viewer"]["learner"]
    (name,) = re.findall(r"^learner  (.+)$", stage.demo.said, re.MULTILINE)
    assert learner["displayName"] == name
    given = {
        name: answer for family in ("analytics", "comparison", "prediction") for name, answer in learner[family].items()
    }
    # A campus knows days, not sessions, and no learning paths; all else it knows of this learner.
    assert {name for name, answer in given.items() if answer["value"] is None} <= {"timeSpent", "learningPath"}
    assert {"velocity", "peers", "dropOffRisk", "performanceForecast", "recommendations"} < set(given)
    assert learner["gamification"]["value"]["totalPoints"] > 0


def test_the_stranger_hears_nothing_of_the_learner(stage: Stage) -> None:
    learner = stage.demo.ask("learner", "{ viewer { learner { id } } }")["data"]["viewer"]["learner"]["id"]
    body = stage.demo.ask("stranger", f'{{ node(id: "{learner}") {{ id }} }}')
    assert not (body["data"] or {}).get("node")


def refused(**ours: str | Path | int) -> str:
    """What a demo says that does not start with these settings."""
    environ = {"GATEWAY_PORT": "0", **{name: str(value) for name, value in ours.items()}}
    said = CliRunner().invoke(app, ["demo"], env=environ)
    assert (said.exit_code, said.stdout) == (1, "")
    return said.stderr


def test_a_second_demo_at_the_same_port_says_what_to_do(stage: Stage) -> None:
    port = int(stage.demo.url.split(":")[2].split("/")[0])
    with tempfile.TemporaryDirectory() as home:
        said = refused(GATEWAY_HOME=home, GATEWAY_PORT=port)
    assert f"Cannot listen on 127.0.0.1:{port}" in said
    assert f"GATEWAY_PORT={port + 1}" in said
    assert answers(stage.demo.url.replace("/graphql", "/readyz"))


def test_a_second_demo_in_the_same_home_says_what_to_do(stage: Stage) -> None:
    said = refused(GATEWAY_HOME=str(stage.demo.home), GATEWAY_PORT=0)
    assert "already. Stop it, or give this one a home: GATEWAY_HOME=" in said
    assert answers(stage.demo.url.replace("/graphql", "/readyz"))


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda blow: blow.name)
def test_however_it_ends_nothing_of_it_is_left(stage: Stage, blow: signal.Signals) -> None:
    demo = stage.demo
    started = children(demo.process.pid)
    assert {name for name in ("simulator", "cli serve", "cli worker") if name in " ".join(started.values())} == {
        "simulator",
        "cli serve",
        "cli worker",
    }
    assert len(demo.ports) == 2
    assert all(listens(port) for port in demo.ports)
    assert keeper.locked(demo.home / "postgres" / "alive.lock")
    demo.process.send_signal(blow)
    assert demo.process.wait(30) == (-blow if blow is signal.SIGKILL else 0)
    # Told to stop, it stops them before it ends; killed, it leaves them to end by themselves.
    seconds = 15 if blow is signal.SIGKILL else 0.5
    until(lambda: not alive(set(started)), seconds, what="every process it started is gone")
    until(lambda: not keeper.locked(demo.home / "postgres" / "alive.lock"), seconds, what="its database is stopped")
    until(lambda: not keeper.locked(demo.home / "postgres" / "users.lock"), seconds, what="nobody waits for it")
    assert not any(listens(port) for port in demo.ports)
    if blow is not signal.SIGKILL:
        assert "Stopping" in demo.errors.read_text()
        assert "Traceback" not in demo.errors.read_text()


def test_learners_that_are_not_there_are_told(tmp_path: Path) -> None:
    said = refused(GATEWAY_HOME=tmp_path, GATEWAY_DEMO_DATA=tmp_path / "nowhere")
    assert f"{tmp_path}/nowhere is no directory: name one that holds OULAD data" in said


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused(GATEWAY_HOME=tmp_path / "file")
    assert "Name another: GATEWAY_HOME=" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_home_that_is_closed_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Name another: GATEWAY_HOME=" in refused(GATEWAY_HOME=tmp_path)


def test_what_a_demo_sets_comes_before_what_is_set_and_before_any_file() -> None:
    environ = {"A": "old", "B_FILE": "/secret", "C": "stays", "C_FILE": "stays"}
    assert overlaid(environ, {"A": "new", "B": "new"}) == {"A": "new", "B": "new", "C": "stays", "C_FILE": "stays"}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - nobody listens
        ("::", "http://[::1]:8000"),
    ],
)
def test_its_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert address(host, 8000) == url
