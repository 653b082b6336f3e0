"""A small gateway edge over a small schema, for every test of the HTTP side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003  (Strawberry reads the annotations)
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import strawberry

from analytics.declare import Role
from datasources.hub import Hub
from gateway.auth import Authenticator
from gateway.documents import Documents
from gateway.execution import Execution
from gateway.http import GraphQLEndpoint
from gateway.keys import OneKey, secret_key
from gateway.limits import Limits
from gateway.telemetry import Telemetry
from gateway.tokens import Account, issue
from resolvers.errors import present
from tests.cast import ACME, LENA

if TYPE_CHECKING:
    from starlette.requests import Request

    from analytics.policy import Viewer

SECRET = "a-secret-of-the-tests-that-is-long-enough-for-every-hmac-there-is-512-bits"
ISSUER = "tests"
AUDIENCE = "edge"
NOW = 1_800_000_000.0


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def number(self, value: int) -> int:
        return value

    @strawberry.field
    def me(self) -> Query:
        return Query()

    @strawberry.field
    def people(self, first: int = 10) -> list[Query]:
        return [Query() for _ in range(min(first, 10))]

    @strawberry.field
    def viewer(self, info: strawberry.Info) -> str | None:
        viewer = info.context.viewer
        return f"{viewer.user} {viewer.role.value}" if viewer else None

    @strawberry.field
    def broken(self) -> str:
        message = "the password is swordfish"
        raise RuntimeError(message)

    @strawberry.field
    async def forever(self) -> str:
        await asyncio.Event().wait()
        return "never"


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    def change(self, info: strawberry.Info) -> str:
        info.context.changes.append("changed")
        return "changed"


@strawberry.type
class Subscription:
    """What can be listened to."""

    @strawberry.subscription
    async def ticks(self, to: int = 1) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def news(self, info: strawberry.Info, of: str = "all") -> AsyncIterator[str]:
        with info.context.hub.subscribe(of) as heard:
            yield "listening"
            async for one in heard:
                yield one

    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        yield 1
        message = "the password is swordfish"
        raise RuntimeError(message)

    @strawberry.subscription
    async def flood(self, info: strawberry.Info) -> AsyncIterator[str]:
        with info.context.hub.subscribe("flood"):
            while True:
                yield "x" * 100_000


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


@dataclass
class Told:
    """The context of one operation, which remembers what was done with it."""

    viewer: Viewer | None
    hub: Hub[str] = field(default_factory=Hub)
    changes: list[str] = field(default_factory=list)
    afterwards_calls: int = 0

    async def afterwards(self) -> None:
        self.afterwards_calls += 1


@dataclass
class Edge:
    """The endpoint with everything around it, and what passed through."""

    limits: Limits = field(default_factory=Limits)
    options: dict[str, Any] = field(default_factory=dict)
    contexts: list[Told] = field(default_factory=list)
    hub: Hub[str] = field(default_factory=Hub)

    def __post_init__(self) -> None:
        execution = Execution(SCHEMA)
        self.documents = Documents(execution.graphql, self.limits)
        parts = {
            "authenticate": Authenticator(
                OneKey(secret_key(SECRET)), issuer=ISSUER, audience=AUDIENCE, now=lambda: NOW
            ).session,
            "present": present,
            "now": lambda: NOW,
        }
        self.endpoint = GraphQLEndpoint(self.documents, execution, self._context, **(parts | self.options))
        self.app = Telemetry(self.endpoint)

    async def _context(self, request: Request, viewer: Viewer | None, _: str) -> Told:
        assert request.url.path == "/graphql"
        self.contexts.append(Told(viewer, self.hub))
        return self.contexts[-1]

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client that shows Lena's token, unless told otherwise."""
        shown = {"authorization": f"Bearer {token()}"} | headers
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        return httpx.AsyncClient(
            transport=transport, base_url="http://edge", headers={name: value for name, value in shown.items() if value}
        )

    async def post(self, content: bytes | str | dict[str, Any] | list[Any], **headers: str) -> httpx.Response:
        """The answer to one body; header names with `_` for `-`."""
        named = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        async with self.client() as client:
            if isinstance(content, (dict, list)):
                content = httpx.Request("POST", "http://x", json=content).content
            sent = client.build_request("POST", "/graphql", content=content, headers=named)
            for name, value in named.items():
                if not value:
                    del sent.headers[name]
            return await client.send(sent)


def token(*roles: Role, user: str = LENA, organization: str = ACME, at: float = NOW, **changes: Any) -> str:
    """A good token at NOW, unless `changes` to its claims spoil it."""
    account = Account(user, organization, roles or (Role.LEARNER,), "Lena", "lena@example.org")
    key = secret_key(SECRET)
    signed = issue(
        account,
        key=key,
        issuer=ISSUER,
        audience=AUDIENCE,
        now=datetime.fromtimestamp(at, UTC),
        lifetime=timedelta(hours=1),
    )
    if not changes:
        return signed
    claims = jwt.decode(signed, options={"verify_signature": False}) | changes
    claims = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode(claims, SECRET, algorithm="HS256")
