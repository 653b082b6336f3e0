"""Who can sign in to the simulated auth service, and the tokens it gives them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from datasources.simulator.campus import Person
    from datasources.simulator.reads import Payload

ALGORITHM = "EdDSA"


def account(person: Person) -> Payload:
    """What a demo needs to know to sign somebody in."""
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "roles": person.roles,
        "organization": person.organization,
    }


def key_set(key: Ed25519PrivateKey) -> Payload:
    """The public half of a signing key as a JSON Web Key Set; the key id is the start of its digest."""
    public = key.public_key().public_bytes_raw()
    return {
        "keys": [
            {
                "kid": sha256(public).hexdigest()[:16],
                "kty": "OKP",
                "alg": ALGORITHM,
                "crv": "Ed25519",
                "x": urlsafe_b64encode(public).rstrip(b"=").decode(),
            }
        ]
    }


@dataclass(frozen=True, slots=True)
class Issuer:
    """What a token says about where it comes from, whom it is for, and for how long."""

    issuer: str = "learning-analytics-simulator"
    audience: str = "learning-analytics-gateway"
    access: timedelta = timedelta(hours=1)
    refresh: timedelta = timedelta(days=7)


class Accounts:
    """Every person of a campus can sign in with their address and the one demo password.

    A refresh token is for the issuer itself, so nobody else who checks the audience takes it for an access token.
    """

    def __init__(
        self,
        people: Iterable[Person],
        *,
        password: str,
        key: Ed25519PrivateKey,
        issuer: Issuer,
        now: Callable[[], datetime],
    ) -> None:
        self._by_email = {person.email.lower(): person for person in people}
        self._by_id = {person.id: person for person in self._by_email.values()}
        self._password = password.encode()
        self._key = key
        self._kid = key_set(key)["keys"][0]["kid"]
        self._issuer = issuer
        self._now = now

    def login(self, email: str, password: str) -> Payload | None:
        """A new session, or None when the address or the password is wrong."""
        person = self._by_email.get(email.lower())
        right = compare_digest(password.encode(), self._password)
        return self._session(person) if person and right else None

    def renew(self, refresh_token: str) -> Payload | None:
        """A new session for a refresh token, or None when it does not hold."""
        person = self._holder(refresh_token, self._issuer.issuer)
        return self._session(person) if person else None

    def check(self, token: str) -> Payload:
        """Whether an access token holds, and whose it is."""
        person = self._holder(token, self._issuer.audience)
        return {"valid": person is not None, "userId": person.id if person else None}

    def _session(self, person: Person) -> Payload:
        claims = {"email": person.email, "roles": person.roles, "organizationId": person.organization}
        access, refresh = self._issuer.access, self._issuer.refresh
        return {
            "accessToken": self._token(person, self._issuer.audience, access, claims),
            "refreshToken": self._token(person, self._issuer.issuer, refresh, {}),
            "expiresIn": int(access.total_seconds()),
        }

    def _token(self, person: Person, audience: str, life: timedelta, claims: dict[str, Any]) -> str:
        now = self._now()
        times = {"iat": now, "exp": now + life}
        # No two tokens are the same, so that each can be taken back by itself.
        own = {"sub": person.id, "iss": self._issuer.issuer, "aud": audience, "jti": uuid4().hex}
        whole = {**own, **times, **claims}
        return jwt.encode(whole, self._key, algorithm=ALGORITHM, headers={"kid": self._kid})

    def _holder(self, token: str, audience: str) -> Person | None:
        # PyJWT reads the wall clock, so the times are compared here, by the clock that was given.
        options = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._issuer.issuer,
                options=options,  # type: ignore[arg-type]  # a TypedDict that PyJWT does not export
            )
        except jwt.InvalidTokenError:
            return None
        alive = datetime.fromtimestamp(claims["exp"], UTC) > self._now()
        return self._by_id.get(claims["sub"]) if alive else None
