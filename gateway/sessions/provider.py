"""Who knows people and their passwords: the auth service, or accounts of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datasources.postgres.sessions import Shown


class AwayError(Exception):
    """It cannot be said just now whether somebody is let in."""


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token, and what the provider wants to be shown for the next one, where it wants anything."""

    access: str
    upstream: str | None = None


class Provider(Protocol):
    """Lets people in. Each raises `AwayError` where it cannot tell."""

    async def enter(self, email: str, password: str) -> Granted | None:
        """Somebody with this address, in small letters, and this password; None: there is nobody like that."""

    async def renew(self, shown: Shown, upstream: str | None) -> Granted | None:
        """The same person again; None: they are let in no more."""
