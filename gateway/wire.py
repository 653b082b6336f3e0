"""What a client asked, read from a request that may hold anything."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from gateway.refusal import Refused, error, refuse

if TYPE_CHECKING:
    from starlette.requests import Request

MEMBERS = ("query", "operationName", "variables", "extensions", "documentId")
PARAMETERS_AT_MOST = 50
LONGEST_NUMBER = 15
"""Digits of a declared size that are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One GraphQL request as the client wrote it; nothing in it has been looked up yet."""

    query: str | None
    operation: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None
    document: str | None = None


def bad(message: str) -> Refused:
    """The refusal of a request that is not a GraphQL request."""
    return refuse(400, "BAD_REQUEST", message)


def shaped(value: Any) -> Asked:
    """One request out of decoded JSON. Members we do not know are ignored.

    Raises:
        Refused: 400, naming the member that has the wrong type.
    """
    if not isinstance(value, dict):
        message = "A request is a JSON object with a `query`."
        raise bad(message)
    for name, kind, says in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
        ("documentId", str, "a string"),
    ):
        if not isinstance(value.get(name), (kind, type(None))):
            message = f"`{name}` must be {says}."
            raise bad(message)
    query, operation, variables, extensions, document = (value.get(member) for member in MEMBERS)
    if not query and not document and not (extensions and extensions.get("persistedQuery") is not None):
        message = "`query` is missing: send the document as a string."
        raise bad(message)
    return Asked(query or None, operation or None, variables, extensions, document or None)


def from_query_string(raw: bytes, largest: int) -> Asked:
    """The request of a GET: `variables` and `extensions` are JSON.

    Raises:
        Refused: 400 or 414, with the reason.
    """
    if len(raw) > largest:
        message = f"The URL's query has {len(raw)} bytes, and {largest} are the most: use POST."
        raise over(414, "REQUEST_TOO_LARGE", message, limit="url", allowed=largest, found=len(raw))
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_AT_MOST
        )
    except ValueError:
        message = "The parameters of the URL are not readable as UTF-8."
        raise bad(message) from None
    known = [(name, value) for name, value in pairs if name in MEMBERS]
    given: dict[str, Any] = _once(known)
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = decoded(given[name].encode(), f"`{name}` of the URL")
        else:
            given.pop(name, None)
    return shaped(given)


def from_body(raw: bytes, batch: int) -> list[Asked] | Asked:
    """The request of a POST, or the requests of a batch of at most `batch`.

    Raises:
        Refused: 400, with the reason.
    """
    value = decoded(raw, "The body")
    if not isinstance(value, list):
        return shaped(value)
    if not value:
        message = "A batch holds at least one request."
        raise bad(message)
    if len(value) > batch:
        message = f"A batch holds at most {batch} requests, and this one holds {len(value)}: send several batches."
        raise over(400, "BATCH_TOO_LARGE", message, limit="batch", allowed=batch, found=len(value))
    return [shaped(one) for one in value]


async def body(request: Request, largest: int, seconds: float) -> bytes:
    """The body of a request, read no further than `largest` bytes and for no longer than `seconds`.

    Raises:
        Refused: 413 too large, 408 too slow.
        ClientDisconnect: the client has gone.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > LONGEST_NUMBER or int(declared) > largest):
        raise too_large(largest, int(declared[:LONGEST_NUMBER]))
    read = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                read += chunk
                if len(read) > largest:
                    raise too_large(largest, len(read))
    except TimeoutError:
        message = f"The body did not arrive within {seconds:g} seconds, {len(read)} bytes of it did: send it faster."
        no = over(408, "REQUEST_TIMEOUT", message, limit="body.seconds", allowed=seconds)
        raise closing(no) from None
    return bytes(read)


def over(status: int, code: str, message: str, **extensions: Any) -> Refused:
    """The refusal of a request that is over a limit: `limit`, `allowed` and `found` go beside the code."""
    return Refused(status, [error(code, message, **extensions)])


def closing(no: Refused) -> Refused:
    """The same refusal, on a connection that is closed: what is still coming on it is not read."""
    no.headers["Connection"] = "close"
    return no


def too_large(largest: int, found: int) -> Refused:
    """The refusal of a body, which is read no further."""
    message = f"The body has {found} bytes or more, and {largest} are the most: send less at once."
    return closing(over(413, "REQUEST_TOO_LARGE", message, limit="body", allowed=largest, found=found))


def decoded(raw: bytes, what: str) -> Any:
    """JSON, strictly: UTF-8, no NaN, no lone surrogates, nothing nested past 1,024 levels, no member twice.

    Raises:
        Refused: 400, with the reason.
    """
    try:
        value = orjson.loads(raw)
        # orjson keeps the last of two equal members; a second reading (4 microseconds) finds them.
        ONCE.decode(raw.decode())
    except (RecursionError, ValueError):
        message = f"{what} is not valid JSON in UTF-8, or nests too deeply."
        raise bad(message) from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        message = "A member is there twice, so that it is not clear which one is meant."
        raise bad(message)
    return members


ONCE = json.JSONDecoder(object_pairs_hook=_once)
