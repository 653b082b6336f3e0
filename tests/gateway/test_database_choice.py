"""Which Postgres a process uses: the one that is set, migrated where somebody may; else one of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from datasources.postgres import migrate, revisions
from datasources.postgres.connection import DatabaseError, connect
from gateway import database, embedded
from gateway.settings import Settings, read
from tests.gateway.processes import reachable_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Clone


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with reachable_home() as directory:
        yield directory


@pytest.fixture(scope="module")
def postgres(home: Path) -> Iterator[embedded.Embedded]:
    """The embedded Postgres of that home, running for the whole module, so that nobody waits for it twice."""
    running = embedded.start(home / "postgres", settings={"fsync": "off"})
    yield running
    running.stop()


def settings(home: Path | str = "/nowhere", url: str = "", owner: str = "") -> Settings:
    return read({"GATEWAY_HOME": str(home), "GATEWAY_DATABASE_URL": url, "GATEWAY_OWNER_DATABASE_URL": owner})


def ask(url: str, question: str) -> Any:
    async def asking() -> Any:
        connection = await connect(url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(asking())


def fresh(postgres: embedded.Embedded, name: str) -> str:
    """A new database, empty and never migrated, as its owner."""

    async def make() -> None:
        connection = await connect(postgres.owner_url)
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    asyncio.run(make())
    return urlsplit(postgres.owner_url)._replace(path=f"/{name}").geturl()


def test_the_one_that_is_set_comes_first_and_is_left_as_it_is(clone: Clone) -> None:
    said: list[str] = []
    ready = database.ready(settings(url=clone.app_url), said.append, name="something else")
    assert (ready.url, said) == (clone.app_url, [])
    ready.stop()
    assert ask(clone.app_url, "SELECT 1") == 1


def test_the_one_that_is_set_is_migrated_where_its_owner_is_known(postgres: embedded.Embedded) -> None:
    owner = fresh(postgres, "set")
    url = urlsplit(postgres.app_url)._replace(path="/set").geturl()
    said: list[str] = []
    assert database.ready(settings(url=url, owner=owner), said.append).url == url
    assert said == ["Migrating the database"]
    assert ask(url, "SELECT version_num FROM alembic_version") == revisions.wanted()


def test_a_password_may_hold_anything(postgres: embedded.Embedded) -> None:
    owner = fresh(postgres, "password")
    word = quote("p@ss/w:rd %41'?#", safe="")
    where = urlsplit(owner)
    url = where._replace(netloc=f"gateway_app:{word}@127.0.0.1:{where.port}").geturl()
    try:
        assert ask(database.ready(settings(url=url, owner=owner), print).url, "SELECT 1") == 1
    finally:
        asyncio.run(migrate.prepare(owner, postgres.app_password))


def test_where_the_address_holds_no_password_the_role_keeps_its_own(postgres: embedded.Embedded) -> None:
    owner = fresh(postgres, "without")
    asyncio.run(migrate.prepare(owner, postgres.app_password))
    url = f"postgresql://gateway_app@127.0.0.1:{urlsplit(owner).port}/without"
    database.migrate_only(settings(url=url, owner=owner), print)
    with_password = urlsplit(postgres.app_url)._replace(path="/without").geturl()
    assert ask(with_password, "SELECT version_num FROM alembic_version") == revisions.wanted()


def test_otherwise_one_of_our_own_is_made_ready_and_migrated(home: Path, postgres: embedded.Embedded) -> None:
    said: list[str] = []
    ready = database.ready(settings(home), said.append)
    assert urlsplit(ready.url).hostname == "127.0.0.1"
    assert ask(ready.url, "SELECT current_user || ' in ' || current_database()") == "gateway_app in gateway"
    assert ask(ready.url, "SELECT version_num FROM alembic_version") == revisions.wanted()
    ready.stop()
    # Somebody else uses it still.
    assert ask(postgres.owner_url, "SELECT 1") == 1


def test_each_name_is_a_database_of_its_own_and_is_there_the_next_time(home: Path, postgres: embedded.Embedded) -> None:
    for _ in range(2):
        for name in ("campus_one", "campus_two"):
            ready = database.ready(settings(home), print, name=name)
            assert ask(ready.url, "SELECT current_database()::text") == name
            ready.stop()
    assert ask(postgres.owner_url, "SELECT count(*) FROM pg_database WHERE datname LIKE 'campus%'") == 2


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match=r"Cannot write under .*file.*GATEWAY_HOME"):
        database.ready(settings(tmp_path / "file"), print)


def test_migrating_the_one_that_is_set_needs_to_know_as_whom(clone: Clone) -> None:
    with pytest.raises(DatabaseError, match=r"GATEWAY_OWNER_DATABASE_URL is not set.*postgresql://"):
        database.migrate_only(settings(url=clone.app_url), print)


def test_migrating_says_where_the_database_stands(home: Path, postgres: embedded.Embedded) -> None:
    assert postgres
    said: list[str] = []
    database.migrate_only(settings(home), said.append)
    assert said[-1] == f"The database is at {revisions.wanted()}."


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    unreachable = "postgresql://gateway_app:hidden@127.0.0.1:1/gateway"
    with pytest.raises(DatabaseError, match="Check the address") as told:
        database.ready(settings(url=unreachable, owner=unreachable), print)
    assert "hidden" not in str(told.value)
