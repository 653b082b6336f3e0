"""Finding who an answer may be about: what the viewer may not see is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiodataloader import DataLoader

from analytics.declare import Role, Scope
from analytics.policy import NotFound, Subject, Unavailable, Viewer, may_see
from datasources.postgres import lists, people
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.people import Person
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from analytics.rosters import Choice, Rosters
    from analytics.trail import Trail
    from analytics.world import World
    from datasources.postgres.pages import Page, Window

NOT_NOW = "Who is who cannot be looked up just now. Ask again in a few seconds."

log = structlog.get_logger(__name__)

T = TypeVar("T")


def subject_of(person: Person, scope: Scope) -> Subject:
    """A person as a subject, in one of the roles they have."""
    taught_by = person.trainers if scope is Scope.LEARNER else frozenset()
    return Subject(scope, person.organization, person.id, taught_by)


class Subjects:
    """One request's way to people, courses and organizations, as its viewer may see them."""

    def __init__(self, world: World, viewer: Viewer, rosters: Rosters, trail: Trail) -> None:
        """The trail is told of everybody who is shown, and whose answers the order of a list gave away.

        Of a list that shows nobody it is told of the organization.
        """
        self._database = world.database
        self._roster = world.roster
        self._clock = world.clock
        self._viewer = viewer
        self._rosters = rosters
        self._trail = trail
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._people: DataLoader[str, Any] = DataLoader(self._read)
        self._taken: DataLoader[str, tuple[lists.Taken, ...]] = DataLoader(self._read_taken)
        self._taught: DataLoader[str, tuple[lists.Course, ...]] = DataLoader(self._read_taught)
        self._whole: DataLoader[str, Any] = DataLoader(self._read_whole)

    async def learner(self, id: str | None = None) -> Person:  # noqa: A002 - the field's own name
        """A learner, the viewer where no id is given.

        Raises:
            NotFound: there is no such learner, or none that the viewer may see.
            Unavailable: it cannot be looked up just now.
        """
        return await self._person(id, Role.LEARNER, Scope.LEARNER)

    async def trainer(self, id: str | None = None) -> Person:  # noqa: A002 - the field's own name
        """A trainer, the viewer where no id is given.

        Raises:
            NotFound: there is no such trainer, or none that the viewer may see.
            Unavailable: it cannot be looked up just now.
        """
        return await self._person(id, Role.TRAINER, Scope.TRAINER)

    async def organization(self, id: str | None = None) -> people.Organization:  # noqa: A002 - the field's own name
        """An organization, the viewer's own where no id is given.

        Raises:
            NotFound: it is not the viewer's, or the directory does not know it.
        """
        own = self._viewer.organization
        if id in {None, own}:
            await self._roster.ready(own)
            try:
                found = await self._roster.organization(self._actor)
            except UNAVAILABLE as error:
                log.warning("subjects.not_read", error=type(error).__name__)
                return _untold(own)
            if found is not None:
                return found
            if await self._roster.missing(own):
                return _untold(own)
        with self._trail.asking("organization", id):
            raise NotFound(_missing("organization"))

    async def learners(self, of: Subject, choice: Choice, window: Window, *, counted: bool) -> Page:
        """A page of the learners of a trainer or an organization.

        Raises:
            NotAllowed: the viewer may not hear what the list is ordered or filtered by.
            Unavailable: nobody knows yet who they are, or the database does not answer.
        """
        with self._trail.asking("learners", of.id):
            page = await self._page(lambda: self._rosters.learners(of, choice, window, counted=counted))
        if metrics := len(choice.metrics):
            for _, learner in page.rows:
                self._trail.heard(learner.id, metrics)
            if not page.rows and self._viewer.role is not Role.LEARNER:
                # That nobody of such a name is at such a level tells of them as well, and so does a total alone.
                self._trail.heard(self._viewer.organization, metrics)
        return self._shown(page)

    async def trainers(self, window: Window, *, counted: bool) -> Page:
        """A page of the organization's trainers, by name, as far as the viewer may see them.

        Raises:
            Unavailable: nobody knows yet who they are, or the database does not answer.
        """
        return self._shown(await self._page(lambda: self._rosters.trainers(window, counted=counted)))

    async def courses(self, of: Subject) -> Sequence[lists.Course]:
        """The courses of an organization, or those a trainer teaches, by start and id; what the viewer may see.

        Raises:
            Unavailable: they cannot be looked up just now.
        """
        if of.scope is Scope.TRAINER:
            return await self._taught.load(of.id)
        courses: Sequence[lists.Course] = await self._whole.load("courses")
        return courses

    async def courses_taken(self, learner: Subject) -> Sequence[lists.Taken]:
        """The courses a learner takes or took, by start and id, as far as the viewer may see them.

        Raises:
            Unavailable: they cannot be looked up just now.
        """
        return await self._taken.load(learner.id)

    async def headcounts(self) -> lists.Headcounts | None:
        """How many learners belong where; None for who may not see everybody in the organization.

        Raises:
            Unavailable: they cannot be counted just now.
        """
        if self._viewer.role is not Role.ORG_ADMIN:
            return None
        found: lists.Headcounts = await self._whole.load("headcounts")
        return found

    async def _person(self, id: str | None, role: Role, scope: Scope) -> Person:  # noqa: A002 - as above
        viewer = self._viewer
        if id is None and role not in viewer.roles:
            raise NotFound(f"You are no {scope.value}; say which one you mean with an id.")  # noqa: EM102, TRY003 - said once
        wanted = id or viewer.user
        await self._roster.ready(viewer.organization)
        own = wanted == viewer.user and role in viewer.roles
        person: Person | None
        try:
            person = await self._people.load(wanted)
        except Unavailable:
            if not own:
                raise
            person = _by_token(viewer)
        if person is None and (missing := await self._roster.missing(viewer.organization)):
            if not own:
                raise Unavailable(_unknown(missing))
            person = _by_token(viewer)
        if person is None or role.value not in person.roles or not may_see(viewer, subject_of(person, scope)):
            with self._trail.asking(scope.value, wanted):
                raise NotFound(_missing(scope.value))
        self._trail.seen(person.id)
        return person

    async def _read(self, ids: list[str]) -> list[Person | Exception | None]:
        found = await self._roster.persons(self._actor, ids)
        return [found[person] if person in found else Unavailable(NOT_NOW) for person in ids]

    async def _read_taken(self, learners: list[str]) -> list[tuple[lists.Taken, ...]]:
        found = await self._listed(lists.taken(self._database, self._actor, learners, self._clock()))
        return [found[learner] for learner in learners]

    async def _read_taught(self, trainers: list[str]) -> list[tuple[lists.Course, ...]]:
        found = await self._listed(lists.taught(self._database, self._actor, trainers))
        return [found[trainer] for trainer in trainers]

    async def _read_whole(self, names: list[str]) -> list[Any]:
        """What there is one of in an organization, by name."""
        reads = {"courses": lists.courses, "headcounts": lists.headcounts}
        return [await self._listed(reads[name](self._database, self._actor)) for name in names]

    async def _page(self, read: Callable[[], Awaitable[Page]]) -> Page:
        """A page of people; refused while they are not known, since it would say that there is nobody."""
        if missing := await self._roster.missing(self._viewer.organization):
            raise Unavailable(_unknown(missing))
        return await self._listed(read())

    def _shown(self, page: Page) -> Page:
        for _, person in page.rows:
            self._trail.seen(person.id)
        return page

    async def _listed(self, read: Awaitable[T]) -> T:
        try:
            return await read
        except UNAVAILABLE as error:
            log.warning("subjects.not_read", error=type(error).__name__)
            raise Unavailable(NOT_NOW) from error


def _by_token(viewer: Viewer) -> Person:
    """The viewer as their token knows them, while the directory has not told of them."""
    return Person(
        organization=viewer.organization,
        id=viewer.user,
        name=viewer.name or f"Member {viewer.user[:8]}",
        email=None,
        roles=tuple(role.value for role in sorted(viewer.roles)),
        department=None,
        region=None,
        age_band=None,
        courses=(),
        trainers=frozenset(),
    )


def _untold(organization: str) -> people.Organization:
    """The viewer's organization, while nobody has told of it."""
    return people.Organization(organization, f"Organization {organization[:8]}", None, None, (), ())


def _unknown(missing: frozenset[str]) -> str:
    return f"Who is here is not known yet: {' and '.join(sorted(missing))} did not answer. Ask again in a few seconds."


def _missing(what: str) -> str:
    return f"No such {what}, or not one that you may see."
