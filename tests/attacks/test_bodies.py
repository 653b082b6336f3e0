"""Bodies made to fill memory or to hold a connection: given up after what may be read, by a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from tests.attacks.production import Published, bearer, claims, in_production, signed
from tests.gateway.served import PATIENCE, served, talking
from tests.river.banks import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Clone

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEGABYTE = 1 << 20
FIFTY = 50 * MEGABYTE
TOKEN = signed(claims("lena", Clock().moment))
HELLO = b'{"query":"{ __typename }"}'
BOMB = json.dumps({"query": "{ __typename }" + " " * FIFTY}).encode()
COMPRESSED = {
    "gzip": gzip.compress(BOMB),
    "x-gzip": gzip.compress(BOMB),
    "deflate": zlib.compress(BOMB),
    "gzip, gzip": gzip.compress(gzip.compress(BOMB)),
    "br": b"\x1b" * 100,
    "zstd": b"\x28\xb5\x2f\xfd" * 100,
    "anything": HELLO,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def where(module_clone: Clone) -> AsyncIterator[str]:
    clock = Clock()
    async with (
        in_production(module_clone.app_url, Published(clock), clock, BODY_SECONDS="0.2") as gateway,
        served(gateway.app) as place,
    ):
        yield place


def head(*more: str) -> bytes:
    lines = ["POST /graphql HTTP/1.1", "Host: gateway", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Authorization: Bearer {TOKEN}", *more, "", ""]).encode()


async def poured(where: str, opening: bytes, piece: bytes, size: int) -> tuple[bytes, int]:
    """What is answered to a body that goes on, and how much of it could be sent until then."""
    host, _, port = where.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    sent = 0
    answer = asyncio.ensure_future(reader.read())
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(opening)
            with suppress(ConnectionError):
                while sent < size and not answer.done():
                    writer.write(piece)
                    await writer.drain()
                    sent += len(piece)
                    await asyncio.sleep(0)
            with suppress(ConnectionError):
                return await answer, sent
            return b"", sent
    finally:
        answer.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (head(f"Content-Length: {FIFTY}"), b" " * 65_536),
        (head("Transfer-Encoding: chunked"), b"10000\r\n" + b" " * 65_536 + b"\r\n"),
    ],
    ids=["that says how long it is", "that does not"],
)
async def test_of_fifty_megabytes_no_more_is_read_than_may_be(where: str, opening: bytes, piece: bytes) -> None:
    answer, sent = await poured(where, opening, piece, FIFTY)
    assert sent < FIFTY / 2, "the connection is closed while most of it is still to come"
    # A connection that is closed on somebody who still sends may lose the answer on its way.
    assert not answer or answer.startswith(b"HTTP/1.1 413")


async def test_a_size_that_is_only_claimed_is_answered_with_the_limit(where: str) -> None:
    answer, _ = await poured(where, head(f"Content-Length: {FIFTY}"), b"", 0)
    assert answer.startswith(b"HTTP/1.1 413")
    told = json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]
    assert told == {"code": "REQUEST_TOO_LARGE", "limit": "body", "allowed": 65_536, "found": FIFTY}


async def test_a_body_that_comes_too_slowly_is_given_up(where: str) -> None:
    answer, _ = await poured(where, head("Content-Length: 1000"), b'{"query"', 8)
    assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("coding", COMPRESSED)
async def test_a_compressed_body_is_never_unpacked(where: str, coding: str) -> None:
    headers = bearer(TOKEN, content_type="application/json", content_encoding=coding)
    content = COMPRESSED[coding][:60_000]
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        reply = await client.post(f"http://{where}/graphql", content=content, headers=headers)
    assert reply.status_code == 415
    assert "data" not in reply.json()


async def test_compressed_bytes_that_do_not_say_so_are_no_json(where: str) -> None:
    headers = bearer(TOKEN, content_type="application/json")
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        reply = await client.post(f"http://{where}/graphql", content=gzip.compress(HELLO), headers=headers)
    assert reply.status_code == 400


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
async def test_what_a_form_can_send_is_not_read(where: str, kind: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        reply = await client.post(f"http://{where}/graphql", content=HELLO, headers=bearer(TOKEN, content_type=kind))
    assert reply.status_code == 415


async def test_a_websocket_does_not_unpack_either_and_reads_no_message_that_is_too_long(where: str) -> None:
    async with talking(where, compression="deflate", max_size=None) as talk:
        response = talk.connection.response
        assert response is not None
        assert "sec-websocket-extensions" not in response.headers
        await talk.greet(TOKEN)
        await talk.raw("x" * 2 * MEGABYTE)
        assert (await talk.closed())[0] == 1009
