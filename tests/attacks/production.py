"""The gateway as production runs it: the settings it would start with, keys that the auth service publishes."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from datasources.catalog import SERVICES
from datasources.simulator.accounts import key_set
from datasources.simulator.server import create_simulator
from gateway.app import SCHEMA, create_app
from gateway.settings import read
from tests.campus import small_campus
from tests.river.banks import ISSUER, SERVICE_TOKEN, Clock, Gateway, Services, outside_of
from tests.river.bearers import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    import strawberry

KEY = Ed25519PrivateKey.generate()
"""What the auth service signs with; its public half is published."""
KID: str = key_set(KEY)["keys"][0]["kid"]


class Published(Services):
    """The nine services, of which auth signs with `KEY`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(small_campus(), clock.now)
        simulator = create_simulator(small_campus(), token=SERVICE_TOKEN, issuer=ISSUER, key=KEY, now=clock.now)
        self._transport = httpx.ASGITransport(simulator)


@asynccontextmanager
async def in_production(
    url: str, services: Services, clock: Clock, *, schema: strawberry.Schema = SCHEMA, **ours: str
) -> AsyncIterator[Gateway]:
    """A process with settings that production takes; `ours` are more of its variables, without their prefix."""
    environment = {
        "GATEWAY_ENVIRONMENT": "production",
        "GATEWAY_DATABASE_URL": url,
        "GATEWAY_ALLOWED_HOSTS": "gateway,127.0.0.1",
        "GATEWAY_ENCRYPTION_KEYS": urlsafe_b64encode(bytes(32)).decode(),
        "GATEWAY_SERVICE_TOKEN": SERVICE_TOKEN,
        **{service.variable: f"http://simulator/{service.name}" for service in SERVICES},
        **{f"GATEWAY_{name}": value for name, value in ours.items()},
    }
    app = create_app(read(environment), outside_of(services, clock), schema=schema)
    async with app.router.lifespan_context(app):
        yield Gateway(app, clock)


def claims(who: str, now: datetime, **changes: Any) -> dict[str, Any]:
    """What a good token of somebody says, but for the changes; `...` takes a claim away."""
    account = ACCOUNTS[who]
    said = {
        "iss": ISSUER.issuer,
        "aud": ISSUER.audience,
        "sub": account.user,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "roles": [role.value for role in account.roles],
        "organizationId": account.organization,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


def signed(said: dict[str, Any], key: Ed25519PrivateKey = KEY, **header: Any) -> str:
    """A token that the auth service could have signed, unless the key is another."""
    return jwt.encode(said, key, algorithm="EdDSA", headers={"kid": KID, **header})


def bearer(token: str, **headers: str) -> dict[str, str]:
    """The headers that show a token, and others; `_` stands for `-`."""
    return {"authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
