"""What keeps settings from being safe where they are meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.catalog import SERVICES
from gateway.keys import DEVELOPMENT_MARK, SHORTEST_SECRET
from gateway.sessions.sealing import Seal

if TYPE_CHECKING:
    from gateway.settings import Settings

EVERYBODY = frozenset({"*", "0.0.0.0/0", "::/0"})
"""Every address there is, as a list of proxies writes it."""


def unsafe(settings: Settings) -> list[str]:
    """Every reason not to start with these settings, each with what would be right."""
    found = []
    key = settings.token_key.get_secret_value() if settings.token_key else None
    if key is not None and len(key.encode()) < SHORTEST_SECRET:
        found.append(f"GATEWAY_TOKEN_KEY: it is shorter than {SHORTEST_SECRET} bytes. Make a longer one.")
    if settings.encryption_keys is not None:
        found += _bad_keys(settings.encryption_keys.get_secret_value())
    if settings.local_accounts is False and "auth" not in settings.services and not settings.production:
        found.append("GATEWAY_LOCAL_ACCOUNTS: without them people sign in with the auth service. Set AUTH_SERVICE_URL.")
    return found + (_in_production(settings, key) if settings.production else [])


def _bad_keys(keys: str) -> list[str]:
    try:
        Seal(keys)
    except ValueError:
        return ["GATEWAY_ENCRYPTION_KEYS: each must be 32 bytes in URL-safe base64, as `gateway key` makes them."]
    return []


def _in_production(settings: Settings, key: str | None) -> list[str]:
    found = []
    if key is not None and settings.jwks_url:
        found.append("GATEWAY_TOKEN_KEY and GATEWAY_JWKS_URL: tokens have one kind of key. Unset one of them.")
    if settings.local_accounts and key is None:
        found.append("GATEWAY_LOCAL_ACCOUNTS: their tokens are signed with GATEWAY_TOKEN_KEY. Set it, or unset this.")
    if key is not None and key.startswith(DEVELOPMENT_MARK):
        found.append("GATEWAY_TOKEN_KEY: it is a development key. Make one for production, or unset it.")
    if settings.database_url is None:
        found.append("GATEWAY_DATABASE_URL: it is not set. Production needs its own Postgres, at a postgresql:// URL.")
    if not settings.allowed_hosts:
        found.append(
            "GATEWAY_ALLOWED_HOSTS: it is not set. Production answers for its own names, like gateway.example, "
            "or for `*` where a proxy has already looked."
        )
    found += [
        f"{service.variable}: it is not set. Production needs the URL of the {service.name} service, like https://host."
        for service in SERVICES
        if service.name not in settings.services
    ]
    return found + _out_of_place(settings)


def _out_of_place(settings: Settings) -> list[str]:
    """What belongs to development, or to nowhere."""
    found = []
    if settings.mocks:
        found.append("GATEWAY_MOCKS: production never answers with mocks. Unset it.")
    if settings.demo_data is not None:
        found.append("GATEWAY_DEMO_DATA: the demo's data has no place in production. Unset it.")
    if settings.clock is not None:
        found.append("GATEWAY_CLOCK: production goes by the real time. Unset it.")
    if settings.suggestions:
        found.append("GATEWAY_SUGGESTIONS: they tell strangers the names of the schema. Unset it.")
    everybody = sorted(EVERYBODY.intersection(settings.trusted_proxies.replace(" ", "").split(",")))
    if everybody:
        problem = f"by `{everybody[0]}` anybody may say where they come from. Name the addresses of the proxies."
        found.append(f"GATEWAY_TRUSTED_PROXIES: {problem}")
    if settings.introspection == "everyone":
        found.append("GATEWAY_INTROSPECTION: production shows its schema to `viewers` or to `nobody`.")
    return found
