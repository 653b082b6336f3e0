"""Finding who an answer may be about: what the viewer may not see is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from aiodataloader import DataLoader

from analytics.declare import Role, Scope
from analytics.policy import NotFound, Subject, Unavailable, Viewer, may_see
from datasources.postgres import people
from datasources.postgres.connection import UNAVAILABLE
from datasources.postgres.people import Page, Person
from datasources.postgres.session import Actor, Database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.roster import Roster

NOT_NOW = "Who is who cannot be looked up just now. Ask again in a few seconds."

log = structlog.get_logger(__name__)


def subject_of(person: Person, scope: Scope) -> Subject:
    """A person as a subject, in one of the roles they have."""
    taught_by = person.trainers if scope is Scope.LEARNER else frozenset()
    return Subject(scope, person.organization, person.id, taught_by)


class Subjects:
    """One request's way to people, courses and organizations, as its viewer may see them."""

    def __init__(self, database: Database, roster: Roster, viewer: Viewer) -> None:
        self._database = database
        self._roster = roster
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._people: DataLoader[str, Any] = DataLoader(self._read)

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
        raise NotFound(_missing("organization"))

    async def learners(
        self,
        of: Subject,
        *,
        first: int | None = None,
        after: tuple[str, str] | None = None,
        last: int | None = None,
        before: tuple[str, str] | None = None,
    ) -> Page:
        """A page of the learners of a trainer or an organization, by name.

        Raises:
            Unavailable: nobody knows yet who they are, or the database does not answer.
        """
        trainer = of.id if of.scope is Scope.TRAINER else None
        window = {"first": first, "after": after, "last": last, "before": before}
        return await self._page(Role.LEARNER, trainer, window)

    async def trainers(
        self,
        *,
        first: int | None = None,
        after: tuple[str, str] | None = None,
        last: int | None = None,
        before: tuple[str, str] | None = None,
    ) -> Page:
        """A page of the organization's trainers, by name, as far as the viewer may see them.

        Raises:
            Unavailable: nobody knows yet who they are, or the database does not answer.
        """
        window = {"first": first, "after": after, "last": last, "before": before}
        return await self._page(Role.TRAINER, None, window)

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
            raise NotFound(_missing(scope.value))
        return person

    async def _read(self, ids: list[str]) -> list[Person | Exception | None]:
        found = await self._roster.persons(self._actor, ids)
        return [found[person] if person in found else Unavailable(NOT_NOW) for person in ids]

    async def _page(self, role: Role, trainer: str | None, window: Mapping[str, Any]) -> Page:
        """A page of people with a role; refused while they are not known, since it would say that there is nobody."""
        if missing := await self._roster.missing(self._viewer.organization):
            raise Unavailable(_unknown(missing))
        try:
            return await people.page(self._database, self._actor, role=role.value, trainer=trainer, **window)
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
