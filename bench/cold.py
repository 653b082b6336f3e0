"""How long the first dashboard of a learner takes, of whom nothing is kept yet: `python -m bench.cold [ROUNDS]`.

Each of the nine services takes 50 ms for every answer. A round is a fresh database and a gateway of its own that
knows who is who and nothing else: the first dashboard of a round also works out what its courses say.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench.made.campus import PATIENCE, a_site, bearer
from bench.made.processes import Family
from gateway.demo import spawn, wait_for
from gateway.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.made.campus import Site
    from gateway.tokens import Account

DELAY = 0.05
ROUNDS = 3
LEARNERS = 30
"""Learners of each round."""
DASHBOARD = (Path(__file__).parents[1] / "tests" / "operations" / "learner-dashboard.graphql").read_text()


@dataclass(frozen=True, slots=True)
class First:
    """A learner's first dashboard: seconds until it was there, processor seconds it took, and calls to services."""

    seconds: float
    spent: float
    calls: int


def dashboards(site: Site, database: str, learners: Sequence[Account]) -> list[First]:
    """The first dashboards of learners, one after the other, out of a gateway of its own."""
    port = free_port()
    environ = {**site.environ, "GATEWAY_DATABASE_URL": database, "GATEWAY_PORT": str(port)}
    gateway = spawn("gateway", ["gateway.cli", "serve"], environ, site.home)
    family = Family(gateway.process.pid)
    found = []
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", gateway, PATIENCE)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as client:
            for learner in learners:
                site.calls()
                client.get("/livez")
                spent, begun = family.seconds(), time.perf_counter()
                answer = client.post("/graphql", json={"query": DASHBOARD}, headers=bearer(learner))
                seconds = time.perf_counter() - begun
                told = answer.raise_for_status().json()
                if told.get("errors"):
                    sys.exit(f"a dashboard has errors: {told['errors']}")
                found.append(First(seconds, family.seconds() - spent, site.calls()))
    finally:
        gateway.stop()
    return found


def table(rounds: Sequence[Sequence[First]]) -> str:
    """What was measured."""
    kinds = {
        "the first of a round": [one[0] for one in rounds],
        "the others": [first for one in rounds for first in one[1:]],
    }
    lines = ["| dashboards | how many | median ms | longest ms | processor ms | calls |", "|---|---|---|---|---|---|"]
    for name, some in kinds.items():
        seconds = [1000 * one.seconds for one in some]
        lines.append(
            f"| {name} | {len(some)} | {statistics.median(seconds):.0f} | {max(seconds):.0f} "
            f"| {1000 * statistics.median(one.spent for one in some):.0f} "
            f"| {statistics.median(one.calls for one in some):.0f} |"
        )
    return "\n".join(lines)


def main(home: Path, rounds: int) -> None:
    """Measure, and print the table."""
    with a_site(home) as site:
        print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors before")
        found = []
        for number in range(rounds):
            site.turn("ok")
            database = asyncio.run(site.database(f"cold_{number}"))
            site.turn("slow", DELAY)
            found.append(dashboards(site, database, site.chosen(LEARNERS, random.Random(number))))
    print(table(found))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        Path(made).chmod(0o711)
        main(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
