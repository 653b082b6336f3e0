"""A document is read once: parsed, measured and validated, and kept by its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse, validate

from gateway.bounded import Bounded
from gateway.limits import Limits, Tally, excess, measure, objects, size_of
from gateway.refusal import Refused, error, refuse_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import DocumentNode, GraphQLField, GraphQLSchema

WEIGHT_PER_CHARACTER = 200
"""Bytes that one character of a document costs once parsed; measured on dashboards, rounded up."""
ERRORS_AT_MOST = 20
Errors = tuple[dict[str, Any], ...]
Key = tuple[str, tuple[tuple[str, int], ...]]
"""A text, and the sizes of its pages that its variables say."""
HINTS = {
    "depth": "Select fewer levels.",
    "fields": "Select fewer fields, or ask in two requests.",
    "roots": "Select fewer fields at the root, or ask in two requests.",
    "aliases": "Use fewer aliases, or ask in two requests.",
    "directives": "Use fewer directives.",
    "cost": "Ask for smaller pages, or for fewer objects at once.",
    "fragments": "Use fewer fragments.",
    "repeats": "Name in a fragment, or in separate requests, what is selected over and over.",
    "operations": "Send fewer operations in one document.",
    "tokens": "Send a shorter document.",
    "comments": "Send fewer comments.",
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
    paged: frozenset[str] = frozenset()
    """The variables that say how long a page is, and so what the document costs."""

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

    def __init__(  # noqa: PLR0913  (what documents are held against, most by name)
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        weigh: Callable[[GraphQLField], int] = objects,
        suggestions: bool = False,
        count: int = 1_000,
        mebibytes: int = 32,
    ) -> None:
        self.limits = limits
        self._weigh = weigh
        self._schema = schema
        self._suggestions = suggestions
        self._kept: Bounded[Key, Document] = Bounded(count, mebibytes * 2**20)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, text: str) -> bool:
        return self._kept.get((text, ())) is not None

    def get(self, text: str, variables: Mapping[str, Any] | None = None) -> Document:
        """The document of a text, good or bad, and what it costs with these variables."""
        document = self._kept.get((text, ()))
        if document is None:
            document = self._read(text)
            self._kept.keep((text, ()), document, 1_000 + WEIGHT_PER_CHARACTER * len(text))
        if not document.paged or not variables:
            return document
        given = ((name, size_of(variables.get(name))) for name in sorted(document.paged))
        sizes = tuple((name, size) for name, size in given if size is not None)
        if not sizes:
            return document
        sized = self._kept.get((text, sizes))
        if sized is None:
            sized = self._sized(document, dict(sizes))
            self._kept.keep((text, sizes), sized, 2_000 + len(text))
        return sized

    def let_go(self) -> None:
        """Know no document any more: whoever is named in one may be forgotten."""
        self._kept.clear()

    def _read(self, text: str) -> Document:
        try:
            ast = parse(text, max_lexical_tokens=self.limits.tokens, max_comments=self.limits.comments)
            return self._judged(text, ast, {}, self._validated)
        except GraphQLSyntaxError as problem:
            return Document(text, None, {}, (self._unread(problem),))
        except (GraphQLError, RecursionError):
            message = f"The document is nested too deeply: {self.limits.depth} levels are the most. {HINTS['depth']}"
            told = error("DOCUMENT_LIMIT", message, limit="depth", allowed=self.limits.depth)
            return Document(text, None, {}, (told,))

    def _sized(self, document: Document, sizes: Mapping[str, int]) -> Document:
        """The same document with pages of other sizes, which may lift it over a limit, or below."""
        if document.ast is None:
            return document
        known = document.errors
        over = bool(known) and known[0]["extensions"]["code"] == "DOCUMENT_LIMIT"
        return self._judged(document.text, document.ast, sizes, self._validated if over else lambda _: known)

    def _judged(
        self, text: str, ast: DocumentNode, sizes: Mapping[str, int], validated: Callable[[DocumentNode], Errors]
    ) -> Document:
        measured = measure(self._schema, ast, self.limits.page, self._weigh, sizes)
        operations = {
            name: Operation(name, node.operation, measured.operations[name])
            for node in ast.definitions
            if isinstance(node, OperationDefinitionNode)
            for name in (node.name.value if node.name else None,)
        }
        errors = tuple(_over(**over) for over in excess(self.limits, measured))
        return Document(text, ast, operations, errors or validated(ast), measured.paged)

    def _unread(self, problem: GraphQLSyntaxError) -> dict[str, Any]:
        """The error of a text that is no document, or is one too long to be read: reading stops one past the limit."""
        for name, most in (("tokens", self.limits.tokens), ("comments", self.limits.comments)):
            if problem.message.startswith(f"Syntax Error: Document contains more than {most} {name}"):
                return _over(name, most, most + 1)
        return described(problem, "GRAPHQL_PARSE_FAILED")

    def _validated(self, ast: DocumentNode) -> Errors:
        problems = validate(self._schema, ast, max_errors=ERRORS_AT_MOST, hide_suggestions=not self._suggestions)
        return tuple(described(problem, "GRAPHQL_VALIDATION_FAILED") for problem in problems)


def _over(limit: str, allowed: int, found: int) -> dict[str, Any]:
    message = f"The document has {limit} {found}, and {allowed} is the most. {HINTS[limit]}"
    return error("DOCUMENT_LIMIT", message, limit=limit, allowed=allowed, found=found)


def described(problem: GraphQLError, code: str) -> dict[str, Any]:
    """An error of the document itself, with where it is."""
    places = [{"line": place.line, "column": place.column} for place in problem.locations or ()]
    return {"message": problem.message, **({"locations": places} if places else {}), "extensions": {"code": code}}


def refused(document: Document) -> Refused:
    """The refusal of a document that has errors."""
    return Refused(400, document.errors, well_formed=True)
