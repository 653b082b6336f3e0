"""The RAG service: the assistant, and what was said to it."""

from __future__ import annotations

from dataclasses import dataclass

from datasources.declare import Call, Endpoint, Id, Instant, Service, Text


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with the assistant."""

    id: Id
    role: Text
    text: Text
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


SERVICE = Service(
    "rag",
    (Endpoint(ChatHistory, "/api/v1/users/{id}/chat-history"),),
    (Call(SendMessage, Message, "/api/v1/chat/send-message"),),
)
