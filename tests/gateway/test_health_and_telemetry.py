"""What operators see: whether we are ready, and one line per request that names nobody."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog

from gateway.health import Alive, Check, Readiness
from gateway.metrics import Count, Metrics
from gateway.telemetry import Telemetry, configure_logging
from tests.cast import LENA
from tests.gateway.edge import Edge, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp


async def get(app: ASGIApp, path: str = "/readyz", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as client:
        return await client.get(path, headers=named)


async def well() -> str | None:
    return None


async def ill() -> str | None:
    return "run `gateway migrate`"


async def raising() -> str | None:
    message = "postgresql://gateway:hunter2@db"
    raise ConnectionError(message)


async def hanging() -> str | None:
    await asyncio.Event().wait()
    return None


async def test_a_process_that_answers_is_alive() -> None:
    answer = await get(Alive(), "/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


async def test_we_are_ready_when_everything_essential_is_well() -> None:
    answer = await get(Readiness([Check("database", well), Check("course", ill, essential=False)]))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ready"], body["notReady"], body["degraded"]) == (True, [], ["course"])
    assert body["checks"]["course"]["why"] == "run `gateway migrate`"


async def test_what_is_not_ready_is_named() -> None:
    checks = [Check("database", raising), Check("migrations", ill), Check("slow", hanging, seconds=0.01)]
    answer = await get(Readiness(checks))
    assert answer.status_code == 503
    body = answer.json()
    assert body["notReady"] == ["database", "migrations", "slow"]
    assert body["checks"]["database"]["why"] == "ConnectionError"
    assert body["checks"]["slow"]["why"] == "no answer within 0.01 s"
    assert "hunter2" not in answer.text


async def test_asking_often_asks_each_check_once() -> None:
    asked, now = 0, [0.0]

    async def counting() -> str | None:
        nonlocal asked
        asked += 1
        return None

    readiness = Readiness([Check("database", counting)], clock=lambda: now[0])
    await asyncio.gather(*(get(readiness) for _ in range(10)))
    assert asked == 1
    now[0] = 1.0
    await get(readiness)
    assert asked == 2


class Log:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **said: Any) -> None:
        self.lines.append({"event": event, **said})

    def debug(self, event: str, **said: Any) -> None:
        self.lines.append({"event": event, "level": "debug", **said})


def clock() -> Any:
    return iter(range(1_000)).__next__


def observed(endpoint: ASGIApp) -> tuple[Telemetry, Log]:
    log = Log()
    return Telemetry(endpoint, log=log, clock=clock(), make_id=lambda: "made-up-id"), log


async def test_a_request_is_one_line_without_anything_personal() -> None:
    app, log = observed(Edge().endpoint)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as client:
        text = "query Dashboard($n: String!) { hello(name: $n) me { hello } }"
        asked = {"query": text, "variables": {"n": "swordfish"}}
        await client.post("/graphql?secret=x", json=asked, headers={"authorization": f"Bearer {token()}"})
    assert log.lines == [
        {
            "event": "request", "request_id": "made-up-id", "method": "POST", "path": "/graphql", "status": 200,
            "ms": 1000.0, "operation": "Dashboard", "kind": "query", "role": "learner", "cost": 1,
        }
    ]  # fmt: skip
    assert LENA not in str(log.lines)


async def test_a_refused_request_is_a_line_with_its_code() -> None:
    app, log = observed(Edge().endpoint)
    await get(app, "/graphql?query={hello}", graphql_require_preflight="1")
    assert [(line["status"], line["code"]) for line in log.lines] == [(401, "UNAUTHENTICATED")]


async def test_probes_are_no_noise() -> None:
    app, log = observed(Alive())
    await get(app, "/livez")
    assert log.lines[0]["level"] == "debug"


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ("abcdefgh", True),
        ("a" * 64, True),
        ("short", False),
        ("a" * 65, False),
        ("with space", False),
        ("é" * 10, False),
    ],
)
async def test_a_sane_request_id_is_taken_over(offered: str, taken: bool) -> None:  # noqa: FBT001  (a table's column)
    app, _ = observed(Alive())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as client:
        answer = await client.get("/livez", headers=[(b"x-request-id", offered.encode())])
    assert answer.headers["x-request-id"] == (offered if taken else "made-up-id")


async def test_an_application_that_fails_before_answering_is_a_line_too() -> None:
    async def failing(*_: Any) -> None:
        message = "no"
        raise RuntimeError(message)

    app, log = observed(failing)
    with pytest.raises(RuntimeError):
        await get(app)
    assert log.lines[0]["status"] == 500


async def test_whoever_measures_hears_kind_status_and_seconds() -> None:
    heard: list[tuple[str, int, float]] = []
    app = Telemetry(
        Edge().endpoint,
        log=Log(),
        clock=clock(),
        observe=lambda kind, status, spent: heard.append((kind, status, spent)),
    )
    await get(app, "/graphql?query={hello}", authorization=f"Bearer {token()}")
    await get(app, "/graphql", graphql_require_preflight="1")
    assert heard == [("query", 200, 1), ("other", 400, 1)]


async def test_metrics_count_by_kind_and_status_and_name_nobody() -> None:
    metrics = Metrics(process="7")
    app = Telemetry(Edge().endpoint, log=Log(), clock=clock(), observe=metrics.observe)
    for _ in range(2):
        await get(app, "/graphql?query=query Dashboard {hello}", authorization=f"Bearer {token()}")
    answer = await get(metrics, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'gateway_requests_total{kind="query",process="7",status="200"} 2.0' in answer.text
    assert 'gateway_request_seconds_count{kind="query",process="7"} 2.0' in answer.text
    # As every library writes them: rules and dashboards name the bounds letter for letter.
    bounds = set(re.findall(r'gateway_request_seconds_bucket{kind="query",le="([^"]+)"', answer.text))
    assert {"0.001", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"} <= bounds
    assert not any(word in answer.text for word in (LENA, "Dashboard", "hello"))


async def test_metrics_tell_what_others_count_and_leave_out_what_is_not_known() -> None:
    lengths = {"queued": 3, "picked": 1}

    async def queue() -> list[Count]:
        if not lengths:
            raise ConnectionError
        return [
            Count("gateway_queue_deliveries", "Jobs.", number, {"status": status}, falls=True, shared=True)
            for status, number in lengths.items()
        ]

    async def streams() -> list[Count]:
        return [Count("gateway_open_streams", "Streams.", 5, falls=True)]

    async def ways() -> list[Count]:
        return [
            Count("gateway_ways", "Requests.", 2, {"of": "kept"}),
            Count("gateway_ways", "Requests.", 1, {"of": "planned"}),
        ]

    metrics = Metrics(process="7")
    for counted in (queue, streams, ways):
        metrics.watch(counted)
    metrics.operated("subscription", "OK", 60.0)
    told = (await get(metrics, "/metrics")).text
    assert 'gateway_open_streams{process="7"} 5.0' in told
    assert 'gateway_socket_operations_total{code="OK",kind="subscription",process="7"} 1.0' in told
    assert 'gateway_queue_deliveries{status="queued"} 3.0' in told
    assert 'gateway_queue_deliveries{status="picked"} 1.0' in told
    assert 'gateway_ways_total{of="kept",process="7"} 2.0' in told
    assert told.count("# HELP gateway_ways_total") == 1
    lengths.clear()
    told = (await get(metrics, "/metrics")).text
    assert "gateway_queue_deliveries{" not in told, "a number that is not known is not told"
    assert "gateway_open_streams{" in told


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Logging as the process has it, into a buffer; put back as it was afterwards."""
    root, quiet = (
        logging.getLogger(),
        [logging.getLogger(name) for name in ("httpx", "httpcore", "asyncio", "sqlalchemy")],
    )
    handlers, level, levels = root.handlers[:], root.level, [one.level for one in quiet]
    before = structlog.get_config()
    buffer = io.StringIO()
    configure_logging("info", buffer)
    yield buffer
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    for one, was in zip(quiet, levels, strict=True):
        one.setLevel(was)


def test_every_line_is_json_whoever_logs(stream: io.StringIO) -> None:
    structlog.get_logger("ours").info("hello", size=3)
    logging.getLogger("library").warning("done %s", "it")
    logging.getLogger("httpx").info("GET http://course/users/%s", LENA)
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["size"], first["level"], first["logger"]) == ("hello", 3, "info", "ours")
    assert (second["event"], second["level"], second["logger"]) == ("done it", "warning", "library")


def test_an_exception_is_logged_by_type_and_place_without_its_message(stream: io.StringIO) -> None:
    for log in (structlog.get_logger("ours"), logging.getLogger("library")):
        try:
            int("swordfish")
        except ValueError:
            log.exception("failed")
    for line in stream.getvalue().splitlines():
        said = json.loads(line)
        assert said["exception"] == "ValueError"
        assert "test_health_and_telemetry.py" in said["calls"][-1]
    assert "swordfish" not in stream.getvalue()
