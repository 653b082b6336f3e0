"""Reading from a replica: a real one, fed with the primary's log, which lags when a test says so."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from datasources.postgres import answers, migrate
from datasources.postgres.connection import DatabaseError
from datasources.postgres.replica import OLDEST, Replica
from datasources.postgres.session import Actor, Database
from gateway import embedded
from gateway.cluster import find_programs, place
from gateway.embedded import ELSEWHERE, SETTINGS
from tests.cast import ACME, LARS, LENA
from tests.datasources.postgres.rosters import HOUR, NOW, asked, kept
from tests.gateway.processes import free_port, reachable_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

QUICK = {"fsync": "off", "synchronous_commit": "off", "autovacuum": "off"}
LENA_READS = Actor(ACME, LENA, "learner")
VELOCITY = asked("learner", LENA)


@dataclass(frozen=True)
class Pair:
    """A primary, and a standby that replays its log unless `held` is there."""

    primary: str
    standby: str
    held: Path


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with reachable_home() as home:
        programs = find_programs()
        first = embedded.start(home / "primary", settings=QUICK)
        asyncio.run(migrate.prepare(first.owner_url, first.app_password))
        first.stop()
        source = place(home / "primary", programs, ELSEWHERE, lambda _: None)
        (home / "standby").mkdir()
        copy = place(home / "standby", programs, ELSEWHERE, lambda _: None)
        shutil.copytree(source.files, copy.files, dirs_exist_ok=True)
        for path in (copy.files, *copy.files.rglob("*")):
            if copy.user:
                shutil.chown(path, *copy.user)
        (copy.data / "standby.signal").touch()
        held = home / "held"
        feed = f"test ! -e {held} && cp {source.data}/pg_wal/%f %p"
        port = free_port()
        options = {
            **SETTINGS,
            **QUICK,
            "port": str(port),
            "hba_file": str(copy.files / "access.conf"),
            "restore_command": feed,
            "wal_retrieve_retry_interval": "50ms",
        }
        first = embedded.start(home / "primary", settings=QUICK)
        told = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        try:
            copy.run("pg_ctl", "start", "-D", copy.data, "-l", copy.files / "log", "-w", "-t", "60", "-o", told)
            parts = urlsplit(first.app_url)
            where = f"{parts.netloc.rpartition(':')[0]}:{port}"
            yield Pair(first.app_url, urlunsplit(parts._replace(netloc=where)), held)
        finally:
            copy.run("pg_ctl", "stop", "-D", copy.data, "-m", "immediate")
            first.stop()


@dataclass
class Reading:
    """A primary, what is certain of its replica, and the seconds of this test."""

    pair: Pair
    database: Database
    replica: Replica
    seconds: list[float] = field(default_factory=lambda: [0.0])

    async def keep(self, hours: int) -> None:
        """Keep an answer that is told apart by its age, and hear of it."""
        row = kept(NOW + hours * HOUR, value=f'{{"score":{hours}}}')
        await answers.keep(self.database, ACME, {VELOCITY: row})
        self.replica.changed(ACME, {LENA})
        self.seconds[0] += 1

    async def caught_up(self) -> None:
        """Look until the replica is certain to know everything."""
        async with asyncio.timeout(30):
            while not self.replica.knows(ACME, {LENA}):
                self.seconds[0] += 0.001
                await self.replica.look()

    async def read(self) -> tuple[str | None, bool]:
        """The value of the answer, and whether the primary was spared."""
        before = self.database.statements
        found = await answers.read(self.database, LENA_READS, [VELOCITY], self.replica)
        return found[VELOCITY].value, self.database.statements == before


@pytest_asyncio.fixture
async def reading(pair: Pair) -> AsyncIterator[Reading]:
    pair.held.unlink(missing_ok=True)
    async with AsyncExitStack() as stack:
        database = await Database.open(pair.primary, size=2)
        stack.push_async_callback(database.close)
        standby = await Database.open(pair.standby, size=2)
        stack.push_async_callback(standby.close)

        async def opened() -> Database:
            return standby

        seconds = [0.0]
        found = Reading(pair, database, Replica(database, opened, lambda: seconds[0]), seconds)
        yield found


async def test_a_replica_that_knows_everything_is_read_and_the_primary_is_spared(reading: Reading) -> None:
    await reading.keep(1)
    await reading.caught_up()
    assert await reading.read() == ('{"score":1}', True)


async def test_before_it_is_certain_of_anything_the_primary_is_read(reading: Reading) -> None:
    await reading.keep(2)
    assert await reading.read() == ('{"score":2}', False)


async def test_a_replica_that_lags_never_gives_an_older_answer(reading: Reading) -> None:
    await reading.keep(3)
    await reading.caught_up()
    reading.pair.held.touch()
    await reading.keep(4)
    for _ in range(5):
        await reading.replica.look()
        assert await reading.read() == ('{"score":4}', False)
    reading.pair.held.unlink()
    await reading.caught_up()
    assert await reading.read() == ('{"score":4}', True)


async def test_what_did_not_change_is_read_from_a_replica_that_lags_a_little(reading: Reading) -> None:
    await reading.keep(5)
    await reading.caught_up()
    reading.replica.changed(ACME, {LARS})
    assert reading.replica.knows(ACME, {LENA})
    assert not reading.replica.knows(ACME, {LENA, LARS})
    reading.replica.changed(ACME)
    assert not reading.replica.knows(ACME, {LENA})


async def test_what_was_certain_is_not_certain_for_long(reading: Reading) -> None:
    await reading.keep(6)
    await reading.caught_up()
    reading.seconds[0] += OLDEST + 1
    assert await reading.read() == ('{"score":6}', False)


async def test_news_that_may_have_been_missed_make_nothing_certain(reading: Reading) -> None:
    await reading.keep(7)
    await reading.caught_up()
    reading.replica.changed()
    assert not reading.replica.knows(ACME, {LENA})


async def test_a_replica_that_is_away_costs_nothing_but_its_help(reading: Reading) -> None:
    async def away() -> Database:
        message = "nobody there"
        raise DatabaseError(message)

    async def bored(_: float) -> None:
        await asyncio.sleep(0)

    await reading.keep(8)
    reading.replica = Replica(reading.database, away, lambda: reading.seconds[0])
    async with reading.replica.watched(bored):
        assert await reading.read() == ('{"score":8}', False)


async def test_a_primary_named_as_replica_is_not_taken_for_one(reading: Reading) -> None:
    async def itself() -> Database:
        return reading.database

    reading.replica = Replica(reading.database, itself, lambda: reading.seconds[0])
    await reading.replica.look()
    assert not reading.replica.knows(ACME, {LENA})
