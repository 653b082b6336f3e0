"""Nothing that is done in a step of the event loop waits for anything: everybody else would wait with it."""

from __future__ import annotations

import asyncio
import io
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from analytics.models.committed import MODELS
from gateway.fast.lines import Lines
from tests.gateway.counter.clients import MINE, WAYS, serving
from tests.river.banks import HOURS, Clock
from tests.river.stillness import InThisThread, Steps, Watch
from tests.river.test_refreshing import REFRESH
from tests.river.test_short_way import ROSTER
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.conftest import Clone
    from tests.gateway.counter.clients import Served
    from tests.river.banks import Services

pytestmark = pytest.mark.skipif(not hasattr(resource, "RUSAGE_THREAD"), reason="only Linux counts a thread's waits")

MOMENT = 0.001
TURNS = 20
"""So often something is done that waits, to be told from waits for other threads of this process."""
READING = 400_000
"""The most calls in one step of the loop: twice those that a dashboard takes which is read for the first time."""
KNOWN = 40_000
"""The most where every document is known: twice those of a page of a hundred."""
OPERATIONS = Path(__file__).parent.parent / "operations"
DASHBOARDS = [
    (who, (OPERATIONS / f"{whose}-dashboard.graphql").read_text())
    for who, whose in (
        ("lena", "learner"),
        ("lars", "learner"),
        ("tomas", "trainer"),
        ("tara", "trainer"),
        ("olga", "organization"),
    )
]


def locked() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=MOMENT)


def received() -> None:
    here, there = socket.socketpair()
    with here, there, suppress(TimeoutError):
        here.settimeout(MOMENT)
        here.recv(1)


def done_elsewhere() -> None:
    with suppress(TimeoutError):
        Future[None]().result(MOMENT)


BLOCKING: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(MOMENT),
    "a file": lambda: Path(__file__).read_bytes(),
    "a folder": lambda: list(OPERATIONS.iterdir()),
    "a name": lambda: socket.getaddrinfo("127.0.0.1", 80),
    "a child": lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True),
    "a lock": locked,
    "a socket": received,
    "any of several": lambda: select.select([], [], [], MOMENT),
    "another thread": done_elsewhere,
}
"""What must not be done in the loop."""
OWN: list[tuple[str, str, dict[str, Any]]] = [("lena", MINE, {}), ("lars", MINE, {})]
"""What is answered at the counter when it comes again, also where nothing is kept."""


@pytest.mark.parametrize("blocking", BLOCKING.values(), ids=BLOCKING)
async def test_whatever_waits_is_noted_with_who_called_it(blocking: Callable[[], object]) -> None:
    with Watch() as watch:
        for _ in range(TURNS):
            await asyncio.sleep(0)
            blocking()
    assert watch.noted
    assert all("test_whatever_waits_is_noted" in one for one in watch.noted), watch.noted


async def test_work_and_waiting_in_the_right_places_is_not_noted() -> None:
    asyncio.get_running_loop().set_default_executor(InThisThread())
    with Watch() as watch:
        for _ in range(3):
            assert sum(i * i for i in range(20_000)) > 0
            await asyncio.sleep(MOMENT)
            await asyncio.to_thread(time.sleep, MOMENT)
            reader, writer = await asyncio.open_connection(sock=_connected())
            assert await reader.read() == b"said"
            writer.close()
    assert not watch.noted, "\n".join(watch.noted)


def _connected() -> socket.socket:
    """A socket whose other end has said something and hung up."""
    here, there = socket.socketpair()
    with there:
        there.sendall(b"said")
    return here


class SlowClock(Clock):
    """A clock that has to be waited for while it is `slow`."""

    slow = False

    def now(self) -> datetime:
        if self.slow:
            time.sleep(MOMENT)
        return super().now()


@pytest.fixture
def lines() -> Lines:
    return Lines(io.StringIO())


