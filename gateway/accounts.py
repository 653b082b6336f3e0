"""The demo's accounts: who they are, kept in `home/demo.json`, and tokens made out to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from analytics.declare import Role
from gateway.keys import development_secret, secret_key
from gateway.tokens import Account, issue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.settings import Settings

LIFETIME = timedelta(days=7)
NAMES = ("learner", "trainer", "org-admin", "stranger")


class NoDemoError(Exception):
    """There is no demo here to have accounts; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What a running demo told about itself: where its learners come from, its clock, and its accounts by name."""

    source: str
    as_of: datetime
    accounts: Mapping[str, Account]


def write(home: Path, told: Mapping[str, Any]) -> Demo:
    """Remember what the simulator told of its campus."""
    (home / "demo.json").write_bytes(orjson.dumps(told))
    return read(home)


def read(home: Path) -> Demo:
    """The demo of this home.

    Raises:
        NoDemoError: none that we can read was ever started here.
    """
    try:
        return _demo(orjson.loads((home / "demo.json").read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        msg = f"There is no demo under {home} yet: start it once with `make run`."
        raise NoDemoError(msg) from error


def token(settings: Settings, account: Account, now: datetime) -> str:
    """A token of our own issuer for a demo account, good for a week."""
    own = settings.token_key
    return issue(
        account,
        key=secret_key(own.get_secret_value() if own else development_secret(settings.home)),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        now=now,
        lifetime=LIFETIME,
    )


def _demo(told: Any) -> Demo:
    accounts = {
        name: Account(
            user=one["id"],
            organization=one["organization"],
            roles=[Role(role) for role in one["roles"]],
            name=one["name"],
            email=one["email"],
        )
        for name, one in told["cast"].items()
    }
    return Demo(told["campus"], datetime.fromisoformat(told["asOf"]), accounts)
