"""Who is asking: a bearer token and `X-Active-Role` become a Viewer, nobody, or a refusal that leaks nothing."""

from __future__ import annotations

import asyncio
import math
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import jwt

from analytics.declare import Role
from analytics.standing import Claim
from gateway.bounded import Bounded
from gateway.keys import NoKeysError
from gateway.refusal import Refused, error
from gateway.roles import shared, viewer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import Headers

    from analytics.policy import Viewer
    from gateway.keys import Keys

ALGORITHMS = ("HS256", "EdDSA")
OWN_CLOCK = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False)
OPTIONS: Any = {"require": ["exp", "iat", "sub", "iss", "aud"], "enforce_minimum_key_length": True} | OWN_CLOCK
OPERATOR = "operator"
"""What a token says beside roles of somebody who operates the platform; it is no role in an organization."""
LONGEST_TOKEN, LONGEST_NAME = 8 * 1024, 200
IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOT_VALID, EXPIRED = "The token is not valid.", "The token has expired."
ENDED = "The token no longer holds: sign in again."
ONE_HEADER = "Send one header `Authorization: Bearer TOKEN`."
SCOPE_KEY = "gateway.session"
"""Where a connection's scope holds the session that its headers showed."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says, and until when (seconds since 1970) we believe it without looking again."""

    user: str
    organization: str
    name: str | None
    roles: frozenset[Role]
    operator: bool
    believed: float
    expires: float
    claim: Claim


class Standing(Protocol):
    """Where it is known whether somebody with a good token may be heard still."""

    def holds_now(self, claim: Claim) -> bool | None:
        """Whether the token still lets them in, where that is known without looking."""

    async def holds(self, claim: Claim) -> bool:
        """Whether the token still lets them in."""

    async def lost(self, claim: Claim) -> None:
        """Return when it no longer does."""

    def changed(self, organization: str, person: str) -> None:
        """It may no longer."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking, and until when (seconds since 1970) their token says so.

    `standing` knows when the token no longer lets them in; None: nobody does. Who has the same `key` is the same.
    """

    viewer: Viewer
    expires: float
    claim: Claim
    standing: Standing | None = field(default=None, repr=False, compare=False)
    key: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Bytes remember their hash, a viewer would be hashed field by field each time.
        object.__setattr__(self, "key", sha256(repr(self.viewer).encode()).digest())


Remembered: TypeAlias = tuple[Session, Verified]
"""A session, and what the token said that it is made of."""


def losing_of(session: Session | None) -> asyncio.Future[None]:
    """Done when a session's token no longer lets anybody in; never, where nobody would know. Cancel it in the end."""
    if session is None or session.standing is None:
        return asyncio.get_running_loop().create_future()
    return asyncio.ensure_future(session.standing.lost(session.claim))


class BadTokenError(Exception):
    """A token that is refused; the message is for its bearer."""


def unauthenticated(message: str) -> Refused:
    """The refusal of a token."""
    challenge = f'Bearer realm="gateway", error="invalid_token", error_description="{message}"'
    return Refused(401, [error("UNAUTHENTICATED", message)], headers={"WWW-Authenticate": challenge})


