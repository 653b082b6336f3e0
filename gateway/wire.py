"""What a client asked, read from a request that may hold anything."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from gateway.refusal import Refused, refuse

if TYPE_CHECKING:
    from starlette.requests import Request

MEMBERS = ("query", "operationName", "variables", "extensions")
PARAMETERS_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One GraphQL request as the client wrote it; nothing in it has been looked up yet."""

    query: str | None
    operation: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


def bad(message: str, code: str = "BAD_REQUEST") -> Refused:
    """The refusal of a request that is not a GraphQL request."""
    return refuse(400, code, message)


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
    ):
        if not isinstance(value.get(name), (kind, type(None))):
            message = f"`{name}` must be {says}."
            raise bad(message)
    query, operation, variables, extensions = (value.get(member) for member in MEMBERS)
    if not query and not (extensions and "persistedQuery" in extensions):
        message = "`query` is missing: send the document as a string."
        raise bad(message)
    return Asked(query or None, operation or None, variables, extensions)


def from_query_string(raw: bytes, largest: int) -> Asked:
    """The request of a GET: `variables` and `extensions` are JSON.

    Raises:
        Refused: 400 or 414, with the reason.
    """
    if len(raw) > largest:
        raise refuse(414, "REQUEST_TOO_LARGE", f"The URL is longer than {largest} bytes: use POST.")
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
        message = f"A batch holds at most {batch} requests, and this one holds {len(value)}."
        raise bad(message, "BATCH_TOO_LARGE")
    return [shaped(one) for one in value]


async def body(request: Request, largest: int, seconds: float) -> bytes:
    """The body of a request, read no further than `largest` bytes and for no longer than `seconds`.

    Raises:
        Refused: 413 too large, 408 too slow.
        ClientDisconnect: the client has gone.
    """
    too_large = f"The body is larger than {largest} bytes."
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > len(str(largest)) or int(declared) > largest):
        raise refuse(413, "REQUEST_TOO_LARGE", too_large, Connection="close")
    read = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                read += chunk
                if len(read) > largest:
                    raise refuse(413, "REQUEST_TOO_LARGE", too_large, Connection="close")
    except TimeoutError:
        message = f"The body did not arrive within {seconds:g} seconds."
        raise refuse(408, "REQUEST_TIMEOUT", message, Connection="close") from None
    return bytes(read)


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
