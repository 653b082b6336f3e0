"""What a viewer may have done without waiting for it, and cancel."""

from enum import StrEnum
from typing import Annotated, Any, Union

import strawberry

from analytics.catalog import PUBLIC
from analytics.codec import named
from analytics.declare import Metric, Role, Scope
from analytics.policy import NotAllowed, NotFound, Subject, TooMany, Unavailable
from analytics.subjects import subject_of
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import from_global, uuid_of
from resolvers.jobs import JobType, wire
from resolvers.metric_names import MetricName, metrics_of
from resolvers.refusals import Reasons, refusal
from resolvers.scalars import Seconds
from resolvers.types import adopt, field

MOST_METRICS = 100


class RefreshRefusal(StrEnum):
    """Why nothing is refreshed."""

    NOT_YOURS = "not-yours"
    """There is no such subject, or it is not yours to refresh."""
    NO_METRICS = "no-metrics"
    """No metric was named; leave the list out for all of them."""
    NOT_OF_THIS_SUBJECT = "not-of-this-subject"
    """A metric is about subjects of another kind."""
    NOT_FOR_YOUR_ROLE = "not-for-your-role"
    """A metric is not for you to hear."""
    TOO_MANY = "too-many"
    """You had as many refreshes as one may have in an hour."""
    UNAVAILABLE = "unavailable"
    """It cannot be written down just now."""


class CancelRefusal(StrEnum):
    """Why a job is not cancelled."""

    NOT_FOUND = "not-found"
    """There is no such job, or none that is yours to know of."""
    NOT_ALLOWED = "not-allowed"
    """Another person had it made, or it is over already."""
    UNAVAILABLE = "unavailable"
    """It cannot be cancelled just now."""


RefreshRefusalName: Any = adopt(RefreshRefusal)
CancelRefusalName: Any = adopt(CancelRefusal)

NOT_REFRESHED: Reasons = {
    NotFound: RefreshRefusalName.NOT_YOURS,
    NotAllowed: RefreshRefusalName.NOT_YOURS,
    TooMany: RefreshRefusalName.TOO_MANY,
    Unavailable: RefreshRefusalName.UNAVAILABLE,
}
NOT_CANCELLED: Reasons = {
    NotFound: CancelRefusalName.NOT_FOUND,
    NotAllowed: CancelRefusalName.NOT_ALLOWED,
    Unavailable: CancelRefusalName.UNAVAILABLE,
}


@strawberry.input(description="What is to be worked out again.")
class RefreshAnalyticsInput:
    """A subject, and which of its metrics."""

    subject: strawberry.ID | None = strawberry.field(
        default=None,
        description="The global id of a Learner, Trainer or Organization: yourself, for trainers also a learner in a "
        "course of theirs, for admins everything in their organization. Unless said: yourself, or for admins the "
        "organization.",
    )
    metrics: list[MetricName] | None = strawberry.field(
        default=None, description="Which metrics; unless said, all that you may hear of the subject."
    )


@strawberry.type(description="A refresh is on its way.")
class RefreshQueued:
    """What was begun."""

    job: JobType = strawberry.field(description="The job that does it; the same one for all who want the same.")


@strawberry.type(description="Why nothing is refreshed.")
class RefreshRefused:
    """A refusal is an answer, not an error."""

    reason: RefreshRefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(
        default=None, description="When to ask again, where that would help."
    )


@strawberry.input(description="Which job is to be cancelled.")
class CancelJobInput:
    """A job of one's own."""

    job: strawberry.ID = strawberry.field(description="The global id of the Job.")


@strawberry.type(description="The job is cancelled; one that runs stops soon.")
class JobCancelled:
    """What was cancelled."""

    job: JobType = strawberry.field(description="The job as it stands now.")


@strawberry.type(description="Why a job is not cancelled.")
class CancelRefused:
    """A refusal is an answer, not an error."""

    reason: CancelRefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(
        default=None, description="When to ask again, where that would help."
    )


