"""How uvicorn serves us: fast, bounded, and quiet, because our own telemetry writes the request lines."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from gateway import database, pen
from gateway import settings as settings_module
from gateway.heads import BoundedConfig
from gateway.ports import check_port
from gateway.telemetry import configure_logging

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from gateway.settings import Settings

LOG = structlog.get_logger(__name__)
CONNECTIONS_AT_ONCE = 1_000
KEEP_ALIVE_SECONDS = 30
FAREWELL_SECONDS = 10
UNREAD_SECONDS = 60
"""How long what was sent may lie unread, until the connection is given up."""


def uvicorn_config(settings: Settings, app: Any, *, factory: bool = False) -> uvicorn.Config:
    """The configuration to serve `app`: an ASGI application, or with several workers its import string.

    A process answers at most 1,000 connections at once (503 beyond), and when told to stop it finishes what
    it is answering, for at most 10 seconds longer than one request may take.
    """
    return BoundedConfig(
        app,
        factory=factory,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        head_bytes=settings.head_kib * 1024,
        head_seconds=settings.head_seconds,
        ws="websockets-sansio",
        ws_max_size=settings.body_kib * 1024,
        # Its buffers would be the larger part of what a quiet socket costs.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=CONNECTIONS_AT_ONCE,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.request_seconds) + FAREWELL_SECONDS,
    )


def run(settings: Settings) -> bool:
    """Serve until told to stop, in as many processes as the settings say; False when a single one could not start.

    Without GATEWAY_DATABASE_URL an embedded Postgres is started first, for all of them, and stopped last.

    Raises:
        EmbeddedError, DatabaseError: there is no database.
        PortError: somebody else listens there, or nobody can.
    """
    configure_logging(settings.log_level, pen.of_process())
    check_port(settings.host, settings.port)
    postgres = database.ready(settings, lambda what: LOG.info("starting", what=what))
    try:
        # Worker processes read their settings anew, so what was decided here goes with them.
        os.environ.pop("GATEWAY_DATABASE_URL_FILE", None)
        os.environ["GATEWAY_DATABASE_URL"] = postgres.url
        # Each of several takes its share of a viewer's budget, so it must know how many there are.
        os.environ["GATEWAY_WORKERS"] = str(settings.workers)
        config = uvicorn_config(settings, "gateway.serving:application", factory=True)
        listening = patient(config.bind_socket())
        if settings.workers == 1:
            server = uvicorn.Server(config)
            server.run([listening])
            return server.started
        Multiprocess(config, sockets=[listening]).run()
        return True
    finally:
        postgres.stop()


def patient(listening: socket.socket) -> socket.socket:
    """Have the system give up connections of this socket whose reader takes nothing, where it can (Linux).

    A stream that is read too slowly is dropped by us; its connection would stay open for as long as the
    reader keeps it, because what was sent before is still to be read.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, UNREAD_SECONDS * 1000)
    return listening


def application() -> Starlette:
    """What each process serves: the application of its environment, logging as all of them do.

    A worker process is a fresh one, which knows nothing of the logging of the one that started it.
    """
    from gateway.app import from_environment  # noqa: PLC0415 - who only watches over workers needs none of it

    configure_logging(settings_module.read(os.environ).log_level, pen.of_process())
    return from_environment()
