"""Who is gone, moved or revoked is not heard any more, however good their token: within a minute, everywhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import pytest_asyncio

from analytics.codec import global_id
from datasources.postgres import sessions
from datasources.postgres.connection import connect
from gateway import local_accounts
from tests.campus import small_campus
from tests.cast import ACME, LARS, LENA, OTHER
from tests.gateway.served import served, streaming, talking
from tests.river.banks import Call, Clock, Gateway, Services, running, settings_of
from tests.river.bearers import SECRET, token
from tests.river.desks import SETTINGS, let_in, renew, who

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from datasources.postgres.session import Database
    from tests.conftest import Clone

MINUTE = timedelta(seconds=60)
ME = "{ viewer { activeRole } }"
REFRESHED = """subscription($subject: ID!) {
  answerRefreshed(subject: $subject, metrics: [LEARNER_ENGAGEMENT]) { subject metric }
}"""


@pytest_asyncio.fixture
async def clock(database: Database) -> Clock:
    return Clock((await database.fetch("SELECT now()"))[0][0])


@pytest_asyncio.fixture
async def services(clock: Clock) -> Services:
    return Services(small_campus(), clock.now)


@pytest_asyncio.fixture
async def gateway(clone: Clone, services: Services, clock: Clock) -> AsyncIterator[Gateway]:
    async with running(clone.app_url, services, clock, **SETTINGS) as one:
        yield one


def says(person: str, **changes: Any) -> Callable[[Call, Any], Any]:
    """A directory that says something else of somebody; `gone=True`: that it does not know them."""

    def spoiled(call: Call, body: Any) -> Any:
        if call.path != "/api/v1/users/batch" or person not in body["items"]:
            return body
        if changes.get("gone"):
            items = {key: item for key, item in body["items"].items() if key != person}
            return {"items": items, "missing": [*body["missing"], person]}
        return {**body, "items": {**body["items"], person: body["items"][person] | changes}}

    return spoiled


@pytest.mark.parametrize(
    "changes",
    [{"isActive": False}, {"gone": True}, {"organizationId": OTHER}],
    ids=["deactivated", "deleted", "moved to another organization"],
)
async def test_who_is_not_there_any_more_stops_within_a_minute(
    gateway: Gateway, services: Services, clock: Clock, changes: dict[str, Any]
) -> None:
    assert (await gateway.ask(ME)).status == 200
    services.spoil = says(LENA, **changes)
    clock.pass_by(MINUTE)
    refused = await gateway.ask(ME)
    assert (refused.status, refused.codes) == (401, {"UNAUTHENTICATED"})
    assert refused.body["errors"][0]["message"] == "The token no longer holds: sign in again."
    assert (await gateway.ask(ME, "lars")).status == 200
    services.spoil = None
    clock.pass_by(MINUTE)
    assert (await gateway.ask(ME)).status == 200, "whoever comes back is heard again"


async def test_a_token_of_an_organization_that_is_not_ones_own_lets_nobody_in(gateway: Gateway) -> None:
    good = jwt.decode(token("lena", gateway.clock.now()), options={"verify_signature": False})
    for organization, status in ((ACME, 200), (ACME.upper(), 200), (OTHER, 401), (LENA, 401)):
        shown = jwt.encode(good | {"organizationId": organization}, SECRET, algorithm="HS256")
        assert (await who(gateway, shown)).status == status


async def test_the_directory_is_asked_once_a_minute_for_all_that_somebody_asks(
    gateway: Gateway, services: Services, clock: Clock
) -> None:
    await asyncio.gather(*(gateway.ask(ME, "lars") for _ in range(20)))
    path = ("directory", "/api/v1/users/batch", LARS)
    assert services.asked[path] == 1
    clock.pass_by(timedelta(seconds=29))
    await gateway.ask(ME, "lars")
    assert services.asked[path] == 1
    clock.pass_by(MINUTE)
    await asyncio.gather(*(gateway.ask(ME, "lars") for _ in range(20)))
    assert services.asked[path] == 2


async def test_while_the_directory_is_away_what_it_said_last_stands(
    gateway: Gateway, services: Services, clock: Clock
) -> None:
    services.spoil = says(LARS, isActive=False)
    assert [(await gateway.ask(ME, one)).status for one in ("lena", "lars")] == [200, 401]
    await services.turn("directory", "failing")
    clock.pass_by(10 * MINUTE)
    assert [(await gateway.ask(ME, one)).status for one in ("lena", "lars")] == [200, 401]


async def test_a_process_that_never_heard_the_directory_goes_by_the_copy_of_the_roster(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.ask("{ organization { name } }", "olga")
        await gateway.settled()
        owner_says_that_lars_left = "DELETE FROM people WHERE id = $1"
    owner = await connect(clone.owner_url)
    await owner.execute("ALTER TABLE people NO FORCE ROW LEVEL SECURITY")
    await owner.execute(owner_says_that_lars_left, LARS)
    await owner.execute("ALTER TABLE people FORCE ROW LEVEL SECURITY")
    await owner.close()
    await services.turn("directory", "failing")
    async with running(clone.app_url, services, clock) as gateway:
        assert [(await gateway.ask(ME, one)).status for one in ("lena", "lars")] == [200, 401]
        assert (await gateway.ask(ME, "sam")).status == 200, "of an organization nobody copied nothing is known"


async def test_a_user_who_is_revoked_is_out_everywhere_with_all_they_have(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with (
        running(clone.app_url, services, clock, **SETTINGS) as one,
        running(clone.app_url, services, clock, **SETTINGS) as other,
    ):
        given = [await let_in(process) for process in (one, other)]
        said: list[str] = []
        await local_accounts.revoke(settings_of(clone.app_url), LENA, said.append)
        assert "every process" in said[0]
        for process in (one, other):
            async with asyncio.timeout(10):
                while (await who(process, given[0].access)).status != 401:
                    pass
            assert (await who(process, given[1].access)).status == 401
            assert (await gateway_asks(process)).status == 401
            assert {(await renew(process, pair.refresh))["reason"] for pair in given} == {"ENDED"}
        clock.pass_by(timedelta(seconds=12))
        assert (await who(one, (await let_in(one)).access)).status == 200, "whoever may sign in begins anew"


async def gateway_asks(gateway: Gateway) -> Any:
    """Lena asks with a token that nobody noted when it was made."""
    return await gateway.ask(ME)


async def test_what_was_missed_while_nobody_could_be_told_is_noticed_within_a_minute(
    gateway: Gateway, database: Database, clock: Clock
) -> None:
    shown = token("lena", clock.now())
    assert (await who(gateway, shown)).status == 200
    await database.fetch(
        "INSERT INTO revocations SELECT '*', $1, '', now(), now() + interval '1 day' "
        "FROM act_as('*', 'system', 'system')",
        LENA,
    )
    assert (await who(gateway, shown)).status == 200
    clock.pass_by(MINUTE)
    assert (await who(gateway, shown)).status == 401


async def test_an_open_websocket_of_somebody_who_is_revoked_is_closed(gateway: Gateway, database: Database) -> None:
    async with served(gateway.app) as where, talking(where) as talk:
        await talk.greet(token("lena", gateway.clock.now()))
        await talk.subscribe(REFRESHED, variables={"subject": global_id("Learner", LENA)})
        await talk.hear()
        await sessions.revoke(database, LENA)
        assert await talk.closed() == (4403, "The token no longer holds: sign in again.")


async def test_an_open_stream_of_somebody_who_is_deactivated_ends(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with (
        running(clone.app_url, services, clock, standing_seconds=0.05) as gateway,
        served(gateway.app) as where,
    ):
        body = {"query": REFRESHED, "variables": {"subject": global_id("Learner", LENA)}}
        async with streaming(where, token("lena", clock.now()), "text/event-stream", body) as response:
            lines = response.aiter_lines()
            while "answerRefreshed" not in await anext(lines):
                pass
            services.spoil = says(LENA, isActive=False)
            clock.pass_by(timedelta(seconds=1))
            rest = "\n".join([line async for line in lines])
        assert '"code":"UNAUTHENTICATED"' in rest
        assert rest.rstrip().endswith("data:") or "event: complete" in rest
