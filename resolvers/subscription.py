"""What can be listened to: it begins with what is so now, and goes on with every change."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

import strawberry

from analytics.catalog import PUBLIC
from analytics.codec import named
from analytics.declare import Metric, Scope
from resolvers.answers import Answer, answer_name
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import from_global, to_global, uuid_of
from resolvers.jobs import JobType, wire
from resolvers.metric_names import MetricName, metrics_of

F = TypeVar("F", bound=Callable[..., Any])

SCOPES = {"Learner": Scope.LEARNER, "Trainer": Scope.TRAINER, "Organization": Scope.ORGANIZATION}
"""The subjects that can be listened to, by the type in their ids."""


def _stream(description: str) -> Callable[[F], F]:
    decorate: Callable[[F], F] = strawberry.subscription(description=description)
    return decorate


@strawberry.type(description="An answer that is newer than the one before.")
class RefreshedAnswer:
    """One answer about one subject."""

    subject: strawberry.ID = strawberry.field(description="The global id of whom or what it is about.")
    metric: MetricName = strawberry.field(description="Which metric it answers.")
    answer: Answer = strawberry.field(description="The answer; its own type holds the value.")


@strawberry.type(description="Everything that can be listened to, over a websocket or as a stream of responses.")
class Subscription:
    """Jobs on their way, and answers as they change."""

    @_stream("A job as it stands now, then at every change, until it is over; its progress never goes back.")
    async def job_progress(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The global id of the Job.")],  # noqa: A002 - the word of the graph
    ) -> AsyncGenerator[JobType, None]:
        """Whichever process the job runs in."""
        async with aclosing(info.context.watching.job(uuid_of(id, "Job"))) as states:
            async for state in states:
                yield wire(state)

    @_stream(
        "The answers about a subject as they are now, then each one again as soon as a newer one is kept. "
        "What is stale is worked out anew."
    )
    async def answer_refreshed(
        self,
        info: Info,
        subject: Annotated[
            strawberry.ID, strawberry.argument(description="The global id of a Learner, Trainer or Organization.")
        ],
        metrics: Annotated[
            list[MetricName] | None,
            strawberry.argument(description="Which metrics; unless said, all that you may hear of the subject."),
        ] = None,
    ) -> AsyncGenerator[RefreshedAnswer, None]:
        """Whichever process the answers are worked out in."""
        about = from_global(subject)
        scope = SCOPES.get(about.type)
        if scope is None:
            msg = f"This is the id of a {about.type}; answers are about a Learner, Trainer or Organization."
            raise BadInput(msg)
        chosen = _of(scope, metrics)
        async with aclosing(info.context.watching.answers(scope, about.uuid, chosen)) as answers:
            async for metric, answer in answers:
                yield RefreshedAnswer(
                    subject=strawberry.ID(to_global(about.type, about.uuid)),
                    metric=MetricName[named(metric.key)],
                    # The interface is told by this which of its types the answer has.
                    answer={"__typename": answer_name(metric), **answer},
                )


def _of(scope: Scope, names: list[Any] | None) -> list[Metric]:
    """The metrics to listen to.

    Raises:
        BadInput: none is named, or one is about another kind of subject.
    """
    there = [metric for metric in PUBLIC.values() if metric.scope is scope]
    chosen = there if names is None else metrics_of(names)
    if not chosen:
        msg = "Name at least one metric, or leave `metrics` out for all of them."
        raise BadInput(msg)
    for metric in chosen:
        if metric not in there:
            msg = f"{named(metric.key)} is not about a {scope.value}; it is about a {metric.scope.value}."
            raise BadInput(msg)
    return chosen
