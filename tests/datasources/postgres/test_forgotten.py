"""Whoever is forgotten stays forgotten: what was begun before, and ends later, brings no row of theirs back."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from datasources.postgres import answers, choices, erasure, jobs, prune, reports, roster
from datasources.postgres.connection import connect
from datasources.postgres.facts import KeptFacts
from datasources.postgres.jobs import PLATFORM, Kind, Wanted
from datasources.postgres.reports import Report, ReportFormat
from datasources.postgres.session import Actor, Database, system
from tests.cast import ACME, LARS, LENA, OTHER, SAM, TOMAS
from tests.datasources.postgres.rosters import NOW, acme, asked, kept, other
from tests.datasources.postgres.test_erasure import rows

if TYPE_CHECKING:
    from tests.conftest import Clone

TERM = prune.FORGOTTEN
OF_LENA = [("course/Progress", LENA, "{}", NOW), ("course/Enrollments", "algebra", f'["{LENA}", "{LARS}"]', NOW)]
OF_LARS = [("course/Progress", LARS, "{}", NOW)]


async def naming(clone: Clone, person: str, organization: str = ACME) -> dict[str, list[str]]:
    """The rows of an organization that name somebody."""
    read = await rows(clone, organization)
    return {name: found for name, all_of in read.items() if (found := [row for row in all_of if person in row])}


async def test_an_answer_begun_before_is_not_kept_after(database: Database, clone: Clone) -> None:
    await roster.sync(database, acme())
    about = {asked("learner", LENA): kept(), asked("course", "algebra"): kept(value=json.dumps({"worst": LENA}))}
    of_lars = {asked("learner", LARS): kept()}
    await erasure.forget(database, ACME, LENA)
    assert await answers.keep(database, ACME, about | of_lars) == 1
    assert await naming(clone, LENA) == {}
    assert (await answers.read(database, system(ACME), list(of_lars))).keys() == of_lars.keys()


async def test_nothing_is_told_of_an_answer_that_was_not_kept(database: Database) -> None:
    heard: list[Any] = []
    await erasure.forget(database, ACME, LENA)
    async with database.listen(answers.CHANNEL, heard.append):
        await answers.keep(database, ACME, {asked("learner", LENA): kept()})
        await answers.keep(database, ACME, {asked("learner", LARS): kept()})
        while not heard:
            await database.ping()
    assert [one.questions for one in map(answers.changed, heard)] == [(asked("learner", LARS),)]


async def test_a_fact_begun_before_is_not_kept_after(database: Database, clone: Clone) -> None:
    await erasure.forget(database, ACME, LENA)
    await KeptFacts(database).keep(ACME, OF_LENA + OF_LARS)
    assert await naming(clone, LENA) == {}
    assert (await naming(clone, LARS)).keys() == {"facts system"}


async def test_a_roster_read_before_brings_nobody_back(database: Database, clone: Clone) -> None:
    await roster.sync(database, acme())
    await erasure.forget(database, ACME, LENA)
    await erasure.forget(database, ACME, TOMAS)
    assert await roster.sync(database, acme(NOW + timedelta(hours=1)))
    assert await naming(clone, LENA) == {}
    assert await naming(clone, TOMAS) == {}
    assert (await naming(clone, LARS)).keys() >= {"people system", "enrollments system"}


async def test_an_organization_that_is_copied_for_the_first_time_knows_nobody_who_was_forgotten_everywhere(
    database: Database, clone: Clone
) -> None:
    for person in (LENA, TOMAS):
        await erasure.forget(database, PLATFORM, person)
    assert await roster.sync(database, acme())
    await answers.keep(database, ACME, {asked("learner", LENA): kept()})
    assert await naming(clone, LENA) == {}
    assert await naming(clone, TOMAS) == {}
    assert (await naming(clone, LARS)).keys() >= {"people system", "enrollments system"}
    # It stands as long as the one that was set: not anew with each copy.
    now = await prune.present(database)
    assert await roster.sync(database, acme(NOW + timedelta(hours=1)))
    assert (await prune.expired(database, now + TERM)).tombstones == 4
    assert await roster.sync(database, acme(NOW + timedelta(hours=2)))
    assert (await naming(clone, LENA)).keys() >= {"people system", "enrollments system"}


async def test_a_copy_waits_for_what_is_being_forgotten_everywhere(database: Database, clone: Clone) -> None:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(database.session(system(PLATFORM)))
        forgetting = await session.connection()
        await forgetting.execute(text("SELECT remember_forgotten(:o, :person)"), {"o": PLATFORM, "person": LENA})
        copying = asyncio.create_task(roster.sync(database, acme()))
        await waiting_for_a_lock(clone)
        assert not copying.done()
    assert await copying
    assert await naming(clone, LENA) == {}


async def test_a_report_begun_before_is_not_kept_after_whoever_it_is_for(database: Database, clone: Clone) -> None:
    await erasure.forget(database, ACME, LENA)
    assert not await reports.keep(database, ACME, LENA, Report("of her", ReportFormat.CSV, NOW, "score,1"))
    assert not await reports.keep(database, ACME, TOMAS, Report("names her", ReportFormat.CSV, NOW, f"worst,{LENA}"))
    assert await reports.keep(database, ACME, TOMAS, Report("names Lars", ReportFormat.CSV, NOW, f"worst,{LARS}"))
    assert await naming(clone, LENA) == {}


async def test_whoever_still_has_a_token_leaves_no_choice_and_no_job(database: Database, clone: Clone) -> None:
    lena = Actor(ACME, LENA, "learner")
    await erasure.forget(database, ACME, LENA)
    await choices.show(database, lena, visible=False, at=NOW)
    await choices.decide(database, lena, "read this", "saved", at=NOW)
    assert await jobs.enqueue(database, lena, Kind.REFRESH, [Wanted(f"refresh {LENA}", "learner", LENA)]) == {}
    assert await naming(clone, LENA) == {}


async def test_a_job_of_the_night_that_named_them_names_nobody(database: Database, clone: Clone) -> None:
    await erasure.forget(database, ACME, LENA)
    chunk = Wanted("chunk", details={"learners": [LENA, LARS]})
    made = await jobs.enqueue(database, system(ACME), Kind.CHUNK, [chunk])
    assert made["chunk"].job.details == {"learners": [erasure.NOBODY, LARS]}
    assert await naming(clone, LENA) == {}


async def test_what_is_being_written_while_somebody_is_forgotten_goes_as_well(database: Database, clone: Clone) -> None:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(database.session(system(ACME)))
        writing = await session.connection()
        row = "INSERT INTO facts VALUES (:organization, 'course/Progress', :person, '{}', now())"
        await writing.execute(text(row), {"organization": ACME, "person": LENA})
        forgetting = asyncio.create_task(erasure.forget(database, ACME, LENA))
        await waiting_for_a_lock(clone)
        assert not forgetting.done()
    assert (await forgetting).rows == {"facts": 1}
    assert await naming(clone, LENA) == {}


async def waiting_for_a_lock(clone: Clone) -> None:
    """Until somebody waits for a lock of the database that is no row's."""
    owner = await connect(clone.owner_url)
    try:
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(10):
            while not await owner.fetchval(waits):
                pass
    finally:
        await owner.close()