class Authenticator:
    """Verifies tokens, and remembers the last `count` good ones until they expire, `remember` seconds at most.

    `now` is the wall clock, in seconds since 1970. A token must be signed with the algorithm of the key it
    names, and say exp, iat, sub, organizationId and at least one role that we know; issuer and audience must
    be the given ones. `leeway` seconds are forgiven on every time. With a `standing`, whoever it speaks against
    is refused, however good their token.
    """

    def __init__(  # noqa: PLR0913  (what a token is held against, each by name)
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        now: Callable[[], float],
        standing: Standing | None = None,
        leeway: float = 10.0,
        remember: float = 300.0,
        count: int = 10_000,
    ) -> None:
        self._standing = standing
        self._keys = keys
        self._issuer, self._audience = issuer, audience
        self._now = now
        self._leeway, self._remember = leeway, remember
        self._times_let_go = 0
        self._known: Bounded[str, Verified] = Bounded(count, count)
        self._sessions: Bounded[tuple[bytes, bytes | None], Remembered] = Bounded(count, count)

    async def __call__(self, headers: Headers) -> Viewer | None:
        """Who sent these headers; None without a token.

        Raises:
            Refused: as `session`.
        """
        session = await self.session(headers)
        return None if session is None else session.viewer

    def remembered(self, authorization: bytes, role: bytes | None) -> Remembered | None:
        """Who sent these values of `Authorization` and `X-Active-Role`; whether it still holds, `holds` says."""
        return self._sessions.get((sha256(authorization).digest(), role))

    def holds_now(self, remembered: Remembered) -> bool:
        """Whether it is known without looking that somebody is still to be believed; False: look, or refuse them."""
        verified = remembered[1]
        if self._now() >= verified.believed:
            return False
        return self._standing is None or bool(self._standing.holds_now(verified.claim))

    async def holds(self, remembered: Remembered) -> bool:
        """Whether somebody is still to be believed; False: `session` says why not, or that they are after all."""
        verified = remembered[1]
        if self._now() >= verified.believed:
            return False
        return self._standing is None or await self._standing.holds(verified.claim)

    async def session(self, headers: Headers) -> Session | None:
        """Who sent these headers and for how long they are believed; None without a token.

        Raises:
            Refused: 401 for a bad token, or one that was taken back; 403 for a role the token does not have; 503
                while no key is known.
        """
        shown = headers.getlist("authorization")
        if not shown:
            return None
        scheme, _, token = shown[0].partition(" ")
        if len(shown) > 1 or scheme.lower() != "bearer":
            raise unauthenticated(ONE_HEADER)
        asked, times = headers.get("x-active-role"), self._times_let_go
        shown_as = sha256(shown[0].encode("latin-1")).digest(), None if asked is None else asked.encode("latin-1")
        try:
            verified = await self.verified(token.strip())
        except BadTokenError as bad:
            self._sessions.forget(shown_as)
            raise unauthenticated(str(bad)) from None
        except NoKeysError:
            problem = error("AUTH_UNAVAILABLE", "Tokens cannot be checked right now: the auth service does not answer.")
            raise Refused(503, [problem], headers={"Retry-After": "30"}) from None
        viewer = viewer_of(verified, asked)
        session = Session(viewer, verified.expires, verified.claim, self._standing)
        if times == self._times_let_go:
            self._sessions.keep(shown_as, (session, verified))
        return session

    async def verified(self, token: str) -> Verified:
        """What a token says.

        Raises:
            BadTokenError: it is not good, or no longer.
            NoKeysError: no key is known to check it with.
        """
        verified = await self._verified(token)
        if self._standing is not None and not await self._standing.holds(verified.claim):
            # Who is forgotten may go on asking: that is no reason to remember their name.
            self._known.forget(verified.claim.token)
            raise BadTokenError(ENDED)
        return verified

    def changed(self, organization: str, person: str) -> None:
        """Somebody's tokens may no longer be good: look again before one of them lets anybody in here."""
        if self._standing is not None:
            self._standing.changed(organization, person)

    def let_go(self) -> None:
        """Know nobody's token any more, nor those that are being looked at: who comes is looked at as a stranger."""
        self._times_let_go += 1
        self._known.clear()
        self._sessions.clear()

    async def _verified(self, token: str) -> Verified:
        if len(token) > LONGEST_TOKEN:
            raise BadTokenError(NOT_VALID)
        digest, now = digest_of(token), self._now()
        known = self._known.get(digest)
        if known is not None and now < known.believed:
            return known
        times = self._times_let_go
        verified = self._read(await self._claims(token), now, digest)
        if times == self._times_let_go:
            self._known.keep(digest, verified)
        return verified

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            key = await self._keys.find(kid if isinstance(kid, str) else None)
            if key is None or key.algorithm not in ALGORITHMS:
                raise BadTokenError(NOT_VALID)
            return jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options=OPTIONS,
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise BadTokenError(NOT_VALID) from None

    def _read(self, claims: dict[str, Any], now: float, digest: str) -> Verified:
        expires, issued = seconds(claims["exp"]), seconds(claims["iat"])
        starts = seconds(claims.get("nbf", issued))
        if max(issued, starts) > now + self._leeway:
            raise BadTokenError(NOT_VALID)
        if expires + self._leeway <= now:
            raise BadTokenError(EXPIRED)
        told = claims.get("roles")
        names = {one for one in told if isinstance(one, str)} if isinstance(told, list) else set()
        roles = shared(frozenset(role for role in Role if role.value in names))
        if not roles:
            message = "The token has none of the roles " + ", ".join(role.value for role in Role) + "."
            raise BadTokenError(message)
        name = claims.get("name")
        user, organization = identity(claims["sub"]), sys.intern(identity(claims.get("organizationId")))
        return Verified(
            user,
            organization,
            name[:LONGEST_NAME] if isinstance(name, str) and name else None,
            roles,
            OPERATOR in names,
            min(expires, now + self._remember),
            expires,
            Claim(organization, user, digest, datetime.fromtimestamp(max(0.0, issued), UTC)),
        )


def digest_of(token: str) -> str:
    """What is remembered of a token: its SHA-256, in hexadecimal."""
    return sha256(token.encode("latin-1", "replace")).hexdigest()


def seconds(value: Any) -> float:
    """A time of a token, in seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadTokenError(NOT_VALID)
    return float(value)


def identity(value: Any) -> str:
    """An id of a token: a UUID, in small letters whatever the token writes."""
    if not isinstance(value, str) or not IDENTITY.fullmatch(value.lower()):
        raise BadTokenError(NOT_VALID)
    return value.lower()
