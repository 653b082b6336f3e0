"""Hosts, web pages and browsers: who may come in, and what becomes of an answer in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from gateway.app import create_app
from gateway.edge import BROWSERS, Edge, Gate, Neighbours, gate_of
from gateway.settings import SettingsError, read
from tests.gateway.edge import Edge as Graph
from tests.gateway.edge import token
from tests.gateway.served import served, talking

if TYPE_CHECKING:
    from starlette.types import ASGIApp

APP = "https://app.example"
STRANGE = "https://strange.example"
OURS = Neighbours(frozenset({"gateway.example"}), frozenset({APP}))
HELLO = {"query": "{ hello }"}


async def ask(app: ASGIApp, method: str = "POST", /, where: str = "http://gateway.example", **headers: str) -> Any:
    shown = {"authorization": f"Bearer {token()}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=where) as client:
        return await client.request(method, "/graphql", json=HELLO if method == "POST" else None, headers=shown)


def graph(neighbours: Neighbours = OURS, *, only_https: bool = False) -> tuple[Graph, Edge]:
    inside = Graph()
    return inside, Edge(inside.app, Gate(neighbours, only_https=only_https))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("gateway.example", 200),
        ("GATEWAY.example:8000", 200),
        ("strange.example", 421),
        ("gateway.example.strange.example", 421),
        ("gateway.example@strange.example", 421),
        ("127.0.0.1", 421),
        ("localhost", 421),
        ("", 421),
    ],
)
async def test_only_the_hosts_that_are_ours_are_answered_for(host: str, status: int) -> None:
    inside, app = graph()
    answer = await ask(app, host=host)
    assert answer.status_code == status
    assert len(inside.contexts) == (status == 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("me.localhost", 200),
        ("127.0.0.1", 200),
        ("192.168.1.7:8000", 200),
        ("[::1]:8000", 200),
        ("rebound.strange.example:8000", 421),
        ("1.strange.example", 421),
        ("127.0.0.1.strange.example", 421),
    ],
)
async def test_in_development_addresses_are_ours_and_names_that_others_could_own_are_not(
    host: str, status: int
) -> None:
    _, app = graph(gate_of(read({})).neighbours)
    assert (await ask(app, host=host)).status_code == status


async def test_two_hosts_are_none() -> None:
    _, app = graph(Neighbours())
    scope = {"type": "http", "path": "/graphql", "method": "GET", "headers": [(b"host", b"a"), (b"host", b"b")]}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, lambda: None, send)  # type: ignore[arg-type]  # nothing is read
    assert sent[0]["status"] == 400


async def test_probes_are_answered_whatever_they_call_us() -> None:
    async def alive(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    transport = httpx.ASGITransport(Edge(alive, Gate(OURS)))
    async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7") as client:
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200
        rebound = {"host": "rebound.strange.example"}
        told = {
            path: (await client.get(path, headers=rebound)).status_code for path in ("/livez", "/readyz", "/metrics")
        }
    assert told == {"/livez": 200, "/readyz": 200, "/metrics": 421}, (
        "a page of theirs could read the numbers as its own"
    )


@pytest.mark.parametrize("origin", [APP, "http://gateway.example", "https://gateway.example"])
async def test_pages_that_may_ask_hear_that_they_may(origin: str) -> None:
    _, app = graph()
    answer = await ask(app, origin=origin)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin",
    [STRANGE, "null", "https://app.example.strange.example", "https://app.example:444", "http://app.example", "*", ""],
)
async def test_pages_that_may_not_ask_are_turned_away_before_anything_is_done(origin: str) -> None:
    inside, app = graph()
    for method in ("POST", "OPTIONS", "GET"):
        answer = await ask(app, method, origin=origin, access_control_request_method="POST")
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert answer.json()["errors"][0]["extensions"]["code"] == "ORIGIN_NOT_ALLOWED"
    assert inside.contexts == []


@pytest.mark.parametrize(
    "origin", ["http://[", "http://]", "http://[::1", "https://gateway.example@strange.example", "//"]
)
async def test_an_origin_that_is_no_address_is_turned_away_and_breaks_nothing(origin: str) -> None:
    settings = read({"GATEWAY_DATABASE_URL": "postgresql://nowhere", "GATEWAY_ALLOWED_HOSTS": "gateway.example"})
    answer = await ask(create_app(settings), origin=origin)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["extensions"]["code"] == "ORIGIN_NOT_ALLOWED"


async def test_a_preflight_says_what_a_page_may_send() -> None:
    inside, app = graph()
    answer = await ask(app, "OPTIONS", origin=APP, access_control_request_method="POST", authorization="")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert {"authorization", "content-type", "x-active-role"} <= {
        name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")
    }
    assert inside.contexts == []


async def test_options_that_are_no_preflight_are_not_allowed() -> None:
    _, app = graph()
    assert (await ask(app, "OPTIONS")).status_code == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": ""}, 403),
        ({"authorization": "", "content-type": "text/plain"}, 403),
        ({"authorization": "", "graphql-require-preflight": "1"}, 401),
        ({"authorization": "", "content-type": "application/json"}, 401),
        ({}, 200),
    ],
)
async def test_a_get_that_a_link_could_have_sent_is_not_executed(headers: dict[str, str], status: int) -> None:
    inside = Graph()
    async with inside.client() as client:
        sent = client.build_request("GET", "/graphql", params=HELLO, headers=headers)
        for name, value in headers.items():
            if not value:
                del sent.headers[name]
        answer = await client.send(sent)
    assert answer.status_code == status
    assert len(inside.contexts) == (status == 200)


async def test_a_socket_of_a_page_that_may_not_ask_is_never_opened() -> None:
    inside, app = graph(Neighbours(origins=frozenset({APP})))
    async with served(app) as where:
        for origin in (STRANGE, "null"):
            with pytest.raises(InvalidStatus) as refused:
                async with talking(where, headers={"origin": origin}):
                    pass
            assert refused.value.response.status_code == 403
        for headers in ({"origin": APP}, {"origin": f"http://{where}"}, {}):
            async with talking(where, headers=headers) as talk:
                await talk.greet(token())
    assert inside.contexts == []


async def test_a_socket_to_another_host_is_never_opened() -> None:
    _, app = graph()
    async with served(app) as where:
        with pytest.raises(InvalidStatus) as refused:
            async with talking(where):
                pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("status", [200, 403, 421, 405])
async def test_every_answer_says_what_browsers_may_do_with_it(status: int) -> None:
    _, app = graph()
    headers = {200: {}, 403: {"origin": STRANGE}, 421: {"host": "strange.example"}, 405: {}}[status]
    answer = await ask(app, "PUT" if status == 405 else "POST", **headers)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in BROWSERS} == BROWSERS
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers


async def test_in_production_browsers_come_back_by_https_alone() -> None:
    _, app = graph(only_https=True)
    assert "max-age=31536000" in (await ask(app)).headers["strict-transport-security"]


@pytest.mark.parametrize(
    "origins", ["*", "app.example", "https://app.example/", "https://*", "null", "ftp://a.example"]
)
def test_an_origin_that_is_none_is_refused_at_the_start(origins: str) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_ALLOWED_ORIGINS"):
        read({"GATEWAY_ALLOWED_ORIGINS": origins})


def test_names_are_read_by_commas_in_small_letters() -> None:
    settings = read(
        {"GATEWAY_ALLOWED_HOSTS": "A.example, b.example,", "GATEWAY_ALLOWED_ORIGINS": "HTTPS://app.example"}
    )
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.allowed_origins == (APP,)
