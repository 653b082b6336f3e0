"""The doctor looks at everything, says what to do about each thing that is not right, and ends accordingly."""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from typer.testing import CliRunner

from datasources.catalog import SERVICES
from datasources.postgres import revisions
from datasources.postgres.connection import connect
from gateway.cli import app
from gateway.doctor import examine
from gateway.page import ASSETS
from tests.gateway.processes import ROOT, free_port, surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.conftest import Clone

NO_DATABASE = "GATEWAY_DATABASE_URL is not set"


@dataclass(frozen=True)
class Said:
    """What the doctor said: each finding by the thing it is about."""

    status: int
    findings: list[tuple[str, str, str]]

    def about(self, thing: str) -> tuple[str, str]:
        """The one finding about a thing: its verdict and what was told."""
        (found,) = [(verdict, told) for verdict, about, told in self.findings if about == thing]
        return found

    @property
    def wrong(self) -> set[str]:
        return {thing for verdict, thing, _ in self.findings if verdict == "wrong"}


async def doctor(**environ: str) -> Said:
    text = io.StringIO()
    status = await examine(environ, Console(file=text, soft_wrap=True, highlight=False))
    return Said(status, read(text.getvalue()))


def read(text: str) -> list[tuple[str, str, str]]:
    return [(line[:5].strip(), line[7:21].strip(), line[21:].strip()) for line in text.splitlines()]


@asynccontextmanager
async def service(status: int) -> AsyncIterator[str]:
    """The address of a service that answers everything with this status."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def everywhere(url: str) -> dict[str, str]:
    return {service.variable: url for service in SERVICES}


async def test_where_all_is_well_it_ends_well(clone: Clone, tmp_path: Path) -> None:
    async with service(200) as url:
        said = await doctor(
            GATEWAY_HOME=str(tmp_path),
            GATEWAY_DATABASE_URL=clone.app_url,
            GATEWAY_DEMO_DATA=str(tmp_path),
            **everywhere(url),
        )
    assert said.status == 0
    assert {verdict for verdict, _, _ in said.findings} == {"ok"}
    things = {thing for _, thing, _ in said.findings}
    assert things == {"configuration", "database", "migrations", "page", "demo data", *(s.name for s in SERVICES)}
    assert said.about("migrations") == ("ok", f"at {revisions.wanted()}")
    assert str(tmp_path) in said.about("configuration")[1]


async def test_what_is_only_not_set_is_a_note(tmp_path: Path) -> None:
    said = await doctor(GATEWAY_HOME=str(tmp_path))
    assert said.status == 0
    verdict, told = said.about("database")
    assert verdict == "ok"
    assert told.startswith(f"{NO_DATABASE}: the embedded Postgres under")
    for one in SERVICES:
        verdict, told = said.about(one.name)
        assert verdict == "note"
        assert one.variable in told
        assert "Set it" in told


async def test_settings_that_do_not_hold_are_all_told() -> None:
    said = await doctor(GATEWAY_PORT="eighty", COURSE_SERVICE_URL="course:80")
    assert said.status == 1
    assert [(verdict, thing) for verdict, thing, _ in said.findings] == [("wrong", "configuration")] * 2
    assert {told.split(":")[0].split("=")[0] for _, _, told in said.findings} == {"GATEWAY_PORT", "COURSE_SERVICE_URL"}


async def test_a_misspelt_setting_is_noted() -> None:
    said = await doctor(GATEWAY_PROT="1")
    assert said.status == 0
    assert ("note", "configuration", "GATEWAY_PROT is not a setting. Was GATEWAY_PORT meant?") in said.findings


async def test_a_database_that_does_not_answer_is_wrong() -> None:
    said = await doctor(GATEWAY_DATABASE_URL=f"postgresql://gateway_app:hidden@127.0.0.1:{free_port()}/gateway")
    verdict, told = said.about("database")
    assert (said.status, verdict) == (1, "wrong")
    assert "Check the address" in told
    assert "hidden" not in told


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "0001"),
        ("DELETE FROM alembic_version", "nothing"),
        ("DROP TABLE alembic_version", "nothing"),
    ],
)
async def test_a_database_at_another_revision_is_wrong(clone: Clone, change: str, at: str) -> None:
    owner = await connect(clone.owner_url)
    await owner.execute(change)
    await owner.close()
    said = await doctor(GATEWAY_DATABASE_URL=clone.app_url)
    assert said.status == 1
    assert said.wrong == {"migrations"}
    told = f"The database is at {at}, this version wants {revisions.wanted()}: run `gateway migrate`."
    assert said.about("migrations") == ("wrong", told)


async def test_a_service_that_is_down_is_wrong() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = await doctor(COURSE_SERVICE_URL=url)
    assert said.status == 1
    assert said.wrong == {"course"}
    told = said.about("course")[1]
    assert told == f"{url} does not answer (ConnectError): check COURSE_SERVICE_URL and the service."


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "ok"), (404, "ok"), (401, "wrong"), (403, "wrong"), (500, "wrong"), (503, "wrong")]
)
async def test_a_service_is_there_when_it_answers_without_failing(status: int, verdict: str) -> None:
    async with service(status) as url:
        said = await doctor(COURSE_SERVICE_URL=url)
    found, told = said.about("course")
    assert (found, said.status) == (verdict, int(verdict == "wrong"))
    wrong = f"{url} answers {status}: look at the service's own log."
    if status in {401, 403}:
        wrong = f"{url} refuses us ({status}): check GATEWAY_SERVICE_TOKEN."
    assert told == (url if verdict == "ok" else wrong)


async def test_services_are_looked_for_the_way_the_gateway_goes_past_any_proxy() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with service(200) as url:
        environ = {"HTTP_PROXY": nowhere, "NO_PROXY": "", "no_proxy": "", "COURSE_SERVICE_URL": url}
        said = await asyncio.to_thread(CliRunner().invoke, app, ["doctor"], env=environ)
    assert ("ok", "course", url) in read(said.stdout)


async def test_demo_data_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    said = await doctor(GATEWAY_DEMO_DATA=str(tmp_path / "nowhere"))
    assert (said.status, said.wrong) == (1, {"demo data"})
    assert "name one" in said.about("demo data")[1]


async def test_a_page_that_is_not_served_is_not_looked_for() -> None:
    said = await doctor(GATEWAY_GRAPHIQL="off")
    assert "page" not in {thing for _, thing, _ in said.findings}


def test_a_page_that_is_not_built_is_noted(tmp_path: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__", ASSETS.name)
    for room in ("gateway", "resolvers", "analytics", "datasources", "migrations"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=skip)
    told = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "doctor"],
        cwd=tmp_path,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0
    findings = {thing: (verdict, said) for verdict, thing, said in read(told.stdout)}
    assert findings["page"] == ("note", "not built: run `make setup`, or GATEWAY_GRAPHIQL=false")


def test_words_of_a_finding_are_never_taken_for_colours(tmp_path: Path) -> None:
    async def seen(environ: Mapping[str, str]) -> str:
        text = io.StringIO()
        await examine(environ, Console(file=text, soft_wrap=True))
        return text.getvalue()

    assert "[red]x[/red]" in asyncio.run(seen({"GATEWAY_DEMO_DATA": str(tmp_path / "[red]x[/red]")}))
