"""Numbers over time and groups beside each other, for organization admins."""

from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry

from analytics.codec import encode
from analytics.history import LONGEST
from analytics.history_values import Granularity, GroupComparison, Series
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import course_of
from resolvers.metric_names import MetricName, metrics_of
from resolvers.types import adopt

SeriesType: Any = adopt(Series)
GranularityName: Any = adopt(Granularity)
GroupComparisonType: Any = adopt(GroupComparison)


class GroupKind(Enum):
    """Which groups are set beside each other."""

    DEPARTMENT = "department"
    """The departments of the organization."""
    COURSE = "course"
    """Its courses, with those who take each of them now."""


GroupKindName: Any = adopt(GroupKind)

MetricArgument = Annotated[MetricName, strawberry.argument(description="A metric with a headline number of 0 to 100.")]
DepartmentArgument = Annotated[
    str | None, strawberry.argument(description="Only this department, by its name to the letter.")
]
CourseArgument = Annotated[strawberry.ID | None, strawberry.argument(description="Only those who take this course.")]
GranularityArgument = Annotated[GranularityName, strawberry.argument(description="How finely the range is cut.")]
KindArgument = Annotated[GroupKindName, strawberry.argument(description="Which groups.")]


@strawberry.input(description="Some days: both ends are in it.")
class DateRange:
    """From a day to a day."""

    begins: date = strawberry.field(name="from", description="The first day, UTC.")
    ends: date = strawberry.field(name="to", description="The last day, UTC; not before the first.")


RangeArgument = Annotated[DateRange, strawberry.argument(description="The days, seven years of them at most.")]


async def history(  # noqa: PLR0913, PLR0917 - which number, of whom, from when to when, how finely
    info: Info,
    metric: Any,
    range: DateRange,  # noqa: A002 - the word of the graph
    granularity: Any,
    department: str | None,
    course: str | None,
) -> Any:
    """A metric over time, in wire shape.

    Raises:
        BadInput: a range that is none, or a department and a course at once.
    """
    if department is not None and course is not None:
        msg = "Name a department or a course, not both: their people are different groups."
        raise BadInput(msg)
    first, last = _day(range.begins, "from"), _day(range.ends, "to")
    if not first <= last < first + LONGEST:
        msg = "`from` must not be after `to`, and the range not longer than seven years."
        raise BadInput(msg)
    (chosen,) = metrics_of([metric])
    found = await info.context.history.of(
        chosen,
        first,
        last,
        Granularity[granularity.name],
        department=department,
        course=None if course is None else course_of(course),
    )
    return encode(found)


async def compared(info: Info, metric: Any, by: Any) -> Any:
    """Groups beside each other, in wire shape."""
    (chosen,) = metrics_of([metric])
    return [encode(one) for one in await info.context.history.compared(chosen, GroupKind[by.name].value)]


def _day(text: Any, name: str) -> date:
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = date.min
    if not date(2001, 1, 1) <= day <= date(2999, 12, 31):
        msg = f"`{name}` must be a day of this millennium, like 2026-03-02."
        raise BadInput(msg)
    return day
