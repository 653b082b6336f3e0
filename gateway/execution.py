"""Run one operation of a document that was already read, on the executor the schema asks for."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any, cast

from graphql import execute, subscribe

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from graphql import ExecutionResult, GraphQLSchema
    from strawberry import Schema

    from gateway.documents import Document


class Execution:
    """Strawberry's schema, executed without its per-request parsing, validation and extension runner.

    Raises:
        ValueError: the schema has Strawberry extensions or operation directives, which would not be run.
    """

    def __init__(self, schema: Schema) -> None:
        if schema.extensions or schema.directives:
            message = "the schema has extensions or operation directives, and this way of executing runs none"
            raise ValueError(message)
        self._executor = schema.execution_context_class
        self.graphql: GraphQLSchema = schema._schema  # noqa: SLF001  (Strawberry offers no public way to it)

    async def run(
        self, document: Document, name: str | None, variables: Mapping[str, Any] | None, context: object
    ) -> ExecutionResult:
        """The result of one operation of a document without errors. Never raises for what a resolver does."""
        result = execute(
            self.graphql,
            document.ast,  # type: ignore[arg-type]  # a document without errors was parsed
            context_value=context,
            variable_values=dict(variables) if variables else None,
            operation_name=name,
            executor_class=self._executor,
            hide_suggestions=True,
            # Strawberry's executor takes these beside graphql-core's own arguments.
            operation_extensions=None,
        )
        return await result if isawaitable(result) else result

    async def stream(
        self, document: Document, name: str | None, variables: Mapping[str, Any] | None, context: object
    ) -> AsyncGenerator[ExecutionResult] | ExecutionResult:
        """The results of a subscription, one for each event; or the one result that says why there are none."""
        results = subscribe(
            self.graphql,
            document.ast,  # type: ignore[arg-type]  # a document without errors was parsed
            context_value=context,
            variable_values=dict(variables) if variables else None,
            operation_name=name,
            executor_class=self._executor,
            hide_suggestions=True,
            # Strawberry's executor takes these beside graphql-core's own arguments.
            operation_extensions=None,
        )
        # graphql-core promises an iterator, and makes a generator, which can be closed.
        return cast(
            "AsyncGenerator[ExecutionResult] | ExecutionResult", await results if isawaitable(results) else results
        )


def never_ran(result: ExecutionResult) -> bool:
    """Whether the request failed before any field was resolved: bad variables, no such operation."""
    return result.data is None and bool(result.errors) and all(error.path is None for error in result.errors or ())
