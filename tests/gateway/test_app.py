"""How the parts of the application hang together: its routes, its readiness, and what it hears from other processes."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs

from analytics.catalog import METRICS
from analytics.record import NO_QUALITY, Answer
from datasources.postgres import answers, revisions
from datasources.postgres.connection import connect
from gateway.app import Outside, create_app
from gateway.page import ASSETS
from gateway.settings import Settings
from tests.cast import ACME, LARS, LENA, OTHER
from tests.datasources.postgres.rosters import asked, kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from analytics.world import World
    from datasources.postgres.answers import Question
    from datasources.postgres.session import Database
    from tests.conftest import Clone, Server

FAR = datetime.now(UTC) + timedelta(days=1)
HTML = {"accept": "text/html"}
ANSWER = Answer(METRICS["learner-velocity"], "{}", None, NO_QUALITY, (), None, None, FAR, FAR, FAR)
LENAS, LARSES = asked("learner", LENA), asked("learner", LARS)


@dataclass(frozen=True)
class Running:
    """The application between its start and its end."""

    client: httpx.AsyncClient
    world: World

    async def ready(self) -> tuple[int, dict[str, Any]]:
        answer = await self.client.get("/readyz")
        return answer.status_code, answer.json()

    def remember(self, *keys: tuple[str, Question]) -> None:
        """Put an answer to each of these questions of an organization into memory."""
        for key in keys:
            assert self.world.memory.put(key, ANSWER, FAR)

    async def until_forgot(self, *keys: tuple[str, Question]) -> None:
        """Ask the database this and that until all of these are forgotten."""
        async with asyncio.timeout(10):
            while len(self.forgot(*keys)) < len(keys):
                await self.world.database.ping()

    def forgot(self, *keys: tuple[str, Question]) -> set[tuple[str, Question]]:
        return {key for key in keys if self.world.memory.get(key) is None}


@asynccontextmanager
async def running(url: str, *, outside: Outside | None = None, **settings: Any) -> AsyncIterator[Running]:
    told = {"database_url": url, "token_key": "k" * 32, "allowed_hosts": ("gateway",), **settings}
    app = create_app(Settings.model_validate(told), outside)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client,
    ):
        yield Running(client, app.state.world)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is logged would only clutter the report of the run."""
    with capture_logs():
        yield


async def test_where_the_page_is_on_it_is_served_with_its_assets(clone: Clone) -> None:
    assert (ASSETS / "main.js").exists(), "The page's assets are not built: run make setup, then test again."
    async with running(clone.app_url, graphiql=True) as gateway:
        page = await gateway.client.get("/graphql", headers=HTML)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for name in ("main.js", "main.css", "worker-graphql.js"):
            assert (await gateway.client.get(f"/graphql/assets/{name}")).status_code == 200
        for name in ("nothing.js", "", "../page/main.jsx", "..%2f..%2fapp.py"):
            assert (await gateway.client.get(f"/graphql/assets/{name}")).status_code == 404
        assert (await gateway.ready())[1]["checks"]["page"]["state"] == "ok"


async def test_where_the_page_is_off_nothing_of_it_is_served(clone: Clone) -> None:
    async with running(clone.app_url, graphiql=False) as gateway:
        assert (await gateway.client.get("/graphql/assets/main.js")).status_code == 404
        page = await gateway.client.get("/graphql", headers=HTML)
        assert "html" not in page.headers["content-type"]
        assert "page" not in (await gateway.ready())[1]["checks"]


async def test_it_is_ready_with_its_database_and_only_degraded_without_services(clone: Clone) -> None:
    async with running(clone.app_url) as gateway:
        status, body = await gateway.ready()
    assert (status, body["ready"], body["notReady"], body["degraded"]) == (200, True, [], ["services"])
    assert "course (not configured)" in body["checks"]["services"]["why"]


