"""Reports in the graph: one's own numbers to take along, made by a job, and kept for seven days."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Union

import strawberry

from analytics.codec import instant
from analytics.policy import TooMany, Unavailable
from datasources.postgres import reports
from resolvers.context import Info
from resolvers.ids import to_global, uuid_of
from resolvers.jobs import BY_AGE, JobType, wire
from resolvers.pages import After, Connection, First, Part, connection, window
from resolvers.refusals import Reasons, refusal
from resolvers.scalars import Seconds
from resolvers.types import adopt, field


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of somebody's own dashboard at one moment."""

    id: strawberry.ID
    """The global id: opaque; `report` takes it."""
    format: reports.ReportFormat
    """How it is written."""
    created_at: datetime
    """When it was made; seven days later it is gone."""
    content: str | None
    """The report itself; null in lists, where it would be too much: ask for `report`."""


ReportType: Any = adopt(Report)
FormatName: Any = adopt(reports.ReportFormat)
ReportId = Annotated[strawberry.ID, strawberry.argument(description="The global id of a Report, or the raw UUID.")]


class ExportRefusal(StrEnum):
    """Why no report is made."""

    UNAVAILABLE = "unavailable"
    """It cannot be begun just now."""
    TOO_MANY = "too-many"
    """You had as many made within the hour as one may."""


RefusalName: Any = adopt(ExportRefusal)

NOT_EXPORTED: Reasons = {TooMany: RefusalName.TOO_MANY, Unavailable: RefusalName.UNAVAILABLE}


@strawberry.input(description="How the report is to be written.")
class ExportReportInput:
    """The form of a report; what is in it are one's own numbers."""

    format: FormatName = strawberry.field(description="How it is to be written.")


@strawberry.type(description="A report is on its way.")
class ReportQueued:
    """What was begun."""

    job: JobType = strawberry.field(description="The job that makes it; its result names the report.")


@strawberry.type(description="Why no report is made.")
class ReportRefused:
    """A refusal is an answer, not an error."""

    reason: RefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to ask again, where that would help.")


ExportReportResult = Annotated[
    Union[ReportQueued, ReportRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("ExportReportResult", description="The report that is on its way, or why there is none."),
]


@strawberry.type
class ReportMutation:
    """What concerns reports."""

    @field("Have the numbers of your own dashboard written down as a report, which is kept for seven days.")
    async def export_report(
        self,
        info: Info,
        input: Annotated[ExportReportInput, strawberry.argument(description="How.")],  # noqa: A002 - the convention's word
    ) -> ExportReportResult:
        """One report of a kind at a time: who asks again meanwhile gets the same job."""
        try:
            job = await info.context.reports.export(reports.ReportFormat[input.format.name])
        except tuple(NOT_EXPORTED) as verdict:
            return refusal(ReportRefused, NOT_EXPORTED, verdict)
        return ReportQueued(job=wire(job))


@strawberry.type
class ReportQuery:
    """Where reports are found."""

    @field("A report of yours with its content; NOT_FOUND when there is none, or not any more.")
    async def report(self, info: Info, id: ReportId) -> ReportType | None:  # noqa: A002 - the word of the graph
        """Nobody reads the report of another person."""
        return _wire(await info.context.reports.find(uuid_of(id, "Report")))

    @field("Your reports, the newest first.")
    async def reports(self, info: Info, first: First = None, after: After = None) -> Connection[ReportType]:
        """At most a hundred are listed."""
        part = window(first, after, None, None, BY_AGE)
        found = await info.context.reports.newest()
        keys = [(None, instant(one.created_at), one.id) for one in found]
        begin = 0 if part.after is None else next((n + 1 for n, key in enumerate(keys) if key == part.after), len(keys))
        until = begin + (part.first or 0)
        rows = [(key, _wire(one)) for key, one in zip(keys, found, strict=True)][begin:until]
        shown: Connection[ReportType] = connection(
            Part(rows, len(found), has_next=until < len(found), has_previous=begin > 0), BY_AGE
        )
        return shown


def _wire(report: reports.Report) -> dict[str, Any]:
    return {
        "id": to_global("Report", report.id),
        "format": report.format.name,
        "createdAt": instant(report.created_at),
        "content": report.content,
    }
