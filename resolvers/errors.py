"""Errors as clients see them: every one with a code, nothing of the inside in any of them."""

import re
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLSyntaxError, VariableDefinitionNode

from analytics.policy import NotAllowed, NotFound, Unavailable

SUGGESTION = re.compile(r" Did you mean .*\?$", re.DOTALL)


SOON = 5
"""Seconds after which what is unavailable is worth asking for again."""

CODES: dict[type[Exception], str] = {NotFound: "NOT_FOUND", NotAllowed: "FORBIDDEN"}
"""The verdicts of the policy."""


class Refused(Exception):  # noqa: N818 - a verdict about the request, named like the ones in analytics.policy
    """A request that is turned down for a reason the client may read; `extra` goes into the extensions."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class BadInput(Refused):
    """An argument that is no good; the message says what would be."""


def present(error: GraphQLError, request_id: str, *, suggestions: bool = True) -> dict[str, Any]:
    """An error in response shape: message, locations, path, and `extensions` with a `code`.

    What is the client's to mend keeps its message. Anything else becomes INTERNAL_SERVER_ERROR with
    the request id, by which the log knows the rest.

    Args:
        error: as the parser, the validator or the executor gave it.
        request_id: goes into masked errors.
        suggestions: whether "Did you mean ...?" may stay; it spells out parts of the schema.
    """
    shown = error.formatted
    extensions = _verdict(error)
    if extensions is None:
        shown["message"] = f"Something went wrong on our side. Request {request_id} is in the log."
        extensions = {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}
    elif not suggestions:
        shown["message"] = SUGGESTION.sub("", shown["message"])
    return {**shown, "extensions": extensions}


def _verdict(error: GraphQLError) -> dict[str, Any] | None:
    """The extensions a client may see, None when the error is not theirs to see."""
    if error.extensions and "code" in error.extensions:
        return dict(error.extensions)
    if error.nodes and isinstance(error.nodes[0], VariableDefinitionNode) and error.original_error:
        return {"code": "BAD_USER_INPUT"}  # a variable's value: whatever its scalar raised is about the input
    cause = _cause(error)
    if isinstance(cause, GraphQLError):
        return _of_graphql(error)
    if isinstance(cause, Refused):
        return {"code": cause.code, **cause.extra}
    if isinstance(cause, Unavailable):
        return {"code": "UNAVAILABLE", "retryAfter": SOON}
    code = CODES.get(type(cause))
    return {"code": code} if code else None


def _cause(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _of_graphql(error: GraphQLError) -> dict[str, Any] | None:
    """What graphql-core itself found wrong: with the request, or with what our resolvers gave it."""
    if isinstance(error, GraphQLSyntaxError):
        return {"code": "GRAPHQL_PARSE_FAILED"}
    if error.path is None:
        return {"code": "GRAPHQL_VALIDATION_FAILED" if error.nodes else "BAD_USER_INPUT"}
    # While executing, it points at an argument when the input is wrong and at the field when the output is.
    return None if error.nodes is None or isinstance(error.nodes[0], FieldNode) else {"code": "BAD_USER_INPUT"}
