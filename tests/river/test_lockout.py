"""Guessing passwords: five failures lock an account and an address, whichever process they were sent to."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from datasources.postgres import attempts
from datasources.postgres.attempts import Allowed, Attempt, Outcome
from datasources.postgres.audit import Whence
from datasources.postgres.connection import connect
from gateway.porter import network_of
from tests.campus import small_campus
from tests.river.banks import Clock, Services, running
from tests.river.desks import SETTINGS, sign_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datasources.postgres.session import Database
    from tests.conftest import Clone
    from tests.river.banks import Gateway

LENA_TYPED, OLGA_TYPED = "lena@acme.example", "olga@acme.example"
ANY_ADDRESS = {**SETTINGS, "sign_in_failures_per_address": 1_000}
HERE, THERE = Whence("192.0.2.1", "request-1"), Whence("192.0.2.2", "request-2")


@pytest_asyncio.fixture
async def clock(database: Database) -> Clock:
    return Clock((await database.fetch("SELECT now()"))[0][0])


@pytest_asyncio.fixture
async def services(clock: Clock) -> Services:
    return Services(small_campus(), clock.now)


@pytest_asyncio.fixture
async def gateway(clone: Clone, services: Services, clock: Clock) -> AsyncIterator[Gateway]:
    async with running(clone.app_url, services, clock, **ANY_ADDRESS) as one:
        yield one


async def guesses(gateway: Gateway, number: int, email: str = LENA_TYPED) -> list[str]:
    return [(await sign_in(gateway, email, f"guess {n}"))["reason"] for n in range(number)]


async def as_owner(clone: Clone, statement: str, *arguments: Any) -> list[Any]:
    """What the owner of the audit finds in it, who is kept from it like everybody else otherwise."""
    owner = await connect(clone.owner_url)
    try:
        await owner.execute("ALTER TABLE audit NO FORCE ROW LEVEL SECURITY")
        rows: list[Any] = await owner.fetch(statement, *arguments)
        await owner.execute("ALTER TABLE audit FORCE ROW LEVEL SECURITY")
    finally:
        await owner.close()
    return rows


async def later(clone: Clone, time: timedelta) -> None:
    """Let time pass for all that is in the audit."""
    await as_owner(clone, "UPDATE audit SET at = at - $1::interval", time)


async def test_five_failures_lock_an_account_for_whoever_knows_the_password_too(
    gateway: Gateway, clone: Clone, services: Services, clock: Clock
) -> None:
    assert await guesses(gateway, 5) == ["WRONG"] * 5
    services.forget()
    locked = await sign_in(gateway)
    assert locked["reason"] == "LOCKED"
    assert 890 <= locked["retryAfter"] <= 900
    async with running(clone.app_url, services, clock, **ANY_ADDRESS) as another_process:
        assert (await sign_in(another_process))["reason"] == "LOCKED"
    assert services.calls == [], "the auth service is not asked any more"
    assert (await sign_in(gateway, OLGA_TYPED))["__typename"] == "SignedIn", "nobody else is locked out"


async def test_it_opens_fifteen_minutes_after_the_last_failure(gateway: Gateway, clone: Clone) -> None:
    await guesses(gateway, 4)
    await later(clone, timedelta(minutes=14))
    assert await guesses(gateway, 1) == ["WRONG"]
    await later(clone, timedelta(minutes=14))
    assert (await sign_in(gateway))["reason"] == "LOCKED", "five within fifteen minutes, the last one not long ago"
    await later(clone, timedelta(minutes=1, seconds=1))
    assert (await sign_in(gateway))["__typename"] == "SignedIn"


async def test_failures_that_lie_apart_lock_nothing(gateway: Gateway, clone: Clone) -> None:
    for _ in range(7):
        assert await guesses(gateway, 1) == ["WRONG"]
        await later(clone, timedelta(minutes=4))
    assert (await sign_in(gateway))["__typename"] == "SignedIn"


async def test_who_does_not_exist_is_answered_and_locked_like_who_does(gateway: Gateway) -> None:
    answers = {
        email: [{**await sign_in(gateway, email, f"guess {n}"), "retryAfter": None} for n in range(7)]
        for email in (LENA_TYPED, "nobody@acme.example")
    }
    known, unknown = answers.values()
    assert known == unknown
    assert [one["reason"] for one in known] == ["WRONG"] * 5 + ["LOCKED"] * 2


async def test_capital_letters_and_spaces_are_no_way_around(gateway: Gateway) -> None:
    for email in (LENA_TYPED, "LENA@acme.example", " lena@ACME.example", "Lena@Acme.Example ", LENA_TYPED):
        await guesses(gateway, 1, email)
    assert (await sign_in(gateway))["reason"] == "LOCKED"


async def test_a_thousand_guesses_at_once_find_five_places(clone: Clone, services: Services, clock: Clock) -> None:
    async with (
        running(clone.app_url, services, clock, **ANY_ADDRESS) as one,
        running(clone.app_url, services, clock, **ANY_ADDRESS) as other,
    ):
        services.forget()
        said = await asyncio.gather(
            *(sign_in(process, LENA_TYPED, f"guess {n}") for n in range(20) for process in (one, other))
        )
    reasons = Counter(answer["reason"] for answer in said)
    assert reasons["WRONG"] == 5
    assert len([call for call in services.calls if call.path.endswith("/login")]) == 5


async def test_an_address_that_guesses_everybodys_password_is_locked_for_everybody(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, **SETTINGS) as gateway:
        for number in range(5):
            assert await guesses(gateway, 1, f"learner-{number}@acme.example") == ["WRONG"]
        assert (await sign_in(gateway))["reason"] == "LOCKED"


async def test_who_is_let_in_leaves_no_trace_of_failure(gateway: Gateway) -> None:
    for _ in range(8):
        assert (await sign_in(gateway))["__typename"] == "SignedIn"
    assert await guesses(gateway, 4) == ["WRONG"] * 4
    assert (await sign_in(gateway))["__typename"] == "SignedIn"
    assert await guesses(gateway, 1) == ["WRONG"]
    assert (await sign_in(gateway))["reason"] == "LOCKED", "a sign-in between them takes no failure back"


async def test_what_nobody_could_judge_is_no_failure(gateway: Gateway, services: Services) -> None:
    await services.turn("auth", "failing")
    for _ in range(6):
        assert (await sign_in(gateway))["reason"] == "UNAVAILABLE"
    await services.turn("auth", "ok")


async def test_the_audit_tells_of_every_attempt_and_holds_no_address_that_was_typed(
    gateway: Gateway, clone: Clone
) -> None:
    await guesses(gateway, 6, "nobody@acme.example")
    await sign_in(gateway)
    rows = await as_owner(clone, "SELECT kind, address, request_id, a::text AS whole FROM audit a ORDER BY id")
    kinds = Counter(row["kind"] for row in rows)
    assert {kind: kinds[kind] for kind in kinds if kind.startswith("sign-in.")} == {
        "sign-in.tried": 6, "sign-in.failed": 5, "sign-in.locked": 1, "sign-in.passed": 1,
    }  # fmt: skip
    assert all(row["address"] and row["request_id"] for row in rows if row["kind"].startswith("sign-in"))
    for word in ("nobody", "lena@", "guess", "demo"):
        assert [row["whole"] for row in rows if word in row["whole"]] == []


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("a name", "a name", True),
    ],
)
def test_an_address_is_counted_with_those_that_its_owner_can_take_as_well(
    first: str, second: str, *, together: bool
) -> None:
    assert (network_of(first) == network_of(second)) is together


async def test_an_attempt_that_never_ends_counts_as_failed_but_locks_nothing_before_that_is_known(
    database: Database, clone: Clone
) -> None:
    for _ in range(5):
        assert isinstance(await attempts.begin(database, "one", HERE, Allowed()), Attempt)
    assert await attempts.begin(database, "one", THERE, Allowed()) == timedelta(seconds=1)
    await later(clone, timedelta(seconds=31))
    locked = await attempts.begin(database, "one", THERE, Allowed())
    assert isinstance(locked, timedelta)
    assert timedelta(minutes=14) < locked < timedelta(minutes=15)


async def test_attempts_that_passed_or_were_not_judged_free_their_places(database: Database) -> None:
    for outcome in (Outcome.PASSED, Outcome.UNJUDGED) * 5:
        attempt = await attempts.begin(database, "one", HERE, Allowed())
        assert isinstance(attempt, Attempt)
        await attempts.settle(database, attempt, outcome)


async def test_without_an_address_only_the_account_is_counted(database: Database) -> None:
    nowhere: Any = Whence(None, "request-3")
    for number in range(12):
        attempt = await attempts.begin(database, f"account {number}", nowhere, Allowed())
        assert isinstance(attempt, Attempt)
        await attempts.settle(database, attempt, Outcome.FAILED)
