"""What stands before a body is read strictly, up to a size and for so long: byte by byte, on a real server."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.settings import Settings
from tests.gateway.edge import Edge, token
from tests.gateway.served import PATIENCE, served, talking

BODY = b'{"query":"{ hello }"}'
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LINE = b"POST /graphql HTTP/1.1"
TE = b"Transfer-Encoding: chunked"


def request(*extra: bytes, body: bytes = BODY, line: bytes = LINE, measured: bool = True) -> bytes:
    headers = [
        b"Host: edge",
        f"Authorization: Bearer {token()}".encode(),
        b"Content-Type: application/json",
        *extra,
        *([b"Content-Length: %d" % len(body)] if measured else []),
    ]
    return b"\r\n".join([line, *headers, b"", body])


async def told(where: str, *pieces: bytes) -> bytes:
    """Everything the server says to these bytes, until it closes the connection or one response is whole."""
    host, _, port = where.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    heard = b""
    try:
        async with asyncio.timeout(PATIENCE):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while not whole(heard) and (more := await reader.read(65_536)):
                heard += more
    finally:
        writer.close()
    return heard


def whole(heard: bytes) -> bool:
    head, between, body = heard.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(between) and len(body) >= int(lengths[0].partition(b":")[2])


def status(heard: bytes) -> int:
    return int(heard.split(b" ", 2)[1])


AMBIGUOUS = {
    "a length and chunks": request(TE, body=CHUNKED),
    "two lengths": request(b"Content-Length: 5"),
    "the same length twice": request(b"Content-Length: %d" % len(BODY)),
    "a list of lengths": request(b"Content-Length: 21, 21", measured=False),
    "a signed length": request(b"Content-Length: +21", measured=False),
    "a negative length": request(b"Content-Length: -1", measured=False),
    "a length in hexadecimal": request(b"Content-Length: 0x15", measured=False),
    "a length past every number": request(b"Content-Length: " + b"9" * 30, measured=False),
    "two encodings": request(TE, b"Transfer-Encoding: identity", body=CHUNKED, measured=False),
    "chunks inside of something": request(TE + b", identity", body=CHUNKED, measured=False),
    "almost chunks": request(b"Transfer-Encoding: xchunked", body=CHUNKED, measured=False),
    "chunks after a control character": request(b"Transfer-Encoding: \x0bchunked", body=CHUNKED, measured=False),
    "a space before the colon": request(b"Transfer-Encoding : chunked", body=CHUNKED, measured=False),
    "a folded encoding": request(b"Transfer-Encoding:\r\n chunked", body=CHUNKED, measured=False),
    "a folded header": request(b"X-A: b\r\n c"),
    "a bare line feed": request(b"X-A: b\nX-B: c"),
    "only line feeds": request().replace(b"\r\n", b"\n"),
    "a bare carriage return": request(b"X-A: b\rX-B: c"),
    "a null byte": request(b"X-A: b\x00c"),
    "a space in a name": request(b"X A: b"),
    "no colon": request(b"XA"),
    "a chunk that ends with a line feed": request(TE, body=CHUNKED.replace(b"\r\n{", b"\n{"), measured=False),
    "a size that is no number": request(TE, body=b"0x" + CHUNKED, measured=False),
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a greeting in TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
}


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_what_could_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read(sent: bytes) -> None:
    edge = Edge()
    async with served(edge.app) as where:
        heard = await told(where, sent + request(b"X-Smuggled: yes"))
    assert status(heard) == 400
    assert heard.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in heard.lower()
    assert b"x-content-type-options: nosniff" in heard.lower()
    assert edge.contexts == []


async def test_a_good_request_is_answered_whole_or_in_pieces() -> None:
    async with served(Edge().app) as where:
        sent = request()
        for pieces in ([sent], [sent[:10], sent[10:100], sent[100:]], [request(TE, body=CHUNKED, measured=False)]):
            heard = await told(where, *pieces)
            assert (status(heard), b"hello you" in heard) == (200, True)
            assert b"\r\nserver:" not in heard.lower()


async def test_what_comes_after_the_end_of_a_connection_is_not_read() -> None:
    edge = Edge()
    async with served(edge.app) as where:
        await told(where, request(b"Connection: close") + request())
    assert len(edge.contexts) == 1


async def test_a_trailer_is_not_taken_for_a_header() -> None:
    trailing = CHUNKED.removesuffix(b"\r\n") + b"X-Active-Role: trainer\r\nX-Request-Id: smuggled-in\r\n\r\n"
    async with served(Edge().app) as where:
        heard = await told(where, request(TE, body=trailing, measured=False))
    assert status(heard) == 200
    assert b"smuggled-in" not in heard


@pytest.mark.parametrize("ident", [b"abcdefgh%0d%0aX-Evil: 1", b"abcdefgh\tX-Evil", b"a" * 65, b"abcdefgh\xff"])
async def test_a_request_id_that_is_none_is_not_repeated(ident: bytes) -> None:
    async with served(Edge().app) as where:
        heard = await told(where, request(b"X-Request-Id: " + ident))
    assert status(heard) == 200
    assert b"evil" not in heard.lower()
    assert ident not in heard


@pytest.mark.parametrize(
    "sent",
    [
        request(b"X-A: " + b"a" * 20_000),
        request(*(b"X-%d: a" % n for n in range(2_000))),
        request(line=b"POST /graphql?" + b"a" * 20_000 + b" HTTP/1.1"),
    ],
    ids=["one header", "many headers", "the line"],
)
async def test_a_head_that_is_too_large_is_refused_with_what_would_pass(sent: bytes) -> None:
    edge = Edge()
    async with served(edge.app) as where:
        heard = await told(where, sent)
    assert status(heard) == 431
    extensions = json.loads(heard.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]
    assert (extensions["code"], extensions["limit"], extensions["allowed"]) == ("REQUEST_TOO_LARGE", "head", 16_384)
    assert extensions["found"] > extensions["allowed"]
    assert edge.contexts == []


async def test_a_head_that_never_ends_is_read_no_further_than_the_limit() -> None:
    async with served(Edge().app) as where:
        host, _, port = where.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        sent = 0
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(LINE + b"\r\nHost: edge\r\nX-A: ")
                heard = asyncio.create_task(reader.read(65_536))
                while not heard.done():
                    writer.write(b"a" * 4_096)
                    await writer.drain()
                    sent += 4_096
                assert status(await heard) == 431
        except ConnectionError:
            pass
        finally:
            writer.close()
    assert sent < 64 * 2**20


@pytest.mark.parametrize("began", [b"", b"\r\n", b"POST /gra", LINE + b"\r\nHost: edge\r\nX-A: b"])
async def test_a_head_that_comes_too_slowly_is_given_up(began: bytes) -> None:
    async with served(Edge().app, settings=Settings.model_validate({"port": 0, "head_seconds": 0.05})) as where:
        assert status(await told(where, began)) == 408


@pytest.mark.parametrize("began", [b"\r\n", b"POST /gra"])
async def test_the_second_head_of_a_connection_is_bounded_too(began: bytes) -> None:
    async with served(Edge().app, settings=Settings.model_validate({"port": 0, "head_seconds": 0.05})) as where:
        host, _, port = where.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(request())
                first = b""
                while not whole(first):
                    first += await reader.read(65_536)
                writer.write(began)
                assert status(first) == 200
                assert status(await reader.read(65_536)) == 408
        finally:
            writer.close()


async def test_a_websocket_outlives_the_time_for_its_head() -> None:
    async with (
        served(Edge().app, settings=Settings.model_validate({"port": 0, "head_seconds": 0.05})) as where,
        talking(where) as talk,
    ):
        await talk.greet(token())
        # Until the time for a head is over for a connection that began later.
        assert status(await told(where, b"POST")) == 408
        await talk.subscribe("{ hello }")
        assert (await talk.hear())["type"] == "next"
