"""The cast, with tokens to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.declare import Role
from gateway.keys import secret_key
from gateway.settings import Settings
from gateway.tokens import Account, issue
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from datasources.simulator.campus import Person

    Who = str | Person

SECRET = "a-secret-of-the-tests-that-is-long-enough"

ACCOUNTS = {
    name: Account(user, organization, (role,), name.title(), f"{name}@example.org")
    for name, user, organization, role in (
        ("lena", LENA, ACME, Role.LEARNER),
        ("lars", LARS, ACME, Role.LEARNER),
        ("tomas", TOMAS, ACME, Role.TRAINER),
        ("tara", TARA, ACME, Role.TRAINER),
        ("olga", OLGA, ACME, Role.ORG_ADMIN),
        ("sam", SAM, OTHER, Role.LEARNER),
    )
}


def token(who: Who, now: datetime, *, secret: str = SECRET, roles: Iterable[Role] = ()) -> str:
    """A good token of somebody, in other roles where some are given."""
    known = ACCOUNTS[who] if isinstance(who, str) else None
    account = known or Account(who.id, who.organization, [Role(role) for role in who.roles], who.name, who.email)
    account = replace(account, roles=tuple(roles) or account.roles)
    fields = Settings.model_fields
    return issue(
        account,
        key=secret_key(secret),
        issuer=fields["token_issuer"].default,
        audience=fields["token_audience"].default,
        now=now,
        lifetime=timedelta(hours=1),
    )
