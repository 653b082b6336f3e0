"""Signing in with the auth service: it knows the passwords, its tokens are the ones we check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasources.auth import LOGIN, RENEWAL, Login, Renewal, Tokens
from datasources.calling import Calls, Declined
from datasources.exchange import SourceError
from gateway.sessions.provider import AwayError, Granted

if TYPE_CHECKING:
    from datasources.declare import Call
    from datasources.postgres.sessions import Shown


class ByService:
    """The auth service as a provider."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def enter(self, email: str, password: str) -> Granted | None:
        """As `Provider`."""
        return await self._granted(LOGIN, Login(email, password))

    async def renew(self, shown: Shown, upstream: str | None) -> Granted | None:  # noqa: ARG002 - the service knows whose it is
        """As `Provider`; what was sealed with a key that is gone renews nothing."""
        return None if upstream is None else await self._granted(RENEWAL, Renewal(upstream))

    async def _granted(self, call: Call, ask: Any) -> Granted | None:
        try:
            tokens: Tokens = await self._calls.do(call, ask)
        except Declined:
            return None
        except SourceError as error:
            raise AwayError from error
        return Granted(tokens.access_token, tokens.refresh_token)
