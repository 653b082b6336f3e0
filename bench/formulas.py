"""What the formulas of a learner take, and nothing else: `python -m bench.formulas [LEARNERS]`.

Everything that a metric reads is fetched first, from a generated campus over real HTTP; only its computation is timed.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.catalog import METRICS
from analytics.declare import Scope, Withheld
from analytics.inputs import Inputs
from analytics.policy import Subject
from analytics.solve import Solver
from bench.made.campus import PATIENCE, a_site
from datasources.postgres.session import system

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.world import World
    from bench.made.campus import Site
    from gateway.tokens import Account

LEARNERS = 50
REPEATS = 5


async def taken(world: World, learners: Sequence[Account]) -> dict[str, float]:
    """The milliseconds that the computation of each metric takes, on average over these learners.

    Where an input is missing without which there is no number, nothing is computed.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    for learner in learners:
        actor = system(learner.organization)
        solver = Solver(world, actor)
        at = world.clock()
        deadline = asyncio.get_running_loop().time() + PATIENCE
        facts = world.services.facts(learner.organization, at=at, deadline=deadline)
        inputs = Inputs(learner.organization, at, facts, world.roster, solver)
        subject = Subject(Scope.LEARNER, learner.organization, learner.user)
        for metric in METRICS.values():
            if metric.scope is not Scope.LEARNER:
                continue
            reads = [await inputs.read(given, metric, subject, mocks=False) for given in metric.inputs]
            if any(isinstance(r.value, Withheld) and not g.optional for r, g in zip(reads, metric.inputs, strict=True)):
                continue
            values = [
                None if isinstance(read.value, Withheld) and not given.reasons else read.value
                for read, given in zip(reads, metric.inputs, strict=True)
            ]
            chosen = {argument.name: argument.default for argument in metric.arguments}
            if metric.wants_clock:
                chosen["at"] = at
            begun = time.thread_time()
            for _ in range(REPEATS):
                metric.compute(*values, **chosen)
            each = 1000 * (time.thread_time() - begun) / REPEATS
            spent[metric.key] += each / len(learners)
    return spent


def table(spent: Mapping[str, float]) -> str:
    """What was measured."""
    lines = [f"| {key} | {each:.2f} |" for key, each in sorted(spent.items(), key=lambda item: -item[1])]
    return "\n".join(
        ["| formula | ms a learner |", "|---|---|", *lines, f"| all of them | {sum(spent.values()):.2f} |"]
    )


async def measured(site: Site, learners: int) -> Mapping[str, float]:
    """The milliseconds of each metric."""
    async with site.world(await site.database("formulas")) as world:
        return await taken(world, site.chosen(learners, random.Random(1)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as made:
        Path(made).chmod(0o711)
        with a_site(Path(made)) as here:
            print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors before")
            print(table(asyncio.run(measured(here, int(sys.argv[1]) if len(sys.argv) > 1 else LEARNERS))))
