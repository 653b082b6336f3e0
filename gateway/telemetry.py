"""One line per request, as JSON on standard error: what happened and how long it took, never whose or what data."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from _typeshed import SupportsWrite
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
SCOPE_KEY = "gateway.record"
STARTED_KEY = "gateway.started"
"""In the scope of a request that somebody looked at before: when that began, by the clock of `Telemetry`."""
QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
CALLS_SHOWN = 8
ID_BYTES, IDS_AT_ONCE = 16, 32
UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON lets stand in a text, and a terminal or a reader of lines takes for more than a letter."""


@dataclass(slots=True)
class Record:
    """What one request's line says. The edge fills it in as it learns it; nothing in it names a person."""

    request_id: str
    operation: str | None = None
    kind: str | None = None
    role: str | None = None
    cost: int | None = None
    code: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What is known of it."""
        known = {
            "request_id": self.request_id,
            "operation": self.operation,
            "kind": self.kind,
            "role": self.role,
            "cost": self.cost,
            "code": self.code,
        }
        return {name: value for name, value in known.items() if value is not None}


class _Ids:
    """Ids that no other request has. Chance is taken from the system for many of them at once."""

    def __init__(self) -> None:
        self._chance = ""

    def __call__(self) -> str:
        if not self._chance:
            self._chance = os.urandom(ID_BYTES * IDS_AT_ONCE).hex()
        ident, self._chance = self._chance[: 2 * ID_BYTES], self._chance[2 * ID_BYTES :]
        return ident


new_request_id = _Ids()


def taken_over(offered: bytes) -> str:
    """The id that a request brought, if it is one; else a new one."""
    text = offered.decode("latin-1")
    return text if SANE.fullmatch(text) else new_request_id()


def record_of(scope: Scope) -> Record:
    """The record of a request, made on the spot where no middleware made one."""
    record = scope.get(SCOPE_KEY)
    if not isinstance(record, Record):
        record = scope[SCOPE_KEY] = Record(new_request_id())
    return record


class Telemetry:
    """ASGI middleware: a request id in and out, and one line per request.

    A client's `X-Request-Id` of 8 to 64 letters, digits, dots, dashes and underscores is taken over.
    `observe` hears (kind, status, seconds) of each request, for metrics.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        log: Any = None,
        clock: Callable[[], float] = time.perf_counter,
        make_id: Callable[[], str] = new_request_id,
        observe: Callable[[str, int, float], None] | None = None,
    ) -> None:
        self._app = app
        self._log = log or structlog.get_logger("gateway.request")
        self._clock = clock
        self._make_id = make_id
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        record = scope[SCOPE_KEY] = Record(offered if SANE.fullmatch(offered) else self._make_id())
        started = scope.get(STARTED_KEY) or self._clock()
        status = 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = record.request_id
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._say(scope, record, status, self._clock() - started)
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:
            if status == 0:
                self._say(scope, record, 500, self._clock() - started)
            raise

    def _say(self, scope: Scope, record: Record, status: int, seconds: float) -> None:
        say = self._log.debug if scope["path"] in QUIET_PATHS else self._log.info
        say(
            "request",
            method=scope["method"],
            path=scope["path"][:200],
            status=status,
            ms=round(seconds * 1000, 2),
            **record.said,
        )
        if self._observe is not None:
            self._observe(record.kind or "other", status, seconds)


def where(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A log processor: an exception becomes its type and its last calls.

    Its message is left out: messages of databases and clients quote the data they failed on.
    """
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    problem = given[1] if isinstance(given, tuple) else given
    if isinstance(problem, BaseException):
        calls = traceback.extract_tb(problem.__traceback__)[-CALLS_SHOWN:]
        event["exception"] = type(problem).__name__
        event["calls"] = [
            f"{call.filename.rpartition('site-packages/')[2]}:{call.lineno} {call.name}" for call in calls
        ]
    return event


def as_json(event: MutableMapping[str, Any], **_: Any) -> str:
    """One log line, whatever was logged: nothing in it ends a line, moves a cursor or turns the reading order."""
    try:
        said = orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half of a character, for instance
        said = json.dumps(event, default=str)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", said)


def configure_logging(level: str, stream: SupportsWrite[str]) -> None:
    """Send everything that is logged, by us and by libraries, to `stream` as one JSON object a line.

    Libraries that log the URLs they call are kept to warnings, because those URLs hold people's ids.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        where,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=as_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("httpx", "httpcore", "asyncio", "sqlalchemy"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
