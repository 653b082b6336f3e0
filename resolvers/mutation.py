"""What can be changed: one `input` each, and an answer that says what was done or why it was not."""

from enum import Enum, StrEnum
from typing import Annotated, Any, Union

import strawberry

from analytics.decisions import DecisionKind
from analytics.policy import NotAllowed, Unavailable
from resolvers.assistant import AssistantMutation
from resolvers.context import Info
from resolvers.job_mutations import JobMutation
from resolvers.operating import OperatorMutation
from resolvers.refusals import Reasons, refusal
from resolvers.reports import ReportMutation
from resolvers.scalars import Seconds
from resolvers.session import SessionMutation
from resolvers.types import adopt, field

LONGEST_ID = 100


class ChoiceRefusal(StrEnum):
    """Why a choice was not written down."""

    NOT_FOR_YOUR_ROLE = "not-for-your-role"
    """Only a learner chooses this, and only for themselves."""
    NOT_AN_ID = "not-an-id"
    """This is not the id of a recommendation."""
    UNAVAILABLE = "unavailable"
    """It cannot be written down just now."""


class RecommendationChoice(Enum):
    """What you make of a recommendation."""

    SAVED = DecisionKind.SAVED
    """Keep it for later."""
    DISMISSED = DecisionKind.DISMISSED
    """Do not recommend it again."""
    DONE = DecisionKind.DONE
    """It is done."""
    NONE = None
    """Nothing: what you said before is taken back."""


RefusalName: Any = adopt(ChoiceRefusal)
ChoiceName: Any = adopt(RecommendationChoice)

NOT_CHOSEN: Reasons = {NotAllowed: RefusalName.NOT_FOR_YOUR_ROLE, Unavailable: RefusalName.UNAVAILABLE}


@strawberry.type(description="Why a choice was not written down; nothing is changed.")
class ChoiceRefused:
    """A refusal is an answer, not an error."""

    reason: RefusalName = strawberry.field(description="The kind of reason, for a program.")
    message: str = strawberry.field(description="The reason in a sentence, for a person.")
    retry_after: Seconds | None = strawberry.field(
        default=None, description="When to say it again, where that would help."
    )


@strawberry.input(description="Whether others see you on the leaderboard.")
class SetLeaderboardVisibilityInput:
    """One's own visibility."""

    visible: bool = strawberry.field(description="Whether others see you.")


@strawberry.type(description="Your choice is written down, and holds from the next question on.")
class LeaderboardVisibilitySet:
    """What was chosen."""

    visible: bool = strawberry.field(description="Whether others see you now.")


@strawberry.input(description="What you make of one of your recommendations.")
class DecideRecommendationInput:
    """A decision about one's own recommendation."""

    recommendation: strawberry.ID = strawberry.field(description="The `id` of the recommendation.")
    decision: ChoiceName = strawberry.field(description="What you make of it.")


@strawberry.type(description="Your decision is written down, and your recommendations are worked out anew.")
class RecommendationDecided:
    """What was decided."""

    recommendation: strawberry.ID = strawberry.field(description="The `id` of the recommendation.")
    decision: ChoiceName = strawberry.field(description="What you made of it.")


SetLeaderboardVisibilityResult = Annotated[
    Union[LeaderboardVisibilitySet, ChoiceRefused],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("SetLeaderboardVisibilityResult", description="What was set, or why it was not."),
]
DecideRecommendationResult = Annotated[
    Union[RecommendationDecided, ChoiceRefused],  # noqa: UP007 - likewise
    strawberry.union("DecideRecommendationResult", description="What was decided, or why it was not."),
]


@strawberry.type(description="Everything that can be changed. A refusal is an answer like any other, not an error.")
class Mutation(SessionMutation, JobMutation, ReportMutation, AssistantMutation, OperatorMutation):
    """What viewers choose for themselves, and have done."""

    @field("Choose whether others in your organization see you on the leaderboard; you always see yourself.")
    async def set_leaderboard_visibility(
        self,
        info: Info,
        input: Annotated[SetLeaderboardVisibilityInput, strawberry.argument(description="Your choice.")],  # noqa: A002 - the convention's word
    ) -> SetLeaderboardVisibilityResult:
        """Seen by everybody from the next question on."""
        try:
            await info.context.choices.show(visible=input.visible)
        except tuple(NOT_CHOSEN) as verdict:
            return refusal(ChoiceRefused, NOT_CHOSEN, verdict)
        return LeaderboardVisibilitySet(visible=input.visible)

    @field("Say what you make of one of your recommendations: save it, dismiss it, call it done, or take that back.")
    async def decide_recommendation(
        self,
        info: Info,
        input: Annotated[DecideRecommendationInput, strawberry.argument(description="Your decision.")],  # noqa: A002 - likewise
    ) -> DecideRecommendationResult:
        """Seen in the viewer's recommendations from the next question on."""
        recommendation = str(input.recommendation)
        if not 0 < len(recommendation) <= LONGEST_ID or "\0" in recommendation:
            message = f"The id of a recommendation has 1 to {LONGEST_ID} characters; use the `id` of one of yours."
            return ChoiceRefused(reason=RefusalName.NOT_AN_ID, message=message)
        try:
            await info.context.choices.decide(recommendation, RecommendationChoice[input.decision.name].value)
        except tuple(NOT_CHOSEN) as verdict:
            return refusal(ChoiceRefused, NOT_CHOSEN, verdict)
        return RecommendationDecided(recommendation=input.recommendation, decision=input.decision)
