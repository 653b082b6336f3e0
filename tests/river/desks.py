"""Signing in and out as a client does, with the documents a frontend sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.river.banks import Gateway, Reply

TOKENS = "tokens { accessToken accessExpiresAt refreshToken refreshExpiresAt }"
SIGN_IN = f"""mutation SignIn($email: String!, $password: String!) {{
  signIn(input: {{ email: $email, password: $password }}) {{
    __typename
    ... on SignedIn {{ {TOKENS} }}
    ... on SignInRefused {{ reason message retryAfter }}
  }}
}}"""
RENEW = f"""mutation Renew($token: String!) {{
  refreshSession(input: {{ refreshToken: $token }}) {{
    __typename
    ... on SessionRefreshed {{ {TOKENS} }}
    ... on SessionRefused {{ reason message retryAfter }}
  }}
}}"""
SIGN_OUT = "mutation { signOut { __typename ... on SignedOut { done } } }"
WHO = "{ viewer { activeRole organization { name } } }"
PASSWORD = "demo"
SETTINGS = {"jwks_url": "http://simulator/auth/.well-known/jwks.json"}
"""With these, a gateway believes the auth service's tokens beside those of the tests."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What somebody got who was let in."""

    access: str
    refresh: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.access}"}


async def sign_in(gateway: Gateway, email: str = "lena@acme.example", password: str = PASSWORD) -> dict[str, Any]:
    """What is said to somebody who has no token yet."""
    reply = await gateway.send(SIGN_IN, {"email": email, "password": password}, {})
    said: dict[str, Any] = reply.data["signIn"]
    return said


async def let_in(gateway: Gateway, email: str = "lena@acme.example", password: str = PASSWORD) -> Pair:
    said = await sign_in(gateway, email, password)
    assert said["__typename"] == "SignedIn", said
    return pair(said)


def pair(said: dict[str, Any]) -> Pair:
    return Pair(said["tokens"]["accessToken"], said["tokens"]["refreshToken"])


async def renew(gateway: Gateway, refresh: str) -> dict[str, Any]:
    said: dict[str, Any] = (await gateway.send(RENEW, {"token": refresh}, {})).data["refreshSession"]
    return said


async def who(gateway: Gateway, access: str) -> Reply:
    """What the bearer of a token is told about themselves."""
    return await gateway.send(WHO, {}, {"authorization": f"Bearer {access}"})
