"""GraphQL over HTTP, word by word."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from analytics.declare import Role
from gateway.http import Terms
from gateway.negotiation import GRAPHQL, JSON
from gateway.operation import Doors
from tests.cast import LENA
from tests.gateway.edge import Edge, token

HELLO = {"query": "{ hello }"}


def code(body: dict[str, Any]) -> str:
    return body["errors"][0]["extensions"]["code"]


async def test_a_query_is_answered_with_its_id_and_its_cost() -> None:
    answer = await Edge().post(HELLO, x_request_id="abc-12345678")
    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"hello": "hello you"},
        "extensions": {"requestId": "abc-12345678", "cost": {"static": 0, "limit": 20_000}},
    }
    assert answer.headers["x-request-id"] == "abc-12345678"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"{JSON};q=0.5, {GRAPHQL};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, */*", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        ("text/event-stream, application/json;q=0.1", JSON),
        (f"{GRAPHQL};q=nonsense, {JSON};q=0.2", JSON),
    ],
)
async def test_the_answer_takes_the_media_type_that_is_wanted_most(accept: str, media: str) -> None:
    answer = await Edge().post(HELLO, accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", f"{GRAPHQL};charset=latin-1"])
async def test_who_takes_nothing_we_have_hears_what_there_is(accept: str) -> None:
    answer = await Edge().post(HELLO, accept=accept)
    assert answer.status_code == 406
    assert GRAPHQL in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($v: Int!) { number(value: $v) }", "variables": {"v": "x"}}, "BAD_USER_INPUT"),
        ({"query": "{ hello }", "operationName": "Missing"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { hello } query B { hello }"}, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_a_document_that_cannot_be_executed_has_no_data(asked: dict[str, Any], says: str) -> None:
    for media, status in ((JSON, 200), (GRAPHQL, 400)):
        answer = await Edge().post(asked, accept=media)
        assert answer.status_code == status
        assert "data" not in answer.json()
        assert code(answer.json()) == says


async def test_an_error_of_one_field_is_masked_and_still_200() -> None:
    answer = await Edge().post({"query": "{ me { broken } }"}, accept=GRAPHQL)
    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert code(answer.json()) == "INTERNAL_SERVER_ERROR"
    assert "swordfish" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"1", b'"x"', b"{", b"[]", b"[1]", b"{}", b'{"query": 1}', b'{"query": null}', b'{"query": ""}',
        b'{"query": "{ hello }", "variables": []}', b'{"query": "{ hello }", "operationName": {}}',
        b'{"query": "{ hello }", "extensions": 1}', b'{"query": "{ hello }", "query": "{ me { hello } }"}',
        b'{"query": "{ hello }", "variables": {"a": 1, "a": 2}}', b'{"query": "{ hello }", "variables": {"a": NaN}}',
        b'{"query": "{ hello }", "variables": {"a": Infinity}}', b'{"query": "\xff"}', b'{"query": "\\ud800"}',
        b'\xef\xbb\xbf{"query": "{ hello }"}', b"[" * 30_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 6_000 + b"}}",
        b'{"query": "{ hello }", "variables": {"a": 1e999}}',
    ],
)  # fmt: skip
async def test_a_body_that_is_no_request_is_a_bad_request(body: bytes) -> None:
    answer = await Edge().post(body)
    assert answer.status_code == 400
    assert code(answer.json()) == "BAD_REQUEST"
    assert "data" not in answer.json()


async def test_null_members_and_unknown_members_are_no_fault() -> None:
    asked = {"query": "{ hello }", "variables": None, "operationName": None, "extensions": None, "id": 7}
    assert (await Edge().post(asked)).json()["data"] == {"hello": "hello you"}


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": ""},
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_encoding": "gzip"},
    ],
)
async def test_only_plain_json_in_utf8_is_read(headers: dict[str, str]) -> None:
    edge = Edge()
    answer = await edge.post({"query": "mutation { change }"}, **headers)
    assert answer.status_code == 415
    assert edge.contexts == []


async def test_a_body_over_the_limit_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        for _ in range(1_000):
            sent += 1_000
            yield b" " * 1_000

    async with Edge(options={"terms": Terms(body_bytes=5_000)}).client() as client:
        answer = await client.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert sent == 6_000


async def test_a_declared_size_over_the_limit_is_refused_unread() -> None:
    async def untouched() -> Any:
        pytest.fail("the body was read")
        yield b""

    async with Edge().client() as client:
        headers = {"content-type": JSON, "content-length": "9" * 5_000}
        answer = await client.post("/graphql", content=untouched(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_hear_which_are_served(method: str) -> None:
    async with Edge().client() as client:
        answer = await client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


async def test_get_asks_a_query_with_its_variables() -> None:
    async with Edge().client() as client:
        asked = {"query": "query($n: String!) { hello(name: $n) }", "variables": json.dumps({"n": "Jürgen 🏃"})}
        answer = await client.get("/graphql", params=asked)
    assert answer.json()["data"] == {"hello": "hello Jürgen 🏃"}


@pytest.mark.parametrize(
    "url",
    ["/graphql", "/graphql?query=", "/graphql?query=%FF", "/graphql?query={hello}&query={hello}",
     "/graphql?query={hello}&variables=[]", "/graphql?query={hello}&variables={", "/graphql?query={hello}&extensions=1",
     "/graphql?" + "&".join(f"a{n}=1" for n in range(100))],
)  # fmt: skip
async def test_a_get_that_is_no_request_is_a_bad_request(url: str) -> None:
    async with Edge().client() as client:
        answer = await client.get(url)
    assert (answer.status_code, code(answer.json())) == (400, "BAD_REQUEST")


async def test_a_url_that_is_too_long_is_refused() -> None:
    async with Edge(options={"terms": Terms(body_bytes=100)}).client() as client:
        assert (await client.get("/graphql", params={"query": "{hello}" + " " * 200})).status_code == 414


@pytest.mark.parametrize("media", [JSON, GRAPHQL])
async def test_a_mutation_is_never_done_by_get(media: str) -> None:
    edge = Edge()
    async with edge.client(accept=media) as client:
        answer = await client.get("/graphql", params={"query": "mutation { change }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert edge.contexts == []


async def test_a_mutation_is_done_by_post() -> None:
    edge = Edge()
    assert (await edge.post({"query": "mutation { change }"})).json()["data"] == {"change": "changed"}
    assert edge.contexts[0].changes == ["changed"]


async def test_a_subscription_hears_which_transports_serve_it() -> None:
    answer = await Edge().post({"query": "subscription { ticks }"})
    assert answer.status_code == 400
    assert "graphql-transport-ws" in answer.json()["errors"][0]["message"]


async def test_a_batch_is_answered_in_order_each_on_its_own() -> None:
    edge = Edge()
    answer = await edge.post([HELLO, {"query": "{ nothing }"}, {"query": '{ hello(name: "B") }'}])
    first, second, third = answer.json()
    assert first["data"] == {"hello": "hello you"}
    assert code(second) == "GRAPHQL_VALIDATION_FAILED"
    assert third["data"] == {"hello": "hello B"}
    assert answer.status_code == 200
    assert [told.afterwards_calls for told in edge.contexts] == [1, 1]


async def test_a_batch_has_a_largest_size() -> None:
    assert (await Edge().post([HELLO] * 10)).status_code == 200
    answer = await Edge().post([HELLO] * 11)
    assert (answer.status_code, code(answer.json())) == (400, "BATCH_TOO_LARGE")


def persisted(text: str, digest: str | None = None, **more: Any) -> dict[str, Any]:
    return {"version": 1, "sha256Hash": digest or sha256(text.encode()).hexdigest(), **more}


async def test_a_persisted_query_is_sent_once_and_named_after() -> None:
    edge, text = Edge(), "{ hello }"
    asked = {"extensions": {"persistedQuery": persisted(text)}}
    missing = await edge.post(asked, accept=GRAPHQL)
    assert missing.status_code == 400
    assert missing.json()["errors"][0] == {
        "message": "PersistedQueryNotFound",
        "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
    }
    assert (await edge.post({"query": text, **asked})).json()["data"] == {"hello": "hello you"}
    assert (await edge.post(asked)).json()["data"] == {"hello": "hello you"}
    async with edge.client() as client:
        by_get = await client.get("/graphql", params={"extensions": json.dumps(asked["extensions"])})
    assert by_get.json()["data"] == {"hello": "hello you"}


async def test_a_hash_that_is_not_the_texts_keeps_nothing() -> None:
    edge = Edge()
    wrong = {"persistedQuery": persisted("{ me { hello } }")}
    answer = await edge.post({"query": "{ hello }", "extensions": wrong})
    assert code(answer.json()) == "PERSISTED_QUERY_HASH_MISMATCH"
    assert code((await edge.post({"extensions": wrong})).json()) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_bad_document_is_not_persisted() -> None:
    edge, text = Edge(), "{ nothing }"
    asked = {"extensions": {"persistedQuery": persisted(text)}}
    await edge.post({"query": text, **asked})
    assert code((await edge.post(asked)).json()) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "asked", [1, [], {}, {"version": 2, "sha256Hash": "a" * 64}, {"version": 1, "sha256Hash": "z"}]
)
async def test_a_malformed_persisted_query_is_a_bad_request(asked: Any) -> None:
    answer = await Edge().post({"query": "{ hello }", "extensions": {"persistedQuery": asked}})
    assert answer.status_code == 400


async def test_nobody_hears_that_a_token_is_needed() -> None:
    edge = Edge()
    for media in (JSON, GRAPHQL):
        answer = await edge.post(HELLO, authorization="", accept=media)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="gateway"'
        assert code(answer.json()) == "UNAUTHENTICATED"
        assert "data" not in answer.json()
    assert edge.contexts == []


async def test_nobody_may_ask_the_public_fields_and_no_others_beside_them() -> None:
    edge = Edge(options={"doors": Doors(public=frozenset({"hello"}))})
    assert (await edge.post({"query": "{ ...F } fragment F on Query { hello __typename }"}, authorization="")).json()[
        "data"
    ] == {"hello": "hello you", "__typename": "Query"}
    assert (await edge.post({"query": "{ hello ... { viewer } }"}, authorization="")).status_code == 401


@pytest.mark.parametrize(
    ("doors", "nobody", "viewer"),
    [
        (Doors(everyone_introspects=True), 200, 200),
        (Doors(), 401, 200),
        (Doors(viewers_introspect=False), 403, 403),
    ],
)
async def test_introspection_is_decided_per_viewer(doors: Doors, nobody: int, viewer: int) -> None:
    edge = Edge(options={"doors": doors})
    asked = {"query": "{ ...F } fragment F on Query { __schema { queryType { name } } }"}
    assert (await edge.post(asked, authorization="")).status_code == nobody
    assert (await edge.post(asked)).status_code == viewer
    assert len(edge.documents) == 1


async def test_the_viewer_reaches_the_resolvers_in_the_active_role() -> None:
    edge = Edge()
    both = f"Bearer {token(Role.TRAINER, Role.LEARNER)}"
    answer = await edge.post({"query": "{ viewer }"}, authorization=both)
    assert answer.json()["data"] == {"viewer": f"{LENA} learner"}
    answer = await edge.post({"query": "{ viewer }"}, authorization=both, x_active_role="trainer")
    assert answer.json()["data"] == {"viewer": f"{LENA} trainer"}


async def test_a_request_that_takes_too_long_is_cancelled_with_a_clean_error() -> None:
    for media, status in ((JSON, 200), (GRAPHQL, 504)):
        edge = Edge(options={"terms": Terms(seconds=0.02)})
        answer = await edge.post({"query": "{ forever }"}, accept=media)
        assert (answer.status_code, code(answer.json())) == (status, "DEADLINE_EXCEEDED")
        assert edge.contexts[0].afterwards_calls == 1


async def test_what_can_wait_is_done_after_the_answer_was_sent() -> None:
    edge = Edge()
    order: list[str] = []

    async def send(message: Any) -> None:
        order.append(f"{message['type']} after {edge.contexts[0].afterwards_calls}")

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"query": "{ hello }"}', "more_body": False}

    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token()}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await edge.app(scope, receive, send)
    assert order == ["http.response.start after 0", "http.response.body after 0"]
    assert edge.contexts[0].afterwards_calls == 1


async def test_a_failure_of_ours_is_a_500_that_says_nothing() -> None:
    async def failing(_: Any) -> None:
        message = "the password is swordfish"
        raise RuntimeError(message)

    answer = await Edge(options={"authenticate": failing}).post(HELLO)
    assert (answer.status_code, code(answer.json())) == (500, "INTERNAL_SERVER_ERROR")
    assert "swordfish" not in answer.text