@pytest.mark.parametrize(("by", "says"), [(timedelta(minutes=1), "ahead of"), (-timedelta(minutes=1), "behind")])
async def test_a_clock_that_is_apart_from_the_databases_is_told(clone: Clone, by: timedelta, says: str) -> None:
    async with running(clone.app_url, outside=Outside(now=lambda: datetime.now(UTC) + by)) as gateway:
        status, body = await gateway.ready()
    assert (status, "clock" in body["degraded"]) == (200, True)
    assert re.fullmatch(
        rf"this process is (59|60|61) s {says} the database: set its clock", body["checks"]["clock"]["why"]
    )


async def test_a_database_at_another_revision_is_named(clone: Clone) -> None:
    owner = await connect(clone.owner_url)
    await owner.execute("UPDATE alembic_version SET version_num = '0001'")
    await owner.close()
    async with running(clone.app_url) as gateway:
        status, body = await gateway.ready()
    assert (status, body["notReady"]) == (503, ["migrations"])
    assert body["checks"]["migrations"]["why"] == (
        f"The database is at 0001, this version wants {revisions.wanted()}: run `gateway migrate`."
    )


async def test_a_database_that_is_gone_is_named_and_we_live_on(clone: Clone, server: Server) -> None:
    async with running(clone.app_url) as gateway:
        application, owner = await connect(clone.app_url), await connect(server.owner_url)
        name = await application.fetchval("SELECT current_database()")
        await owner.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await application.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await application.close()
        status, body = await gateway.ready()
        assert (status, body["notReady"]) == (503, ["database", "migrations"])
        assert body["checks"]["database"]["why"] == "DatabaseError"
        assert (await gateway.client.get("/livez")).status_code == 200
        await owner.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await owner.close()
        # And when it is back, so are we.
        await gateway.world.database.ping()


async def test_answers_that_another_process_kept_are_forgotten_here(clone: Clone, database: Database) -> None:
    keys = ((ACME, LENAS), (ACME, LARSES), (OTHER, LENAS))
    async with running(clone.app_url) as gateway:
        gateway.remember(*keys)
        await answers.keep(database, ACME, {LENAS: kept()})
        await gateway.until_forgot((ACME, LENAS))
        assert gateway.forgot(*keys) == {(ACME, LENAS)}


async def test_answers_that_this_process_kept_are_not(clone: Clone, database: Database) -> None:
    async with running(clone.app_url) as gateway:
        gateway.remember((ACME, LENAS), (ACME, LARSES))
        await answers.keep(gateway.world.database, ACME, {LENAS: kept()})
        # Notifications arrive in order: when this one was heard, so was the other.
        await answers.keep(database, ACME, {LARSES: kept()})
        await gateway.until_forgot((ACME, LARSES))
        assert gateway.forgot((ACME, LENAS)) == set()


async def test_where_too_many_were_kept_to_be_named_the_whole_organization_is_forgotten(
    clone: Clone, database: Database
) -> None:
    keys = ((ACME, LENAS), (ACME, LARSES), (OTHER, LENAS))
    async with running(clone.app_url) as gateway:
        gateway.remember(*keys)
        await answers.keep(database, ACME, {asked("learner", f"{n:036}"): kept() for n in range(500)})
        await gateway.until_forgot((ACME, LENAS))
        assert gateway.forgot(*keys) == {(ACME, LENAS), (ACME, LARSES)}


async def test_what_was_not_heard_may_have_been_anything_so_all_is_forgotten(clone: Clone) -> None:
    keys = ((ACME, LENAS), (OTHER, LARSES))
    async with running(clone.app_url) as gateway:
        gateway.remember(*keys)
        application = await connect(clone.app_url)
        await application.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        await application.close()
        await gateway.until_forgot(*keys)


async def test_what_it_opens_it_closes(clone: Clone) -> None:
    async with running(clone.app_url) as gateway:
        assert (await gateway.ready())[0] == 200
    owner = await connect(clone.app_url)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with asyncio.timeout(10):
        # The server notices closed sockets a moment later.
        while await owner.fetchval(others):
            pass
    await owner.close()


async def test_without_a_database_it_does_not_start() -> None:
    app = create_app(Settings.model_validate({}))
    with pytest.raises(ValueError, match="name no database"):
        async with app.router.lifespan_context(app):
            pass
