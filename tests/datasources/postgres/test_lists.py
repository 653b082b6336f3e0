"""Rosters: pages put together are the sorted whole, and nobody learns of whom they may not see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasources.postgres import answers, pages, roster
from datasources.postgres.pages import Among, Measure, Wanted, Window
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, LENA, OLGA, OTHER, SAM, TARA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, NOW, acme, asked, kept, other, place, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datasources.postgres.pages import Key, Page
    from tests.conftest import Clone

WEEK = timedelta(days=7)
RISK, ENGAGEMENT = Measure("risk@1"), Measure("engagement@2", '{"window":"MONTH"}')
LEVELS = ("LOW", "HIGH")
ADMIN = Actor(ACME, OLGA, "org-admin")
TEACHES = Actor(ACME, TOMAS, "trainer")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one learner: None where nothing is, or nothing that counts; a score of None is withheld."""

    score: float | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Pupil:
    """One learner of the crowd, as the test knows them."""

    id: str
    name: str
    department: str | None
    algebra: bool
    risk: Kept | None
    engagement: Kept | None


def _pupil(n: int) -> Pupil:
    """Names, scores and levels that repeat, so that most of the order is ties."""
    score = float(n % 3) * 10
    risk = (Kept(score, LEVELS[n % 2]), Kept(score, LEVELS[n % 2]), None, Kept(None, None))[n % 4]
    engagement = None if n % 5 == 0 else Kept(float(n % 2), LEVELS[n % 2])
    name = ("Ann Lee", "ann lee", "Émile", "50%_off", "Zoe")[n % 5]
    return Pupil(f"pupil-{n * 7 % 24:02}", name, ("Sales", "Research", None)[n % 3], n % 2 == 0, risk, engagement)


PUPILS = tuple(_pupil(n) for n in range(24))


@pytest_asyncio.fixture
async def crowd(module_clone: Clone) -> AsyncIterator[Database]:
    database = await Database.open(module_clone.app_url, size=1)
    told = acme()
    learners = [replace(user(one.id, one.name, "learner"), department=one.department) for one in PUPILS]
    staff = [replace(one, roles=("trainer",)) if one.id == TOMAS else one for one in told.people]
    staff = [one for one in staff if "learner" not in one.roles]
    taught = tuple(place(one.id) for one in PUPILS if one.algebra)
    await roster.sync(database, replace(told, people=staff + learners, enrollments={ALGEBRA: taught}))
    await roster.sync(database, other())
    rows = {
        asked("learner", one.id, measure.metric, measure.arguments): replace(
            kept(value=None if it.score is None else "{}", withheld="[]" if it.score is None else None),
            score=it.score,
            level=it.level,
        )
        for one in PUPILS
        for measure, it in ((RISK, one.risk), (ENGAGEMENT, one.engagement))
        if it is not None
    }
    # Of some nothing that counts is kept: too old, of a moment to come, or of another metric, version or argument.
    absent = [one.id for one in PUPILS if one.risk is None]
    rows[asked("learner", absent[0], RISK.metric)] = replace(kept(), calculated_at=NOW - WEEK - timedelta(seconds=1))
    rows[asked("learner", absent[1], RISK.metric)] = replace(kept(), as_of=NOW + timedelta(seconds=1))
    rows[asked("learner", absent[2], "risk@2")] = kept()
    rows[asked("learner", absent[3], RISK.metric, "{}")] = kept()
    await answers.keep(database, ACME, rows)
    await answers.keep(database, OTHER, {asked("learner", SAM, RISK.metric): kept()})
    yield database
    await database.close()


async def read(  # noqa: PLR0913 - what a test may vary
    database: Database,
    wanted: Wanted,
    *,
    actor: Actor = ADMIN,
    first: int | None = None,
    after: Key | None = None,
    last: int | None = None,
    before: Key | None = None,
    counted: bool = True,
    most_missing: int = 100,
) -> Page:
    part = Window(first, after, last, before)
    return await pages.page(
        database, actor, wanted, part, since=NOW - WEEK, until=NOW, counted=counted, most_missing=most_missing
    )


def ids(page: Page) -> list[str]:
    return [person.id for _, person in page.rows]


def level_fits(among: Among | None, it: Kept | None) -> bool | None:
    """Whether a level is one of those wanted; None where it is not known."""
    if among is None or not among.levels:
        return among is None
    return None if it is None or it.level is None else it.level in among.levels


def both(*fit: bool | None) -> bool | None:
    return False if False in fit else None if None in fit else True


def expected(wanted: Wanted, *, taught: bool = False) -> tuple[list[str], int, set[str]]:
    """The whole list, how many of it are unknown, and who is missing, worked out the simple way."""
    listed, unknown, missing = [], 0, set()
    for one in PUPILS:
        if (taught or wanted.trainer or wanted.course) and not one.algebra:
            continue
        if wanted.department not in {None, one.department}:
            continue
        if not all(pages.fold(word) in pages.fold(one.name) for word in wanted.words):
            continue
        number = {None: one.risk, RISK: one.risk, ENGAGEMENT: one.engagement}[wanted.by]
        fits = both(level_fits(wanted.risk, one.risk), level_fits(wanted.engagement, one.engagement))
        if fits is False:
            continue
        score = None if number is None or wanted.by is None else number.score
        if fits:
            listed.append((score, one))
        unknown += fits is None or (wanted.by is not None and score is None)
        used = (
            (wanted.by == RISK or wanted.risk, one.risk),
            (wanted.by == ENGAGEMENT or wanted.engagement, one.engagement),
        )
        if any(use and it is None for use, it in used):
            missing.add(one.id)
    sign = -1 if wanted.falling else 1
    if wanted.by is None:
        listed.sort(key=lambda row: (row[1].name, row[1].id), reverse=wanted.falling)
    else:
        listed.sort(key=lambda row: (row[0] is None, sign * (row[0] or 0), row[1].name, row[1].id))
    return [one.id for _, one in listed], unknown, missing


