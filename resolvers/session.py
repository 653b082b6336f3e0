"""Signing in and out: signing in and going on are open to who has no token yet."""

import math
from typing import Annotated, Any, Union

import strawberry

from analytics.codec import encode
from analytics.policy import Unavailable
from analytics.sessions import NotRenewed, NotSignedIn, SessionRefusal, SessionTokens, SignInRefusal
from resolvers.context import Info
from resolvers.errors import SOON
from resolvers.scalars import Seconds
from resolvers.types import adopt, field

TokensType: Any = adopt(SessionTokens)
SignInRefusalName: Any = adopt(SignInRefusal)
SessionRefusalName: Any = adopt(SessionRefusal)


@strawberry.input(description="Who you are.")
class SignInInput:
    """An address and its password."""

    email: str = strawberry.field(description="Your address; small and capital letters are the same.")
    password: str = strawberry.field(description="Your password.")


@strawberry.input(description="Which session is to go on.")
class RefreshSessionInput:
    """A refresh token."""

    refresh_token: str = strawberry.field(description="The refresh token you were given last; it is good once.")


@strawberry.type(description="You are signed in.")
class SignedIn:
    """A session that began."""

    tokens: TokensType = strawberry.field(description="Your tokens; nobody can show them to you again.")


@strawberry.type(description="Why you are not signed in.")
class SignInRefused:
    """A refusal is an answer, not an error."""

    reason: SignInRefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to try again, where that would help.")


@strawberry.type(description="Your session goes on.")
class SessionRefreshed:
    """A session that went on."""

    tokens: TokensType = strawberry.field(description="Your next tokens; the refresh token you gave is used up.")


@strawberry.type(description="Why your session does not go on.")
class SessionRefused:
    """A refusal is an answer, not an error."""

    reason: SessionRefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to try again, where that would help.")


@strawberry.type(description="You are signed out: the access token you showed, and its session, are good no more.")
class SignedOut:
    """A session that ended."""

    done: bool = strawberry.field(description="Always true.")


@strawberry.type(description="Why you are not signed out yet.")
class SignOutRefused:
    """A refusal is an answer, not an error."""

    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to try again.")


SignInResult = Annotated[
    Union[SignedIn, SignInRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("SignInResult", description="Your tokens, or why there are none."),
]
RefreshSessionResult = Annotated[
    Union[SessionRefreshed, SessionRefused],  # noqa: UP007 - likewise
    strawberry.union("RefreshSessionResult", description="Your next tokens, or why there are none."),
]
SignOutResult = Annotated[
    Union[SignedOut, SignOutRefused],  # noqa: UP007 - likewise
    strawberry.union("SignOutResult", description="That you are signed out, or why you are not yet."),
]


@strawberry.type
class SessionMutation:
    """What concerns sessions."""

    @field("Sign in. Needs no token. Five failures in 15 minutes lock an address, and where they came from, as long.")
    async def sign_in(
        self,
        info: Info,
        input: Annotated[SignInInput, strawberry.argument(description="Who you are.")],  # noqa: A002 - the convention's word
    ) -> SignInResult:
        """What is wrong is not said, only that something is."""
        try:
            return SignedIn(tokens=encode(await info.context.sessions.sign_in(input.email, input.password)))
        except NotSignedIn as verdict:
            reason = SignInRefusalName[verdict.reason.name]
            return SignInRefused(reason=reason, message=verdict.message, retry_after=_wait(verdict))

    @field("Have a session go on with new tokens. Needs no token but the refresh token.")
    async def refresh_session(
        self,
        info: Info,
        input: Annotated[RefreshSessionInput, strawberry.argument(description="Which session.")],  # noqa: A002 - likewise
    ) -> RefreshSessionResult:
        """Good once: whoever comes second ends it."""
        try:
            return SessionRefreshed(tokens=encode(await info.context.sessions.renew(input.refresh_token)))
        except NotRenewed as verdict:
            reason = SessionRefusalName[verdict.reason.name]
            return SessionRefused(reason=reason, message=verdict.message, retry_after=_wait(verdict))

    @field("Sign out: end the session of the access token you show, everywhere, at once.")
    async def sign_out(self, info: Info) -> SignOutResult:
        """Other sessions of the same person go on."""
        try:
            await info.context.sessions.sign_out()
        except Unavailable as verdict:
            return SignOutRefused(message=verdict.message, retry_after=Seconds(SOON))
        return SignedOut(done=True)


def _wait(verdict: NotSignedIn | NotRenewed) -> Seconds | None:
    if verdict.retry_after is None:
        return None
    return Seconds(max(1, math.ceil(verdict.retry_after.total_seconds())))
