"""How uvicorn serves us: fast, bounded, and quiet, because our own telemetry writes the request lines."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from gateway import database
from gateway.telemetry import configure_logging

if TYPE_CHECKING:
    from gateway.settings import Settings

LOG = structlog.get_logger(__name__)
CONNECTIONS_AT_ONCE = 1_000
KEEP_ALIVE_SECONDS = 30
FAREWELL_SECONDS = 10
WEBSOCKET_MESSAGE_BYTES = 64 * 1024


def uvicorn_config(settings: Settings, app: Any, *, factory: bool = False) -> uvicorn.Config:
    """The configuration to serve `app`: an ASGI application, or with several workers its import string.

    A process answers at most 1,000 connections at once (503 beyond), and when told to stop it finishes what
    it is answering, for at most 10 seconds longer than one request may take.
    """
    return uvicorn.Config(
        app,
        factory=factory,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws_max_size=WEBSOCKET_MESSAGE_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=CONNECTIONS_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.request_seconds) + FAREWELL_SECONDS,
    )


def run(settings: Settings) -> None:
    """Serve until told to stop, in as many processes as the settings say.

    Without GATEWAY_DATABASE_URL an embedded Postgres is started first, for all of them, and stopped last.

    Raises:
        EmbeddedError, DatabaseError: there is no database.
    """
    configure_logging(settings.log_level, sys.stderr)
    postgres = database.ready(settings, lambda what: LOG.info("starting", what=what))
    try:
        # Worker processes read their settings anew, so what was decided here goes with them.
        os.environ["GATEWAY_DATABASE_URL"] = postgres.url
        config = uvicorn_config(settings, "gateway.app:from_environment", factory=True)
        if settings.workers == 1:
            uvicorn.Server(config).run()
        else:
            Multiprocess(config, sockets=[config.bind_socket()]).run()
    finally:
        postgres.stop()
