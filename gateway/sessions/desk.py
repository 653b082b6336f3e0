"""Where people sign in, stay signed in, and sign out.

Refresh tokens are ours: 32 random bytes, good once, for seven days, kept as a digest. What the auth service wants to
be shown for the next access token is kept beside them, sealed. Whoever is let in is judged by their access token as
at any request, so that nobody is given one that would not let them in.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import structlog

from analytics.policy import Unavailable
from analytics.sessions import NotRenewed, NotSignedIn, SessionRefusal, SessionTokens, SignInRefusal
from datasources.postgres import attempts, sessions
from datasources.postgres.attempts import Allowed, Attempt, Outcome
from datasources.postgres.audit import Event, Whence, record
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.session import Actor, system
from datasources.postgres.sessions import LIFETIME, Given, Verdict
from gateway.auth import BadTokenError, digest_of
from gateway.keys import NoKeysError
from gateway.porter import network_of
from gateway.roles import active_role
from gateway.sessions.provider import AwayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasources.postgres.session import Database
    from datasources.postgres.sessions import Shown
    from gateway.auth import Authenticator, Session, Verified
    from gateway.sessions.provider import Granted, Provider
    from gateway.sessions.sealing import Seal

LOG = structlog.get_logger(__name__)
SOON = timedelta(seconds=5)
LONGEST_EMAIL = 254
LONGEST_REFRESH = 100
WRONG = "The address or the password is wrong."
OVER = "This session is over: sign in again."
CANNOT: tuple[type[Exception], ...] = (AwayError, *UNAVAILABLE)
"""What it looks like when the provider, or the database, cannot serve just now."""
LATER = "This cannot be done just now. Try again in a few seconds."
NOWHERE = "Nobody can sign in here: GATEWAY_ENCRYPTION_KEYS is not set."


@dataclass(frozen=True, slots=True)
class Desk:
    """One for the process. Without a `seal` nobody is let in; `now` is the real time."""

    database: Database
    provider: Provider
    authenticator: Authenticator
    seal: Seal | None
    allowed: Allowed
    now: Callable[[], datetime]

    def visit(self, address: str | None, request_id: str, session: Session | None) -> Visit:
        """Somebody at the desk: from which address, in which request, with which session, if any."""
        return Visit(self, Whence(address, request_id), session)


@dataclass(frozen=True, slots=True)
class Visit:
    """What one request has done at the desk."""

    desk: Desk
    whence: Whence
    session: Session | None

    async def sign_in(self, email: str, password: str) -> SessionTokens:
        """A new session.

        Raises:
            NotSignedIn: for one reason, whatever it is that is wrong with the address or the password.
        """
        desk, seal = self.desk, self.desk.seal
        if seal is None:
            raise NotSignedIn(SignInRefusal.UNAVAILABLE, NOWHERE)
        typed = email.strip().lower()[: LONGEST_EMAIL + 1]
        try:
            attempt = await self._attempt(seal.name(typed))
            try:
                granted = await desk.provider.enter(typed, password) if len(typed) <= LONGEST_EMAIL else None
                who = None if granted is None else await self._judged(granted)
            except AwayError:
                await attempts.settle(desk.database, attempt, Outcome.UNJUDGED)
                raise
            if granted is None or who is None:
                await attempts.settle(desk.database, attempt, Outcome.FAILED)
                raise NotSignedIn(SignInRefusal.WRONG, WRONG)
            made, given = self._pair(granted, who)
            await sessions.start(desk.database, who.organization, who.user, _sealed(seal, granted), given)
            await attempts.settle(desk.database, attempt, Outcome.PASSED)
            role = active_role(who.roles, None).value
            await record(desk.database, Actor(who.organization, who.user, role), [Event("sign-in")], self.whence)
        except CANNOT as error:
            LOG.warning("sign-in.unavailable", error=type(error.__cause__ or error).__name__)
            raise NotSignedIn(SignInRefusal.UNAVAILABLE, LATER, SOON) from error
        return made

    async def renew(self, refresh: str) -> SessionTokens:
        """The next pair of tokens of a session.

        Raises:
            NotRenewed: it does not go on, or not now.
        """
        seal = self.desk.seal
        if seal is None:
            raise NotRenewed(SessionRefusal.UNAVAILABLE, NOWHERE)
        digest = digest_of(refresh[: LONGEST_REFRESH + 1])
        try:
            shown = await sessions.take(self.desk.database, digest)
            if shown is None or shown.verdict is not Verdict.TAKEN:
                await self._refuse(shown)
            return await self._go_on(shown, digest, seal)
        except CANNOT as error:
            LOG.warning("session.unavailable", error=type(error.__cause__ or error).__name__)
            raise NotRenewed(SessionRefusal.UNAVAILABLE, LATER, SOON) from error

    async def sign_out(self) -> None:
        """End the session of the token that was shown; the token lets nobody in any more.

        Raises:
            Unavailable: it cannot be written down just now.
        """
        session = self.session
        if session is None:
            return
        viewer, until = session.viewer, datetime.fromtimestamp(session.expires, UTC)
        try:
            await sessions.sign_out(self.desk.database, viewer.organization, viewer.user, session.claim.token, until)
            # Here at once; the other processes are on their way to hear of it.
            self.desk.authenticator.changed(viewer.organization, viewer.user)
            actor = Actor(viewer.organization, viewer.user, viewer.role.value)
            await record(self.desk.database, actor, [Event("sign-out")], self.whence)
        except UNAVAILABLE as error:
            raise Unavailable(LATER) from error

    async def _attempt(self, account: str) -> Attempt:
        whence = Whence(network_of(self.whence.address), self.whence.request_id)
        attempt = await attempts.begin(self.desk.database, account, whence, self.desk.allowed)
        if isinstance(attempt, timedelta):
            message = (
                "There were too many attempts that failed, for this address or from where you are. Try again later."
            )
            raise NotSignedIn(SignInRefusal.LOCKED, message, attempt)
        return attempt

    async def _judged(self, granted: Granted) -> Verified | None:
        """Whose token it is; None where they may not be heard, though they know the password."""
        try:
            return await self.desk.authenticator.verified(granted.access)
        except BadTokenError as bad:
            # Either they are no longer active, or the auth service and our settings do not agree.
            LOG.warning("sign-in.token_refused", why=str(bad))
            return None
        except NoKeysError as error:
            raise AwayError from error

    def _pair(self, granted: Granted, who: Verified) -> tuple[SessionTokens, Given]:
        refresh, until = secrets.token_urlsafe(32), datetime.fromtimestamp(who.expires, UTC)
        tokens = SessionTokens(granted.access, until, refresh, self.desk.now() + LIFETIME)
        return tokens, Given(digest_of(refresh), who.claim.token, until)

    async def _go_on(self, shown: Shown, digest: str, seal: Seal) -> SessionTokens:
        desk = self.desk
        upstream = None if shown.upstream is None else seal.open(shown.upstream)
        try:
            granted = await desk.provider.renew(shown, upstream)
            who = None if granted is None else await self._judged(granted)
        except (AwayError, asyncio.CancelledError):
            await sessions.give_back(desk.database, shown, digest)
            raise
        if granted is None or who is None or (who.organization, who.user) != (shown.organization, shown.person):
            await sessions.end(desk.database, shown)
            raise NotRenewed(SessionRefusal.ENDED, OVER)
        tokens, given = self._pair(granted, who)
        await sessions.follow(desk.database, shown, _sealed(seal, granted), given)
        return tokens

    async def _refuse(self, shown: Shown | None) -> NoReturn:
        if shown is not None and shown.verdict is Verdict.REUSED:
            LOG.warning("session.reused")
            self.desk.authenticator.changed(shown.organization, shown.person)
            event = Event("session.reused", shown.person)
            await record(self.desk.database, system(shown.organization), [event], self.whence)
        raise NotRenewed(SessionRefusal.ENDED, OVER)


def _sealed(seal: Seal, granted: Granted) -> str | None:
    return None if granted.upstream is None else seal.close(granted.upstream)
