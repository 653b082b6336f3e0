"""The demo: the nine-service simulator, the gateway and its worker, started together and stopped together."""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import httpx

from datasources.catalog import SERVICES
from gateway import accounts, database
from gateway.ports import address, check_port, free_port
from gateway.settings import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.settings import Settings

CAMPUS_SECONDS = 120.0
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
Say = Callable[[str], None]


class DemoError(RuntimeError):
    """The demo could not be started; the message says why and what to do."""


class Stoppable(Protocol):
    """Something that was started."""

    def stop(self) -> None:
        """Stop it, and return when it has stopped."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process of the demo. Its standard input is a pipe from us: when we are gone, it ends itself."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Ask it to end, and insist when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


class Claim:
    """A home belongs to one demo at a time: its logs, its accounts and its tokens are that demo's.

    Raises:
        DemoError: another one has it.
    """

    def __init__(self, home: Path) -> None:
        self._file = (home / "demo.lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            msg = f"A demo runs from {home} already. Stop it, or give this one a home: GATEWAY_HOME=... make run"
            raise DemoError(msg) from error

    def stop(self) -> None:
        """Let another one have it."""
        self._file.close()


@dataclass(slots=True)
class Running:
    """A demo that answers."""

    url: str
    simulator: str
    demo: accounts.Demo
    children: list[Child] = field(default_factory=list)

    def wait(self) -> None:
        """Stay until interrupted, or until one of the processes ends.

        Raises:
            DemoError: one ended by itself.
        """
        while True:
            for child in self.children:
                if child.process.poll() is not None:
                    msg = f"The {child.name} ended by itself. The end of {child.log}:\n{tail(child.log)}"
                    raise DemoError(msg)
            time.sleep(0.2)


def start(settings: Settings, environ: Mapping[str, str], say: Say, started: list[Stoppable]) -> Running:
    """Start everything; what is started is in `started` at once, so that the caller can stop it whatever happens.

    Raises:
        DemoError: something is missing or taken; the message says what to do.
        EmbeddedError, DatabaseError: there is no database; likewise.
    """
    served = check_port(settings.host, settings.port)
    home = make_home(settings.home)
    started.append(Claim(home))
    token = secrets.token_urlsafe(32)
    port = free_port()
    simulator = f"http://127.0.0.1:{port}"

    say(f"The nine services, with learners {'from ' + str(settings.demo_data) if settings.demo_data else 'generated'}")
    arguments = ["datasources.simulator", "serve", "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--issuer", settings.token_issuer, "--audience", settings.token_audience]
    if settings.demo_data:
        arguments += ["--data", str(settings.demo_data)]
    services = spawn("simulator", arguments, {**environ, "SIMULATOR_TOKEN": token}, home)
    started.append(services)
    told = wait_for(f"{simulator}/healthz", services, CAMPUS_SECONDS).json()
    demo = accounts.write(home, told)

    # An embedded database for each campus: answers about one never stand beside another's.
    name = "campus_" + sha256(f"{demo.source} {demo.as_of}".encode()).hexdigest()[:8]
    postgres = database.ready(settings, say, name=name)
    started.append(postgres)

    ours = {
        "GATEWAY_HOME": str(home),
        "GATEWAY_PORT": str(served),
        "GATEWAY_DATABASE_URL": postgres.url,
        "GATEWAY_SERVICE_TOKEN": token,
        # Whoever signs in shows a token of the auth service; `gateway token` makes those of our own issuer.
        "GATEWAY_JWKS_URL": f"{simulator}/auth/.well-known/jwks.json",
        "GATEWAY_CLOCK": demo.as_of.isoformat(),
        **{service.variable: f"{simulator}/{service.name}" for service in SERVICES},
    }
    surroundings = overlaid(environ, ours)
    say("The gateway and its worker")
    gateway = spawn("gateway", ["gateway.cli", "serve"], surroundings, home)
    started.append(gateway)
    started.append(spawn("worker", ["gateway.cli", "worker"], surroundings, home))
    url = address(settings.host, served)
    wait_for(f"{url}/readyz", gateway, READY_SECONDS)
    return Running(f"{url}/graphql", simulator, demo, [child for child in started if isinstance(child, Child)])


def overlaid(environ: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """An environment with our values in place of its own, also of those it would read from files."""
    kept = {name: value for name, value in environ.items() if name.removesuffix(FILE) not in ours}
    return {**kept, **ours}


def make_home(home: Path) -> Path:
    """The directory everything is written to, made when missing.

    Raises:
        DemoError: it cannot be written.
    """
    logs = home / "logs"
    why = None
    try:
        logs.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
    if why or not all(os.access(place, os.W_OK | os.X_OK) for place in (home, logs)):
        msg = f"Cannot write under {home.absolute()}: {why or 'it is closed'}. Name another: GATEWAY_HOME=... make run"
        raise DemoError(msg)
    return home.absolute()


def spawn(name: str, arguments: list[str], environ: Mapping[str, str], home: Path) -> Child:
    """Start one process of ours, writing to a log of its own, out of reach of the terminal's Ctrl-C."""
    log = home / "logs" / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", "gateway.lifeline", *arguments],
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return Child(name, process, log)


def wait_for(url: str, child: Child, seconds: float) -> httpx.Response:
    """The first good answer of an address.

    Raises:
        DemoError: its process ended, or there was none in time; the message holds the end of its log.
    """
    until = time.monotonic() + seconds
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        while time.monotonic() < until and child.process.poll() is None:
            try:
                answer = client.get(url)
                if answer.is_success:
                    return answer
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    msg = f"The {child.name} did not start. The end of {child.log}:\n{tail(child.log)}"
    raise DemoError(msg)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    return "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def interruptible() -> Iterator[None]:
    """While this is open, being told to terminate or hung up on is like Ctrl-C: what was started is stopped.

    Ctrl-C itself is among them, because a shell starts what it puts in the background with it ignored.
    """
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def stop(started: list[Stoppable]) -> None:
    """Stop what was started, the last first."""
    for one in reversed(started):
        one.stop()
