"""How soon a change of a job reaches those who listen to it: `python bench/streams.py [SUBSCRIBERS [CHANGES]]`.

One served process on an embedded Postgres that goes with it; the subscribers are admins of one organization who
all listen to one job, each over a websocket, while this process, which is another, writes its progress four times
a second.
Times are from before the statement that writes it to after a subscriber has read it.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import connect

from analytics.codec import global_id
from analytics.declare import Role
from datasources.postgres import jobs, migrate
from datasources.postgres.jobs import Job, Kind, Status, Wanted
from datasources.postgres.session import Actor, Database
from gateway import embedded
from gateway.keys import secret_key
from gateway.ports import free_port
from gateway.streams.messages import PROTOCOL
from gateway.tokens import Account, issue

KEY = "a-key-for-measuring-that-is-long-enough"
EVERY = 0.25
QUERY = "subscription($id: ID!) { jobProgress(id: $id) { status progress } }"
ORGANIZATION, LEARNER = str(uuid4()), str(uuid4())
Seen = dict[int, list[float]]


def token() -> str:
    """A token of another admin each time."""
    account = Account(str(uuid4()), ORGANIZATION, (Role.ORG_ADMIN,), "An admin", "admin@example.org")
    return issue(
        account,
        key=secret_key(KEY),
        issuer="learning-platform",
        audience="learning-analytics",
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
    )


async def listen(where: str, job: str, ready: asyncio.Semaphore, seen: Seen) -> None:
    """Listen to the job until it is over."""
    async with connect(f"ws://{where}/graphql", subprotocols=[PROTOCOL], proxy=None) as socket:  # type: ignore[list-item]  # it is text
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token()}"}}))
        await socket.recv()
        payload = {"query": QUERY, "variables": {"id": global_id("Job", job)}}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        said: dict[str, Any] = {"type": "nothing"}
        while said["type"] != "complete":
            said = json.loads(await socket.recv())
            if said["type"] == "next":
                seen[said["payload"]["data"]["jobProgress"]["progress"]].append(time.perf_counter())
                ready.release()


async def measure(url: str, where: str, subscribers: int, changes: int) -> None:
    """Write progress while so many listen, and say how long it took to arrive."""
    database = await Database.open(url, size=2)
    wanted = [Wanted("measured", "learner", LEARNER)]
    made = await jobs.enqueue(database, Actor(ORGANIZATION, LEARNER, "learner"), Kind.REFRESH, wanted)
    job = await jobs.claim(database, ORGANIZATION, made["measured"].job.id)
    if job is None:
        sys.exit("The job was not there to be claimed.")
    ready, seen = asyncio.Semaphore(0), defaultdict[int, list[float]](list)
    listeners = [asyncio.create_task(listen(where, job.id, ready, seen)) for _ in range(subscribers)]
    for _ in range(subscribers):
        await ready.acquire()
    written = await write(database, job, changes)
    await asyncio.gather(*listeners)
    await database.close()
    took = sorted(1000 * (at - written[percent]) for percent in written for at in seen[percent])
    cuts = statistics.quantiles(took, n=100)
    told = f"{len(took)} of {subscribers * len(written)}"
    print(f"{subscribers} subscribers, {len(written)} changes, {told} were told of one by one:")
    print(f"p50 {cuts[49]:.1f} ms   p95 {cuts[94]:.1f} ms   p99 {cuts[98]:.1f} ms   slowest {took[-1]:.1f} ms")


async def write(database: Database, job: Job, changes: int) -> dict[int, float]:
    """Write so many changes of progress and the end; when each was begun."""
    written = {}
    for percent in range(1, changes + 1):
        written[percent] = time.perf_counter()
        await jobs.report(database, job, Status.RUNNING, percent)
        await asyncio.sleep(EVERY)
    written[100] = time.perf_counter()
    await jobs.report(database, job, Status.COMPLETED, 100)
    return written


async def answered(where: str) -> None:
    """Wait until the process answers."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(300):
            try:
                (await client.get(f"http://{where}/livez")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return
    sys.exit("The gateway did not start.")


def main() -> None:
    """Measure as many subscribers and changes as the command says."""
    subscribers, changes = [int(one) for one in sys.argv[1:3]] + [100, 50][len(sys.argv) - 1 :]
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o711)  # Postgres runs as a user of its own when we are root
        running = embedded.start(Path(home) / "postgres")
        try:
            asyncio.run(migrate.prepare(running.owner_url, running.app_password))
            port = free_port()
            ours = {"GATEWAY_DATABASE_URL": running.app_url, "GATEWAY_TOKEN_KEY": KEY, "GATEWAY_PORT": str(port)}
            command = [sys.executable, "-m", "gateway.cli", "serve"]
            environ = os.environ | ours
            with subprocess.Popen(command, env=environ) as served:  # noqa: S603 - our own command
                try:
                    asyncio.run(answered(f"127.0.0.1:{port}"))
                    asyncio.run(measure(running.app_url, f"127.0.0.1:{port}", subscribers, changes))
                finally:
                    served.terminate()
        finally:
            running.stop()


if __name__ == "__main__":
    main()
