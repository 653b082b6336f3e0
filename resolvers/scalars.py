"""The scalars of the schema, and how each looks on the wire.

Values arrive here in wire shape already (`analytics.codec`), so a scalar only checks what it lets
out. `UNPLAIN` says the same checks as Python source for the compiled projection: what passes them
leaves unchanged, whatever does not is given to the scalar itself.
"""

from datetime import date, datetime
from typing import Annotated, Any, NewType, get_args
from uuid import UUID

import strawberry
from annotated_types import Ge
from graphql import GraphQLError, GraphQLFloat, GraphQLInt
from strawberry.types.scalar import ScalarDefinition

from datasources import declare

Score = NewType("Score", float)
Share = NewType("Share", float)
Seconds = NewType("Seconds", int)
Reference = NewType("Reference", object)

Duration = Annotated[int, Ge(0), declare.Unit("seconds")]

JSON_NUMBER = "https://www.rfc-editor.org/rfc/rfc8259#section-6"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    msg = f"expected text in wire shape, got {value!r}"
    raise GraphQLError(msg)


def _scalar(name: str, description: str, specified_by_url: str, serialize: Any) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=description, specified_by_url=specified_by_url, serialize=serialize)


SCALARS: dict[object, ScalarDefinition] = {
    Score: _scalar("Score", "Points from 0 to 100, to one decimal.", JSON_NUMBER, GraphQLFloat.coerce_output_value),
    Share: _scalar("Share", "A share from 0 to 1, to three decimals.", JSON_NUMBER, GraphQLFloat.coerce_output_value),
    Seconds: _scalar("Seconds", "A duration in whole seconds.", JSON_NUMBER, GraphQLInt.coerce_output_value),
    datetime: _scalar(
        "DateTime",
        "An instant in UTC as in RFC 3339: `2026-03-02T09:30:00Z`.",
        "https://scalars.graphql.org/andimarek/date-time.html",
        _text,
    ),
    date: _scalar(
        "Date",
        "A calendar day as in RFC 3339: `2026-03-02`.",
        "https://scalars.graphql.org/andimarek/local-date.html",
        _text,
    ),
    Reference: _scalar(
        "_Any",
        'A reference of another graph: `{"__typename": "Learner", "id": "..."}`, with a global id or the raw UUID.',
        "https://www.apollographql.com/docs/federation/subgraph-spec",
        _text,
    ),
    UUID: _scalar("UUID", "A UUID in lower case, with hyphens.", "https://www.rfc-editor.org/rfc/rfc9562", _text),
}

_FLOAT = "type({v}) is not float or {v} - {v}"  # inf - inf and nan - nan are nan, which is truthy; finite gives 0.0
_INT = "type({v}) is not int or not -2147483648 <= {v} <= 2147483647"
_TEXT = "type({v}) is not str"

UNPLAIN: dict[str, str] = {
    "Float": _FLOAT,
    "Score": _FLOAT,
    "Share": _FLOAT,
    "Int": _INT,
    "Seconds": _INT,
    "String": _TEXT,
    "ID": _TEXT,
    "DateTime": _TEXT,
    "Date": _TEXT,
    "UUID": _TEXT,
    "Boolean": "type({v}) is not bool",
}


def unit_of(hint: Any) -> declare.Unit | None:
    """The unit in the annotations of a hint, None when there is none."""
    return next((note for note in get_args(hint)[1:] if isinstance(note, declare.Unit)), None)


BY_UNIT: dict[declare.Unit | None, Any] = {
    unit_of(declare.Score): Score,
    unit_of(declare.Share): Share,
    unit_of(Duration): Seconds,
}
