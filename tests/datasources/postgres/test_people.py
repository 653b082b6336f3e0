"""People, courses and rosters: what each actor hears of them, and what a new roster leaves behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmodel import select

from datasources.postgres import answers, audit, lists, pages, people, places, roster
from datasources.postgres.pages import Wanted, Window
from datasources.postgres.people import Organization, Person
from datasources.postgres.places import Learner
from datasources.postgres.session import Actor, system
from datasources.postgres.tables import AuditRow
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, BOTANY, HOUR, NOW, acme, asked, kept, other, place, user

if TYPE_CHECKING:
    from datasources.postgres.session import Database

LENA_ASKS = Actor(ACME, LENA, "learner")
TOMAS_ASKS = Actor(ACME, TOMAS, "trainer")
OLGA_ASKS = Actor(ACME, OLGA, "org-admin")
SAM_ASKS = Actor(OTHER, SAM, "org-admin")


async def _total(database: Database, actor: Actor, wanted: Wanted) -> int | None:
    return (await pages.page(database, actor, wanted, Window(first=9), since=NOW, until=NOW)).total


async def test_a_person_is_found_with_courses_and_trainers(database: Database) -> None:
    await roster.sync(database, acme())
    lena = Person(
        ACME, LENA, "Lena", "lena@example.org", ("learner",), None, "north", "0-35", (ALGEBRA,), frozenset({TOMAS})
    )
    before = database.statements
    assert await people.find(database, LENA_ASKS, [LENA, LARS, LENA, "nobody"]) == {LENA: lena}
    assert database.statements == before + 1
    assert await people.find(database, TOMAS_ASKS, [LENA, LARS]) == {LENA: lena}
    assert (await people.find(database, OLGA_ASKS, [LENA, LARS, TARA])).keys() == {LENA, LARS, TARA}


async def test_a_stranger_finds_nobody(database: Database) -> None:
    await roster.sync(database, acme())
    await roster.sync(database, other())
    for role in ("learner", "trainer", "org-admin", "system"):
        assert await people.find(database, Actor(OTHER, SAM, role), [LENA, LARS, TOMAS, OLGA]) == {}
        assert await lists.taught(database, Actor(OTHER, SAM, role), [TOMAS]) == {TOMAS: ()}
        assert await people.courses_of(database, Actor(OTHER, SAM, role), [LENA]) == {LENA: ()}


async def test_an_id_that_no_text_can_hold_finds_nobody(database: Database) -> None:
    await roster.sync(database, acme())
    assert await people.find(database, OLGA_ASKS, ["\0", f"{LENA}\0", "\ud800", "'", LENA]) != {}
    forged = Window(first=9, after=(None, "\0\ud800", "\0"))
    page = await pages.page(database, OLGA_ASKS, Wanted(), forged, since=NOW, until=NOW)
    assert page.total == 3


async def test_an_organization_knows_itself(database: Database) -> None:
    assert await people.organization(database, LENA_ASKS) is None
    await roster.sync(database, acme())
    found = Organization(ACME, "Acme", "acme.example", "Rockets", ("Here",), ("Research", "Sales"))
    assert await people.organization(database, LENA_ASKS) == found
    assert await people.organization(database, SAM_ASKS) is None


async def test_courses_of_a_learner_are_past_and_present(database: Database) -> None:
    await roster.sync(database, acme())
    found = (await people.courses_of(database, LENA_ASKS, [LENA]))[LENA]
    assert [(one.course.id, one.left_at is None, one.status) for one in found] == [
        (ALGEBRA, True, "active"),
        (BOTANY, False, "withdrawn"),
    ]
    assert [(one.course.trainers, one.course.learners) for one in found] == [
        (frozenset({TOMAS}), 1),
        (frozenset({TARA}), 1),
    ]
    assert await people.courses_of(database, LENA_ASKS, [LARS]) == {LARS: ()}


async def test_a_trainer_teaches_what_the_courses_say(database: Database) -> None:
    await roster.sync(database, acme())
    assert [course.id for course in (await lists.taught(database, TOMAS_ASKS, [TOMAS]))[TOMAS]] == [ALGEBRA]
    assert (await lists.taught(database, TOMAS_ASKS, [TARA]))[TARA] == ()
    assert [course.id for course in (await lists.taught(database, OLGA_ASKS, [TARA]))[TARA]] == [BOTANY]


async def test_peers_are_the_learners_of_a_course_now(database: Database) -> None:
    await roster.sync(database, acme())
    await roster.sync(database, other())
    assert await places.learners(database, ACME, ALGEBRA) == [Learner(LENA, None, "north", "0-35")]
    assert await places.learners(database, ACME, BOTANY) == [Learner(LARS, None, None, "0-35")]
    assert [peer.id for peer in await places.learners(database, ACME)] == [LENA, LARS, TOMAS]
    assert [peer.id for peer in await places.learners(database, OTHER)] == [SAM]


async def test_who_is_not_active_is_in_no_list(database: Database) -> None:
    told = acme()
    await roster.sync(database, replace(told, people=[replace(one, is_active=one.id != LENA) for one in told.people]))
    assert await places.learners(database, ACME, ALGEBRA) == []
    assert await _total(database, TOMAS_ASKS, Wanted(trainer=TOMAS)) == 0


async def test_a_new_roster_replaces_the_old_one(database: Database) -> None:
    await roster.sync(database, acme())
    both = [asked("learner", LARS), asked("learner", LENA), asked("course", BOTANY)]
    await answers.keep(database, ACME, dict.fromkeys(both, kept()))
    later = acme(NOW + HOUR, without=[LARS, BOTANY])
    newcomer = user("new", "Nora", "learner")
    later = replace(
        later, people=[*later.people, newcomer], enrollments={ALGEBRA: (place("new"), place(LENA, left=True))}
    )
    assert await roster.sync(database, later)
    everyone = await people.find(database, OLGA_ASKS, [LENA, LARS, "new"])
    assert everyone.keys() == {LENA, "new"}
    assert (everyone["new"].courses, everyone[LENA].courses) == ((ALGEBRA,), ())
    assert [course.id for course in (await lists.taught(database, OLGA_ASKS, [TARA]))[TARA]] == []
    assert (await lists.taught(database, TOMAS_ASKS, [TOMAS]))[TOMAS][0].learners == 1
    assert set(await answers.read(database, system(ACME), both)) == {asked("learner", LENA), asked("course", BOTANY)}
    assert await people.synced_at(database, ACME) == NOW + HOUR


async def test_a_large_roster_is_copied_in_time(database: Database) -> None:
    # Each statement has five seconds, and none may grow with the square of the number of people.
    crowd = [user(f"p{n}", f"Person {n}", "learner") for n in range(10_000)]
    told = acme()
    many = replace(told, people=[*told.people, *crowd], enrollments={ALGEBRA: tuple(place(one.id) for one in crowd)})
    assert await roster.sync(database, many)
    assert await roster.sync(database, many)
    assert await roster.sync(database, told)
    assert [peer.id for peer in await places.learners(database, ACME)] == [LENA, LARS, TOMAS]


async def test_an_older_roster_changes_nothing(database: Database) -> None:
    assert await people.synced_at(database, ACME) is None
    assert await roster.sync(database, acme(NOW))
    assert not await roster.sync(database, acme(NOW - HOUR, without=[LENA]))
    assert await people.find(database, OLGA_ASKS, [LENA])
    assert await people.synced_at(database, ACME) == NOW


async def test_a_roster_touches_no_other_organization(database: Database) -> None:
    await roster.sync(database, acme())
    await roster.sync(database, other())
    await roster.sync(database, replace(other(NOW + HOUR), people=(), courses=(), enrollments={}))
    assert await _total(database, SAM_ASKS, Wanted()) == 0
    assert await _total(database, OLGA_ASKS, Wanted()) == 3
    assert await people.synced_at(database, ACME) == NOW


async def test_people_of_other_organizations_are_left_out_of_a_roster(database: Database) -> None:
    told = other()
    mixed = replace(
        told,
        people=[*told.people, user(LENA, "Lena", "learner")],
        courses=[replace(told.courses[0], trainer_ids=(SAM, TOMAS))],
        enrollments={ALGEBRA: (place(SAM), place(LENA)), "unknown": (place(SAM),)},
    )
    await roster.sync(database, mixed)
    assert [peer.id for peer in await places.learners(database, OTHER)] == [SAM]
    (taken,) = (await people.courses_of(database, SAM_ASKS, [SAM]))[SAM]
    assert (taken.course.learners, taken.course.trainers) == (1, frozenset({SAM}))


async def test_a_name_with_a_character_that_no_text_can_hold_loses_it(database: Database) -> None:
    told = other()
    await roster.sync(database, replace(told, people=[replace(told.people[0], display_name="S\0am \U0001f393")]))
    assert (await people.find(database, SAM_ASKS, [SAM]))[SAM].name == "Sam \U0001f393"


async def test_an_audit_row_says_who_did_what(database: Database) -> None:
    before = database.statements
    await audit.record(
        database, TOMAS_ASKS, [audit.Event("learner.read", LENA, {"answers": 3}), audit.Event("sign-in")]
    )
    await audit.record(database, TOMAS_ASKS, [])
    assert database.statements == before + 1
    async with database.session(OLGA_ASKS) as session:
        rows = (await session.exec(select(AuditRow).order_by("id"))).all()
    assert [(row.actor, row.role, row.kind, row.subject, row.details) for row in rows] == [
        (TOMAS, "trainer", "learner.read", LENA, {"answers": 3}),
        (TOMAS, "trainer", "sign-in", None, {}),
    ]
    async with database.session(TOMAS_ASKS) as session:
        assert (await session.exec(select(AuditRow))).all() == []
