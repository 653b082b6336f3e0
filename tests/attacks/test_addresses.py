"""Where somebody says they come from: believed of proxies that are ours, and of nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from datasources.postgres.connection import connect
from gateway.settings import Settings
from tests.attacks.production import Published, claims, in_production, signed
from tests.gateway.served import PATIENCE, served, talking
from tests.river.banks import Clock
from tests.river.desks import SIGN_IN

if TYPE_CHECKING:
    from datasources.postgres.session import Database
    from tests.conftest import Clone

FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded", "client-ip", "true-client-ip", "cf-connecting-ip")
HELLO = {"query": "{ __typename }"}


async def told(where: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return await client.post(f"http://{where}/graphql", json=body, headers=shown)


def claimed(n: int) -> dict[str, str]:
    """Every header by which somebody may say that they come from elsewhere, each time from another place."""
    return {name: f"for=198.51.100.{n}" if name == "forwarded" else f"198.51.100.{n}" for name in FORWARDED}


def guess(n: int) -> dict[str, Any]:
    return {"query": SIGN_IN, "variables": {"email": f"nobody{n}@example.org", "password": "wrong"}}


async def addresses(clone: Clone) -> set[str]:
    """The addresses in the audit."""
    owner = await connect(clone.owner_url)
    try:
        await owner.execute("ALTER TABLE audit NO FORCE ROW LEVEL SECURITY")
        return {row["address"] for row in await owner.fetch("SELECT DISTINCT address FROM audit")}
    finally:
        await owner.close()


@pytest.fixture
async def clock(database: Database) -> Clock:
    return Clock((await database.fetch("SELECT now()"))[0][0])


@pytest.mark.parametrize(
    ("trusted", "guesses_from"),
    [("192.0.2.1", {"127.0.0.1"}), ("127.0.0.1", {f"198.51.100.{n}" for n in range(7)})],
    ids=["of a stranger", "of our proxy"],
)
async def test_guesses_are_counted_where_they_come_from_and_not_where_they_claim_to(
    clone: Clone, clock: Clock, trusted: str, guesses_from: set[str]
) -> None:
    believing = Settings.model_validate({"port": 0, "trusted_proxies": trusted})
    async with (
        in_production(clone.app_url, Published(clock), clock, TRUSTED_PROXIES=trusted) as gateway,
        served(gateway.app, settings=believing) as where,
    ):
        refusals = [(await told(where, guess(n), **claimed(n))).json()["data"]["signIn"] for n in range(7)]
    locked = [one["reason"] == "LOCKED" for one in refusals]
    assert locked == [len(guesses_from) == 1 and n >= 5 for n in range(7)]
    assert await addresses(clone) == guesses_from


async def test_what_stands_before_the_address_that_our_proxy_saw_is_not_believed(clone: Clone, clock: Clock) -> None:
    believing = Settings.model_validate({"port": 0, "trusted_proxies": "127.0.0.1"})
    async with (
        in_production(clone.app_url, Published(clock), clock) as gateway,
        served(gateway.app, settings=believing) as where,
    ):
        for n in range(3):
            await told(where, guess(n), x_forwarded_for=f"198.51.100.{n}, 192.0.2.66")
    assert await addresses(clone) == {"192.0.2.66"}


async def test_a_budget_is_that_of_the_address_and_not_of_the_one_that_is_claimed(clone: Clone) -> None:
    clock = Clock()
    believing = Settings.model_validate({"port": 0, "trusted_proxies": "192.0.2.1"})
    async with (
        in_production(clone.app_url, Published(clock), clock, REQUESTS_PER_HOUR="12") as gateway,
        served(gateway.app, settings=believing) as where,
    ):
        statuses = [(await told(where, HELLO, **claimed(n))).status_code for n in range(15)]
    assert statuses[:5] == [200] * 5
    assert statuses[-1] == 429


async def test_tokens_that_are_no_good_are_paid_for_by_the_address(clone: Clone) -> None:
    clock = Clock()
    services = Published(clock)
    async with (
        in_production(clone.app_url, services, clock, COST_PER_MINUTE="100") as gateway,
        served(gateway.app) as where,
    ):
        statuses = [(await told(where, HELLO, authorization=f"Bearer guess-{n}")).status_code for n in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        async with talking(where) as talk:
            await talk.say(type="connection_init", payload={"authorization": "Bearer one.more.guess"})
            assert (await talk.closed())[0] == 4429
        good = signed(claims("lena", clock.now()))
        assert (await told(where, HELLO, authorization=f"Bearer {good}")).status_code == 200, (
            "others pay for themselves"
        )
