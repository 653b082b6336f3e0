"""The subjects: learners, trainers and organizations, each with its identity, its lists and its groups of metrics."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from analytics.declare import Scope
from analytics.policy import Subject
from datasources.postgres import lists, people
from datasources.postgres.pages import Page
from resolvers import history as over_time
from resolvers.context import Info
from resolvers.history import (
    CourseArgument,
    DepartmentArgument,
    GranularityArgument,
    GranularityName,
    GroupComparisonType,
    GroupKindName,
    KindArgument,
    MetricArgument,
    RangeArgument,
    SeriesType,
)
from resolvers.ids import to_global
from resolvers.lists import (
    Branch,
    Course,
    CourseEnrollment,
    Department,
    Filter,
    LearnerFilter,
    LearnerOrder,
    OrderBy,
    choice,
    order_of,
    place,
    to_course,
    to_enrollment,
)
from resolvers.pages import After, Before, Connection, First, Last, Part, connection, part_of, selects, window
from resolvers.types import field

N = TypeVar("N")

BY_NAME = "NAME ASC"
BY_START = "START ASC"


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

    @field("The courses they take or took, by start, as far as they are yours to know of.")
    async def courses(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[CourseEnrollment]:
        """A trainer sees those they teach, and who is there now."""
        part = window(first, after, last, before, BY_START)
        taken = await info.context.subjects.courses_taken(self.subject)
        rows = [(place(one.course), to_enrollment(one)) for one in taken]
        found: Connection[CourseEnrollment] = connection(part_of(rows, part), BY_START)
        return found


@strawberry.type(description="One page of a list of learners.")
class LearnerConnection(Connection[Learner]):
    """A page of a roster."""

    unknown_count: int | None = strawberry.field(
        description="How many of the learners that fit otherwise have no kept number for what the list is filtered or "
        "ordered by: they are last in an order, and outside of every level. Null where it is by none."
    )


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

    @field("The learners in their courses now, by name unless said.")
    async def learners(  # noqa: PLR0913, PLR0917 - which learners, in which order, and the four arguments of a page
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,  # noqa: A002 - the word of the graph
        order_by: OrderBy = None,
    ) -> "LearnerConnection":
        """Only learners the viewer may know of are in the list and in its total."""
        return await _learners(info, self.subject, (first, after, last, before), filter, order_by)

    @field("The courses they teach, by start, as far as they are yours to know of.")
    async def courses(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Course]:
        """Only courses the viewer may know of are in the list and in its total."""
        return _courses(await info.context.subjects.courses(self.subject), (first, after, last, before))


@strawberry.type(description="One organization: nothing in it is ever mixed with another's.")
class Organization(Node):
    """An organization; its metrics hang on it as `analytics`."""

    subject: strawberry.Private[Subject]
    known: strawberry.Private[people.Organization]
    name: str = strawberry.field(description="The name to show.")
    domain: str | None = strawberry.field(description="Its internet domain.")
    industry: str | None = strawberry.field(description="What it does.")

    @field("Its learners, by name unless said, as far as they are yours to know of.")
    async def learners(  # noqa: PLR0913, PLR0917 - which learners, in which order, and the four arguments of a page
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,  # noqa: A002 - the word of the graph
        order_by: OrderBy = None,
    ) -> "LearnerConnection":
        """Only learners the viewer may know of are in the list and in its total."""
        return await _learners(info, self.subject, (first, after, last, before), filter, order_by)

    @field("Its trainers, by name, as far as they are yours to know of.")
    async def trainers(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Trainer]:
        """Only trainers the viewer may know of are in the list and in its total."""
        part = window(first, after, last, before, BY_NAME)
        page = await info.context.subjects.trainers(part, counted=selects(info, "totalCount"))
        found: Connection[Trainer] = connection(_part(page, to_trainer), BY_NAME)
        return found

    @field("Its courses, by start, as far as they are yours to know of.")
    async def courses(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Course]:
        """Only courses the viewer may know of are in the list and in its total."""
        return _courses(await info.context.subjects.courses(self.subject), (first, after, last, before))

    @field("A metric over time, for organization admins, from days of 10 people or more, worked out by night.")
    async def history(  # noqa: PLR0913, PLR0917 - which number, of whom, from when to when, how finely
        self,
        info: Info,
        metric: MetricArgument,
        range: RangeArgument,  # noqa: A002 - the word of the graph
        granularity: GranularityArgument = GranularityName.WEEK,
        department: DepartmentArgument = None,
        course: CourseArgument = None,
    ) -> SeriesType:
        """Only admins may ask."""
        return await over_time.history(info, metric, range, granularity, department, course)

    @field("Its departments, or courses, of 10 people or more beside each other over the last seven days, by name.")
    async def comparison(
        self, info: Info, metric: MetricArgument, by: KindArgument = GroupKindName.DEPARTMENT
    ) -> list[GroupComparisonType]:
        """Only admins may ask."""
        return await over_time.compared(info, metric, by)  # type: ignore[no-any-return]  # in wire shape

    @field("Its departments, as the directory lists them.")
    def departments(self) -> list[Department]:
        """Everybody in an organization may know the organization."""
        return [Department(name=name) for name in self.known.departments]

    @field("Its branches, as the directory lists them.")
    def branches(self) -> list[Branch]:
        """Everybody in an organization may know the organization."""
        return [Branch(name=name) for name in self.known.branches]


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
        known=found,
        name=found.name,
        domain=found.domain,
        industry=found.industry,
    )


def to_market(organization: str) -> Market:
    """The market, beside one organization."""
    return Market(subject=Subject(Scope.MARKET, organization, organization))


Paging = tuple[int | None, str | None, int | None, str | None]
"""`first`, `after`, `last` and `before`, as they were given."""


async def _learners(
    info: Info, of: Subject, paging: Paging, chosen: LearnerFilter | None, order_by: LearnerOrder | None
) -> LearnerConnection:
    wanted = choice(chosen, order_by)
    order = order_of(wanted)
    part = window(*paging, order)
    page = await info.context.subjects.learners(of, wanted, part, counted=selects(info, "totalCount"))
    found: LearnerConnection = connection(_part(page, to_learner), order, LearnerConnection, unknown_count=page.unknown)
    return found


def _courses(courses: Sequence[lists.Course], paging: Paging) -> Connection[Course]:
    rows = [(place(course), to_course(course)) for course in courses]
    found: Connection[Course] = connection(part_of(rows, window(*paging, BY_START)), BY_START)
    return found


def _part(page: Page, to_node: Callable[[people.Person], N]) -> Part[N]:
    rows = [(key, to_node(person)) for key, person in page.rows]
    return Part(rows, page.total, page.has_next, page.has_previous)
