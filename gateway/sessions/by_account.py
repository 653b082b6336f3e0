"""Signing in with accounts of our own, where there is no auth service: development, mostly."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.declare import Role
from datasources.postgres import local_accounts
from datasources.postgres.connection import UNAVAILABLE
from gateway.sessions.provider import AwayError, Granted
from gateway.tokens import Account, issue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from datasources.postgres.local_accounts import LocalAccount
    from datasources.postgres.session import Database
    from datasources.postgres.sessions import Shown
    from gateway.keys import Key
    from gateway.sessions.passwords import Passwords

LIFETIME = timedelta(hours=1)


class ByAccount:
    """Accounts in our own table as a provider; tokens are of our own issuer."""

    def __init__(  # noqa: PLR0913 - what tokens say and are made with, each by name
        self,
        database: Database,
        passwords: Passwords,
        *,
        key: Key,
        issuer: str,
        audience: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._now = now

    async def enter(self, email: str, password: str) -> Granted | None:
        """As `Provider`; takes as long for an address that nobody has, and for an account that is disabled."""
        try:
            account = await local_accounts.find(self._database, email)
        except UNAVAILABLE as error:
            raise AwayError from error
        open_ = account is not None and not account.disabled
        right = await self._passwords.matches(account.hashed if account is not None else None, password)
        return self._granted(account) if account is not None and open_ and right else None

    async def renew(self, shown: Shown, upstream: str | None) -> Granted | None:  # noqa: ARG002 - there is nobody behind us
        """As `Provider`."""
        try:
            account = await local_accounts.found(self._database, shown.organization, shown.person)
        except UNAVAILABLE as error:
            raise AwayError from error
        return None if account is None or account.disabled else self._granted(account)

    def _granted(self, account: LocalAccount) -> Granted:
        who = Account(
            account.person, account.organization, [Role(role) for role in account.roles], account.name, account.email
        )
        token = issue(
            who,
            key=self._key,
            issuer=self._issuer,
            audience=self._audience,
            now=self._now(),
            lifetime=LIFETIME,
            ident=secrets.token_hex(16),
        )
        return Granted(token)
