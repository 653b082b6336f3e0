"""Side by side in one run: our gateway in its variants, the limits, and peers by URL: `python -m bench.side_by_side`.

All servers are up at the same time; in each round every load is measured of every server, in an order of chance, so
that what else the machine does falls on all of them alike. Answers are looked at before, after each round, and never
while something is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import orjson

from bench.made import database
from bench.made.values import KEPT
from bench.side_by_side import asked, load, machine
from bench.side_by_side.checking import Checker
from bench.side_by_side.goals import held
from bench.side_by_side.load import Load, Measured
from bench.side_by_side.servers import VARIANTS, Servers, Target, TargetError, peers
from bench.side_by_side.table import BARE, LOADS, tables
from datasources.postgres.connection import connect
from gateway.demo import DemoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.made.processes import Family
    from bench.side_by_side.asked import Asked

RESULTS = Path(__file__).parents[1] / "results"
STATEMENT = "one SQL, row-level security off"
CHEAP, HEAVY = 8, 2
"""Connections of the cheap query, and of the rosters beside it."""
TOLD = 1.1
"""Seconds until a process of Postgres that has nothing to do has told the others what it did."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes."""

    rounds: int
    seconds: float
    warm: float
    visits: float
    lead: float
    connections: int
    loads: tuple[str, ...]
    only: tuple[str, ...]
    peers: Path | None
    out: Path

    def chosen(self, name: str) -> bool:
        """Whether a server of this name takes part."""
        return not self.only or name in self.only


async def run(plan: Plan, place: Path) -> None:
    """Fill, start, look, measure, look, and tell."""
    load.check()
    before = os.getloadavg()[0]
    async with AsyncExitStack() as stack:
        running = database.server()
        stack.callback(running.stop)
        filled = await database.filled(running, "side_by_side", asked.SCHOOLS, KEPT, _say)
        opened = await database.opened(running, filled)
        postgres, version = await database.postmaster(running)
        pool = await stack.enter_async_context(asyncpg.create_pool(filled.app_url, min_size=1, max_size=2))
        everything = asked.everything(asked.SCHOOLS, datetime.now(UTC))
        checker = Checker(pool, everything)
        sizes = {
            query: len(orjson.dumps({"data": await asked.expected(pool, one[0])})) for query, one in everything.items()
        }
        leaves = {query: asked.leaves(await asked.expected(pool, one[0])) for query, one in everything.items()}
        _say(f"leaves of an answer: {leaves}; bytes: {sizes}")
        servers = stack.enter_context(Servers(place))
        targets = _targets(plan, servers, place, everything, sizes, filled, opened)
        for target in targets:
            for query in asked.QUERIES:
                await checker.look(target, query)
        results = {
            "machine": machine.described(version, before),
            "arguments": {
                "rounds": plan.rounds,
                "seconds": plan.seconds,
                "lead": plan.lead,
                "connections": plan.connections,
            },
            "server_settings": database.SERVER,
            "leaves": leaves,
            "targets": {one.name: {"kind": one.kind, "processes": one.processes} for one in targets},
            "measured": {one.name: {} for one in targets},
            "looked": 0,
            "wrong": checker.wrong,
        }
        connection = await connect(running.owner_url)
        stack.push_async_callback(connection.close)
        await _measure(plan, targets, checker, Bench(postgres, connection), results)
        results["looked"] = checker.looked
        plan.out.parent.mkdir(parents=True, exist_ok=True)
        plan.out.write_text(json.dumps(results, indent=1) + "\n")
        print("\n\n".join([tables(results), held(results)]))


def _targets(  # noqa: PLR0913, PLR0917 - everything a server may need
    plan: Plan,
    servers: Servers,
    place: Path,
    everything: Mapping[str, Sequence[Asked]],
    sizes: Mapping[str, int],
    filled: database.Filled,
    opened: database.Filled,
) -> list[Target]:
    """The servers of a run, all of them up."""
    ours = {query: asked.written(some, place / f"{query}.txt") for query, some in everything.items()}
    plain = {query: asked.written_plain(some, place / f"{query}-plain.txt") for query, some in everything.items()}
    found = [
        servers.gateway(one, filled if one.secured else opened, ours, plan.connections)
        for one in VARIANTS
        if plan.chosen(one.name)
    ]
    found += [
        servers.limit(name, sizes, url, plain, plan.connections)
        for name, url in ((BARE, None), (STATEMENT, opened.app_url))
        if plan.chosen(name)
    ]
    if plan.peers is not None:
        found += [one for one in peers(plan.peers, plan.connections) if plan.chosen(one.name)]
    if not found:
        msg = f"no server is called {' or '.join(plan.only)}"
        raise TargetError(msg)
    return found


