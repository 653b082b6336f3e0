"""The assistant in the graph: a learner asks, a service answers or it is said why it does not."""

import math
from typing import Annotated, Any, Union

import strawberry

from analytics.assisting import LONGEST, AssistantAnswer, AssistantRefusal, NotAnswered
from analytics.codec import encode
from resolvers.context import Info
from resolvers.scalars import Seconds
from resolvers.types import adopt, field

AnswerType: Any = adopt(AssistantAnswer)
RefusalName: Any = adopt(AssistantRefusal)


@strawberry.input(description="What you say to the assistant.")
class AskAssistantInput:
    """A message in one's own name."""

    message: str = strawberry.field(
        description=f"Your message, 1 to {LONGEST:,} characters. It goes to the assistant's service with your user id."
    )


@strawberry.type(description="The assistant answered.")
class AssistantAnswered:
    """What was said."""

    answer: AnswerType = strawberry.field(description="What it said.")


@strawberry.type(description="Why the assistant says nothing; nothing is made up in its place.")
class AssistantRefused:
    """A refusal is an answer, not an error."""

    reason: RefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(description="When to ask again, where that would help.")


AskAssistantResult = Annotated[
    Union[AssistantAnswered, AssistantRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("AskAssistantResult", description="What the assistant said, or why it says nothing."),
]


@strawberry.type
class AssistantMutation:
    """What is said to the assistant."""

    @field("Ask the assistant, for learners. What you ask is sent once, and is in no log and no audit of the gateway.")
    async def ask_assistant(
        self,
        info: Info,
        input: Annotated[AskAssistantInput, strawberry.argument(description="What you say.")],  # noqa: A002 - the convention's word
    ) -> AskAssistantResult:
        """In the viewer's own name only."""
        try:
            return AssistantAnswered(answer=encode(await info.context.assistant.ask(input.message)))
        except NotAnswered as verdict:
            wait = verdict.retry_after
            return AssistantRefused(
                reason=RefusalName[verdict.reason.name],
                message=verdict.message,
                retry_after=None if wait is None else Seconds(math.ceil(wait.total_seconds())),
            )
