"""The auth service: who signs in, and the keys their tokens are checked with."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.declare import About, Call, Count, Endpoint, Id, Service, Text


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key, as a JSON Web Key; which members are there depends on its type."""

    kid: Id
    kty: Text
    alg: Text | None = None
    crv: Text | None = None
    x: Text | None = None
    y: Text | None = None
    n: Text | None = None
    e: Text | None = None


@dataclass(frozen=True, slots=True)
class KeySet:
    """The public keys that tokens are checked with."""

    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True)
class Login:
    """An address and its password."""

    email: Text
    password: Text


@dataclass(frozen=True, slots=True)
class Tokens:
    """A session: the token to show, and the one to renew it with."""

    access_token: Text
    refresh_token: Text
    expires_in: Count


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """A token to be looked at."""

    token: Text


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """Whether a token holds, and whose it is."""

    valid: bool
    user_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A refresh token to be traded for a new session."""

    refresh_token: Text


LOGIN = Call(Login, Tokens, "/api/v1/auth/login")
VALIDATION = Call(TokenCheck, TokenVerdict, "/api/v1/auth/validate-token")
RENEWAL = Call(Renewal, Tokens, "/api/v1/auth/refresh-token")

SERVICE = Service(
    "auth",
    (Endpoint(KeySet, "/.well-known/jwks.json", About.MARKET, batched=False),),
    (LOGIN, VALIDATION, RENEWAL),
)
