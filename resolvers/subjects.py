"""The subjects: learners, trainers and organizations, each with its identity, its lists and its groups of metrics."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from analytics.declare import Scope
from analytics.policy import Subject
from datasources.postgres import people
from resolvers.context import Info
from resolvers.ids import to_global
from resolvers.pages import After, Before, Connection, First, Last, connection, window
from resolvers.types import field

N = TypeVar("N")


@strawberry.interface(description="Anything with an id of its own; ask for it again with `node`.")
class Node:
    """What all subjects have in common."""

    id: strawberry.ID = strawberry.field(description="The global id: opaque, and the same for ever.")


@strawberry.type(description="Somebody who learns.")
class Learner(Node):
    """A learner; its metrics hang on it as `analytics`, `comparison` and `prediction`."""

    subject: strawberry.Private[Subject]
    user_id: UUID = strawberry.field(description="The id in the directory service.")
    display_name: str = strawberry.field(description="The name to show.")
    department: str | None = strawberry.field(description="The department they belong to.")

    @field("The organization they belong to.")
    async def organization(self, info: Info) -> "Organization":
        """Everybody in an organization may know the organization."""
        return to_organization(await info.context.subjects.organization(self.subject.organization))


@strawberry.type(description="Somebody who runs courses.")
class Trainer(Node):
    """A trainer; its metrics hang on it as `analytics`."""

    subject: strawberry.Private[Subject]
    user_id: UUID = strawberry.field(description="The id in the directory service.")
    display_name: str = strawberry.field(description="The name to show.")
    department: str | None = strawberry.field(description="The department they belong to.")

    @field("The organization they belong to.")
    async def organization(self, info: Info) -> "Organization":
        """Everybody in an organization may know the organization."""
        return to_organization(await info.context.subjects.organization(self.subject.organization))

    @field("The learners in their courses, by name.")
    async def learners(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Learner]:
        """Only learners the viewer may know of are in the list and in its total."""
        return await _learners(info, self.subject, first, after, last, before)


@strawberry.type(description="One organization: nothing in it is ever mixed with another's.")
class Organization(Node):
    """An organization; its metrics hang on it as `analytics`."""

    subject: strawberry.Private[Subject]
    name: str = strawberry.field(description="The name to show.")
    domain: str | None = strawberry.field(description="Its internet domain.")
    industry: str | None = strawberry.field(description="What it does.")

    @field("Its learners, by name, as far as they are yours to know of.")
    async def learners(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Learner]:
        """Only learners the viewer may know of are in the list and in its total."""
        return await _learners(info, self.subject, first, after, last, before)

    @field("Its trainers, by name, as far as they are yours to know of.")
    async def trainers(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Trainer]:
        """Only trainers the viewer may know of are in the list and in its total."""
        part = window(first, after, last, before)
        page = await info.context.subjects.trainers(
            first=part.first, after=part.after, last=part.last, before=part.before
        )
        return _page(page, to_trainer)


@strawberry.type(description="What the market asks for, beside what one organization can do.")
class Market:
    """The market as one organization meets it; its metrics are fields of its own."""

    subject: strawberry.Private[Subject]

    @field("The organization whose people are set beside the demand: yours.")
    async def organization(self, info: Info) -> Organization:
        """Everybody in an organization may know the organization."""
        return to_organization(await info.context.subjects.organization(self.subject.organization))


SUBJECTS: dict[Scope, type[Any]] = {
    Scope.LEARNER: Learner,
    Scope.TRAINER: Trainer,
    Scope.ORGANIZATION: Organization,
    Scope.MARKET: Market,
}


def to_learner(person: people.Person) -> Learner:
    """A person as a learner."""
    return Learner(
        id=strawberry.ID(to_global("Learner", person.id)),
        subject=Subject(Scope.LEARNER, person.organization, person.id, person.trainers),
        user_id=person.id,  # type: ignore[arg-type]  # the UUID scalar takes its text
        display_name=person.name,
        department=person.department,
    )


def to_trainer(person: people.Person) -> Trainer:
    """A person as a trainer."""
    return Trainer(
        id=strawberry.ID(to_global("Trainer", person.id)),
        subject=Subject(Scope.TRAINER, person.organization, person.id),
        user_id=person.id,  # type: ignore[arg-type]  # the UUID scalar takes its text
        display_name=person.name,
        department=person.department,
    )


def to_organization(found: people.Organization) -> Organization:
    """An organization as a subject."""
    return Organization(
        id=strawberry.ID(to_global("Organization", found.id)),
        subject=Subject(Scope.ORGANIZATION, found.id, found.id),
        name=found.name,
        domain=found.domain,
        industry=found.industry,
    )


def to_market(organization: str) -> Market:
    """The market, beside one organization."""
    return Market(subject=Subject(Scope.MARKET, organization, organization))


async def _learners(  # noqa: PLR0913, PLR0917 - the four arguments of a Relay page are four
    info: Info, of: Subject, first: int | None, after: str | None, last: int | None, before: str | None
) -> Connection[Learner]:
    part = window(first, after, last, before)
    page = await info.context.subjects.learners(
        of, first=part.first, after=part.after, last=part.last, before=part.before
    )
    return _page(page, to_learner)


def _page(page: people.Page, to_node: Callable[[people.Person], N]) -> Connection[N]:
    return connection(
        [((person.name, person.id), to_node(person)) for person in page.rows],
        total=page.total,
        has_next=page.has_next,
        has_previous=page.has_previous,
    )
