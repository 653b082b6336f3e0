"""The words of signing in: what one gets, and why one does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the graph reads the annotations
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class SignInRefusal(StrEnum):
    """Why nobody is signed in."""

    WRONG = "wrong"
    """The address or the password is wrong; which of the two is not said."""
    LOCKED = "locked"
    """There were too many failures, for this address or from where you are; `retryAfter` says until when."""
    UNAVAILABLE = "unavailable"
    """Nobody can be signed in just now, or here."""


class SessionRefusal(StrEnum):
    """Why a session does not go on."""

    ENDED = "ended"
    """The refresh token is unknown, used, or too old, or the session was ended: sign in again."""
    UNAVAILABLE = "unavailable"
    """It cannot be renewed just now; the refresh token stays good."""


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """What lets you in for an hour, and what gets you the next."""

    access_token: str
    """Send it as `Authorization: Bearer TOKEN`."""
    access_expires_at: datetime
    """When the access token stops being good."""
    refresh_token: str
    """Give it to `refreshSession` once. One that is given twice ends the session, for whoever has it."""
    refresh_expires_at: datetime
    """When the refresh token stops being good, unused."""


class NotSignedIn(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """Nobody is signed in; `retry_after` is when to try again, where that would help."""

    def __init__(self, reason: SignInRefusal, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class NotRenewed(Exception):  # noqa: N818 - likewise
    """A session does not go on."""

    def __init__(self, reason: SessionRefusal, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