async def test_the_same_id_elsewhere_is_somebody_else(database: Database, clone: Clone) -> None:
    await erasure.forget(database, ACME, SAM)
    await roster.sync(database, other())
    await KeptFacts(database).keep(OTHER, [("course/Progress", SAM, "{}", NOW)])
    assert (await naming(clone, SAM, OTHER)).keys() >= {"people system", "facts system"}


async def test_a_tombstone_says_when_and_nothing_of_whom(database: Database, clone: Clone) -> None:
    await erasure.forget(database, ACME, LENA)
    await erasure.forget(database, ACME, LENA)
    (row,) = (await rows(clone, ACME))["forgotten system"]
    assert LENA not in row
    # Digests do not tell that one of two organizations forgot the same person as the other.
    await erasure.forget(database, OTHER, LENA)
    (elsewhere,) = (await rows(clone, OTHER))["forgotten system"]
    assert row.split(",")[1] != elsewhere.split(",")[1]


async def test_after_its_term_a_tombstone_goes_and_the_directory_is_heard_again(
    database: Database, clone: Clone
) -> None:
    await roster.sync(database, acme())
    await erasure.forget(database, ACME, LENA)
    now = await prune.present(database)
    hour = timedelta(hours=1)
    assert (await prune.expired(database, now + TERM - hour)).tombstones == 0
    await roster.sync(database, acme(NOW + hour))
    assert await naming(clone, LENA) == {}
    assert (await prune.expired(database, now + TERM + hour)).tombstones == 1
    await roster.sync(database, acme(NOW + 2 * hour))
    assert (await naming(clone, LENA)).keys() >= {"people system", "enrollments system"}


def test_a_tombstone_stands_longer_than_anything_from_before_is_kept_in_memory_or_as_a_fact() -> None:
    assert prune.FORGOTTEN >= 2 * prune.FACTS
