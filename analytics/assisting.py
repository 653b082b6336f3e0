"""What a learner asks the assistant, in their own name: sent once, and kept nowhere here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from analytics.declare import Role
from datasources import rag
from datasources.calling import Declined
from datasources.exchange import SourceError
from datasources.postgres.audit import Event

if TYPE_CHECKING:
    from analytics.policy import Viewer
    from analytics.trail import Trail
    from analytics.world import World

LONGEST = 2000
"""Characters of the longest message."""
SOON = timedelta(seconds=5)
"""When to ask again after one answer that did not come."""

log = structlog.get_logger(__name__)


class AssistantRefusal(StrEnum):
    """Why the assistant says nothing."""

    NOT_FOR_YOUR_ROLE = "not-for-your-role"
    """Only a learner asks, and only for themselves."""
    NOT_A_MESSAGE = "not-a-message"
    """The message is empty, too long, or no text."""
    DECLINED = "declined"
    """The assistant answers, and will not take this message."""
    UNAVAILABLE = "unavailable"
    """The assistant does not answer just now. The message may have reached it; it is not sent again by itself."""
    NOT_CONNECTED = "not-connected"
    """This gateway has no assistant."""


@dataclass(frozen=True, slots=True)
class AssistantAnswer:
    """What the assistant said. A machine wrote it: show it as text, and take it for no number of the gateway's."""

    id: str
    """The id of the message in the assistant's service."""
    text: str
    """What it says."""
    at: datetime
    """When it was said."""
    suggestions: tuple[str, ...]
    """What could be asked next."""


class NotAnswered(Exception):  # noqa: N818 - it is a verdict, and reads as one
    """The assistant says nothing; `retry_after` is when to ask again, where that would help."""

    def __init__(self, reason: AssistantRefusal, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Assistant:
    """One viewer's way to the assistant."""

    def __init__(self, world: World, viewer: Viewer, trail: Trail) -> None:
        self._calls = world.calls.get(rag.SERVICE.name)
        self._viewer = viewer
        self._trail = trail

    async def ask(self, message: str) -> AssistantAnswer:
        """What the assistant says to a message of the viewer's; never made up.

        The audit learns that it was asked, and not what.

        Raises:
            NotAnswered: it says nothing.
        """
        if self._viewer.role is not Role.LEARNER:
            self._trail.refused("assistant", None, "not-allowed")
            raise NotAnswered(
                AssistantRefusal.NOT_FOR_YOUR_ROLE, "Only a learner asks the assistant, and only for themselves."
            )
        if not message.strip() or len(message) > LONGEST or "\0" in message:
            says = f"A message has 1 to {LONGEST:,} characters that are not all blank, none of them null."
            raise NotAnswered(AssistantRefusal.NOT_A_MESSAGE, says)
        if self._calls is None:
            raise NotAnswered(AssistantRefusal.NOT_CONNECTED, "There is no assistant here.")
        self._trail.did(Event("assistant.asked", self._viewer.user))
        try:
            said: rag.Message = await self._calls.do(rag.SENDING, rag.SendMessage(self._viewer.user, message))
        except Declined:
            says = "The assistant will not take this message. Ask something else."
            raise NotAnswered(AssistantRefusal.DECLINED, says) from None
        except SourceError as error:
            log.warning("assistant.silent", cause=error.cause.value)
            says = "The assistant does not answer just now. Ask again later."
            raise NotAnswered(AssistantRefusal.UNAVAILABLE, says, max(SOON, self._calls.rests)) from error
        return AssistantAnswer(said.id, said.text, said.at, said.suggestions)
