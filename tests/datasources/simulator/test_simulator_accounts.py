from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt

from datasources.simulator.accounts import Issuer
from datasources.simulator.server import create_simulator
from tests.campus import small_campus
from tests.cast import ACME, OLGA

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OLGAS = {"email": "Olga@acme.example", "password": "open sesame"}


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def asking(clock: Clock) -> httpx.AsyncClient:
    app = create_simulator(
        small_campus(), token="t", password="open sesame", issuer=Issuer("issuer", "gateway"), now=clock
    )
    headers = {"Authorization": "Bearer t"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s/auth", headers=headers)


async def post(client: httpx.AsyncClient, path: str, **body: str) -> Any:
    return await client.post(f"/api/v1/auth/{path}", json=body)


async def test_a_token_tells_who_it_is_for_and_holds_against_the_published_key() -> None:
    async with asking(Clock()) as client:
        session = (await post(client, "login", **OLGAS)).json()
        key = jwt.PyJWKSet.from_dict((await client.get("/.well-known/jwks.json")).json()).keys[0]
    token = session["accessToken"]
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": key.key_id}
    quiet = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"], audience="gateway", issuer="issuer", options=quiet)
    assert claims.pop("jti") not in {"", None}
    assert claims == {
        "sub": OLGA,
        "email": "olga@acme.example",
        "roles": ["org-admin"],
        "organizationId": ACME,
        "iss": "issuer",
        "aud": "gateway",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + session["expiresIn"],
    }


async def test_a_wrong_password_or_address_opens_nothing() -> None:
    async with asking(Clock()) as client:
        for wrong in ({**OLGAS, "password": "demo"}, {**OLGAS, "email": "nobody@acme.example"}):
            assert (await post(client, "login", **wrong)).status_code == 401
        assert (await post(client, "login", email="olga@acme.example")).status_code == 400


async def test_an_access_token_is_valid_until_it_ends_and_a_refresh_token_renews_it() -> None:
    clock = Clock()
    async with asking(clock) as client:
        session = (await post(client, "login", **OLGAS)).json()
        assert (await post(client, "validate-token", token=session["accessToken"])).json() == {
            "valid": True,
            "userId": OLGA,
        }
        clock.at += timedelta(seconds=session["expiresIn"])
        assert (await post(client, "validate-token", token=session["accessToken"])).json()["valid"] is False
        renewed = (await post(client, "refresh-token", refreshToken=session["refreshToken"])).json()
        assert (await post(client, "validate-token", token=renewed["accessToken"])).json()["valid"] is True
        clock.at += timedelta(days=7)
        assert (await post(client, "refresh-token", refreshToken=session["refreshToken"])).status_code == 401


async def test_neither_token_does_the_work_of_the_other_nor_does_a_forged_one() -> None:
    async with asking(Clock()) as client, asking(Clock()) as another:
        session = (await post(client, "login", **OLGAS)).json()
        forged = (await post(another, "login", **OLGAS)).json()
        for token in (session["refreshToken"], forged["accessToken"], "nonsense", ""):
            assert (await post(client, "validate-token", token=token)).json() == {"valid": False, "userId": None}
        for token in (session["accessToken"], forged["refreshToken"], "nonsense"):
            assert (await post(client, "refresh-token", refreshToken=token)).status_code == 401
