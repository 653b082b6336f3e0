"""A document is read once: parsed, measured and validated, and kept by its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse, validate

from gateway.bounded import Bounded
from gateway.limits import Limits, Tally, excess, measure
from gateway.refusal import Refused, error, refuse_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DocumentNode, GraphQLSchema

WEIGHT_PER_CHARACTER = 200
"""Bytes that one character of a document costs once parsed; measured on dashboards, rounded up."""
ERRORS_AT_MOST = 20
HINTS = {
    "depth": "Select fewer levels.",
    "fields": "Select fewer fields, or ask in two requests.",
    "aliases": "Use fewer aliases, or ask in two requests.",
    "directives": "Use fewer directives.",
    "cost": "Ask for smaller pages, or for fewer objects at once.",
    "fragments": "Use fewer fragments.",
    "repeats": "Name in a fragment, or in separate requests, what is selected over and over.",
    "operations": "Send fewer operations in one document.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, and what it asks for."""

    name: str | None
    kind: OperationType
    tally: Tally


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read. `errors` are why it cannot be executed; none means that it can."""

    text: str
    ast: DocumentNode | None
    operations: Mapping[str | None, Operation]
    errors: tuple[dict[str, Any], ...]

    def operation(self, name: str | None) -> Operation | None:
        """The operation of that name, or the only one there is.

        Raises:
            Refused: no operation of that name, or no name where there are several operations.
        """
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name in self.operations:
            return self.operations[name]
        if self.errors:
            return None
        if name is None:
            message = "The document holds several operations: say which one in `operationName`."
        else:
            message = "The document holds no operation of the name in `operationName`."
        code = "OPERATION_RESOLUTION_FAILURE"
        raise refuse_document(code, message)


class Documents:
    """The documents of one schema, each read once and kept, bounded by count and MiB."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        suggestions: bool = False,
        count: int = 1_000,
        mebibytes: int = 32,
    ) -> None:
        self.limits = limits
        self._schema = schema
        self._suggestions = suggestions
        self._kept: Bounded[str, Document] = Bounded(count, mebibytes * 2**20)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> Document:
        """The document of a text, good or bad."""
        document = self._kept.get(text)
        if document is None:
            document = self._read(text)
            self._kept.keep(text, document, 1_000 + WEIGHT_PER_CHARACTER * len(text))
        return document

    def _read(self, text: str) -> Document:
        try:
            ast = parse(text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments)
            measured = measure(self._schema, ast, self.limits.page)
        except GraphQLSyntaxError as problem:
            return Document(text, None, {}, (described(problem, "GRAPHQL_PARSE_FAILED"),))
        except (GraphQLError, RecursionError):
            message = f"The document is nested too deeply. {HINTS['depth']}"
            return Document(text, None, {}, (error("DOCUMENT_LIMIT", message, limit="depth"),))
        operations = {
            name: Operation(name, node.operation, measured.operations[name])
            for node in ast.definitions
            if isinstance(node, OperationDefinitionNode)
            for name in (node.name.value if node.name else None,)
        }
        errors = tuple(
            error(
                "DOCUMENT_LIMIT",
                f"The document has {over['limit']} {over['found']}, and {over['allowed']} is the most. "
                f"{HINTS[over['limit']]}",
                **over,
            )
            for over in excess(self.limits, measured)
        )
        return Document(text, ast, operations, errors or self._validated(ast))

    def _validated(self, ast: DocumentNode) -> tuple[dict[str, Any], ...]:
        problems = validate(self._schema, ast, max_errors=ERRORS_AT_MOST, hide_suggestions=not self._suggestions)
        return tuple(described(problem, "GRAPHQL_VALIDATION_FAILED") for problem in problems)


def described(problem: GraphQLError, code: str) -> dict[str, Any]:
    """An error of the document itself, with where it is."""
    places = [{"line": place.line, "column": place.column} for place in problem.locations or ()]
    return {"message": problem.message, **({"locations": places} if places else {}), "extensions": {"code": code}}


def refused(document: Document) -> Refused:
    """The refusal of a document that has errors."""
    return Refused(400, document.errors, well_formed=True)
