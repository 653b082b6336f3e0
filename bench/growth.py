"""How a dashboard and a roster grow with learners and tenants: `python -m bench.growth [--most LEARNERS]`.

The same documents as side by side, out of Postgres with the memory tier off, a page of 100 learners in every roster.
Each size has a database and a gateway of its own; all are up at the same time and measured by turns. In each 1,000
learners ask, and all of them came in before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.made import database
from bench.made.school import School
from bench.side_by_side import asked, load, machine
from bench.side_by_side.load import Load
from bench.side_by_side.servers import Servers, Variant

if TYPE_CHECKING:
    from bench.side_by_side.load import Measured
    from bench.side_by_side.servers import Target

RESULTS = Path(__file__).with_name("results") / "growth.json"
KEYS = (
    "learner-velocity",
    "learner-skill-gap",
    "learner-engagement",
    "learner-mastery",
    "learner-performance",
    "learner-content-effectiveness",
    "predictive-drop-off-risk",
    "predictive-performance-forecast",
)
"""What the documents ask for is kept, and nothing else."""
PAGE = 100
ASKERS = 1_000
CONNECTIONS = 16
MEMORY_OFF = Variant("gateway, memory off", memory=False)


@dataclass(frozen=True, slots=True)
class Size:
    """So many tenants, with so many learners each."""

    tenants: int
    learners: int

    @property
    def schools(self) -> list[School]:
        """The tenants."""
        return [School(number, self.learners) for number in range(self.tenants)]

    @property
    def name(self) -> str:
        """What its row is called."""
        return f"{self.tenants:,} tenants, {self.tenants * self.learners:,} learners"


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: that each size is visited for a query before, that it is asked before it is measured, and measured."""

    visits: float
    lead: float
    seconds: float


SIZES = (Size(10, 100), Size(10, 1_000), Size(10, 10_000), Size(1_000, 100))


async def run(sizes: list[Size], rounds: int, times: Times, place: Path) -> dict[str, Any]:
    """Fill, start and measure every size; what was measured, by the name of the size and by query."""
    load.check()
    before = os.getloadavg()[0]
    targets: dict[str, Target] = {}
    async with AsyncExitStack() as stack:
        running = database.server()
        stack.callback(running.stop)
        filled = [await database.filled(running, f"growth_{n}", one.schools, KEYS, _say) for n, one in enumerate(sizes)]
        for one, size in zip(filled, sizes, strict=True):
            await database.copied(one, size.schools)
        postgres, version = await database.postmaster(running)
        servers = stack.enter_context(Servers(place))
        for number, (size, here) in enumerate(zip(sizes, filled, strict=True)):
            everything = asked.everything(size.schools, datetime.now(UTC), PAGE, ASKERS)
            files = {query: asked.written(some, place / f"{number}-{query}.txt") for query, some in everything.items()}
            targets[size.name] = servers.gateway(MEMORY_OFF, here, files, CONNECTIONS)
        measured: dict[str, Any] = {name: {query: [] for query in asked.QUERIES} for name in targets}
        dice = random.Random(1)

        def asks(one: Target, query: str, length: float, seed: int) -> Measured:
            told = load.measured(
                Load(one.at(query), one.requests[query], CONNECTIONS, length, seed), one.family, postgres
            )
            load.settle(one.family)
            return told

        for name, one in targets.items():
            for query in ("q1", "q2"):
                _say(f"{name}: visited, {asks(one, query, times.visits, 0).requests:,} times, for {query}")
        for number in range(1, rounds + 1):
            for query in asked.QUERIES:
                for name in dice.sample(list(targets), len(targets)):
                    asks(targets[name], query, times.lead, 0)
                    told = asks(targets[name], query, times.seconds, number)
                    measured[name][query].append(told.plain())
                    _say(f"round {number} {query} {name:<36} {told.per_second:>8,.0f}/s  p99 {told.p99:.2f} ms")
    return {"machine": machine.described(version, before), **asdict(times), "measured": measured}


def table(results: dict[str, Any]) -> str:
    """The medians, one line for each size."""
    columns = {"per_second": ("req/s", 0), "p50": ("p50 ms", 1), "p99": ("p99", 1)}
    columns |= {"server": ("server us", 0), "postgres": ("Postgres us", 0)}
    head = [f"{query.upper()} {name}" for query in asked.QUERIES for name, _ in columns.values()]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, by in results["measured"].items():
        cells = [
            f"{statistics.median(one[what] or 0 for one in by[query]):,.{digits}f}"
            for query in asked.QUERIES
            for what, (_, digits) in columns.items()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _told() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    reader.add_argument("--most", type=int, default=100_000, help="leave out what has more learners than this")
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--visits", type=int, default=30, help="how long each size is visited before (30)")
    reader.add_argument("--lead", type=int, default=3, help="how long each is asked before it is measured (3)")
    reader.add_argument("--seconds", type=int, default=8, help="how long each is measured (8)")
    reader.add_argument("--out", type=Path, default=RESULTS, help="where the results are kept")
    return reader.parse_args()


if __name__ == "__main__":
    told = _told()
    chosen = [size for size in SIZES if size.tenants * size.learners <= told.most]
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        found = asyncio.run(run(chosen, told.rounds, Times(told.visits, told.lead, told.seconds), Path(made)))
    told.out.parent.mkdir(parents=True, exist_ok=True)
    told.out.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))
