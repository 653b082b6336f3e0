"""What keeps settings from being safe where they are meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.catalog import SERVICES
from gateway.keys import DEVELOPMENT_MARK, SHORTEST_SECRET

if TYPE_CHECKING:
    from gateway.settings import Settings


def unsafe(settings: Settings) -> list[str]:
    """Every reason not to start with these settings, each with what would be right."""
    found = []
    key = settings.token_key.get_secret_value() if settings.token_key else None
    if key is not None and len(key.encode()) < SHORTEST_SECRET:
        found.append(f"GATEWAY_TOKEN_KEY: it is shorter than {SHORTEST_SECRET} bytes. Make a longer one.")
    if key is not None and settings.jwks_url:
        found.append("GATEWAY_TOKEN_KEY and GATEWAY_JWKS_URL: tokens have one kind of key. Unset one of them.")
    return found + (_in_production(settings, key) if settings.production else [])


def _in_production(settings: Settings, key: str | None) -> list[str]:
    found = []
    if key is not None and key.startswith(DEVELOPMENT_MARK):
        found.append("GATEWAY_TOKEN_KEY: it is a development key. Make one for production, or unset it.")
    if settings.database_url is None:
        found.append("GATEWAY_DATABASE_URL: it is not set. Production needs its own Postgres, at a postgresql:// URL.")
    found += [
        f"{service.variable}: it is not set. Production needs the URL of the {service.name} service, like https://host."
        for service in SERVICES
        if service.name not in settings.services
    ]
    if settings.mocks:
        found.append("GATEWAY_MOCKS: production never answers with mocks. Unset it.")
    if settings.demo_data is not None:
        found.append("GATEWAY_DEMO_DATA: the demo's data has no place in production. Unset it.")
    if settings.clock is not None:
        found.append("GATEWAY_CLOCK: production goes by the real time. Unset it.")
    if settings.introspection == "everyone":
        found.append("GATEWAY_INTROSPECTION: production shows its schema to `viewers` or to `nobody`.")
    return found
