"""Whoever is forgotten is named nowhere in the memory of a process, whichever way they were asked about."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from datasources.postgres import erasure
from datasources.postgres.connection import connect
from datasources.postgres.session import system
from tests.cast import ACME, LARS, LENA
from tests.gateway.counter.clients import serving
from tests.gateway.served import PATIENCE
from tests.river.memories import holding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from datasources.postgres.session import Database
    from tests.conftest import Clone, Server
    from tests.gateway.counter.clients import Served
    from tests.river.banks import Clock, Gateway, Services
    from tests.river.workers import Worker

ANALYTICS = "displayName analytics { engagement { value { overallScore } } }"
OF_ONE = f"query ($id: ID) {{ learner(id: $id) {{ {ANALYTICS} }} }}"
BY_NAME = "query ($of: LearnerFilter) { organization { learners(first: 5, filter: $of) { edges { node { id } } } } }"
PAGE = {"query": f"{{ organization {{ learners(first: 50) {{ edges {{ node {{ {ANALYTICS} }} }} }} }} }}"}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("lena", {"query": OF_ONE}),
    ("lena", {"query": OF_ONE, "variables": {"id": LENA}}),
    ("olga", {"query": f'{{ learner(id: "{LENA}") {{ {ANALYTICS} }} }}'}),
    ("olga", PAGE),
    ("olga", {"query": BY_NAME, "variables": {"of": {"search": "Lena"}}}),
    ("lars", {"query": OF_ONE, "variables": {"id": LARS}}),
]
HER = (LENA, "Lena")
WALKS = 6 * PATIENCE
"""Seconds for what is looked through as a whole, some times."""
EARS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
HER_ANALYTICS = f'{{ learner(id: "{LENA}") {{ {ANALYTICS} }} }}'
BEGUN: dict[str, dict[str, Any]] = {
    "a page": PAGE,
    "named in the document": {"query": HER_ANALYTICS},
    "named in the variables": {"query": OF_ONE, "variables": {"id": LENA}},
    "known by its hash": {
        "query": HER_ANALYTICS,
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(HER_ANALYTICS.encode()).hexdigest()}},
    },
}


def named(served: Served, services: Services) -> set[str]:
    """The ways to whatever in a process names her.

    Not by what waits for the audit, which keeps ids (docs/decisions/0021) and is written within a minute.
    """
    return holding(served.gateway.app, HER, beside=[services, served.door.way._hearsay])


def holders(served: Served, room: int) -> dict[str, Any]:
    """What is known to hold her, each by itself."""
    way, world = served.door.way, served.gateway.world
    return {
        "tickets": way.tickets,
        "requests": way._requests._known,
        "documents": way._requests._documents._kept,
        "tellings": way._finder._tellings,
        "sessions": way._authenticator._sessions,
        "people": world.roster._memory,
        "people known earlier": world.roster._earlier,
        "answers": world.memory,
        **({"responses": way._kept} if room else {"errands": way._errands._known}),
    }


async def asked(served: Served, told: Iterable[tuple[str, dict[str, Any]]] = ASKED) -> None:
    """Have every question answered in every way there is: the ordinary one, by a plan, and from what is kept."""
    for _ in range(5):
        for who, body in told:
            said = (await served.alone(served.request(who, body=orjson.dumps(body)))).said
            assert "errors" not in said, said
        await served.gateway.settled()


async def erased(database: Database) -> None:
    await erasure.forget(database, ACME, LENA)


async def missed(database: Database) -> None:
    """As an erasure begins, while nobody hears what is told."""
    await database.fetch("SELECT remember_forgotten($1, $2)", ACME, LENA)
    assert await database.fetch(f"SELECT pg_terminate_backend(pid) FROM ({EARS}) ears")  # noqa: S608 - our own words


@pytest.mark.parametrize("what", [erased, missed])
@pytest.mark.parametrize("room", [64, 0], ids=["kept", "looked up again"])
async def test_nothing_in_memory_names_whom_a_process_is_to_forget_or_may_have_been_told_to(
    clone: Clone, services: Services, clock: Clock, room: int, what: Callable[[Database], Awaitable[None]]
) -> None:
    async with serving(clone.app_url, services, clock, responses_mib=room, cost_per_minute=10**6) as served:
        await asked(served)
        for name, holder in holders(served, room).items():
            assert holding(holder, HER, beside=[services, served.gateway.world]), f"{name}: the test looks where it is"
        heard = asyncio.Event()
        served.gateway.world.keepers.append(heard.set)
        await what(served.gateway.world.database)
        async with asyncio.timeout(WALKS):
            await heard.wait()
            while named(served, services):
                await served.gateway.world.database.ping()
        # Whoever is left is answered as before.
        assert (await served.alone(served.request("lars"))).status == 200


@pytest.mark.parametrize("body", BEGUN.values(), ids=BEGUN)
@pytest.mark.parametrize("room", [64, 0], ids=["kept", "looked up again"])
async def test_a_page_that_was_begun_before_leaves_nobody_in_memory(  # noqa: PLR0913, PLR0917 - what is asked, of what
    server: Server, clone: Clone, services: Services, clock: Clock, room: int, body: dict[str, Any]
) -> None:
    async with serving(clone.app_url, services, clock, responses_mib=room) as served:
        await asked(served, [("olga", body)])
        world = served.gateway.world
        # What is remembered of the page is forgotten, so that it is read.
        world.let_go(ACME, LARS)
        await asked(served, [("olga", body)] * 2)
        world.memory.clear()
        world.changed(ACME)
        owner = await connect(f"{server.owner_url.rpartition('/')[0]}/{clone.app_url.rpartition('/')[2]}")
        try:
            async with owner.transaction():
                await owner.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
                asking = asyncio.create_task(served.alone(served.request("olga", body=orjson.dumps(body))))
                async with asyncio.timeout(WALKS):
                    while not await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                        pass
                world.let_go(ACME, LENA)
        finally:
            await owner.close()
        said = await asking
        assert b"Lena" in said.body
        await served.gateway.settled()
        assert not named(served, services)


async def test_who_is_forgotten_and_goes_on_asking_is_not_remembered(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with serving(clone.app_url, services, clock) as served:
        database = served.gateway.world.database
        clock.moment = (await database.fetch("SELECT now()"))[0][0]
        asking = served.request("lena")
        assert (await served.alone(asking)).status == 200
        await erasure.everywhere(database, LENA)
        async with asyncio.timeout(WALKS):
            while (await served.alone(asking)).status != 401:
                pass
        await served.gateway.heard()
        for _ in range(3):
            assert (await served.alone(asking)).status == 401
            assert not holding(served.gateway.app, {"Lena"}, beside=[services])


async def test_a_process_lets_go_of_them_also_where_nothing_was_kept(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with serving(clone.app_url, services, clock, cost_per_minute=10**6) as served:
        await asked(served)
        await served.gateway.heard()
        world, times = served.gateway.world, list[float]()
        async with world.database.session(system(ACME)) as session:
            for table in ("answers", "facts", "jobs", "people"):
                await (await session.connection()).exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own words
        world.keepers.append(lambda: times.append(clock.monotonic()))
        assert [gone.rows for gone in await erasure.everywhere(world.database, LENA)] == [{}] * 2
        async with asyncio.timeout(WALKS):
            while named(served, services):
                await world.database.ping()
        assert len(times) == 1, "not for each organization"


async def test_a_worker_shares_nothing_that_it_read_of_them(
    gateway: Gateway, worker: Worker, services: Services
) -> None:
    await gateway.dashboard("lena")
    await gateway.settled()
    gateway.clock.pass_by(timedelta(hours=7))
    gateway.world.memory.clear()
    await gateway.dashboard("lena")
    assert await worker.works_off()
    assert holding(worker.hands, HER, beside=[services, worker.world]), "what jobs share"
    heard = asyncio.Event()
    worker.world.keepers.append(heard.set)
    await erasure.forget(gateway.world.database, ACME, LENA)
    async with asyncio.timeout(WALKS):
        await heard.wait()
    assert not holding(worker, HER, beside=[services])
