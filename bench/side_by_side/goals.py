"""What was promised of the speed, held against a run: each a goal, what was found, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.side_by_side.table import best_peer, middle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.side_by_side.table import Results

FROM_MEMORY, FROM_POSTGRES, TWO = "gateway", "gateway, memory off", "gateway, 2 processes"
FASTER = {FROM_POSTGRES: {"q1": 1.3, "q2": 3.0, "q3": 1.3}, FROM_MEMORY: {"q1": 3.0, "q2": 20.0, "q3": 2.0}}
"""How many times as many requests as the best peer."""
MOST_MIB = 250.0
SECOND_PROCESS = 1.7
BESIDE_ROSTERS = 3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A number that was promised and what came of it."""

    what: str
    promised: str
    found: str
    met: bool

    def line(self) -> str:
        """As a row of the table."""
        return f"| {self.what} | {self.promised} | {self.found} | {'yes' if self.met else 'NO'} |"


def held(results: Results) -> str:
    """The table of goals, as far as this run measured what they are about."""
    rows = [goal.line() for goal in (*_against_peers(results), *_of_itself(results))]
    return "\n".join(["| goal | promised | found | met |", "|---|---|---|---|", *rows])


def _against_peers(results: Results) -> Iterator[Goal]:
    for name, times in FASTER.items():
        for load, promised in times.items():
            peer = best_peer(results, load)
            if peer is None or not _there(results, name, load):
                continue
            ours, theirs = middle(results, name, load), middle(results, peer, load)
            ratio = (ours["per_second"] or 0) / (theirs["per_second"] or 1)
            yield Goal(f"{load}: {name} / {peer}", f">= {promised}", f"{ratio:.2f}", ratio >= promised)
            p99, other = ours["p99"] or 0, theirs["p99"] or 0
            yield Goal(f"{load}: p99 of {name}, ms", f"< {other:.2f}", f"{p99:.2f}", p99 < other)


def _of_itself(results: Results) -> Iterator[Goal]:
    for load in ("q1", "q2", "q3"):
        if _there(results, FROM_MEMORY, load) and _there(results, TWO, load):
            one, two = (middle(results, name, load)["per_second"] or 1 for name in (FROM_MEMORY, TWO))
            yield Goal(
                f"{load}: two processes / one", f">= {SECOND_PROCESS}", f"{two / one:.2f}", two / one >= SECOND_PROCESS
            )
    for name in (FROM_MEMORY, FROM_POSTGRES):
        if _there(results, name, "alone") and _there(results, name, "beside"):
            alone, beside = (middle(results, name, load)["p95"] or 1 for load in ("alone", "beside"))
            times = beside / alone
            yield Goal(
                f"p95 beside rosters / alone: {name}", f"< {BESIDE_ROSTERS}", f"{times:.2f}", times < BESIDE_ROSTERS
            )
    for name, told in results["targets"].items():
        if told["kind"] == "ours":
            largest = max((middle(results, name, load)["memory"] or 0 for load in results["measured"][name]), default=0)
            yield Goal(f"MiB of a process: {name}", f"< {MOST_MIB:.0f}", f"{largest:.0f}", largest < MOST_MIB)
    wrong = sum(len(by) for by in results["wrong"].values())
    yield Goal(f"wrong answers, of {results['looked']:,}", "0", str(wrong), not wrong)


def _there(results: Results, name: str, load: str) -> bool:
    return load in results["measured"].get(name, {})
