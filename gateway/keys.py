"""The keys that tokens are checked with: one of our own, or those that the auth service publishes."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import structlog
from cryptography.fernet import Fernet
from jwt import PyJWK
from jwt.exceptions import PyJWTError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SHORTEST_SECRET = 32
DEVELOPMENT_MARK = "development-only-"
LARGEST_KEY_SET = 256 * 1024
REST_WITHOUT_KEYS = 1.0
PUBLISHED = {("OKP", "Ed25519"): "EdDSA"}
LOG = structlog.get_logger(__name__)


class NoKeysError(Exception):
    """No keys were ever got, so no token can be judged."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key with the one algorithm it is good for."""

    algorithm: str
    material: Any


class Keys(Protocol):
    """Where keys are found."""

    async def find(self, kid: str | None) -> Key | None:
        """The key of that id, if there is one."""


def secret_key(secret: str) -> Key:
    """An HS256 key.

    Raises:
        ValueError: it is shorter than 32 bytes.
    """
    if len(secret.encode()) < SHORTEST_SECRET:
        message = f"an HS256 key needs at least {SHORTEST_SECRET} bytes"
        raise ValueError(message)
    return Key("HS256", secret.encode())


@dataclass(frozen=True, slots=True)
class OneKey:
    """A single key of our own; tokens need not name it."""

    key: Key

    async def find(self, kid: str | None) -> Key | None:  # noqa: ARG002  (it is the same for every id)
        """The key."""
        return self.key


@dataclass(frozen=True, slots=True)
class EitherKeys:
    """For development: tokens that name a key have a published one, tokens that name none are of our own issuer."""

    published: Keys
    own: Key

    async def find(self, kid: str | None) -> Key | None:
        """The key.

        Raises:
            NoKeysError: as the published ones.
        """
        return self.own if kid is None else await self.published.find(kid)


def development_secret(home: Path) -> str:
    """The secret that signs tokens on a developer's machine, made once in `home/keys`, for the owner alone."""
    return _made_once(home, "signing", DEVELOPMENT_MARK + secrets.token_urlsafe(48))


def development_encryption_key(home: Path) -> str:
    """The Fernet key of a developer's machine, likewise."""
    return _made_once(home, "encryption", Fernet.generate_key().decode())


def _made_once(home: Path, name: str, fresh: str) -> str:
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{name}.key"
    made = folder / f"{name}.{secrets.token_hex(4)}"
    if not file.exists():
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(fresh)
        try:
            # Of several processes that start at once, the first one's key is everybody's.
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text().strip()


def published_keys(document: Any) -> dict[str, Key]:
    """The keys of a JWKS document that we can use: Ed25519, with an id. Others are passed over."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found: dict[str, Key] = {}
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        algorithm = PUBLISHED.get((str(one.get("kty")), str(one.get("crv"))))
        if algorithm is None or one.get("alg", algorithm) not in {algorithm, "Ed25519", None} or "d" in one:
            continue
        try:
            found[one["kid"]] = Key(algorithm, PyJWK(one, algorithm).key)
        except PyJWTError:
            continue
    return found


class PublishedKeys:
    """The keys at a URL, fetched when an unknown id turns up, at most every `rest` seconds, by one caller for all.

    What was fetched last stays good while the service is down; after `fresh` seconds it is fetched again,
    so that a key that was taken back stops working.
    """

    def __init__(  # noqa: PLR0913  (all but three by name)
        self,
        client: httpx.AsyncClient,
        url: str,
        clock: Callable[[], float],
        *,
        rest: float = 30.0,
        fresh: float = 600.0,
        seconds: float = 5.0,
    ) -> None:
        self._client = client
        self._url = url
        self._clock = clock
        self._rest = rest
        self._fresh = fresh
        self._seconds = seconds
        self._keys: Mapping[str, Key] | None = None
        self._fetched = self._tried = float("-inf")
        self._running: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Key | None:
        """The key of that id.

        Raises:
            NoKeysError: none were ever got.
        """
        now = self._clock()
        rest = self._rest if self._keys is not None else min(self._rest, REST_WITHOUT_KEYS)
        unknown = self._keys is None or kid not in self._keys
        if (unknown or now - self._fetched >= self._fresh) and now - self._tried >= rest:
            self._tried = now
            self._running = asyncio.create_task(self._fetch())
        if self._running is not None and not self._running.done() and unknown:
            # Shielded, so that a caller that gives up does not stop the others' fetch.
            await asyncio.shield(self._running)
        if self._keys is None:
            raise NoKeysError
        return self._keys.get(kid) if kid is not None else None

    async def close(self) -> None:
        """Stop a fetch that is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.get(self._url)
            answer.raise_for_status()
            keys = published_keys(answer.json()) if len(answer.content) <= LARGEST_KEY_SET else {}
        except (httpx.HTTPError, TimeoutError, ValueError) as problem:
            LOG.warning("keys not fetched", why=type(problem).__name__)
            return
        if not keys:
            LOG.warning("keys not fetched", why="no usable key in the answer")
            return
        self._keys = keys
        self._fetched = self._clock()
