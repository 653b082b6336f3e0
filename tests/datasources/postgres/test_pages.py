"""Pages of people: put together they are the whole list, in order, however one walks."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from datasources.postgres import pages, roster
from datasources.postgres.pages import Page, Wanted, Window
from datasources.postgres.session import Actor, Database
from tests.cast import ACME, OLGA, TOMAS
from tests.datasources.postgres.rosters import ALGEBRA, NOW, acme, place, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datasources.postgres.pages import Key
    from datasources.postgres.people import Person
    from tests.conftest import Clone

# Ties, case, accents and the sort of neighbours that a language would put elsewhere.
NAMES = ("Ann", "Ann", "Ann", "ann", "Zoe", "Émile", "a b", "ab", "Ann")
ADMIN = Actor(ACME, OLGA, "org-admin")


@pytest_asyncio.fixture
async def crowd(module_clone: Clone) -> AsyncIterator[Database]:
    database = await Database.open(module_clone.app_url, size=1)
    told = acme()
    learners = [user(f"{n % 4}-{n}", name, "learner") for n, name in enumerate(NAMES)]
    trained = tuple(place(one.id, left=n == 8) for n, one in enumerate(learners) if n % 2 == 0)
    staff = [one for one in told.people if "learner" not in one.roles or one.id == TOMAS]
    staff = [replace(one, roles=("trainer",)) if one.id == TOMAS else one for one in staff]
    await roster.sync(database, replace(told, people=staff + learners, enrollments={ALGEBRA: trained}))
    yield database
    await database.close()


async def page_of(  # noqa: PLR0913 - the four arguments of a Relay page are four
    database: Database,
    actor: Actor,
    *,
    first: int | None = None,
    after: Key | None = None,
    last: int | None = None,
    before: Key | None = None,
    trainer: str | None = None,
) -> Page:
    part = Window(first, after, last, before)
    return await pages.page(database, actor, Wanted(trainer=trainer), part, since=NOW, until=NOW)


def cursor(person: Person) -> Key:
    return None, person.name, person.id


def ids(page: Page) -> list[str]:
    return [person.id for _, person in page.rows]


async def whole(database: Database) -> tuple[Person, ...]:
    return tuple(person for _, person in (await page_of(database, ADMIN, first=100)).rows)


async def test_the_order_is_by_name_and_then_by_id(crowd: Database) -> None:
    everyone = await whole(crowd)
    assert [cursor(one) for one in everyone] == sorted((cursor(one) for one in everyone), key=lambda key: key[1:])
    assert len(everyone) == len(NAMES)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 9, 10])
async def test_pages_put_together_are_the_whole_forwards(crowd: Database, size: int) -> None:
    everyone = [one.id for one in await whole(crowd)]
    walked: list[str] = []
    after, page = None, None
    while page is None or page.has_next:
        page = await page_of(crowd, ADMIN, first=size, after=after)
        assert page.has_previous == bool(walked)
        assert page.total == len(NAMES)
        walked += ids(page)
        after = page.rows[-1][0]
    assert walked == everyone


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 9, 10])
async def test_pages_put_together_are_the_whole_backwards(crowd: Database, size: int) -> None:
    everyone = [one.id for one in await whole(crowd)]
    walked: list[str] = []
    before, page = None, None
    while page is None or page.has_previous:
        page = await page_of(crowd, ADMIN, last=size, before=before)
        assert page.has_next == bool(walked)
        walked = ids(page) + walked
        before = page.rows[0][0]
    assert walked == everyone


async def test_every_window_is_the_slice_it_should_be(crowd: Database) -> None:
    everyone = await whole(crowd)
    places = range(len(everyone))
    for low, high, size, backwards in product([None, *places], [None, *places], [0, 2, 20], [False, True]):
        page = await page_of(
            crowd,
            ADMIN,
            first=None if backwards else size,
            last=size if backwards else None,
            after=None if low is None else cursor(everyone[low]),
            before=None if high is None else cursor(everyone[high]),
        )
        inside = list(places)[0 if low is None else low + 1 : high]
        wanted = inside[len(inside) - min(size, len(inside)) :] if backwards else inside[:size]
        assert ids(page) == [everyone[n].id for n in wanted]
        if wanted:
            assert page.has_previous == (wanted[0] > 0)
            assert page.has_next == (wanted[-1] < len(everyone) - 1)


async def test_a_page_is_one_statement_whatever_its_size(crowd: Database) -> None:
    before = crowd.statements
    await page_of(crowd, ADMIN, first=1)
    await page_of(crowd, ADMIN, last=100)
    assert crowd.statements == before + 2


async def test_a_trainer_pages_through_those_they_teach_now(crowd: Database) -> None:
    for actor in (Actor(ACME, TOMAS, "trainer"), ADMIN):
        page = await page_of(crowd, actor, trainer=TOMAS, first=3)
        assert (page.total, len(page.rows), page.has_next) == (4, 3, True)
        assert all(TOMAS in person.trainers for _, person in page.rows)


async def test_a_learner_pages_through_themselves(crowd: Database) -> None:
    page = await page_of(crowd, Actor(ACME, "0-0", "learner"), first=9)
    assert (ids(page), page.total) == (["0-0"], 1)


async def test_nobody_is_on_a_page_of_nobody(crowd: Database) -> None:
    page = await page_of(crowd, Actor("nowhere", OLGA, "org-admin"), first=9)
    assert page == Page((), 0, has_next=False, has_previous=False)


@pytest.mark.parametrize(("first", "last"), [(None, None), (1, 1), (-1, None), (None, -1)])
async def test_a_page_of_no_sense_is_refused(crowd: Database, first: int | None, last: int | None) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        await page_of(crowd, ADMIN, first=first, last=last)
