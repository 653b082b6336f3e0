"""What is measured: our gateway in its variants, the limits, and whoever else answers at a URL."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx

from bench.made.processes import Family, listening
from bench.side_by_side.asked import KEY, QUERIES
from gateway.demo import spawn, tail, wait_for
from gateway.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.made.database import Filled
    from gateway.demo import Child

SECONDS = 60.0
"""How long a server may take to start."""


ENOUGH = "1000000000000"
"""A budget that is kept, as in production, and never used up."""


class TargetError(ValueError):
    """Something that should be measured cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Our gateway in one way of running it."""

    name: str
    memory: bool = True
    secured: bool = True
    processes: int = 1

    def environ(self, database: Filled, home: Path, port: int) -> dict[str, str]:
        """The environment it runs in: as it comes, but for what the variant changes."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GATEWAY_") and not name.endswith("_SERVICE_URL")
        }
        none = {"GATEWAY_MEMORY_MIB": "0", "GATEWAY_MEMORY_ANSWERS": "0", "GATEWAY_RESPONSES_MIB": "0"}
        off = {} if self.memory else none
        return kept | {
            "GATEWAY_DATABASE_URL": database.app_url,
            "GATEWAY_HOME": str(home),
            "GATEWAY_PORT": str(port),
            "GATEWAY_WORKERS": str(self.processes),
            "GATEWAY_TOKEN_KEY": KEY,
            "GATEWAY_MOCKS": "false",
            "GATEWAY_ALLOWED_HOSTS": "127.0.0.1",
            "GATEWAY_COST_PER_MINUTE": ENOUGH,
            "GATEWAY_REQUESTS_PER_HOUR": ENOUGH,
            **off,
        }


VARIANTS = (
    Variant("gateway"),
    Variant("gateway, memory off", memory=False),
    Variant("gateway, memory and RLS off", memory=False, secured=False),
    Variant("gateway, 2 processes", processes=2),
    Variant("gateway, memory off, 2 processes", memory=False, processes=2),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers: where, the file of requests for each query, and the processes that it is.

    `ours` can be compared with the tables; `limit` answers nothing that could be. A `peer` is compared with the
    other peers.
    """

    name: str
    kind: str
    url: str
    requests: Mapping[str, Path]
    family: Family | None
    connections: int
    processes: int = 1

    def at(self, query: str) -> str:
        """The address of a query."""
        return self.url.replace("{query}", query)


@dataclass(slots=True)
class Servers:
    """Those we started ourselves; they end with us."""

    home: Path
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children:
            child.stop()

    def gateway(self, variant: Variant, database: Filled, requests: Mapping[str, Path], connections: int) -> Target:
        """Our gateway, ready."""
        port = free_port()
        child = self._started(variant.name, ["gateway.cli", "serve"], variant.environ(database, self.home, port))
        wait_for(f"http://127.0.0.1:{port}/livez", child, SECONDS)
        return Target(
            variant.name,
            "ours",
            f"http://127.0.0.1:{port}/graphql",
            requests,
            Family(child.process.pid),
            connections * variant.processes,
            variant.processes,
        )

    def limit(
        self, name: str, sizes: Mapping[str, int], database: str | None, requests: Mapping[str, Path], connections: int
    ) -> Target:
        """A bare application that answers so many bytes, or what one statement says."""
        port = free_port()
        arguments = ["bench.side_by_side.bare", str(port), json.dumps(sizes), *([database] if database else [])]
        child = self._started(name, arguments, os.environ)
        until = time.monotonic() + SECONDS
        while not _accepts(port):
            if time.monotonic() > until or child.process.poll() is not None:
                raise TargetError("\n".join([f"{name} did not start.", tail(child.log)]))
            time.sleep(0.05)
        url = f"http://127.0.0.1:{port}/{{query}}"
        return Target(name, "limit", url, requests, Family(child.process.pid), connections)

    def _started(self, name: str, arguments: list[str], environ: Mapping[str, str]) -> Child:
        child = spawn(name.replace(",", "").replace(" ", "-"), arguments, environ, self.home)
        self.children.append(child)
        return child


def peers(file: Path, connections: int) -> list[Target]:
    """Servers that somebody else started, from a JSON list of `name`, `url` and `requests`.

    `requests` names, from the place of the file, the files for q1, q2 and q3: on each line a body, with a token and a
    tab before it where there is a token. `{query}` in a URL becomes q1, q2 or q3.

    Raises:
        TargetError: the list is none, a file of requests is missing, or nobody listens there.
    """
    found = []
    try:
        listed: list[dict[str, Any]] = json.loads(file.read_text())
        for one in listed:
            requests = {query: file.parent / one["requests"][query] for query in QUERIES}
            if missing := [str(path) for path in requests.values() if not path.exists()]:
                msg = f"{one['name']}: there is no {', '.join(missing)}"
                raise TargetError(msg)
            family = _family(one["name"], one["url"])
            found.append(Target(one["name"], "peer", one["url"], requests, family, connections))
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        msg = f"{file} is no list of peers, each with name, url and requests: {error!r}"
        raise TargetError(msg) from error
    return found


def _family(name: str, url: str) -> Family | None:
    """The processes behind a URL; None where they are on another machine."""
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        return None
    try:
        return Family(listening(parts.port or 80))
    except ValueError as error:
        msg = f"{name}: {error}"
        raise TargetError(msg) from error


def _accepts(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=1.0, trust_env=False)
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True
    return True