RefreshAnalyticsResult = Annotated[
    Union[RefreshQueued, RefreshRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("RefreshAnalyticsResult", description="The refresh that is on its way, or why there is none."),
]
CancelJobResult = Annotated[
    Union[JobCancelled, CancelRefused],  # noqa: UP007 - likewise
    strawberry.union("CancelJobResult", description="The job that was cancelled, or why it was not."),
]


@strawberry.type
class JobMutation:
    """What concerns jobs."""

    @field("Have answers worked out again without waiting for them; at most 3 times an hour.")
    async def refresh_analytics(
        self,
        info: Info,
        input: Annotated[RefreshAnalyticsInput, strawberry.argument(description="What to work out again.")],  # noqa: A002 - the convention's word
    ) -> RefreshAnalyticsResult:
        """The job is there when this is answered; `jobProgress` tells how it goes on."""
        try:
            subject = await subject_named(info, input.subject)
            metrics = _chosen(info, subject, input.metrics)
            if isinstance(metrics, RefreshRefused):
                return metrics
            return RefreshQueued(job=wire(await info.context.jobs.refresh(subject, metrics)))
        except tuple(NOT_REFRESHED) as verdict:
            return refusal(RefreshRefused, NOT_REFRESHED, verdict)

    @field("Cancel a job that you had made: at once while it waits, soon where it runs.")
    async def cancel_job(
        self,
        info: Info,
        input: Annotated[CancelJobInput, strawberry.argument(description="Which job.")],  # noqa: A002 - likewise
    ) -> CancelJobResult:
        """Cancelling twice is no fault."""
        try:
            return JobCancelled(job=wire(await info.context.jobs.cancel(uuid_of(input.job, "Job"))))
        except tuple(NOT_CANCELLED) as verdict:
            return refusal(CancelRefused, NOT_CANCELLED, verdict)


async def subject_named(info: Info, named_by: str | None) -> Subject:
    """The subject with a global id; unless said the viewer's own, which for an admin is the organization.

    Raises:
        BadInput: it is the id of nothing that has metrics.
        NotFound: there is no such subject, or none that the viewer may see.
        Unavailable: it cannot be looked up just now.
    """
    own = {Role.LEARNER: "Learner", Role.TRAINER: "Trainer", Role.ORG_ADMIN: "Organization"}[info.context.viewer.role]
    kind, ident = own, None
    if named_by is not None:
        wanted = from_global(named_by)
        kind, ident = wanted.type, wanted.uuid
    finds = info.context.subjects
    match kind:
        case "Learner":
            return subject_of(await finds.learner(ident), Scope.LEARNER)
        case "Trainer":
            return subject_of(await finds.trainer(ident), Scope.TRAINER)
        case "Organization":
            found = await finds.organization(ident)
            return Subject(Scope.ORGANIZATION, found.id, found.id)
    msg = f"This is the id of a {kind}; the id of a Learner, a Trainer or an Organization is wanted."
    raise BadInput(msg)


def _chosen(info: Info, subject: Subject, names: list[Any] | None) -> list[Metric] | RefreshRefused:
    """The metrics that are meant, or why they cannot be."""
    if names is None:
        return info.context.jobs.heard(subject, PUBLIC.values())
    if not names or len(names) > MOST_METRICS:
        message = f"Name 1 to {MOST_METRICS} metrics, or leave the list out for all."
        return RefreshRefused(reason=RefreshRefusalName.NO_METRICS, message=message)
    metrics = metrics_of(names)
    if others := [named(metric.key) for metric in metrics if metric.scope is not subject.scope]:
        message = f"{', '.join(others)}: no metric of a {subject.scope.value}."
        return RefreshRefused(reason=RefreshRefusalName.NOT_OF_THIS_SUBJECT, message=message)
    heard = info.context.jobs.heard(subject, metrics)
    if hidden := [named(metric.key) for metric in metrics if metric not in heard]:
        message = f"{', '.join(hidden)}: not for you to hear of this {subject.scope.value}."
        return RefreshRefused(reason=RefreshRefusalName.NOT_FOR_YOUR_ROLE, message=message)
    return metrics