async def asked(served: Served, *told: tuple[str, str, dict[str, Any]]) -> None:
    for who, query, variables in told:
        body = orjson.dumps({"query": query, "variables": variables})
        said = await served.alone(served.request(who, body=body))
        assert said.status == 200
        assert "errors" not in said.said, said.said


async def test_what_waits_inside_of_the_gateway_is_noted_on_every_way(
    clone: Clone, services: Services, lines: Lines
) -> None:
    asyncio.get_running_loop().set_default_executor(InThisThread())
    clock = SlowClock()
    async with serving(clone.app_url, services, clock, lines=lines) as served:
        await served.known(served.request("lena"))
        clock.slow = True
        ways: list[tuple[str, Callable[[int], object]]] = [
            ("fast/kept.py", lambda _: MINE),
            ("analytics/searching.py", lambda _: served.gateway.world.changed() or MINE),
            ("resolvers/fields.py", lambda turn: MINE + " " * (turn + 1)),
        ]
        for place, query in ways:
            with Watch() as watch:
                for turn in range(TURNS):
                    await asked(served, ("lena", str(query(turn)), {}))
            assert any(place in one for one in watch.noted), "\n".join(watch.noted)


@pytest.mark.parametrize("kept", WAYS.values(), ids=WAYS)
async def test_nothing_waits_while_everything_is_answered(
    clone: Clone, services: Services, clock: Clock, lines: Lines, kept: dict[str, int]
) -> None:
    asyncio.get_running_loop().set_default_executor(InThisThread())
    for model in MODELS:
        model.cache_clear()
    dashboards = [(who, query, {}) for who, query in DASHBOARDS]
    pages = [
        ("olga", ROSTER, {"first": 100}),
        ("olga", ROSTER, {"first": 50}),
        ("tomas", DASHBOARDS[2][1], {"first": 5}),
    ]
    async with (
        serving(clone.app_url, services, clock, lines=lines, **kept) as served,
        a_worker(clone.app_url, services, clock) as worker,
    ):
        with Watch() as watch:
            # Nothing is kept; then by a plan, and from what is kept; then all of it is stale, and made anew.
            for hours in (0, 0, 0, 7, 0):
                clock.pass_by(hours * HOURS)
                await asked(served, *dashboards, *pages, *OWN * 4, ("lena", REFRESH, {"metrics": ["LEARNER_VELOCITY"]}))
                await served.gateway.settled()
                await worker.works_off()
                if hours:
                    served.gateway.world.memory.clear()
            begun, quick = served.begun, served.quick
            await asked(served, *OWN)
            assert (served.begun, served.quick) == (begun, quick + len(OWN)), "it is answered at the counter"
        ways = served.ways
        assert min(ways.again if kept else ways.kept, ways.planned, ways.passed_on) > 2, ways
        assert not (ways.kept if kept else ways.again), ways
        assert not watch.noted, "\n".join(watch.noted)


async def test_a_step_is_everything_until_somebody_waits() -> None:
    with Steps() as steps:
        for _ in range(10):
            await asyncio.sleep(0)
            _ = [len("one call") for _ in range(100)]
    assert 100 < steps.most < 200


@pytest.mark.parametrize("kept", WAYS.values(), ids=WAYS)
async def test_no_step_of_the_loop_is_so_much_work_that_others_would_notice(
    clone: Clone, services: Services, clock: Clock, kept: dict[str, int]
) -> None:
    found: list[int] = []
    async with serving(clone.app_url, services, clock, **kept) as served:
        for _ in range(4):
            with Steps() as steps:
                await asyncio.gather(*(asked(served, (who, query, {})) for who, query in DASHBOARDS))
                await asyncio.gather(*(asked(served, ("olga", ROSTER, {"first": 100}), *OWN) for _ in range(20)))
                await served.gateway.settled()
            found.append(steps.most)
        assert served.quick > 20
    assert found[0] < READING
    assert max(found[1:]) < KNOWN
