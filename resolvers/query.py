"""The root of every question."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from analytics import policy
from analytics.catalog import definition
from analytics.codec import encode
from analytics.declare import Family, Metric, Role, Scope
from datasources.report import ServiceReport
from resolvers import job_lists, leaderboard
from resolvers.answers import MetricDefinition
from resolvers.audit import AuditQuery
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.federation import FederationQuery
from resolvers.ids import from_global, uuid_of
from resolvers.jobs import JobType, wire
from resolvers.nodes import node_of
from resolvers.pages import Connection
from resolvers.reports import ReportQuery
from resolvers.subjects import (
    Learner,
    Market,
    Node,
    Organization,
    Trainer,
    to_learner,
    to_market,
    to_organization,
    to_trainer,
)
from resolvers.types import adopt, field

MOST_NODES = 100

RoleName = adopt(Role)
ScopeName = adopt(Scope)


def _who(kind: str, default: str) -> Any:
    return strawberry.argument(description=f"The global id of {kind}, or the raw UUID; {default} unless said.")


LearnerId = Annotated[strawberry.ID | None, _who("a Learner", "you")]
TrainerId = Annotated[strawberry.ID | None, _who("a Trainer", "you")]
OrganizationId = Annotated[strawberry.ID | None, _who("an Organization", "yours")]

JobId = Annotated[strawberry.ID, strawberry.argument(description="The global id of a Job, or the raw UUID.")]


@strawberry.type(description="Who is asking.")
class Viewer:
    """The holder of the token, in the role they act in."""

    id: strawberry.ID = strawberry.field(description="Your user id, a UUID.")
    name: str | None = strawberry.field(description="Your name, where the token says it.")
    roles: list[RoleName] = strawberry.field(description="The roles you may act in.")  # type: ignore[valid-type]  # made while the schema grows
    active_role: RoleName = strawberry.field(description="The role you act in now (`X-Active-Role`).")  # type: ignore[valid-type]  # made while the schema grows

    @field("The organization you belong to.")
    async def organization(self, info: Info) -> Organization:
        """Everybody in an organization may know the organization."""
        return to_organization(await info.context.subjects.organization(None))

    @field("The learner that you are; null when you are none, or act in another role.")
    async def learner(self, info: Info) -> Learner | None:
        """Absence is no error here."""
        if info.context.viewer.role is not Role.LEARNER:
            return None
        return to_learner(await info.context.subjects.learner(None))

    @field("The trainer that you are; null when you are none, or act in another role.")
    async def trainer(self, info: Info) -> Trainer | None:
        """Absence is no error here."""
        if info.context.viewer.role is not Role.TRAINER:
            return None
        return to_trainer(await info.context.subjects.trainer(None))


def to_viewer(me: policy.Viewer) -> Viewer:
    """The viewer as the graph shows them."""
    return Viewer(
        id=strawberry.ID(me.user),
        name=me.name,
        roles=[role.name for role in Role if role in me.roles],
        active_role=me.role.name,
    )


@strawberry.type(description="Everything that can be asked.")
class Query(ReportQuery, AuditQuery, FederationQuery):
    """The subjects, and what is known about metrics and services themselves."""

    @field("Who you are, in which role you ask, and which subject is you.")
    def viewer(self, info: Info) -> Viewer:
        """What the token said."""
        return to_viewer(info.context.viewer)

    @field("The thing with this global id; null when there is none that is yours to know of.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")],  # noqa: A002 - Relay's word
    ) -> Node | None:
        """A malformed id is an error, an unknown one is null."""
        return await node_of(info, from_global(id))

    @field(f"The things with these global ids, in their order; at most {MOST_NODES}.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids.")]
    ) -> list[Node | None]:
        """As `node`, for each: null where there is nothing the viewer may know of."""
        if len(ids) > MOST_NODES:
            msg = f"ids must be at most {MOST_NODES}; they were {len(ids)}."
            raise BadInput(msg)
        wanted = [from_global(one) for one in ids]
        return list(await asyncio.gather(*(node_of(info, one) for one in wanted)))

    @field("A learner; NOT_FOUND when there is none that is yours to know of.")
    async def learner(self, info: Info, id: LearnerId = None) -> Learner | None:  # noqa: A002 - the word of the graph
        """The viewer, unless said."""
        return to_learner(await info.context.subjects.learner(_uuid(id, "Learner")))

    @field("A trainer; NOT_FOUND when there is none that is yours to know of.")
    async def trainer(self, info: Info, id: TrainerId = None) -> Trainer | None:  # noqa: A002 - the word of the graph
        """The viewer, unless said."""
        return to_trainer(await info.context.subjects.trainer(_uuid(id, "Trainer")))

    @field("An organization; NOT_FOUND when there is none that is yours to know of.")
    async def organization(self, info: Info, id: OrganizationId = None) -> Organization | None:  # noqa: A002 - the word of the graph
        """The viewer's own, unless said."""
        return to_organization(await info.context.subjects.organization(_uuid(id, "Organization")))

    @field("What the market asks for, beside what your organization can do.")
    def market(self, info: Info) -> Market:
        """The market is everybody's, what stands beside it is one's own organization."""
        return to_market(info.context.viewer.organization)

    @field("Who earned the most points in your organization, and where you are among them.")
    async def leaderboard(
        self,
        info: Info,
        window: leaderboard.Window = leaderboard.WindowName.MONTH,
        first: leaderboard.First = leaderboard.DEFAULT,
    ) -> leaderboard.Leaderboard:
        """The same for everybody of an organization, but for themselves."""
        return await leaderboard.leaderboard(info, window, first)

    @field("A job; NOT_FOUND when there is none that is yours to know of.")
    async def job(self, info: Info, id: JobId) -> JobType | None:  # noqa: A002 - the word of the graph
        """As it stands now."""
        return wire(await info.context.jobs.find(uuid_of(id, "Job")))

    @field("The jobs that concern you, the newest first: those you had made, and those about who is yours to see.")
    async def jobs(
        self,
        info: Info,
        first: job_lists.First = None,
        after: job_lists.After = None,
        kind: job_lists.OfKind = None,
        status: job_lists.OfStatus = None,
    ) -> Connection[JobType]:
        """Jobs are known for a week after they are over."""
        return await job_lists.jobs(info, first, after, kind, status)

    @field("How each service behind the numbers is doing, as this process sees it.")
    def services(self, info: Info) -> list[adopt(ServiceReport)]:  # type: ignore[valid-type]  # made while the schema grows
        """In the order of the catalog."""
        return [encode(report) for report in info.context.services()]


def _uuid(text: str | None, kind: str) -> str | None:
    return None if text is None else uuid_of(text, kind)


def definitions(metrics: Iterable[Metric]) -> StrawberryField:
    """The field that says what the metrics mean; its answer is made once."""
    said = [definition(metric) for metric in metrics if metric.family is not Family.INTERNAL]

    def resolve(
        scope: Annotated[ScopeName | None, strawberry.argument(description="Only those about this.")] = None,  # type: ignore[valid-type]  # made while the schema grows
    ) -> list[adopt(MetricDefinition)]:  # type: ignore[valid-type]  # made while the schema grows
        return [one for one in said if scope is None or one["scope"] == scope.name]

    grown: StrawberryField = strawberry.field(  # type: ignore[assignment]  # typed for class bodies
        resolver=resolve, name="metricDefinitions", description="What each metric means, to be shown beside its number."
    )
    grown.python_name = "metric_definitions"
    return grown
