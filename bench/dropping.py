"""How soon a process lets go of what another has kept anew: `python -m bench.dropping [TIMES]`.

Two processes' worth of the gateway's own parts on one Postgres: one keeps newer answers about a learner, as a refresh
does; the other holds a response about that learner and hears of it. Times are from before the statement that keeps
them to when the response is gone.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

from bench.made import database, values
from bench.made.school import School
from bench.made.values import KEPT
from datasources.postgres import answers
from datasources.postgres.session import Database
from gateway.fast.kept import Kept, KeptResponses

SCHOOL = School(0, 10)
TIMES = 500
PATIENCE = 5.0


async def main(times: int) -> None:
    """Measure, and say it."""
    running = database.server()
    try:
        filled = await database.filled(running, "dropping", (SCHOOL,), KEPT, lambda what: print(what, file=sys.stderr))
        writer = await Database.open(filled.app_url, size=2)
        holder = await Database.open(filled.app_url, size=2)
        took = sorted([1000 * one for one in await measured(writer, holder, times)])
        await writer.close()
        await holder.close()
    finally:
        running.stop()
    cuts = statistics.quantiles(took, n=100)
    print(f"{times} times: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f}, longest {took[-1]:.1f}")


async def measured(writer: Database, holder: Database, times: int) -> list[float]:
    """Seconds from keeping to dropping, each time."""
    responses = KeptResponses(1 << 20, lambda: datetime.now(UTC))
    gone = asyncio.Event()

    def hear(payload: str | None) -> None:
        if payload is not None:
            told = answers.changed(payload)
            questions = told.questions or ()
            responses.drop(told.organization, {one.subject for one in questions})
            gone.set()

    learner = SCHOOL.learner_ids[0]
    until = datetime.now(UTC) + timedelta(hours=1)
    seconds = []
    async with holder.hear({answers.CHANNEL: hear}):
        for number in range(times):
            mark = responses.mark(SCHOOL.id)
            responses.put(SCHOOL.id, "a dashboard", Kept(b"{}", until, until, frozenset({learner}), {}), mark)
            newer = values.answers(SCHOOL.id, learner, number, KEPT, datetime.now(UTC))
            gone.clear()
            began = time.perf_counter()
            await answers.keep(writer, SCHOOL.id, newer)
            async with asyncio.timeout(PATIENCE):
                while responses.get(SCHOOL.id, "a dashboard") is not None:
                    gone.clear()
                    await gone.wait()
            seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else TIMES))
