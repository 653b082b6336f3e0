"""The database goes away in the middle: what can be said without it is said, and nothing is half written."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from analytics.catalog import METRICS, PRODUCERS, ROSTER
from analytics.declare import Many
from datasources.postgres.connection import connect
from tests.cast import LENA
from tests.river.banks import FIELDS, HOURS, Gateway, running

if TYPE_CHECKING:
    from analytics.declare import Metric
    from tests.conftest import Clone, Server
    from tests.river.banks import Clock, Services


def reads_the_roster(metric: Metric) -> bool:
    """Whether a metric reads who is where, or another that does."""
    return any(
        one.many is not Many.ONE
        or one.type in ROSTER
        or (one.type in PRODUCERS and reads_the_roster(PRODUCERS[one.type]))
        for one in metric.inputs
    )


ON_THE_ROSTER = {field for field, key in FIELDS.items() if reads_the_roster(METRICS[key])}


class Switch:
    """Lets nobody into one database, and everybody out."""

    def __init__(self, server: Server, clone: Clone) -> None:
        self._server = server
        self._clone = clone
        self._name = clone.app_url.rpartition("/")[2]

    async def off(self) -> None:
        app = await connect(self._clone.app_url)
        await self._allow(connections=False)
        await app.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        await app.close()

    async def on(self) -> None:
        await self._allow(connections=True)

    async def _allow(self, *, connections: bool) -> None:
        owner = await connect(self._server.owner_url)
        await owner.execute(f'ALTER DATABASE "{self._name}" ALLOW_CONNECTIONS {str(connections).lower()}')
        await owner.close()


@pytest.fixture
def database(server: Server, clone: Clone) -> Switch:
    return Switch(server, clone)


async def test_what_is_remembered_is_served(gateway: Gateway, database: Switch, clock: Clock) -> None:
    before = (await gateway.dashboard()).answers
    await database.off()
    for time in (timedelta(0), timedelta(minutes=2), timedelta(hours=1)):
        clock.pass_by(time)
        heard = (await gateway.dashboard()).answers
        for field, answer in heard.items():
            assert answer["freshness"]["tier"] == "MEMORY"
            assert answer["value"] == before[field]["value"]


@pytest.mark.parametrize("late", [False, True], ids=["never asked before", "all forgotten"])
async def test_what_is_not_remembered_is_worked_out_from_the_services(
    gateway: Gateway, database: Switch, clock: Clock, *, late: bool
) -> None:
    if late:
        await gateway.dashboard()
        clock.pass_by(7 * HOURS)
    await database.off()
    reply = await gateway.dashboard()
    assert reply.data["viewer"]["learner"]["displayName"] == "Lena"
    for field, answer in reply.answers.items():
        assert answer["freshness"]["tier"] == "SOURCE"
        assert answer["freshness"]["origin"] == ("PARTIAL" if field in ON_THE_ROSTER else "LIVE")
        given = {source["service"]: source["origin"] for source in answer["freshness"]["sources"]}
        if field in ON_THE_ROSTER:
            assert given["course"] is None, "who takes which course is not known, and it says so"
        else:
            assert answer["value"] or answer["withheld"]["reason"] == "NOT_ENOUGH_DATA"
            assert set(given.values()) == {"LIVE"}


async def test_when_it_is_back_nothing_is_half_written_and_all_is_kept_again(
    clone: Clone, services: Services, clock: Clock, database: Switch
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.ask("{ organization { name } }", "olga")
        services.gate.clear()
        asking = asyncio.create_task(gateway.dashboard())
        services.called.clear()
        await services.called.wait()
        await database.off()
        services.gate.set()
        assert (await asking).answers["velocity"]["value"], "it went away while services were being asked"
        await database.on()
        assert await gateway.kept() == []
        clock.pass_by(timedelta(minutes=1))
        await gateway.dashboard()
    async with running(clone.app_url, services, clock) as gateway:
        heard = (await gateway.dashboard()).answers
        assert heard["peers"]["value"]
        for answer in heard.values():
            assert {source["origin"] for source in answer["freshness"]["sources"]} == {"LIVE"}
        rows = {row.metric for row in await gateway.kept() if row.subject == LENA}
    assert rows >= {f"{FIELDS[field]}@{METRICS[FIELDS[field]].version}" for field in ON_THE_ROSTER}


async def test_others_are_not_shown_and_nothing_of_the_inside_is_told(gateway: Gateway, database: Switch) -> None:
    await gateway.dashboard()
    await database.off()
    reply = await gateway.ask("query ($id: ID) { learner(id: $id) { displayName } }", "tomas", id=LENA)
    assert reply.codes == {"UNAVAILABLE"}
    assert "Lena" not in reply.text
    assert "postgres" not in reply.text.lower()


async def test_a_database_that_hangs_leaves_time_to_ask_the_services(
    server: Server, clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, patience=2.0) as gateway:
        await gateway.ask("{ organization { name } }", "olga")
        owner = await connect(f"{server.owner_url.rpartition('/')[0]}/{clone.app_url.rpartition('/')[2]}")
        async with owner.transaction():
            await owner.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
            heard = (await gateway.dashboard()).answers
        await owner.close()
    for field in ("velocity", "mastery", "performance"):
        assert heard[field]["freshness"]["origin"] == "LIVE", field
        assert heard[field]["value"]
