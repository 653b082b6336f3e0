"""Tokens of our own issuer, for the demo's accounts and for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from analytics.declare import Role
    from gateway.keys import Key


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody a token can be made out to."""

    user: str
    organization: str
    roles: Sequence[Role]
    name: str
    email: str


def issue(  # noqa: PLR0913  (what a token says, each by name)
    account: Account, *, key: Key, issuer: str, audience: str, now: datetime, lifetime: timedelta, ident: str = ""
) -> str:
    """A signed token that says who an account is, good from `now` (aware) for `lifetime`.

    `ident` tells it from another that is made out to them in the same second.
    """
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": account.user,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "email": account.email,
        "name": account.name,
        "roles": [role.value for role in account.roles],
        "organizationId": account.organization,
    } | ({"jti": ident} if ident else {})
    return jwt.encode(claims, key.material, algorithm=key.algorithm)
