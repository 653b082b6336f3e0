"""One GraphQL operation, from what the client wrote to what it is answered."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog
from graphql import ExecutionResult, GraphQLError, OperationType

from gateway.documents import described, refused
from gateway.execution import never_ran
from gateway.refusal import Refused, refuse, refuse_document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.requests import HTTPConnection

    from analytics.policy import Viewer
    from gateway.documents import Document, Documents, Operation
    from gateway.execution import Execution
    from gateway.persisted import Persisted
    from gateway.telemetry import Record
    from gateway.wire import Asked

LOG = structlog.get_logger(__name__)
T = TypeVar("T")
META = frozenset({"__typename", "__schema", "__type"})
CHALLENGE = 'Bearer realm="gateway"'


class Context(Protocol):
    """What one operation carries to its resolvers."""

    async def afterwards(self) -> None:
        """What can wait until the answer has been sent."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What is answered to whom.

    Without a token: `__typename`, the root fields in `public`, and introspection if `everyone_introspects`.
    With one: everything the resolvers say, and introspection if `viewers_introspect`.
    """

    everyone_introspects: bool = False
    viewers_introspect: bool = True
    public: frozenset[str] = frozenset()

    def check(self, operation: Operation, viewer: Viewer | None) -> None:
        """Let an operation pass.

        Raises:
            Refused: 401 where a token would do, 403 where none would.
        """
        allowed = self.everyone_introspects or (viewer is not None and self.viewers_introspect)
        if operation.tally.introspects and not allowed and (viewer or not self.viewers_introspect):
            raise refuse(403, "INTROSPECTION_DISABLED", "Introspection is switched off here.")
        open_fields = META if allowed else META - {"__schema", "__type"}
        if viewer is None and not operation.tally.roots <= open_fields | self.public:
            message = "This needs a token: send it as `Authorization: Bearer TOKEN`."
            raise refuse(401, "UNAUTHENTICATED", message, WWW_Authenticate=CHALLENGE)


@dataclass(slots=True)
class Exchange:
    """One request on its way; `contexts` are those of its operations, with work left for afterwards."""

    request: HTTPConnection
    record: Record
    media: str
    viewer: Viewer | None = None
    payer: str = ""
    contexts: list[Context] = field(default_factory=list)


class Conductor:
    """Takes one asked operation through lookup, limits, doors and execution."""

    def __init__(  # noqa: PLR0913  (the parts it is made of, each by name)
        self,
        *,
        documents: Documents,
        execution: Execution,
        persisted: Persisted,
        context_for: Callable[[HTTPConnection, Viewer | None], Awaitable[Context]],
        present: Callable[[GraphQLError, str], dict[str, Any]],
        doors: Doors,
        afterwards_seconds: float = 30.0,
    ) -> None:
        self._documents = documents
        self._execution = execution
        self._persisted = persisted
        self._context_for = context_for
        self._present = present
        self._doors = doors
        self._afterwards_seconds = afterwards_seconds

    async def answer(self, asked: Asked, exchange: Exchange) -> dict[str, Any]:
        """The response to one operation.

        Raises:
            Refused: it was not executed.
        """
        document, operation = self._find(asked, exchange.request.scope.get("method", "POST"), exchange.record)
        if operation.kind is OperationType.SUBSCRIPTION:
            message = (
                "A subscription needs a connection that stays open: graphql-transport-ws on this path, "
                "or Accept: text/event-stream (GraphQL-SSE) or multipart/mixed;subscriptionSpec=1.0."
            )
            raise refuse(400, "SUBSCRIPTION_OVER_HTTP", message)
        return await self._run(document, operation, asked, exchange)

    def streams(self, asked: Asked, record: Record) -> bool:
        """Whether an operation is a subscription.

        Raises:
            Refused: it is nothing that could be executed.
        """
        return self._find(asked, "POST", record)[1].kind is OperationType.SUBSCRIPTION

    async def open(self, asked: Asked, exchange: Exchange) -> AsyncGenerator[dict[str, Any]]:
        """The responses to one operation: one for each event of a subscription, a single one for anything else.

        A subscription that breaks says so in its last response. Close what you do not read to its end.

        Raises:
            Refused: it was not executed.
        """
        document, operation = self._find(asked, "POST", exchange.record)
        if operation.kind is not OperationType.SUBSCRIPTION:
            return alone(await self._run(document, operation, asked, exchange))
        results = await self._execution.stream(
            document, operation.name, asked.variables, await self._context(operation, exchange)
        )
        if not isinstance(results, ExecutionResult):
            return self._events(results, operation, exchange)
        return alone(self._checked(results, operation, exchange))

    async def afterwards(self, exchange: Exchange) -> None:
        """Do what was left for after the answer; what fails or takes too long is logged and given up."""
        for context in exchange.contexts:
            try:
                async with asyncio.timeout(self._afterwards_seconds):
                    await context.afterwards()
            except Exception:
                LOG.exception("work after the answer failed", request_id=exchange.record.request_id)

    async def _events(
        self, results: AsyncGenerator[ExecutionResult], operation: Operation, exchange: Exchange
    ) -> AsyncGenerator[dict[str, Any]]:
        try:
            async with aclosing(results) as events:
                async for one in events:
                    yield self._said(one, operation, exchange.record)
                    # The next one is asked for when this one was taken: a stream may go on for an hour.
                    await self.afterwards(exchange)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is logged and told below
            broken = GraphQLError(str(problem), original_error=problem)
            yield self._said(ExecutionResult(None, [broken]), operation, exchange.record)

    async def _run(self, document: Document, operation: Operation, asked: Asked, exchange: Exchange) -> dict[str, Any]:
        context = await self._context(operation, exchange)
        result = await self._execution.run(document, operation.name, asked.variables, context)
        return self._checked(result, operation, exchange)

    async def _context(self, operation: Operation, exchange: Exchange) -> Context:
        self._doors.check(operation, exchange.viewer)
        context = await self._context_for(exchange.request, exchange.viewer)
        exchange.contexts.append(context)
        return context

    def _checked(self, result: ExecutionResult, operation: Operation, exchange: Exchange) -> dict[str, Any]:
        if never_ran(result):
            raise Refused(
                400, [described(problem, "BAD_USER_INPUT") for problem in result.errors or ()], well_formed=True
            )
        return self._said(result, operation, exchange.record)

    def _find(self, asked: Asked, method: str, record: Record) -> tuple[Document, Operation]:
        text, digest = self._persisted.text(asked.query, asked.extensions)
        document = self._documents.get(text)
        operation = document.operation(asked.operation)
        if operation is not None:
            record.operation = (operation.name or "")[:100] or None
            record.kind = operation.kind.value
            record.cost = operation.tally.cost
            if operation.kind is OperationType.MUTATION and method != "POST":
                raise refuse(405, "METHOD_NOT_ALLOWED", "A mutation needs POST.", Allow="POST")
        if document.errors or operation is None:
            raise refused(document)
        if digest is not None:
            self._persisted.keep(digest, text)
        return document, operation

    def _said(self, result: ExecutionResult, operation: Operation, record: Record) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if result.errors:
            said["errors"] = [self._shown(problem, record) for problem in result.errors]
        said["data"] = result.data
        cost = {"static": operation.tally.cost, "limit": self._documents.limits.cost}
        said["extensions"] = {"requestId": record.request_id, "cost": cost}
        return said

    def _shown(self, problem: GraphQLError, record: Record) -> dict[str, Any]:
        shown = self._present(problem, record.request_id)
        record.code = shown["extensions"]["code"]
        if record.code == "INTERNAL_SERVER_ERROR":
            LOG.error("a resolver failed", request_id=record.request_id, exc_info=problem.original_error or problem)
        return shown


async def alone(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    """A stream of one response."""
    yield body


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Wait for some work, and no longer than `seconds`.

    Raises:
        Refused: 504, the time is over and the work was cancelled.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        message = f"No answer within {seconds:g} seconds: ask for less, or again later."
        no = refuse_document("DEADLINE_EXCEEDED", message)
        no.status = 504
        raise no from None
