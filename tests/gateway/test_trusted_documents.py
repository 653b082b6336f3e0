"""Where documents are listed, nothing else is executed, whichever way it comes in."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from gateway.documents import Documents
from gateway.limits import Limits
from gateway.operation import Doors
from gateway.persisted import Trusted
from gateway.settings import read as settings_of
from gateway.trusted import TrustError, collected, digest, listed, read
from tests.gateway.edge import SCHEMA, Edge, token
from tests.gateway.processes import run
from tests.gateway.served import served, streaming, talking

if TYPE_CHECKING:
    from pathlib import Path

HELLO, NAMED, TICKS = "{ hello }", "query A { hello } query B { me { hello } }", "subscription { ticks(to: 2) }"
STRANGE = "{ me { hello } }"


def a_graph(*texts: str) -> Edge:
    listing = {digest(text): text for text in texts or (HELLO, NAMED, TICKS)}
    return Edge(options={"texts": Trusted(listing), "doors": Doors(viewers_introspect=False)})


def apq(text: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}}


def code(body: dict[str, Any]) -> str:
    found: str = body["errors"][0]["extensions"]["code"]
    return found


def reading() -> Documents:
    return Documents(SCHEMA._schema, Limits())


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": f"sha256:{digest(HELLO)}"},
        {"documentId": digest(HELLO).upper()},
        apq(HELLO),
        apq(HELLO) | {"query": HELLO},
        {"query": HELLO},
    ],
)
async def test_a_listed_document_is_executed_by_its_hash_or_to_the_letter(asked: dict[str, Any]) -> None:
    edge = a_graph()
    assert (await edge.post(asked)).json()["data"] == {"hello": "hello you"}
    async with edge.client() as client:
        params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
        assert (await client.get("/graphql", params=params)).json()["data"] == {"hello": "hello you"}


@pytest.mark.parametrize(
    "asked",
    [
        {"query": STRANGE},
        {"query": HELLO + " "},
        {"query": "{ __schema { queryType { name } } }"},
        {"query": "{ __typename }"},
        {"documentId": f"sha256:{digest(STRANGE)}"},
        apq(STRANGE),
        apq(STRANGE) | {"query": STRANGE},
    ],
)
async def test_nothing_else_is_executed_and_nothing_is_learned(asked: dict[str, Any]) -> None:
    edge = a_graph()
    for _ in range(2):
        answer = (await edge.post(asked)).json()
        assert (code(answer), "data" in answer) == ("DOCUMENT_NOT_TRUSTED", False)
    assert edge.contexts == []
    assert len(edge.documents) == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": "sha256:abc"},
        {"documentId": "md5:" + "a" * 64},
        {"documentId": 7},
        {"documentId": digest(HELLO), "query": HELLO},
        apq(HELLO) | {"documentId": digest(HELLO)},
    ],
)
async def test_a_document_id_that_is_none_is_a_bad_request(asked: dict[str, Any]) -> None:
    assert code((await a_graph().post(asked)).json()) == "BAD_REQUEST"


async def test_a_listed_document_keeps_its_operations_and_variables() -> None:
    asked = {"documentId": digest(NAMED), "operationName": "B"}
    assert (await a_graph().post(asked)).json()["data"] == {"me": {"hello": "hello you"}}


async def test_a_document_id_finds_what_was_persisted_where_nothing_is_listed() -> None:
    edge = Edge()
    assert code((await edge.post({"documentId": digest(HELLO)})).json()) == "PERSISTED_QUERY_NOT_FOUND"
    await edge.post(apq(HELLO) | {"query": HELLO})
    assert (await edge.post({"documentId": digest(HELLO)})).json()["data"] == {"hello": "hello you"}


async def test_the_list_holds_on_a_websocket_too() -> None:
    async with served(a_graph().app) as where, talking(where) as talk:
        await talk.greet(token())
        await talk.say(type="subscribe", id="1", payload={"documentId": digest(TICKS)})
        assert [(await talk.hear())["type"] for _ in range(3)] == ["next", "next", "complete"]
        for ident, payload in (
            ("2", {"query": STRANGE}),
            ("3", {"query": "subscription { ticks(to: 3) }"}),
            ("4", apq(STRANGE)),
        ):
            await talk.say(type="subscribe", id=ident, payload=payload)
            said = await talk.hear()
            assert (said["type"], said["id"]) == ("error", ident)
            assert said["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


async def test_the_list_holds_for_streams_too() -> None:
    async with served(a_graph().app) as where:
        async with streaming(where, token(), "text/event-stream", {"documentId": digest(TICKS)}) as response:
            assert (await response.aread()).count(b"event: next") == 2
        async with streaming(where, token(), "text/event-stream", {"query": STRANGE}) as response:
            assert b"DOCUMENT_NOT_TRUSTED" in await response.aread()


def test_a_list_is_what_its_files_say(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.graphql").write_text(HELLO)
    (tmp_path / "deep" / "b.graphql").write_text(NAMED)
    (tmp_path / "notes.txt").write_text("{ nothing }")
    files = collected([tmp_path])
    assert list(files.values()) == [HELLO, NAMED]
    (tmp_path / "list.json").write_bytes(listed(files, reading()))
    assert read(tmp_path / "list.json") == {sha256(text.encode()).hexdigest(): text for text in (HELLO, NAMED)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{ nothing }", "nothing"),
        ("{", "Syntax Error"),
        ("fragment F on Query { hello }", "never used"),
        ("{ __schema { queryType { name } } }", "introspects"),
        ("{" + "me {" * 25 + "hello" + "}" * 26, "depth"),
    ],
)
def test_a_document_that_could_not_be_executed_is_not_listed(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "good.graphql").write_text(HELLO)
    (tmp_path / "bad.graphql").write_text(text)
    with pytest.raises(TrustError, match=says) as refused:
        listed(collected([tmp_path]), reading())
    assert all("bad.graphql" in problem for problem in refused.value.problems)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "{", '{"a": 1}', json.dumps({digest(STRANGE): HELLO}), json.dumps({"hello": HELLO})]
)
def test_a_list_that_is_none_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "list.json").write_text(content)
    with pytest.raises(TrustError):
        read(tmp_path / "list.json")
    with pytest.raises(TrustError):
        read(tmp_path / "missing.json")


def test_with_a_list_nobody_introspects_and_no_page_is_served() -> None:
    settings = settings_of({"GATEWAY_TRUSTED_DOCUMENTS": "list.json", "GATEWAY_INTROSPECTION": "everyone"})
    assert (settings.introspectors, settings.shows_page) == ("nobody", False)


def test_the_command_lists_the_dashboards_and_says_what_is_wrong(tmp_path: Path) -> None:
    output = tmp_path / "list.json"
    done = run("operations", "tests/operations", "--output", str(output))
    assert (done.returncode, "3 documents" in done.stdout) == (0, True), done.stderr
    assert len(read(output)) == 3
    (tmp_path / "bad.graphql").write_text("{ nothing }")
    failed = run("operations", str(tmp_path), "--output", str(tmp_path / "other.json"))
    assert (failed.returncode, "bad.graphql" in failed.stderr) == (1, True)
    assert not (tmp_path / "other.json").exists()
