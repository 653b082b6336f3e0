"""The RAG service: the assistant, and what was said to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from annotated_types import MaxLen

from datasources.declare import Call, Endpoint, Id, Instant, Service, Text

Said = Annotated[str, MaxLen(20_000)]
"""What the assistant writes, which may be long."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with the assistant."""

    id: Id
    role: Text
    text: Said
    at: Instant
    suggestions: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatHistory:
    """Everything said between a learner and the assistant."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class SendMessage:
    """What a learner says to the assistant."""

    user_id: Id
    message: Text


SENDING = Call(SendMessage, Message, "/api/v1/chat/send-message", timedelta(seconds=12))
"""An assistant takes its time; a request of the gateway's own has 15 s."""

SERVICE = Service(
    "rag",
    (Endpoint(ChatHistory, "/api/v1/users/{id}/chat-history"),),
    (SENDING,),
)
