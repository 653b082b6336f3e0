"""By which address somebody pays, and who is told what is for those who watch over the process."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from gateway.budget import Allowance, OwnTill
from gateway.insiders import Insiders
from gateway.settings import read
from tests.gateway.edge import NOW, Edge

TOKEN = "the-token-of-who-watches"
HELLO = {"query": "{ __typename }"}


async def got(app: Any, address: str, path: str = "/", body: Any = None, **headers: str | bytes) -> httpx.Response:
    """What somebody is answered who comes from an address."""
    transport = httpx.ASGITransport(app, client=(address, 1234))
    named = [
        (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        return await client.request("POST" if body else "GET", path, json=body, headers=named)


async def test_an_ipv6_network_has_one_budget() -> None:
    edge = Edge(options={"till": OwnTill(Allowance(requests=4), lambda: NOW)})
    neighbours = [f"2001:db8:1:2::{n}" for n in range(4)]
    statuses = [(await got(edge.app, one, "/graphql", HELLO)).status_code for one in neighbours]
    assert statuses == [200, 200, 200, 429], "a document that is new counts twice"
    assert (await got(edge.app, "2001:db8:1:3::1", "/graphql", HELLO)).status_code == 200


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("192.168.0.9", {}, 200),
        ("::ffff:10.1.2.3", {}, 200),
        ("fd00::1", {}, 200),
        ("8.8.8.8", {}, 403),
        ("::ffff:8.8.8.8", {}, 403),
        ("2606:4700::1", {}, 403),
        ("a name", {}, 403),
        ("10.1.2.3", {"x_forwarded_for": "8.8.8.8"}, 403),
        ("127.0.0.1", {"forwarded": "for=8.8.8.8"}, 403),
        ("127.0.0.1", {"via": "1.1 proxy"}, 403),
    ],
)
async def test_without_a_token_callers_of_the_own_network_are_told_and_no_others(
    address: str, headers: dict[str, str], status: int
) -> None:
    reply = await got(Insiders(PlainTextResponse("numbers"), None), address, **headers)
    assert reply.status_code == status
    assert (reply.text == "numbers") is (status == 200)


@pytest.mark.parametrize(
    ("shown", "status"),
    [(f"Bearer {TOKEN}", 200), (f"Bearer {TOKEN}x", 403), (TOKEN, 403), ("Bearer ", 403), ("Bearer é", 403)],
)
async def test_with_a_token_it_alone_decides(shown: str, status: int) -> None:
    app = Insiders(PlainTextResponse("numbers"), TOKEN)
    for address in ("8.8.8.8", "127.0.0.1"):
        assert (await got(app, address, authorization=shown.encode())).status_code == status
    assert (await got(app, "127.0.0.1")).status_code == 403


def test_the_token_is_a_secret_that_may_stand_in_a_file() -> None:
    settings = read({"GATEWAY_METRICS_TOKEN": TOKEN})
    assert settings.metrics_token is not None
    assert settings.metrics_token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings)
