"""What one viewer was answered is kept in memory, in plans and in texts: none of it is another's to hear."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from analytics.declare import Role
from resolvers.ids import to_global
from tests.campus import small_campus
from tests.cast import LENA, TOMAS
from tests.river.banks import DASHBOARD, Clock, Services, running
from tests.river.bearers import token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone
    from tests.river.banks import Gateway, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENGAGEMENT = "engagement { value { level } freshness { tier } withheld { reason } }"
OF = f"query ($id: ID) {{ learner(id: $id) {{ userId displayName analytics {{ {ENGAGEMENT} }} }} }}"
MINE = f"{{ viewer {{ learner {{ userId displayName analytics {{ {ENGAGEMENT} }} }} }} }}"
TRAINERS = """query ($id: ID) { trainer(id: $id) { analytics { courseHealth {
  value { __typename } freshness { tier } withheld { reason } } } } }"""
ALL = (Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(module_clone: Clone) -> AsyncIterator[Gateway]:
    """A process that holds Lena's answers in memory."""
    async with running(module_clone.app_url, Services(small_campus()), Clock()) as opened:
        await opened.dashboard()
        await opened.settled()
        assert tier(await opened.ask(OF, "lena", id=LENA)) == "MEMORY"
        yield opened


def tier(reply: Reply) -> str:
    said: str = reply.data["learner"]["analytics"]["engagement"]["freshness"]["tier"]
    return said


async def acting(gateway: Gateway, who: str, role: Role, document: str, **variables: Any) -> Reply:
    """What somebody is answered whose token has all roles, and who acts in one."""
    shown = token(who, gateway.clock.now(), roles=ALL)
    headers = {"authorization": f"Bearer {shown}", "x-active-role": role.value}
    return await gateway.send(document, variables, headers)


async def test_an_answer_in_memory_is_told_to_whom_it_concerns_alone(gateway: Gateway) -> None:
    for _ in range(3):
        for who in ("lena", "tomas", "olga"):
            assert tier(await gateway.ask(OF, who, id=LENA)) == "MEMORY"
        for who in ("lars", "tara", "sam"):
            reply = await gateway.ask(OF, who, id=LENA)
            assert reply.codes == {"NOT_FOUND"}
            assert "level" not in reply.text


async def test_who_changes_role_hears_what_that_role_hears_and_nothing_of_the_one_before(gateway: Gateway) -> None:
    for _ in range(2):
        assert tier(await acting(gateway, "tara", Role.ORG_ADMIN, OF, id=LENA)) == "MEMORY"
        for role in (Role.TRAINER, Role.LEARNER):
            reply = await acting(gateway, "tara", role, OF, id=LENA)
            assert reply.codes == {"NOT_FOUND"}
        theirs = await acting(gateway, "olga", Role.ORG_ADMIN, TRAINERS, id=TOMAS)
        assert theirs.data["trainer"]["analytics"]["courseHealth"]["value"]
        assert (await acting(gateway, "olga", Role.TRAINER, TRAINERS, id=TOMAS)).codes == {"NOT_FOUND"}


async def test_of_many_who_ask_at_once_each_hears_their_own(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as fresh:
        asked = [(who, fresh.ask(MINE, who)) for who in ("lena", "lars", "sam") * 8]
        others = [fresh.ask(OF, who, id=LENA) for who in ("lars", "sam", "tara") * 4]
        heard = await asyncio.gather(*(one for _, one in asked))
        refused = await asyncio.gather(*others)
    for (who, _), reply in zip(asked, heard, strict=True):
        assert reply.data["viewer"]["learner"]["displayName"] == who.title()
    assert {code for reply in refused for code in reply.codes} == {"NOT_FOUND"}
    assert not any("score" in reply.text for reply in refused)


async def test_a_text_that_another_made_known_runs_with_ones_own_rights(gateway: Gateway) -> None:
    for document in (MINE, DASHBOARD):
        digest = sha256(document.encode()).hexdigest()
        by_hash = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        for who, sent in (("lena", document), ("lars", None), ("sam", None), ("lena", None)):
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(gateway.app), base_url="http://gateway"
            ) as client:
                reply = await client.post(
                    "/graphql",
                    json={"extensions": by_hash} | ({"query": sent} if sent else {}),
                    headers={"authorization": f"Bearer {token(who, gateway.clock.now())}"},
                )
            said = reply.json()["data"]["viewer"]["learner"]
            assert said.get("displayName", who.title()) == who.title()
            assert who == "lena" or LENA not in reply.text
            assert who == "lena" or to_global("Learner", LENA) not in reply.text


async def test_no_cache_on_the_way_keeps_an_answer_or_gives_it_to_another(gateway: Gateway) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:
        shown = {"authorization": f"Bearer {token('lena', gateway.clock.now())}"}
        replies = [
            await client.post("/graphql", json={"query": MINE}, headers=shown),
            await client.get("/graphql", params={"query": MINE}, headers=shown),
            await client.post("/graphql", json={"query": MINE}),
        ]
    for reply in replies:
        assert reply.headers["cache-control"] == "no-store"
        assert {"Authorization", "X-Active-Role"} <= {one.strip() for one in reply.headers["vary"].split(",")}
        assert "etag" not in reply.headers
