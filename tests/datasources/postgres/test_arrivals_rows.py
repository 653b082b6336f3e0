"""Coming in, as the database knows it: each gets exactly what is not fresh of their own, once, and nobody else's."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from datasources.postgres import answers, arrivals, jobs, roster
from datasources.postgres.arrivals import ARRIVED, WHOEVER, Own
from datasources.postgres.connection import connect
from datasources.postgres.jobs import Kind, Wanted
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import HOUR, NOW, acme, asked, kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.conftest import Clone

LENA_COMES = Actor(ACME, LENA, "learner")
LARS_COMES = Actor(ACME, LARS, "learner")
SAM_COMES = Actor(OTHER, SAM, "learner")
METRICS = ("mastery@1", "pace@1", "velocity@2")
BEFORE_ALL = "0001-01-01T00:00:00.000001+00:00"


def own(*metrics: str, scope: str = "learner", arguments: str = "") -> list[Own]:
    return [
        Own(
            scope,
            metric,
            arguments,
            f"answer {scope} {WHOEVER} {metric} {arguments}",
            json.dumps({"asked": [[metric, arguments]], "since": BEFORE_ALL, "inputs": False, ARRIVED: True}),
        )
        for metric in metrics
    ]


OF_LEARNERS = own(*METRICS)


async def come(
    database: Database,
    *actors: Actor,
    questions: Iterable[Own] = OF_LEARNERS,
    subjects: Mapping[Actor, str] | None = None,
    lately: timedelta = HOUR,
) -> int:
    theirs = subjects or {actor: actor.user for actor in actors}
    return (await arrivals.look_after(database, theirs, list(questions), NOW, lately)).made


async def made(database: Database, organization: str = ACME) -> list[Any]:
    """Every job of an organization, as the gateway itself sees them."""
    async with database.session(system(organization)) as session:
        rows = await (await session.connection()).exec_driver_sql("SELECT * FROM jobs ORDER BY owner, once")
        return list(rows)


async def delivered(database: Database) -> int:
    found: int = (await database.fetch("SELECT count(*) FROM queue.pgqueuer"))[0][0]
    return found


@pytest.mark.parametrize(
    "fresh", [some for number in range(len(METRICS) + 1) for some in combinations(METRICS, number)], ids=" ".join
)
async def test_exactly_what_is_not_fresh_is_wanted(database: Database, fresh: tuple[str, ...]) -> None:
    until = {metric: NOW + (timedelta.resolution if metric in fresh else timedelta(0)) for metric in METRICS}
    rows = {asked("learner", LENA, metric): replace(kept(), expires_at=until[metric]) for metric in METRICS}
    await answers.keep(database, ACME, rows)
    assert await come(database, LENA_COMES) == len(METRICS) - len(fresh)
    jobs_made = await made(database)
    assert [job.details["asked"] for job in jobs_made] == [[[one, ""]] for one in METRICS if one not in fresh]
    assert await delivered(database) == len(jobs_made)


async def test_what_was_kept_is_worked_out_again_since_then_and_what_was_not_since_ever(database: Database) -> None:
    stale = replace(kept(), expires_at=NOW - HOUR, calculated_at=NOW - 2 * HOUR)
    await answers.keep(database, ACME, {asked("learner", LENA, "mastery@1"): stale})
    await come(database, LENA_COMES)
    since = [datetime.fromisoformat(job.details["since"]) for job in await made(database)]
    ever = datetime.fromisoformat(BEFORE_ALL)
    assert since == [stale.calculated_at + timedelta(microseconds=1), ever, ever]


async def test_an_answer_to_other_arguments_or_about_somebody_else_is_not_theirs(database: Database) -> None:
    await roster.sync(database, acme())
    rows = {
        asked("learner", LENA, "mastery@1", '{"window":"WEEK"}'): kept(),
        asked("learner", LARS, "mastery@1"): kept(),
        asked("trainer", LENA, "mastery@1"): kept(),
    }
    await answers.keep(
        database, ACME, {question: replace(row, expires_at=NOW + HOUR) for question, row in rows.items()}
    )
    assert await come(database, LENA_COMES, questions=own("mastery@1")) == 1


async def test_those_who_come_together_have_jobs_of_their_own_about_themselves(database: Database) -> None:
    before = database.statements
    assert await come(database, SAM_COMES, LENA_COMES, LARS_COMES) == 9
    assert database.statements == before + 1
    acme_has, other_has = await made(database), await made(database, OTHER)
    assert {(job.kind, job.owner, job.role, job.scope, job.subject, job.once.split()[2]) for job in acme_has} == {
        ("REFRESH", who, "learner", "learner", who, who) for who in (LENA, LARS)
    }
    assert {(job.owner, job.subject) for job in other_has} == {(SAM, SAM)}
    assert (len(acme_has), len(other_has)) == (6, 3)


async def test_admins_share_the_jobs_about_their_organization(database: Database) -> None:
    admins = [Actor(ACME, who, "org-admin") for who in (OLGA, TARA)]
    questions = [*own("kpis@1", scope="organization"), *own("skills@1", scope="market")]
    assert await come(database, questions=questions, subjects=dict.fromkeys(admins, ACME)) == 2
    assert {(job.scope, job.subject) for job in await made(database)} == {("organization", ACME), ("market", ACME)}


async def test_the_jobs_are_those_by_which_stale_answers_are_renewed(database: Database) -> None:
    await come(database, LENA_COMES, questions=own("mastery@1"))
    wanted = Wanted(f"answer learner {LENA} mastery@1 ", "learner", LENA)
    assert not (await jobs.enqueue(database, LENA_COMES, Kind.REFRESH, [wanted]))[wanted.once].fresh


@pytest.mark.parametrize("subject", [LARS, ACME, ""])
async def test_nobody_has_anything_made_about_others_and_nobody_with_them_has(database: Database, subject: str) -> None:
    await roster.sync(database, acme())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await come(database, subjects={LENA_COMES: subject, LARS_COMES: LARS})
    assert (await made(database), await delivered(database)) == ([], 0)


@pytest.mark.parametrize("role", ["", "nobody", "Learner"])
async def test_a_role_that_is_none_has_nothing_made(database: Database, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await come(database, Actor(ACME, LENA, role))
    assert await made(database) == []


async def test_who_came_in_lately_has_nothing_made_and_the_others_do(database: Database) -> None:
    assert await come(database, LENA_COMES, questions=own("mastery@1")) == 1
    assert await come(database, LENA_COMES, LARS_COMES) == len(METRICS)
    assert {job.owner for job in await made(database)} == {LENA, LARS}
    assert await come(database, LENA_COMES, lately=timedelta(0)) == len(METRICS) - 1, "the first is on its way"


async def test_a_refresh_for_another_reason_is_no_coming_in(database: Database) -> None:
    await roster.sync(database, acme())
    renewed = Wanted(f"answer learner {LENA} mastery@1 ", "learner", LENA, {"asked": [["mastery@1", ""]]})
    await jobs.enqueue(database, LENA_COMES, Kind.REFRESH, [renewed])
    # And somebody else's coming in is not hers, though it is about her.
    marked = Wanted("of lena", "learner", LENA, {ARRIVED: True})
    await jobs.enqueue(database, Actor(ACME, TOMAS, "trainer"), Kind.REFRESH, [marked])
    assert await come(database, LENA_COMES) == len(METRICS) - 1


async def test_a_full_queue_takes_nothing_and_one_with_room_does(database: Database) -> None:
    await database.fetch(
        "INSERT INTO queue.pgqueuer (priority, entrypoint, status) "
        "SELECT 0, 'full', 'queued' FROM generate_series(1, 20000)"
    )
    assert await come(database, LENA_COMES, LARS_COMES) == 0
    await database.fetch("DELETE FROM queue.pgqueuer WHERE id = (SELECT min(id) + 9 FROM queue.pgqueuer)")
    assert await come(database, LENA_COMES) == len(METRICS)
    assert await come(database, LARS_COMES) == 0, "it is full again"


async def test_deliveries_whose_ids_are_far_apart_do_not_fill_the_queue(database: Database) -> None:
    await come(database, LENA_COMES, questions=own("mastery@1"))
    await database.fetch(
        "INSERT INTO queue.pgqueuer (id, priority, entrypoint, status) VALUES (100000, 0, 'late', 'queued')"
    )
    assert await come(database, LARS_COMES) == len(METRICS)
    assert await come(database, SAM_COMES) == len(METRICS)


async def test_jobs_are_made_in_the_order_of_their_names_so_that_nobody_waits_in_a_circle(database: Database) -> None:
    await come(database, SAM_COMES, LARS_COMES, LENA_COMES, questions=OF_LEARNERS[::-1])
    names = {(where, job.id): job.once for where in (ACME, OTHER) for job in await made(database, where)}
    rows = await database.fetch("SELECT payload FROM queue.pgqueuer ORDER BY id")
    order = [(where, names[where, job]) for where, job in (json.loads(row["payload"]) for row in rows)]
    assert order == sorted(order)
    assert len(order) == 9


async def test_processes_that_look_after_the_same_at_once_make_each_job_once(clone: Clone, database: Database) -> None:
    other = await Database.open(clone.app_url, size=4)
    everybody = (LENA_COMES, LARS_COMES, SAM_COMES)
    there_and_back = [everybody, everybody[::-1]] * 4
    told = await asyncio.gather(
        *(come((database, other)[n % 2], *who, lately=timedelta(0)) for n, who in enumerate(there_and_back))
    )
    await other.close()
    assert sum(told) == len(everybody) * len(METRICS) == await delivered(database)


async def test_while_somebody_is_being_forgotten_in_one_organization_others_do_not_wait(
    database: Database, clone: Clone
) -> None:
    application = await connect(clone.app_url)
    async with application.transaction():
        await application.execute("SELECT pg_advisory_xact_lock(forgetting_lock($1))", ACME)
        theirs = {LENA_COMES: LENA, SAM_COMES: SAM}
        looked = await arrivals.look_after(database, theirs, OF_LEARNERS, NOW, HOUR)
    assert (looked.made, looked.put_off) == (len(METRICS), [LENA_COMES])
    await application.close()
    assert await come(database, LENA_COMES, SAM_COMES) == len(METRICS), "hers are made the next time"
