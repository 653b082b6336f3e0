"""The short way: what is asked again is answered without the executor, and nobody can tell."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

from analytics.roster import REMEMBERED
from datasources.postgres.connection import connect
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, LENA, OLGA, SAM
from tests.river.banks import running
from tests.river.bearers import token

if TYPE_CHECKING:
    from tests.conftest import Clone, Server
    from tests.river.banks import Clock, Gateway, Reply, Services

MINUTE = timedelta(minutes=1)


def ways(gateway: Gateway) -> Any:
    """How often which way was taken."""
    return gateway.app.state.door.way.statistics()


def without_id(reply: Reply) -> bytes:
    body = {**reply.body, "extensions": {**reply.body["extensions"], "requestId": ""}}
    return orjson.dumps(body)


async def test_the_ordinary_way_answers_first_then_a_plan_then_what_is_kept(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as first:
        worked_out = await first.dashboard()
    async with running(clone.app_url, services, clock) as gateway:
        ordinary = await gateway.dashboard()
        await gateway.settled()
        await gateway.heard()
        gateway.world.memory.clear()
        planned = await gateway.dashboard()
        assert (ways(gateway).planned, ways(gateway).passed_on) == (1, 1)
        statements = gateway.world.database.statements
        kept = await gateway.dashboard()
        assert ways(gateway).kept == 1
        assert gateway.world.database.statements == statements
    assert without_id(planned) == without_id(ordinary)
    assert planned.text.split('"extensions"')[0] == ordinary.text.split('"extensions"')[0]
    assert kept.text.replace('"MEMORY"', '"DATABASE"').split('"extensions"')[0] == planned.text.split('"extensions"')[0]
    assert worked_out.answers.keys() == kept.answers.keys()


async def test_without_memory_who_may_hear_what_is_not_asked_anew_each_time_but_answers_are_read(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, responses_mib=0, memory_mib=0, memory_answers=0) as gateway:
        await gateway.ask(MINE, "lena", id=LENA)
        await gateway.settled()
        await gateway.heard()
        await gateway.ask(MINE, "lena", id=LENA)  # so that she is known again
        told = [without_id(await gateway.ask(MINE, "lena", id=LENA)) for _ in range(4)]
        assert (ways(gateway).planned, ways(gateway).again) == (5, 3)
        assert told == [told[0]] * 4
        statements = gateway.world.database.statements
        await gateway.ask(MINE, "lena", id=LENA)
        assert gateway.world.database.statements == statements + 1
        gateway.world.roster.forget(ACME)
        await gateway.ask(MINE, "lena", id=LENA)
        assert ways(gateway).again == 4, "who belongs there may have changed"
        async with gateway.world.database.session(Actor(ACME, "system", "system")) as session:
            await (await session.connection()).execute(text("DELETE FROM answers WHERE subject = :who"), {"who": LENA})
        passed = ways(gateway).passed_on
        assert (await gateway.ask(MINE, "lena", id=LENA)).data["learner"]["displayName"] == "Lena"
        assert ways(gateway).passed_on == passed + 1, "what is gone is worked out the ordinary way"


ROSTER = """query ($first: Int, $after: String) { organization { name learners(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
  edges { cursor node { id displayName department analytics {
    velocity { value { paceRatio status } }
    engagement { value { overallScore } withheld { reason } freshness { calculatedAt } } } } } } } }"""


async def test_a_roster_is_one_statement_and_says_what_the_ordinary_way_says(gateway: Gateway) -> None:
    ordinary = await gateway.ask(ROSTER, "olga", first=5)
    await gateway.settled()
    planned = await gateway.ask(ROSTER, "olga", first=5)
    assert ways(gateway).planned == 1
    assert without_id(planned) == without_id(ordinary)
    after = planned.data["organization"]["learners"]["pageInfo"]["endCursor"]
    await gateway.ask(ROSTER, "olga", first=5, after=after)
    assert ways(gateway).planned == 1, "those on this page were never asked about"
    second = await gateway.ask(ROSTER, "olga", first=5, after=after)
    assert ways(gateway).planned == 2
    assert second.data["organization"]["learners"]["pageInfo"]["hasPreviousPage"] is True
    assert (await gateway.ask(ROSTER, "olga", first=5)).text.split('"ext')[0] == planned.text.split('"ext')[0]


MINE = """query Mine($id: ID) { learner(id: $id) { displayName analytics {
  engagement { value { overallScore } withheld { reason } } } } }"""


async def seen(gateway: Gateway, document: str, who: str, **variables: Any) -> Reply:
    """What somebody is told whose document is known to be asked again and again."""
    for _ in range(3):
        await gateway.ask(document, who, **variables)  # type: ignore[arg-type]  # a name of the cast
        await gateway.settled()
    return await gateway.ask(document, who, **variables)  # type: ignore[arg-type]  # as above


async def test_what_is_kept_for_one_viewer_is_never_told_to_another(gateway: Gateway) -> None:
    assert (await seen(gateway, MINE, "lena", id=LENA)).data["learner"]["displayName"] == "Lena"
    assert ways(gateway).kept > 0
    for who in ("sam", "lars", "tara"):
        for _ in range(4):
            reply = await gateway.ask(MINE, who, id=LENA)
            assert reply.codes == {"NOT_FOUND"}, who
    assert (await gateway.ask(MINE, None, id=LENA)).codes == {"UNAUTHENTICATED"}


async def test_what_others_heard_from_what_is_kept_is_in_the_audit_number_for_number(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as gateway:
        await seen(gateway, MINE, "olga", id=LENA)
        for _ in range(5):
            await gateway.ask(MINE, "olga", id=LENA)
        assert ways(gateway).kept >= 5
        asked = 9
    database = await Database.open(clone.app_url)
    heard = "SELECT sum((details ->> 'answers')::integer) FROM audit WHERE kind = 'answers.heard'"
    async with database.session(Actor(ACME, OLGA, "org-admin")) as session:
        assert (await (await session.connection()).exec_driver_sql(heard)).scalar() == asked
    await database.close()


async def test_what_changes_is_told_at_once(gateway: Gateway) -> None:
    await seen(gateway, MINE, "lena")
    kept = ways(gateway).kept
    gateway.world.changed(ACME, {LENA})
    await gateway.ask(MINE, "lena")
    assert ways(gateway).kept == kept
    await gateway.ask(MINE, "lena")
    assert ways(gateway).kept == kept + 1


async def test_after_a_while_it_is_looked_up_again(gateway: Gateway, clock: Clock) -> None:
    await seen(gateway, MINE, "lena")
    kept = ways(gateway).kept
    clock.pass_by(REMEMBERED)
    await gateway.ask(MINE, "lena")
    assert ways(gateway).kept == kept


async def test_a_stale_answer_goes_the_ordinary_way_and_a_job_is_made(gateway: Gateway, clock: Clock) -> None:
    document = "{ viewer { learner { analytics { engagement { freshness { state } } } } } }"
    await seen(gateway, document, "lena")
    passed_on = ways(gateway).passed_on
    clock.pass_by(7 * 60 * MINUTE)
    gateway.world.memory.clear()
    for _ in range(2):
        told = (await gateway.ask(document, "lena")).data
    assert told["viewer"]["learner"]["analytics"]["engagement"]["freshness"]["state"] == "REFRESHING"
    assert ways(gateway).passed_on == passed_on + 2


async def test_a_hash_that_is_asked_for_stays_known(gateway: Gateway) -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": sha256(MINE.encode()).hexdigest()}}
    headers = {"authorization": f"Bearer {token('lena', gateway.clock.now())}"}
    await seen(gateway, MINE, "lena")
    await gateway.post({"query": MINE, "extensions": persisted}, headers)
    replies = [await gateway.post({"extensions": persisted}, headers) for _ in range(4)]
    assert {reply.text.split('"ext')[0] for reply in replies} == {replies[0].text.split('"ext')[0]}
    assert ways(gateway).kept >= 4


async def test_what_is_kept_is_told_while_the_database_does_not_answer(
    server: Server, clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, patience=2.0) as gateway:
        before = await seen(gateway, MINE, "lena")
        clock.pass_by(REMEMBERED + MINUTE)
        await gateway.ask("{ viewer { id } }", "lena")  # so that today's token is known
        owner = await connect(f"{server.owner_url.rpartition('/')[0]}/{clone.app_url.rpartition('/')[2]}")
        async with owner.transaction():
            await owner.execute("LOCK TABLE people, answers IN ACCESS EXCLUSIVE MODE")
            gateway.world.memory.clear()
            told = await gateway.ask(MINE, "lena")
        await owner.close()
        assert ways(gateway).at_worst == 1
    assert told.data == before.data


async def test_a_process_that_was_never_asked_about_an_organization_looks_for_its_copy_and_takes_the_short_way(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as first:
        ordinary = await seen(first, MINE, "lena", id=LENA)
    async with running(clone.app_url, services, clock) as gateway:
        await gateway.ask(MINE, "sam", id=SAM)  # the document is known by now, her organization is not
        passed = ways(gateway).passed_on
        assert (await gateway.ask(MINE, "lena", id=LENA)).data == ordinary.data
        assert (ways(gateway).planned, ways(gateway).passed_on) == (1, passed)