async def _measure(plan: Plan, targets: list[Target], checker: Checker, bench: Bench, results: dict[str, Any]) -> None:
    """Warm every server up, then measure round by round."""
    dice = random.Random(1)
    await _warm(plan, targets, bench)
    measured: dict[str, dict[str, list[dict[str, float | None]]]] = results["measured"]
    for number in range(1, plan.rounds + 1):
        for name in plan.loads:
            for target in dice.sample(targets, len(targets)):
                if name in {"alone", "beside"} and target.kind == "limit":
                    continue
                if plan.lead:
                    # Between two loads of a server lie minutes; those who use it come back sooner.
                    _loaded(target, "q3" if name in {"alone", "beside"} else name, plan.lead, bench.postgres, seed=0)
                one = await bench.once(target, name, plan.seconds, seed=number)
                measured[target.name].setdefault(name, []).append(one.plain())
                _say(f"round {number} {name:<6} {target.name:<34} {one.per_second:>9,.0f}/s  p99 {one.p99:.2f} ms")
        for target in targets:
            for query in asked.QUERIES:
                await checker.look(target, query)


async def _warm(plan: Plan, targets: list[Target], bench: Bench) -> None:
    for target in targets:
        if target.kind == "ours":
            # A viewer's first visit has their own answers looked through, once an hour.
            await bench.once(target, "q1", plan.visits, seed=0)
        for query in asked.QUERIES:
            await bench.once(target, query, plan.warm, seed=0)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the work of Postgres is read off."""

    postgres: Family
    connection: Any

    async def once(self, target: Target, name: str, seconds: float, seed: int) -> Measured:
        """One load of one server, which is idle again at the end."""
        before = await self._transactions()
        told = _loaded(target, name, seconds, self.postgres, seed)
        load.settle(target.family)
        await asyncio.sleep(TOLD)
        done = await self._transactions() - before
        return replace(told, transactions=done / told.requests if told.requests else None)

    async def _transactions(self) -> int:
        """Those of the whole server so far; nobody else uses it."""
        count: int = await self.connection.fetchval("SELECT sum(xact_commit)::bigint FROM pg_stat_database")
        return count


def _loaded(target: Target, name: str, seconds: float, postgres: Family, seed: int) -> Measured:
    def of(query: str, connections: int, longer: float = 0) -> Load:
        return Load(target.at(query), target.requests[query], connections, seconds + longer, seed)

    if name == "alone":
        return load.measured(of("q3", CHEAP), target.family, postgres)
    if name == "beside":
        return load.beside(of("q3", CHEAP), of("q2", HEAVY, longer=2), target.family, postgres)
    return load.measured(of(name, target.connections), target.family, postgres)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _plan() -> Plan:
    reader = argparse.ArgumentParser(prog="python -m bench.side_by_side", description=__doc__)
    reader.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    reader.add_argument("--seconds", type=int, default=8, help="how long each load lasts (8)")
    reader.add_argument("--warm", type=int, default=3, help="how long each is warmed up (3)")
    reader.add_argument("--visits", type=int, default=40, help="how long ours are visited before, by all viewers (40)")
    reader.add_argument("--lead", type=int, default=3, help="how long each is asked before it is measured (3)")
    reader.add_argument("--connections", type=int, default=16, help="to each process (16)")
    reader.add_argument("--loads", default=",".join(LOADS), help=f"by commas, of {','.join(LOADS)}")
    reader.add_argument("--only", action="append", default=[], help="the name of a server; may be said again")
    reader.add_argument("--peers", type=Path, help="a JSON file with the peers; bench/README.md says what is in it")
    reader.add_argument("--out", type=Path, default=RESULTS / "side_by_side.json", help="where the results are kept")
    told = reader.parse_args()
    loads = tuple(told.loads.split(","))
    if unknown := set(loads) - set(LOADS):
        reader.error(f"no load is called {', '.join(sorted(unknown))}; there are {', '.join(LOADS)}")
    times = told.rounds, told.seconds, told.warm, told.visits, told.lead
    return Plan(*times, told.connections, loads, tuple(told.only), told.peers, told.out)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        try:
            asyncio.run(run(_plan(), Path(made)))
        except (load.LoadError, TargetError, DemoError) as error:
            sys.exit(str(error))
