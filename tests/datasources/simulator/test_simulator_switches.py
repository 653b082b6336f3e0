from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest

from datasources.simulator.server import create_simulator
from tests.campus import small_campus
from tests.cast import LENA

if TYPE_CHECKING:
    from starlette.applications import Starlette

PROGRESS = f"/course/api/v1/progress/{LENA}"


async def turn(client: httpx.AsyncClient, mode: str, **more: float) -> httpx.Response:
    return await client.post("/switches", json={"service": "course", "mode": mode, **more})


async def test_a_failing_service_fails_alone_until_it_is_switched_back(client: httpx.AsyncClient) -> None:
    positions = (await turn(client, "failing")).json()
    assert positions["course"]["mode"] == "failing"
    assert {position["mode"] for name, position in positions.items() if name != "course"} == {"ok"}
    assert (await client.get(PROGRESS)).status_code == 503
    assert (await client.post("/course/api/v1/progress/batch", json={"ids": [LENA]})).status_code == 503
    assert (await client.get(f"/directory/api/v1/users/{LENA}")).status_code == 200
    await turn(client, "ok")
    assert (await client.get(PROGRESS)).status_code == 200


async def test_a_slow_service_answers_in_the_end(client: httpx.AsyncClient) -> None:
    right = (await client.get(PROGRESS)).content
    await turn(client, "slow", seconds=0.05)
    clock = asyncio.get_running_loop().time
    asked = clock()
    assert (await client.get(PROGRESS)).content == right
    assert clock() - asked >= 0.045


async def test_a_hanging_service_lets_go_after_its_time(client: httpx.AsyncClient) -> None:
    await turn(client, "hanging")
    assert (await client.get(PROGRESS)).status_code == 504


async def test_a_hanging_service_lets_go_when_its_caller_leaves() -> None:
    app = create_simulator(small_campus(), token="t", hang_for=3600)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", headers=headers) as client:
        await turn(client, "hanging")
    left = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])
    sent = []

    async def receive() -> dict[str, object]:
        return next(left)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": PROGRESS,
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer t")],
        "client": ("127.0.0.1", 1),
        "server": ("simulator", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    async with asyncio.timeout(5):
        await app(scope, receive, send)
    assert sent[0]["status"] == 504


@pytest.mark.parametrize("mode", ["hanging", "slow"])
async def test_a_server_that_stops_keeps_nobody_waiting(mode: str) -> None:
    app = create_simulator(small_campus(), token="t", hang_for=3600)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator", headers=headers) as client:
        await turn(client, mode, seconds=600)
        async with asyncio.timeout(5), asyncio.TaskGroup() as asking:
            answer = asking.create_task(client.get(PROGRESS))
            app.state.close()
    assert answer.result().status_code == {"hanging": 504, "slow": 200}[mode]


async def test_nonsense_is_by_turns_broken_misshapen_and_out_of_range(client: httpx.AsyncClient) -> None:
    await turn(client, "nonsense")
    broken, misshapen, absurd = [await client.get(PROGRESS) for _ in range(3)]
    assert {answer.status_code for answer in (broken, misshapen, absurd)} == {200}
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(broken.content)
    assert misshapen.json() == ["nonsense"]
    assert {course["credits"] for course in absurd.json()["courses"]} == {-1e300}


async def test_nonsense_without_numbers_is_never_right_by_chance(client: httpx.AsyncClient) -> None:
    path = f"/directory/api/v1/users/{LENA}"
    right = (await client.get(path)).content
    await client.post("/switches", json={"service": "directory", "mode": "nonsense"})
    assert right not in [(await client.get(path)).content for _ in range(6)]


@pytest.mark.parametrize(
    "body",
    [
        {"service": "weather", "mode": "ok"},
        {"service": "course", "mode": "tired"},
        {"service": "course"},
        {"mode": "ok"},
        {"service": "course", "mode": "slow", "seconds": -1},
        {"service": "course", "mode": "slow", "seconds": "long"},
        {"service": "course", "mode": ["ok"]},
    ],
)
async def test_a_switch_that_is_not_there_is_refused_with_what_would_be_right(
    client: httpx.AsyncClient, body: dict[str, object]
) -> None:
    before = (await client.get("/switches")).json()
    answer = await client.post("/switches", json=body)
    assert answer.status_code == 400
    assert "`" in answer.json()["detail"]
    assert (await client.get("/switches")).json() == before


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 401), ("elsewhere", 401)])
async def test_only_this_machine_turns_switches_without_a_token(app: Starlette, host: str, status: int) -> None:
    transport = httpx.ASGITransport(app, client=(host, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as client:
        assert (await client.get("/switches")).status_code == status
        assert (await turn(client, "failing")).status_code == status
        assert (await client.get("/calls")).status_code == status
        assert (await client.delete("/calls")).status_code == (204 if status == 200 else status)
