"""Results as tables: `python -m bench.side_by_side.table FILE` prints what a run kept."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

LOADS = {
    "q1": "Q1: a dashboard, 131 leaves",
    "q2": "Q2: a roster of 200 learners",
    "q3": "Q3: one number",
    "alone": "Q3 on 8 connections, alone",
    "beside": "Q3 on 8 connections, while 2 ask for rosters",
}
COLUMNS = (
    "req/s",
    "x best peer",
    "x bare",
    "p50 ms",
    "p95",
    "p99",
    "server us",
    "Postgres us",
    "transactions",
    "MiB",
    "bytes",
    "errors",
)
BARE = "bare ASGI"

Results = dict[str, Any]


def tables(results: Results) -> str:
    """Every load of a run as a table: medians over its rounds, and how many times the best peer, and bare ASGI."""
    parts = [_said(results)]
    for load, title in LOADS.items():
        rows = {name: middle(results, name, load) for name in results["targets"] if load in results["measured"][name]}
        if rows:
            parts.append(f"### {title}\n\n" + _table(results, rows))
    return "\n\n".join(parts)


def middle(results: Results, name: str, load: str) -> dict[str, float | None]:
    """The median over the rounds of everything measured of a target under a load; the errors are summed."""
    rounds: list[dict[str, float | None]] = results["measured"][name][load]
    found: dict[str, float | None] = {}
    for what in rounds[0]:
        told = [value for one in rounds if (value := one[what]) is not None]
        found[what] = (sum(told) if what == "errors" else statistics.median(told)) if told else None
    return found


def best_peer(results: Results, load: str) -> str | None:
    """The name of the peer that answers the most requests of one process; None where there was no peer."""
    rates = {
        name: middle(results, name, load)["per_second"] or 0
        for name, told in results["targets"].items()
        if told["kind"] == "peer" and load in results["measured"][name]
    }
    return max(rates, key=lambda name: rates[name], default=None)


def _table(results: Results, rows: dict[str, dict[str, float | None]]) -> str:
    peer = max(
        (row["per_second"] or 0 for name, row in rows.items() if results["targets"][name]["kind"] == "peer"),
        default=None,
    )
    bare = rows.get(BARE, {}).get("per_second")
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in sorted(rows.items(), key=lambda item: item[1]["per_second"] or 0):
        rate = row["per_second"] or 0
        cells = [
            _number(rate),
            _number(rate / peer if peer else None, 2),
            _number(rate / bare if bare else None, 2),
            _number(row["p50"], 2),
            _number(row["p95"], 2),
            _number(row["p99"], 2),
            *(_number(row[what]) for what in ("server", "postgres")),
            _number(row["transactions"], 2),
            *(_number(row[what]) for what in ("memory", "bytes", "errors")),
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _said(results: Results) -> str:
    """On what, how, and whether the answers were right."""
    how, machine = results["arguments"], results["machine"]
    wrong = results["wrong"]
    told = "\n".join(f"- WRONG: {name}, {query}: {why}" for name, by in wrong.items() for query, why in by.items())
    verdict = "all right." if not wrong else "some were wrong.\n\n" + told
    return (
        f"{machine['processor']}, {machine['processors']} processors, {machine['memory_gib']} GiB, "
        f"{machine['system']}; Python {machine['python']}, {machine['postgres']}; "
        f"load {machine['load_before']} before. {how['rounds']} rounds of {how['seconds']} s, interleaved, "
        f"{how['connections']} connections to each process. "
        f"Medians; processor time is of one request. {results['looked']:,} answers were looked at: {verdict}"
    )


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


if __name__ == "__main__":
    print(tables(json.loads(Path(sys.argv[1]).read_text())))
