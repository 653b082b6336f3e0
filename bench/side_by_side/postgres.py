"""Postgres for a comparison, up until Ctrl-C: `python -m bench.side_by_side.postgres`.

Peers need it before they start, and a run joins it. What is printed is the address of an empty database for their own
tables, as a role that may do anything in it. Peers and gateway so share one server with the same settings.
"""

from __future__ import annotations

import asyncio
import signal
from urllib.parse import urlsplit

from bench.made import database
from datasources.postgres.connection import connect

NAME = "peers"


async def _make(owner_url: str) -> str:
    """The address of the peers' database, made where it is missing."""
    connection = await connect(owner_url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", NAME):
            await connection.execute(f"CREATE DATABASE {NAME}")
    finally:
        await connection.close()
    return urlsplit(owner_url)._replace(path=f"/{NAME}").geturl()


if __name__ == "__main__":
    running = database.server()
    try:
        print(asyncio.run(_make(running.owner_url)), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        running.stop()
