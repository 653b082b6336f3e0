"""One GraphQL operation, from what the client wrote to what it is answered."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog
from graphql import ExecutionResult, GraphQLError, OperationType

from gateway.budget import PAID_KEY, spend
from gateway.documents import described, refused
from gateway.execution import never_ran
from gateway.refusal import Refused, refuse, refuse_document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from starlette.requests import HTTPConnection

    from analytics.policy import Viewer
    from gateway.budget import Till, Verdict
    from gateway.documents import Document, Documents, Operation
    from gateway.execution import Execution
    from gateway.persisted import Texts
    from gateway.telemetry import Record
    from gateway.variables import VariableLimits
    from gateway.wire import Asked

LOG = structlog.get_logger(__name__)
T = TypeVar("T")
META = frozenset({"__typename", "__schema", "__type"})
CHALLENGE = 'Bearer realm="gateway"'
READING = 50
"""What it costs to read a document that was never seen: a dashboard is parsed and validated in some milliseconds."""


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
    """One request on its way; `contexts` are those of its operations, with work left for afterwards.

    `left` is that work, once it has begun.
    """

    request: HTTPConnection
    record: Record
    media: str
    viewer: Viewer | None = None
    payer: str = ""
    contexts: list[Context] = field(default_factory=list)
    left: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """An operation that may be executed; `cost` is what it costs and what is left, as the response says it."""

    document: Document
    operation: Operation
    variables: Mapping[str, Any] | None
    cost: Mapping[str, Any]

    @property
    def streams(self) -> bool:
        """Whether it is a subscription."""
        return self.operation.kind is OperationType.SUBSCRIPTION


class Conductor:
    """Takes one asked operation through lookup, limits, doors and execution."""

    def __init__(  # noqa: PLR0913  (the parts it is made of, each by name)
        self,
        *,
        documents: Documents,
        execution: Execution,
        texts: Texts,
        context_for: Callable[[HTTPConnection, Viewer | None, str], Awaitable[Context]],
        present: Callable[[GraphQLError, str], dict[str, Any]],
        doors: Doors,
        variables: VariableLimits,
        till: Till | None = None,
        afterwards_seconds: float = 30.0,
    ) -> None:
        self._documents = documents
        self._execution = execution
        self._texts = texts
        self._context_for = context_for
        self._present = present
        self._doors = doors
        self._variables = variables
        self._till = till
        self._afterwards_seconds = afterwards_seconds
        self._left: set[asyncio.Task[None]] = set()

    async def admit(self, asked: Asked, exchange: Exchange, method: str = "POST") -> Admitted:
        """Find what is asked, hold it against every limit, and take its cost from what the viewer may take.

        Reading a text that was never seen costs before it is read, so that nobody makes us read for nothing.

        Raises:
            Refused: it is nothing that may be executed.
        """
        text, digest = self._texts.text(asked)
        if text not in self._documents:
            await self._spend(exchange, READING)
        document = self._documents.get(text, asked.variables)
        try:
            operation = self._find(document, asked, method, exchange.record)
            self._variables.check(asked.variables)
        except Refused:
            await self._spend(exchange, 1)
            raise
        left = await self._pay(exchange, max(1, operation.tally.cost))
        if digest is not None:
            self._texts.keep(digest, text)
        cost: dict[str, Any] = {"static": operation.tally.cost, "limit": self._documents.limits.cost}
        return Admitted(document, operation, asked.variables, cost | ({"budget": left.said} if left else {}))

    async def answer(self, admitted: Admitted, exchange: Exchange) -> dict[str, Any]:
        """The response to one operation.

        Raises:
            Refused: it was not executed.
        """
        if admitted.streams:
            message = (
                "A subscription needs a connection that stays open: graphql-transport-ws on this path, "
                "or Accept: text/event-stream (GraphQL-SSE) or multipart/mixed;subscriptionSpec=1.0."
            )
            raise refuse(400, "SUBSCRIPTION_OVER_HTTP", message)
        context = await self._context(admitted, exchange)
        result = await self._execution.run(admitted.document, admitted.operation.name, admitted.variables, context)
        return self._checked(result, admitted, exchange)

    async def open(self, admitted: Admitted, exchange: Exchange) -> AsyncGenerator[dict[str, Any]]:
        """The responses to one operation: one for each event of a subscription, a single one for anything else.

        A subscription that breaks says so in its last response. Close what you do not read to its end.

        Raises:
            Refused: it was not executed.
        """
        if not admitted.streams:
            return alone(await self.answer(admitted, exchange))
        results = await self._execution.stream(
            admitted.document, admitted.operation.name, admitted.variables, await self._context(admitted, exchange)
        )
        if not isinstance(results, ExecutionResult):
            return self._events(results, admitted, exchange)
        return alone(self._checked(results, admitted, exchange))

    async def afterwards(self, exchange: Exchange) -> None:
        """Do what was left for after the answer; what fails or takes too long is logged and given up.

        It is done though who waits for it is cancelled, as when a client leaves.
        """
        exchange.left = task = asyncio.create_task(self._look_after(exchange, exchange.left))
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        # Unlike awaiting the task, waiting for it does not hand our cancellation on to it.
        await asyncio.wait((task,))

    async def close(self) -> None:
        """Wait for what is left of exchanges that are over; each has its own bound."""
        if self._left:
            await asyncio.wait(self._left)

    async def _look_after(self, exchange: Exchange, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        for context in exchange.contexts:
            try:
                async with asyncio.timeout(self._afterwards_seconds):
                    await context.afterwards()
            except Exception:
                LOG.exception("work after the answer failed", request_id=exchange.record.request_id)

    async def _events(
        self, results: AsyncGenerator[ExecutionResult], admitted: Admitted, exchange: Exchange
    ) -> AsyncGenerator[dict[str, Any]]:
        try:
            async with aclosing(results) as events:
                async for one in events:
                    yield self._said(one, admitted, exchange.record)
                    # The next one is asked for when this one was taken: a stream may go on for an hour.
                    await self.afterwards(exchange)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is logged and told below
            broken = GraphQLError(str(problem), original_error=problem)
            yield self._said(ExecutionResult(None, [broken]), admitted, exchange.record)

    async def _context(self, admitted: Admitted, exchange: Exchange) -> Context:
        self._doors.check(admitted.operation, exchange.viewer)
        context = await self._context_for(exchange.request, exchange.viewer, exchange.record.request_id)
        exchange.contexts.append(context)
        return context

    async def _pay(self, exchange: Exchange, cost: int) -> Verdict | None:
        """Take the cost of an operation, unless somebody before us did; then what they were told counts here too."""
        paid: Verdict | Refused | None = exchange.request.scope.pop(PAID_KEY, None)
        if isinstance(paid, Refused):
            raise paid
        return paid or await self._spend(exchange, cost)

    async def _spend(self, exchange: Exchange, cost: int) -> Verdict | None:
        return None if self._till is None else await spend(self._till, exchange.payer, cost)

    def _checked(self, result: ExecutionResult, admitted: Admitted, exchange: Exchange) -> dict[str, Any]:
        if never_ran(result):
            raise Refused(
                400, [described(problem, "BAD_USER_INPUT") for problem in result.errors or ()], well_formed=True
            )
        return self._said(result, admitted, exchange.record)

    def _find(self, document: Document, asked: Asked, method: str, record: Record) -> Operation:
        operation = document.operation(asked.operation)
        if operation is not None:
            record.operation = (operation.name or "")[:100] or None
            record.kind = operation.kind.value
            record.cost = operation.tally.cost
            if operation.kind is OperationType.MUTATION and method != "POST":
                raise refuse(405, "METHOD_NOT_ALLOWED", "A mutation needs POST.", Allow="POST")
        if document.errors or operation is None:
            raise refused(document)
        return operation

    def _said(self, result: ExecutionResult, admitted: Admitted, record: Record) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if result.errors:
            said["errors"] = [self._shown(problem, record) for problem in result.errors]
        said["data"] = result.data
        said["extensions"] = {"requestId": record.request_id, "cost": admitted.cost}
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
