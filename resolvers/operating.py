"""What operators do, in the graph."""

from enum import StrEnum
from typing import Annotated, Any, Union

import strawberry

from analytics.policy import NotAllowed, NotFound, Unavailable
from resolvers.context import Info
from resolvers.refusals import Reasons, refusal
from resolvers.scalars import Seconds
from resolvers.types import adopt, field


class ResetRefusal(StrEnum):
    """Why a breaker was not reset, or not everywhere."""

    NOT_AN_OPERATOR = "not-an-operator"
    """Your token does not have the role `operator`, which no role in an organization includes."""
    NO_SUCH_SERVICE = "no-such-service"
    """There is no service of this name; `services` has their names."""
    UNAVAILABLE = "unavailable"
    """Only one process did it; the others cannot be told just now."""


RefusalName: Any = adopt(ResetRefusal)

REASONS: Reasons = {
    NotAllowed: RefusalName.NOT_AN_OPERATOR,
    NotFound: RefusalName.NO_SUCH_SERVICE,
    Unavailable: RefusalName.UNAVAILABLE,
}


@strawberry.input(description="Which service is to be asked again.")
class ResetCircuitBreakerInput:
    """A service."""

    service: str = strawberry.field(description="Its name, as `services` has it.")


@strawberry.type(description="The service is asked again: by this process now, by all others a moment later.")
class CircuitBreakerReset:
    """What was reset."""

    service: str = strawberry.field(description="The name of the service.")


@strawberry.type(description="Why a breaker was not reset, or not everywhere.")
class ResetRefused:
    """A refusal is an answer, not an error."""

    reason: RefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to do it again, where that would help.")


ResetCircuitBreakerResult = Annotated[
    Union[CircuitBreakerReset, ResetRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("ResetCircuitBreakerResult", description="What was reset, or why it was not."),
]


@strawberry.type
class OperatorMutation:
    """What is done to the platform."""

    @field("Have a service asked again that was left to rest because it failed; for operators of the platform.")
    async def reset_circuit_breaker(
        self,
        info: Info,
        input: Annotated[ResetCircuitBreakerInput, strawberry.argument(description="Which service.")],  # noqa: A002 - the convention's word
    ) -> ResetCircuitBreakerResult:
        """It is left to rest again as soon as it fails again."""
        try:
            await info.context.operations.reset_breaker(input.service)
        except (NotAllowed, NotFound, Unavailable) as verdict:
            return refusal(ResetRefused, REASONS, verdict)
        return CircuitBreakerReset(service=input.service)
