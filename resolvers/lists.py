"""What lists are made of: courses, departments and branches, and how a roster of learners is chosen and ordered."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, TypeVar

import strawberry

from analytics.codec import instant
from analytics.learner.participation import EngagementLevel
from analytics.prediction.interventions import RiskLevel
from analytics.rosters import Choice, LearnerOrderField, OrderDirection
from datasources.course import EnrollmentStatus, Result
from datasources.postgres import lists
from datasources.postgres.pages import Key
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import course_of, to_global
from resolvers.types import adopt, field

LONGEST_SEARCH = 100

E = TypeVar("E", bound=Enum)

RiskLevelName = adopt(RiskLevel)
EngagementLevelName = adopt(EngagementLevel)
FieldName = adopt(LearnerOrderField)
DirectionName = adopt(OrderDirection)
StatusName = adopt(EnrollmentStatus)
ResultName = adopt(Result)


@strawberry.type(description="One run of a course, as far as your organization takes part in it.")
class Course:
    """A course."""

    id: strawberry.ID = strawberry.field(description="The global id: opaque; `LearnerFilter.course` takes it.")
    course_id: str = strawberry.field(description="The id in the course service, as metrics name it.")
    title: str = strawberry.field(description="The title to show.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    learner_count: int | None = strawberry.field(
        description="How many of your organization take it now; null unless you teach it or run the organization."
    )


@strawberry.type(description="One learner's place in a course, past or present.")
class CourseEnrollment:
    """An enrolment."""

    course: Course = strawberry.field(description="The course.")
    enrolled_at: datetime = strawberry.field(description="When they joined.")
    left_at: datetime | None = strawberry.field(description="When they left; null while they are there.")
    status: StatusName = strawberry.field(description="Where the enrolment stands.")  # type: ignore[valid-type]  # made while the schema grows
    result: ResultName | None = strawberry.field(  # type: ignore[valid-type]  # made while the schema grows
        description="How the course ended for them; null until it has ended, and where nobody has said."
    )


@strawberry.type(description="A department of an organization.")
class Department:
    """A department, by its name."""

    name: str = strawberry.field(description="The name, as `LearnerFilter.department` takes it.")

    @field("How many active learners belong to it; null unless you run the organization.")
    async def learner_count(self, info: Info) -> int | None:
        """Of who may see each of them anyway, nothing is hidden by rounding."""
        counts = await info.context.subjects.headcounts()
        return None if counts is None else counts.departments.get(self.name, 0)


@strawberry.type(description="A branch of an organization: a place where it is.")
class Branch:
    """A branch, by its name."""

    name: str = strawberry.field(description="The name to show.")

    @field("How many active learners have it for their region; null unless you run the organization.")
    async def learner_count(self, info: Info) -> int | None:
        """As for departments."""
        counts = await info.context.subjects.headcounts()
        return None if counts is None else counts.regions.get(self.name, 0)


@strawberry.input(
    description="Which learners: those to whom all of it applies. What is left out filters nothing. "
    "Learners without a kept level are in no level, and counted in `unknownCount`."
)
class LearnerFilter:
    """A filter of learners."""

    department: str | None = strawberry.field(default=None, description="The name of their department, to the letter.")
    course: strawberry.ID | None = strawberry.field(
        default=None, description="The `id` or `courseId` of a course they take now."
    )
    risk_level: list[RiskLevelName] | None = strawberry.field(  # type: ignore[valid-type]  # made while the schema grows
        default=None, description="The level of `prediction.dropOffRisk` is one of these."
    )
    engagement_level: list[EngagementLevelName] | None = strawberry.field(  # type: ignore[valid-type]  # made while the schema grows
        default=None, description="The level of `analytics.engagement` is one of these."
    )
    search: str | None = strawberry.field(
        default=None,
        description="Words, or parts of words, that are all in the name; case and accents do not matter, and no "
        f"character means anything but itself. At most {LONGEST_SEARCH} characters.",
    )


@strawberry.input(description="In which order learners are listed.")
class LearnerOrder:
    """An order of learners."""

    by: FieldName = strawberry.field(  # type: ignore[valid-type]  # made while the schema grows
        default=FieldName.NAME, description="What decides."
    )
    direction: DirectionName = strawberry.field(  # type: ignore[valid-type]  # made while the schema grows
        default=DirectionName.ASC, description="Which end comes first."
    )


Filter = Annotated[LearnerFilter | None, strawberry.argument(description="Only these learners.")]
OrderBy = Annotated[LearnerOrder | None, strawberry.argument(description="In this order; by name unless said.")]


def choice(chosen: LearnerFilter | None, order: LearnerOrder | None) -> Choice:
    """The learners a client means, and their order.

    Raises:
        BadInput: the search is too long.
    """
    chosen, order = chosen or LearnerFilter(), order or LearnerOrder()
    search = chosen.search or ""
    if len(search) > LONGEST_SEARCH:
        msg = f"search must have at most {LONGEST_SEARCH} characters; it had {len(search)}."
        raise BadInput(msg)
    return Choice(
        department=chosen.department,
        course=None if chosen.course is None else course_of(chosen.course),
        risk=_members(RiskLevel, chosen.risk_level),
        engagement=_members(EngagementLevel, chosen.engagement_level),
        words=tuple(search.split()),
        by=_member(LearnerOrderField, order.by),
        direction=_member(OrderDirection, order.direction),
    )


def _members(kind: type[E], chosen: Iterable[Any] | None) -> tuple[E, ...] | None:
    return None if chosen is None else tuple(_member(kind, one) for one in chosen)


def _member(kind: type[E], chosen: Any) -> E:
    """What the client chose, as the analytics know it: the graph has a mirror of each enum."""
    return kind[chosen.name]


def order_of(chosen: Choice) -> str:
    """The name of an order, as cursors say it."""
    return f"{chosen.by.name} {chosen.direction.name}"


def to_course(course: lists.Course) -> Course:
    """A course as the graph shows it."""
    return Course(
        id=strawberry.ID(to_global("Course", course.id)),
        course_id=course.id,
        title=course.title,
        starts_at=instant(course.start),  # type: ignore[arg-type]  # the scalar takes its text
        ends_at=instant(course.end),  # type: ignore[arg-type]  # the scalar takes its text
        learner_count=course.learners,
    )


def to_enrollment(taken: lists.Taken) -> CourseEnrollment:
    """A place in a course as the graph shows it."""
    return CourseEnrollment(
        course=to_course(taken.course),
        enrolled_at=instant(taken.enrolled_at),  # type: ignore[arg-type]  # the scalar takes its text
        left_at=instant(taken.left_at) if taken.left_at else None,  # type: ignore[arg-type]  # the scalar takes its text
        status=taken.status.name,
        result=taken.result.name if taken.result else None,
    )


def place(course: lists.Course) -> Key:
    """Where a course stands in a list: by its start, and its id."""
    return None, course.start.isoformat(), course.id
