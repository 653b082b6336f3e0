"""Who is who in this process: the keys that tokens are checked with, and the desk where people sign in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from datasources.auth import SERVICE
from datasources.postgres.attempts import Allowed
from gateway.auth import Authenticator
from gateway.keys import EitherKeys, OneKey, PublishedKeys, development_encryption_key, development_secret, secret_key
from gateway.sessions.by_account import ByAccount
from gateway.sessions.by_service import ByService
from gateway.sessions.desk import Desk
from gateway.sessions.passwords import Passwords
from gateway.sessions.sealing import Seal

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from analytics.world import World
    from gateway.app import Outside
    from gateway.keys import Key, Keys
    from gateway.sessions.provider import Provider
    from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """How this process knows who asks, and lets people in."""

    authenticator: Authenticator
    desk: Desk


async def open_identity(settings: Settings, outside: Outside, world: World, stack: AsyncExitStack) -> Identity:
    """The identity of a process, closed with the stack."""
    authenticator = Authenticator(
        await _keys(settings, outside, stack),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        now=lambda: outside.now().timestamp(),
        standing=world.standings,
        leeway=settings.token_leeway,
    )
    desk = Desk(
        world.database,
        _provider(settings, outside, world),
        authenticator,
        seal_of(settings),
        Allowed(settings.sign_in_failures, settings.sign_in_failures_per_address),
        outside.now,
    )
    return Identity(authenticator, desk)


def own_key(settings: Settings) -> Key:
    """The key of our own issuer; where none is set, the one of this machine."""
    return secret_key(
        settings.token_key.get_secret_value() if settings.token_key else development_secret(settings.home)
    )


def seal_of(settings: Settings) -> Seal | None:
    """What refresh tokens of the auth service are sealed with; None: production without a key."""
    if settings.encryption_keys is not None:
        return Seal(settings.encryption_keys.get_secret_value())
    return None if settings.production else Seal(development_encryption_key(settings.home))


async def _keys(settings: Settings, outside: Outside, stack: AsyncExitStack) -> Keys:
    if settings.keys_url is None:
        return OneKey(own_key(settings))
    client = await stack.enter_async_context(httpx.AsyncClient(transport=outside.transport, trust_env=False))
    published = PublishedKeys(client, settings.keys_url, time.monotonic)
    stack.push_async_callback(published.close)
    return published if settings.production else EitherKeys(published, own_key(settings))


def _provider(settings: Settings, outside: Outside, world: World) -> Provider:
    if settings.signs_in_locally:
        return ByAccount(
            world.database,
            Passwords(),
            key=own_key(settings),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            now=outside.now,
        )
    return ByService(world.calls[SERVICE.name])