def among(measure: Measure) -> st.SearchStrategy[Among | None]:
    some = st.lists(st.sampled_from(LEVELS), unique=True).map(lambda levels: Among(measure, tuple(levels)))
    return st.none() | some


WANTED = st.builds(
    Wanted,
    trainer=st.sampled_from([None, None, TOMAS]),
    department=st.sampled_from([None, None, "Sales"]),
    course=st.sampled_from([None, None, ALGEBRA]),
    words=st.sampled_from([(), (), ("ANN",), ("emile",), ("%",), ("_o",), ("lee", "a"), ("nobody",)]),
    by=st.sampled_from([None, RISK, ENGAGEMENT]),
    falling=st.booleans(),
    risk=among(RISK),
    engagement=among(ENGAGEMENT),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=WANTED, size=st.sampled_from([1, 2, 5, 30]), counted=st.booleans(), as_trainer=st.booleans())
async def test_pages_put_together_are_the_sorted_whole_from_both_ends(
    crowd: Database, wanted: Wanted, size: int, *, counted: bool, as_trainer: bool
) -> None:
    actor = TEACHES if as_trainer else ADMIN
    whole, unknown, missing = expected(wanted, taught=as_trainer)
    forwards: list[str] = []
    page = None
    while page is None or page.has_next:
        after = page.rows[-1][0] if page else None
        page = await read(crowd, wanted, actor=actor, first=size, after=after, counted=counted)
        assert page.has_previous == bool(forwards)
        assert page.total == (len(whole) if counted else None)
        measured = wanted.by or wanted.risk or wanted.engagement
        assert (page.unknown, set(page.missing)) == ((unknown, missing) if measured else (page.unknown, set()))
        assert (page.unknown is None) == (not measured)
        forwards += ids(page)
    assert forwards == whole
    backwards: list[str] = []
    page = None
    while page is None or page.has_previous:
        before = page.rows[0][0] if page else None
        page = await read(crowd, wanted, actor=actor, last=size, before=before, counted=counted)
        assert page.has_next == bool(backwards)
        backwards = ids(page) + backwards
    assert backwards == whole


async def test_learners_without_a_number_are_last_in_both_directions(crowd: Database) -> None:
    nameless = {one.id for one in PUPILS if one.risk is None or one.risk.score is None}
    for falling in (False, True):
        rows = ids(await read(crowd, Wanted(by=RISK, falling=falling), first=100))
        assert set(rows[-len(nameless) :]) == nameless


async def test_a_page_is_one_statement_whatever_is_asked_of_it(crowd: Database) -> None:
    before = crowd.statements
    narrow = Wanted(trainer=TOMAS, department="Sales", course=ALGEBRA, words=("a",), by=RISK, falling=True)
    full = replace(narrow, risk=Among(RISK, LEVELS), engagement=Among(ENGAGEMENT, LEVELS))
    for wanted in (Wanted(), Wanted(by=RISK), full):
        for counted in (False, True):
            await read(crowd, wanted, first=100, counted=counted)
    assert crowd.statements == before + 6


async def test_not_more_are_said_to_be_missing_than_were_asked_for(crowd: Database) -> None:
    page = await read(crowd, Wanted(by=RISK), first=1, most_missing=2)
    assert len(page.missing) == 2
    assert (await read(crowd, Wanted(by=RISK), first=1, most_missing=0)).missing == ()


async def test_a_trainer_orders_their_own_learners_and_no_level_gives_another_away(crowd: Database) -> None:
    own = {one.id for one in PUPILS if one.algebra}
    others = {one.id for one in PUPILS if not one.algebra and one.risk and one.risk.level == "HIGH"}
    assert others
    high = Wanted(by=RISK, risk=Among(RISK, ("HIGH",)))
    for actor in (
        TEACHES,
        replace(TEACHES, user=TARA),
        Actor(ACME, "pupil-00", "learner"),
        Actor(OTHER, SAM, "org-admin"),
    ):
        for wanted in (
            high,
            replace(high, words=("lee",)),
            replace(high, course=ALGEBRA),
            replace(high, trainer=TOMAS),
        ):
            page = await read(crowd, wanted, actor=actor, first=100)
            seen = own if actor is TEACHES else {"pupil-00", SAM}
            assert set(ids(page)) <= seen
            assert set(page.missing) <= seen
            assert (page.total or 0) + (page.unknown or 0) <= len(seen)


async def test_an_answer_that_is_another_s_to_read_is_not_missing_for_ever(database: Database) -> None:
    """Tomas, as a trainer, sees himself among the learners, and may not read what is kept of him as one."""
    await roster.sync(database, acme())
    page = await read(database, Wanted(by=RISK), actor=TEACHES, first=9)
    assert (set(ids(page)), page.unknown, page.missing) == ({LENA, TOMAS}, 2, (LENA,))
