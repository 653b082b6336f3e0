"""`gateway doctor`: what is right, what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx

from datasources.catalog import SERVICES
from datasources.postgres import revisions
from datasources.postgres.connection import DatabaseError
from datasources.postgres.session import Database
from gateway import embedded
from gateway import settings as settings_module
from gateway.cluster import EmbeddedError
from gateway.page import ASSETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from gateway.settings import Settings

Finding = tuple[str, str, str]
"""A thing, `ok`, `note` or `wrong`, and what was seen and what to do."""

SERVICE_SECONDS = 3.0


async def examine(environ: Mapping[str, str], console: Console) -> int:
    """Look at everything and say it; 0 when nothing is wrong."""
    try:
        settings = settings_module.read(environ)
    except settings_module.SettingsError as error:
        findings: list[Finding] = [("configuration", "wrong", problem) for problem in error.problems]
    else:
        findings = [("configuration", "ok", f"{settings.environment}; everything is written under {settings.home}")]
        findings += [("configuration", "note", remark) for remark in settings_module.unknown(environ)]
        findings += [*await _database(settings), *await _services(settings), *_page(settings), *_demo(settings)]
    colours = {"ok": "green", "note": "yellow", "wrong": "red"}
    for thing, verdict, told in findings:
        console.print(f"[{colours[verdict]}]{verdict:>5}[/]  {thing:<14}", end="")
        console.print(told, markup=False)
    return int(any(verdict == "wrong" for _, verdict, _ in findings))


async def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None:
        return [await asyncio.to_thread(_embedded, settings)]
    url = settings.database_url.get_secret_value()
    async with AsyncExitStack() as stack:
        try:
            database = await Database.open(url, size=1)
        except DatabaseError as error:
            return [("database", "wrong", str(error))]
        stack.push_async_callback(database.close)
        started = time.perf_counter()
        await database.ping()
        seen: list[Finding] = [("database", "ok", f"answers in {(time.perf_counter() - started) * 1000:.1f} ms")]
        complaint = revisions.complaint(await revisions.found(database))
        return [
            *seen,
            ("migrations", "wrong", complaint) if complaint else ("migrations", "ok", f"at {revisions.wanted()}"),
        ]


def _embedded(settings: Settings) -> Finding:
    """Start, or join, the Postgres of our own, and let go of it again."""
    try:
        started = embedded.start(settings.home / "postgres")
    except (EmbeddedError, OSError) as error:
        return (
            "database",
            "wrong",
            f"GATEWAY_DATABASE_URL is not set, and the embedded Postgres does not start: {error}",
        )
    started.stop()
    return "database", "ok", f"GATEWAY_DATABASE_URL is not set: the embedded Postgres under {settings.home} starts"


async def _services(settings: Settings) -> list[Finding]:
    headers = {"Authorization": f"Bearer {settings.service_token.get_secret_value()}"} if settings.service_token else {}
    # As the gateway itself asks them.
    async with httpx.AsyncClient(timeout=SERVICE_SECONDS, trust_env=False) as client:

        async def look(name: str, variable: str) -> Finding:
            url = settings.services.get(name)
            if url is None:
                return (
                    name,
                    "note",
                    f"{variable} is not set: its facts are mocked or missing. Set it to the service's URL.",
                )
            try:
                answer = await client.get(url, headers=headers)
            except httpx.HTTPError as error:
                return (
                    name,
                    "wrong",
                    f"{url} does not answer ({type(error).__name__}): check {variable} and the service.",
                )
            if answer.status_code in {401, 403}:
                return name, "wrong", f"{url} refuses us ({answer.status_code}): check GATEWAY_SERVICE_TOKEN."
            if answer.is_server_error:
                return name, "wrong", f"{url} answers {answer.status_code}: look at the service's own log."
            return name, "ok", url

        return await asyncio.gather(*(look(service.name, service.variable) for service in SERVICES))


def _page(settings: Settings) -> Iterator[Finding]:
    if settings.shows_page:
        built = (ASSETS / "main.js").exists()
        yield (
            "page",
            "ok" if built else "note",
            "built" if built else "not built: run `make setup`, or GATEWAY_GRAPHIQL=false",
        )


def _demo(settings: Settings) -> Iterator[Finding]:
    if settings.demo_data is not None:
        there = settings.demo_data.is_dir()
        told = (
            f"{settings.demo_data}" if there else f"GATEWAY_DEMO_DATA={settings.demo_data} is no directory: name one."
        )
        yield "demo data", "ok" if there else "wrong", told
