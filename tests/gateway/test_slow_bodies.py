"""Over a real socket: bodies that trickle, lie about their size, or never end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn

from gateway.http import Terms
from gateway.serving import uvicorn_config
from gateway.settings import read
from tests.gateway.edge import Edge, token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEAD = f"POST /graphql HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\nAuthorization: Bearer {token()}\r\n"
BODY = b'{"query": "{ hello }"}'


@asynccontextmanager
async def serving(terms: Terms) -> AsyncIterator[int]:
    """The edge on a free port, which is given."""
    config = uvicorn_config(read({"GATEWAY_PORT": "0"}), Edge(options={"terms": terms}).app)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        await server.shutdown()


async def say(port: int, *parts: bytes) -> bytes:
    """What is answered to some bytes, up to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def head(length: int, *more: str) -> bytes:
    return (HEAD + f"Content-Length: {length}\r\n" + "".join(f"{line}\r\n" for line in more) + "\r\n").encode()


async def test_a_whole_body_is_answered() -> None:
    async with serving(Terms()) as port:
        answer = await say(port, head(len(BODY), "Connection: close"), BODY)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"hello you"' in answer


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async with serving(Terms(body_seconds=0.05)) as port:
        answer = await say(port, head(1_000), BODY)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"REQUEST_TIMEOUT" in answer


@pytest.mark.parametrize("opening", [head(10**9), (HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode()])
async def test_a_body_over_the_limit_is_refused_while_it_arrives(opening: bytes) -> None:
    async with serving(Terms(body_bytes=2_000)) as port:
        answer = await say(port, opening, b"1000\r\n" + b" " * 4_096 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"REQUEST_TOO_LARGE" in answer


async def test_a_client_that_leaves_in_the_middle_disturbs_nobody() -> None:
    async with serving(Terms()) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(1_000) + BODY)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await say(port, head(len(BODY), "Connection: close"), BODY)).startswith(b"HTTP/1.1 200")
