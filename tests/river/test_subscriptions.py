"""Jobs and answers pushed to whoever listens, from any process to any other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from analytics.codec import global_id
from datasources.postgres import jobs
from datasources.postgres.connection import connect
from datasources.postgres.jobs import Kind, Status, Wanted
from datasources.postgres.session import Actor
from datasources.postgres.tables import AuditRow
from tests.cast import ACME, LARS, LENA, OLGA, TOMAS
from tests.gateway.served import PATIENCE, served, talking, until
from tests.river.banks import HOURS, Clock, Gateway, Services, running
from tests.river.bearers import token
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from datasources.postgres.session import Database
    from tests.conftest import Clone
    from tests.gateway.served import Talk

LENA_ASKS = Actor(ACME, LENA, "learner")
PROGRESS = "subscription($id: ID!) { jobProgress(id: $id) { id kind status progress attempts error } }"
REFRESHED = """
subscription($subject: ID!, $metrics: [MetricName!]) {
  answerRefreshed(subject: $subject, metrics: $metrics) {
    subject
    metric
    answer {
      __typename
      freshness { state calculatedAt refreshJob { id status } }
      ... on EngagementAnswer { value { level } }
    }
  }
}
"""
ENGAGEMENT = {"subject": global_id("Learner", LENA), "metrics": ["LEARNER_ENGAGEMENT"]}


@asynccontextmanager
async def listening(gateway: Gateway, query: str, variables: dict[str, Any], who: str = "lena") -> AsyncIterator[Talk]:
    """A subscription of somebody at one process."""
    async with served(gateway.app) as where, talking(where) as talk:
        await talk.greet(token(who, gateway.clock.now()))
        await talk.subscribe(query, variables=variables)
        yield talk


async def a_job(database: Database, once: str = "one") -> str:
    """A refresh that Lena asked for, which waits."""
    wanted = [Wanted(once, "learner", LENA, {"asked": [], "since": "2026-11-21T00:00:00+00:00", "inputs": False})]
    return (await jobs.enqueue(database, LENA_ASKS, Kind.REFRESH, wanted))[once].job.id


async def state(talk: Talk) -> tuple[str, int]:
    said = (await talk.hear())["payload"]["data"]["jobProgress"]
    return said["status"], said["progress"]


def progress_of(job: str) -> dict[str, str]:
    return {"id": global_id("Job", job)}


async def test_a_job_is_told_from_where_it_stands_to_its_end_by_another_process(
    gateway: Gateway, database: Database
) -> None:
    job = await a_job(database)
    async with listening(gateway, PROGRESS, progress_of(job)) as talk:
        assert await state(talk) == ("QUEUED", 0)
        claimed = await jobs.claim(database, ACME, job)
        assert claimed is not None
        assert await state(talk) == ("RUNNING", 0)
        for percent, told in ((40, 40), (30, None), (80, 80)):
            await jobs.report(database, claimed, Status.RUNNING, percent)
            if told is not None:
                assert await state(talk) == ("RUNNING", told)
        await jobs.report(database, claimed, Status.COMPLETED, 100, result={"answers": 1})
        assert await state(talk) == ("COMPLETED", 100)
        assert (await talk.hear())["type"] == "complete"
    assert gateway.world.hub.subscribers == 0


async def test_who_comes_back_hears_the_present_state_first_and_of_a_job_that_is_over_no_more(
    gateway: Gateway, database: Database
) -> None:
    job = await a_job(database)
    claimed = await jobs.claim(database, ACME, job)
    assert claimed is not None
    await jobs.report(database, claimed, Status.RUNNING, 55)
    async with listening(gateway, PROGRESS, progress_of(job)) as talk:
        assert await state(talk) == ("RUNNING", 55)
    await jobs.report(database, claimed, Status.FAILED, 55, error="course did not answer")
    async with listening(gateway, PROGRESS, progress_of(job)) as talk:
        assert await state(talk) == ("FAILED", 55)
        assert (await talk.hear())["type"] == "complete"


async def test_every_change_of_state_is_told_however_fast_it_passed(gateway: Gateway, database: Database) -> None:
    for n in range(5):
        job = await a_job(database, f"job {n}")
        async with listening(gateway, PROGRESS, progress_of(job)) as talk:
            told = [await state(talk)]
            claimed = await jobs.claim(database, ACME, job)
            assert claimed is not None
            for percent in range(0, 100, 7):
                await jobs.report(database, claimed, Status.RUNNING, percent)
            await jobs.report(database, claimed, Status.COMPLETED, 100)
            while told[-1][0] != "COMPLETED":
                told.append(await state(talk))
        assert list(dict(told)) == ["QUEUED", "RUNNING", "COMPLETED"]
        assert [percent for _, percent in told] == sorted(percent for _, percent in told)


async def test_a_job_that_is_cancelled_while_it_waits_ends_for_who_listens(
    gateway: Gateway, database: Database
) -> None:
    job = await a_job(database)
    async with listening(gateway, PROGRESS, progress_of(job)) as talk:
        assert await state(talk) == ("QUEUED", 0)
        await jobs.cancel(database, LENA_ASKS, job)
        assert await state(talk) == ("CANCELLED", 0)
        assert (await talk.hear())["type"] == "complete"


@pytest.mark.parametrize(
    ("who", "ident"),
    [("lars", None), ("sam", None), ("lena", global_id("Job", TOMAS)), ("lena", global_id("Learner", LENA))],
)
async def test_a_job_that_is_not_ones_own_is_not_there(
    gateway: Gateway, database: Database, who: str, ident: str | None
) -> None:
    job = await a_job(database)
    async with listening(gateway, PROGRESS, {"id": ident or global_id("Job", job)}, who) as talk:
        said = await talk.hear()
        (problem,) = said["payload"]["errors"]
        assert problem["extensions"]["code"] in {"NOT_FOUND", "BAD_USER_INPUT"}
        assert "No such job" in problem["message"] or "the id of a Job is wanted" in problem["message"]
        assert said["payload"]["data"] is None
        assert (await talk.hear())["type"] == "complete"


async def test_what_happened_while_the_listening_connection_was_away_is_told_when_it_is_back(
    gateway: Gateway, database: Database
) -> None:
    job = await a_job(database)
    ears = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    async with listening(gateway, PROGRESS, progress_of(job)) as talk:
        assert await state(talk) == ("QUEUED", 0)
        gone = await database.fetch(f"SELECT pg_terminate_backend(pid) FROM ({ears})")  # noqa: S608 - our own words
        assert [row[0] for row in gone] == [True]
        assert await jobs.claim(database, ACME, job) is not None
        assert await state(talk) == ("RUNNING", 0)


async def test_a_fresh_answer_is_pushed_by_the_process_that_did_not_work_it_out(
    clone: Clone, gateway: Gateway, services: Services, clock: Clock
) -> None:
    await gateway.dashboard()
    clock.pass_by(7 * HOURS)
    async with (
        a_worker(clone.app_url, services, clock) as worker,
        listening(gateway, REFRESHED, ENGAGEMENT) as talk,
    ):
        old = (await talk.hear())["payload"]["data"]["answerRefreshed"]
        assert (old["metric"], old["subject"]) == ("LEARNER_ENGAGEMENT", ENGAGEMENT["subject"])
        assert old["answer"]["freshness"]["state"] == "REFRESHING"
        assert old["answer"]["freshness"]["refreshJob"]["status"] == "QUEUED"
        clock.pass_by(HOURS / 60)
        assert {job.status for job in await worker.works_off()} == {Status.COMPLETED}
        new = (await talk.hear())["payload"]["data"]["answerRefreshed"]
    assert new["answer"]["freshness"]["state"] == "FRESH"
    assert new["answer"]["freshness"]["calculatedAt"] > old["answer"]["freshness"]["calculatedAt"]
    assert new["answer"]["__typename"] == "EngagementAnswer"
    assert new["answer"]["value"] == old["answer"]["value"]


async def test_an_answer_that_was_never_asked_for_is_worked_out_and_kept_for_the_next(gateway: Gateway) -> None:
    async with listening(gateway, REFRESHED, ENGAGEMENT) as talk:
        first = (await talk.hear())["payload"]["data"]["answerRefreshed"]
    assert first["answer"]["freshness"]["state"] == "FRESH"
    assert any(row.metric.startswith("learner-engagement@") for row in await gateway.kept())


async def test_without_names_all_answers_are_told_that_are_the_viewers_to_hear(gateway: Gateway) -> None:
    gateway_metrics: set[str] = set()
    subject = {"subject": ENGAGEMENT["subject"]}
    async with listening(gateway, REFRESHED, subject) as talk:
        while len(gateway_metrics) < 14:
            gateway_metrics.add((await talk.hear())["payload"]["data"]["answerRefreshed"]["metric"])
    assert "LEARNER_VELOCITY" in gateway_metrics


@pytest.mark.parametrize(
    ("who", "asked", "code"),
    [
        ("lena", {"subject": global_id("Learner", LARS)}, "NOT_FOUND"),
        ("sam", {"subject": global_id("Learner", LENA)}, "NOT_FOUND"),
        ("lena", {"subject": global_id("Job", LENA)}, "BAD_USER_INPUT"),
        ("lena", {"subject": "nonsense"}, "BAD_USER_INPUT"),
        ("lena", ENGAGEMENT | {"metrics": []}, "BAD_USER_INPUT"),
        ("lena", ENGAGEMENT | {"metrics": ["ORG_PERFORMANCE"]}, "BAD_USER_INPUT"),
    ],
)
async def test_what_cannot_be_listened_to_is_refused_with_a_reason(
    gateway: Gateway, who: str, asked: dict[str, Any], code: str
) -> None:
    async with listening(gateway, REFRESHED, asked, who) as talk:
        said = await talk.hear()
        assert said["payload"]["errors"][0]["extensions"]["code"] == code
        assert (await talk.hear())["type"] == "complete"
    assert gateway.world.hub.subscribers == 0


async def test_whoever_hears_anothers_answers_is_in_the_audit_while_the_stream_still_goes_on(gateway: Gateway) -> None:
    async with listening(gateway, REFRESHED, ENGAGEMENT, "tomas") as talk:
        await talk.hear()
        async with gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
            rows = (await session.exec(select(AuditRow))).all()
    assert [(row.kind, row.actor, row.subject) for row in rows] == [("answers.heard", TOMAS, LENA)]


async def test_who_leaves_while_it_is_written_down_what_they_heard_is_in_the_audit_all_the_same(
    gateway: Gateway, clone: Clone
) -> None:
    question = "query ($id: ID) { learner(id: $id) { analytics { velocity { withheld { reason } } } } }"
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    blocked = f"SELECT FROM pg_locks WHERE NOT granted AND relation = 'audit'::regclass AND {here}"
    owner = await connect(clone.owner_url)
    try:
        await owner.execute("BEGIN; LOCK TABLE audit IN SHARE MODE")
        async with asyncio.timeout(PATIENCE):
            async with listening(gateway, question, {"id": LENA}, "tomas") as talk:
                heard = (await talk.hear())["payload"]["extensions"]["requestId"]
                while not await owner.fetch(blocked):
                    pass
                talk.connection.transport.abort()
            await owner.execute("ROLLBACK")
            rows: Sequence[Any] = ()
            while not rows:
                async with gateway.world.database.session(Actor(ACME, OLGA, "org-admin")) as session:
                    rows = (await session.exec(select(AuditRow))).all()
    finally:
        await owner.close()
    assert [(row.kind, row.actor, row.subject, row.request_id) for row in rows] == [
        ("answers.heard", TOMAS, LENA, heard)
    ]


async def test_many_listen_to_one_job_and_each_hears_its_end(gateway: Gateway, database: Database) -> None:
    job = await a_job(database)

    async def to_the_end(where: str) -> str:
        async with talking(where) as talk:
            await talk.greet(token("lena", gateway.clock.now()))
            await talk.subscribe(PROGRESS, variables=progress_of(job))
            while (await state(talk))[0] != "COMPLETED":
                pass
            kind: str = (await talk.hear())["type"]
            return kind

    async with served(gateway.app) as where:
        heard = [asyncio.create_task(to_the_end(where)) for _ in range(20)]
        await until(lambda: gateway.world.hub.subscribers == 20)
        claimed = await jobs.claim(database, ACME, job)
        assert claimed is not None
        await jobs.report(database, claimed, Status.COMPLETED, 100)
        assert await asyncio.gather(*heard) == ["complete"] * 20


async def test_two_processes_tell_the_same(clone: Clone, gateway: Gateway, services: Services, clock: Clock) -> None:
    async with running(clone.app_url, services, clock) as other:
        job = await a_job(other.world.database)
        async with (
            listening(gateway, PROGRESS, progress_of(job)) as here,
            listening(other, PROGRESS, progress_of(job)) as there,
        ):
            assert [await state(one) for one in (here, there)] == [("QUEUED", 0)] * 2
            assert await jobs.claim(other.world.database, ACME, job) is not None
            assert [await state(one) for one in (here, there)] == [("RUNNING", 0)] * 2
