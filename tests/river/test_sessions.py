"""Signing in with the auth service, going on, and signing out, from outside."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import jwt
import pytest_asyncio
from sqlmodel import select

from datasources.postgres.session import Actor, system
from datasources.postgres.session_tables import RefreshTokenRow, RevocationRow, SessionRow
from datasources.postgres.tables import AuditRow
from gateway.auth import digest_of
from tests.campus import small_campus
from tests.cast import ACME, LENA, OLGA
from tests.river.banks import Clock, Gateway, Services, running
from tests.river.desks import SETTINGS, SIGN_OUT, let_in, pair, renew, sign_in, who

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from tests.conftest import Clone

OVER = {
    "__typename": "SessionRefused",
    "reason": "ENDED",
    "message": "This session is over: sign in again.",
    "retryAfter": None,
}


async def now_of(database: Any) -> datetime:
    moment: datetime = (await database.fetch("SELECT now()"))[0][0]
    return moment


@pytest_asyncio.fixture
async def clock(database: Any) -> Clock:
    """The time of the database, by which sessions and what is revoked are dated."""
    return Clock(await now_of(database))


@pytest_asyncio.fixture
async def services(clock: Clock) -> Services:
    return Services(small_campus(), clock.now)


@pytest_asyncio.fixture
async def gateway(clone: Clone, services: Services, clock: Clock) -> AsyncIterator[Gateway]:
    async with running(clone.app_url, services, clock, **SETTINGS) as one:
        yield one


async def refused(gateway: Gateway, access: str) -> None:
    """Return when a process has heard that a token is good no more."""
    while (await who(gateway, access)).status != 401:
        pass


async def rows(gateway: Gateway, table: Any, organization: str = ACME) -> list[Any]:
    async with gateway.world.database.session(system(organization)) as session:
        return list((await session.exec(select(table))).all())


async def audited(gateway: Gateway, organization: str = ACME) -> list[tuple[str, str, str | None]]:
    async with gateway.world.database.session(Actor(organization, OLGA, "org-admin")) as session:
        found = (await session.exec(select(AuditRow).order_by(AuditRow.id))).all()  # type: ignore[arg-type]  # a column
    return [(row.actor, row.kind, row.subject) for row in found if row.kind.startswith(("si", "se"))]


async def test_who_signs_in_is_let_in_for_an_hour_and_may_go_on_for_a_week(gateway: Gateway, clock: Clock) -> None:
    said = await sign_in(gateway, " LENA@acme.example ")
    told = said["tokens"]
    lives = {name: datetime.fromisoformat(told[f"{name}ExpiresAt"]) - clock.now() for name in ("access", "refresh")}
    assert abs(lives["access"] - timedelta(hours=1)) < timedelta(seconds=2)
    assert lives["refresh"] == timedelta(days=7)
    reply = await who(gateway, told["accessToken"])
    assert reply.data["viewer"] == {"activeRole": "LEARNER", "organization": {"name": "Acme"}}
    assert (LENA, "sign-in", None) in await audited(gateway)


async def test_what_is_kept_of_a_session_lets_nobody_in(gateway: Gateway) -> None:
    given = await let_in(gateway)
    upstream = jwt.decode(given.access, options={"verify_signature": False})["iss"]
    (session,) = await rows(gateway, SessionRow)
    (token,) = await rows(gateway, RefreshTokenRow)
    kept = repr((session, token))
    assert given.refresh not in kept
    assert given.access not in kept
    assert (token.digest, token.access) == (digest_of(given.refresh), digest_of(given.access))
    assert session.upstream is not None
    assert upstream not in session.upstream
    assert "eyJ" not in session.upstream, "a token of the auth service is not readable"


async def test_a_session_goes_on_with_new_tokens_each_time(gateway: Gateway, clock: Clock) -> None:
    first = await let_in(gateway)
    clock.pass_by(timedelta(minutes=55))
    second = pair(await renew(gateway, first.refresh))
    clock.pass_by(timedelta(minutes=30))
    assert (await who(gateway, first.access)).status == 401, "its hour is over"
    assert (await who(gateway, second.access)).status == 200
    third = pair(await renew(gateway, second.refresh))
    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert len(await rows(gateway, SessionRow)) == 1


async def test_a_refresh_token_that_is_used_again_ends_the_session_for_everybody(gateway: Gateway) -> None:
    first = await let_in(gateway)
    second = pair(await renew(gateway, first.refresh))
    assert (await who(gateway, second.access)).status == 200
    assert await renew(gateway, first.refresh) == OVER
    assert await renew(gateway, second.refresh) == OVER
    assert {(await who(gateway, one.access)).status for one in (first, second)} == {401}
    assert ("system", "session.reused", LENA) in await audited(gateway)
    other = await let_in(gateway)
    assert (await who(gateway, other.access)).status == 200, "whoever knows the password begins anew"


async def test_of_many_who_show_a_refresh_token_at_once_exactly_one_goes_on_and_then_nobody(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with (
        running(clone.app_url, services, clock, **SETTINGS) as one,
        running(clone.app_url, services, clock, **SETTINGS) as other,
    ):
        for _ in range(5):
            clock.pass_by(timedelta(seconds=2))
            given = await let_in(one)
            said = await asyncio.gather(*(renew(process, given.refresh) for process in (one, other) * 4))
            assert Counter(answer["__typename"] for answer in said) == {"SessionRefreshed": 1, "SessionRefused": 7}
            (won,) = [pair(answer) for answer in said if answer["__typename"] == "SessionRefreshed"]
            assert await renew(other, won.refresh) == OVER
            async with asyncio.timeout(10):
                await refused(one, won.access)


async def test_who_signs_out_is_out_in_every_process_and_their_session_with_them(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with (
        running(clone.app_url, services, clock, **SETTINGS) as one,
        running(clone.app_url, services, clock, **SETTINGS) as other,
    ):
        given = await let_in(one)
        clock.pass_by(timedelta(seconds=2))
        elsewhere = await let_in(other)
        assert (await who(other, given.access)).status == 200
        assert (await one.send(SIGN_OUT, {}, given.headers)).data["signOut"]["done"] is True
        assert (await who(one, given.access)).status == 401
        async with asyncio.timeout(10):
            await refused(other, given.access)
        assert await renew(other, given.refresh) == OVER
        assert (await who(one, elsewhere.access)).status == 200, "another session of hers goes on"
        assert (LENA, "sign-out", None) in await audited(one)


async def test_a_token_that_was_not_given_here_is_taken_back_just_the_same(gateway: Gateway) -> None:
    await gateway.ask("{ viewer { name } }")
    assert (await gateway.ask(SIGN_OUT)).data["signOut"]["done"] is True
    assert (await gateway.ask("{ viewer { name } }")).status == 401
    (row,) = await rows(gateway, RevocationRow)
    assert row.person == LENA


async def test_signing_out_needs_a_token(gateway: Gateway) -> None:
    assert (await gateway.send(SIGN_OUT, {}, {})).codes == {"UNAUTHENTICATED"}


async def test_a_session_is_not_lost_while_the_auth_service_is_away(gateway: Gateway, services: Services) -> None:
    given = await let_in(gateway)
    await services.turn("auth", "failing")
    refused = await renew(gateway, given.refresh)
    assert (refused["reason"], refused["retryAfter"]) == ("UNAVAILABLE", 5)
    assert (await sign_in(gateway))["reason"] == "UNAVAILABLE"
    await services.turn("auth", "ok")
    assert (await renew(gateway, given.refresh))["__typename"] == "SessionRefreshed"


async def test_a_refresh_token_nobody_was_given_is_refused_like_one_that_is_used_up(gateway: Gateway) -> None:
    given = await let_in(gateway)
    for shown in ("", "x", given.refresh[:-1], given.access, "x" * 5_000, "é😀", "' OR true --"):
        assert await renew(gateway, shown) == OVER
    assert (await renew(gateway, given.refresh))["__typename"] == "SessionRefreshed"


async def test_a_token_of_the_auth_service_lets_in_and_one_with_its_name_and_another_key_does_not(
    gateway: Gateway,
) -> None:
    given = await let_in(gateway)
    header = jwt.get_unverified_header(given.access)
    claims = jwt.decode(given.access, options={"verify_signature": False})
    public = digest_of("the public key, taken for a secret")
    for forged in (
        jwt.encode(claims, public, algorithm="HS256", headers={"kid": header["kid"]}),
        jwt.encode(claims | {"roles": ["org-admin"]}, public, algorithm="HS256"),
        given.access.rpartition(".")[0] + ".",
    ):
        assert (await who(gateway, forged)).status == 401
