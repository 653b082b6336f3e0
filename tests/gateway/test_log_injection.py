"""A line of the log is one event, whatever a client, a service or a database wrote into it."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.telemetry import Telemetry, as_json, configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

NASTY = (
    'one\n{"event": "signed in", "level": "info"}',
    "one\r\ntwo",
    "one\u2028two\u2029three\x85four",
    "\x1b[2J\x1b]0;title\x07",
    "one\0two",
    "\ud800",
    "\u202eeht fo tuo\u2066",
    "\x9b2J",
    '", "role": "org-admin',
    "%s %d {} {0.__class__}",
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a process writes whose logging is as ours is."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


@contextmanager
def only(stream: io.StringIO) -> Iterator[None]:
    """What is logged goes to this stream alone: what keeps the report of a test cannot be told half a letter."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers[:] = [one for one in handlers if getattr(one, "stream", None) is stream]
    yield
    root.handlers[:] = handlers


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


WORDS = st.text(st.characters(exclude_categories=()) | st.sampled_from("\n\x85\u2028\ud800\x9b"), max_size=50)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, WORDS, max_size=5))
def test_an_event_is_one_line_of_json_whatever_its_words(event: dict[str, str]) -> None:
    said = as_json(dict(event))
    assert len(said.splitlines()) == 1
    assert not {"\x1b", "\0", "\x7f", "\x9b", "\u202e", "\u2066"} & set(said)
    assert json.loads(said) == event


@pytest.mark.parametrize("text", NASTY)
def test_what_is_written_into_a_field_stays_in_that_field(written: io.StringIO, text: str) -> None:
    with only(written):
        structlog.get_logger("gateway.test").info("happened", told=text, role="learner")
        logging.getLogger("a.library").warning("it said %s", text)
    first, second = lines(written)
    assert (first["event"], first["role"], first["level"]) == ("happened", "learner", "info")
    assert (second["level"], second["logger"]) == ("warning", "a.library")


@pytest.mark.parametrize(
    "asked", ["/a%0d%0a%7b%22level%22:%22error%22%7d", "/%1b%5b2J", "/%E2%80%A8%C2%85", "/" + "x" * 5_000]
)
async def test_a_path_and_an_id_of_a_request_stay_in_their_fields(written: io.StringIO, asked: str) -> None:
    async def answer(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(Telemetry(answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        response = await client.get(asked, headers={"x-request-id": "one two\tthree; level=error"})
    (line,) = [line for line in lines(written) if line["event"] == "request"]
    assert (line["level"], line["status"]) == ("info", 404)
    assert len(line["path"]) <= 200
    assert line["request_id"] == response.headers["x-request-id"] != "one two\tthree; level=error"
