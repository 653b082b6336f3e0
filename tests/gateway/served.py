"""An application behind a real server, as we serve it, and clients that keep a connection open."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.serving import uvicorn_config
from gateway.settings import Settings
from gateway.streams.messages import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from websockets.asyncio.client import ClientConnection

PATIENCE = 10.0
"""Seconds after which a test gives up on what should be there at once."""


@asynccontextmanager
async def served(
    app: Any, *, lifespan: bool = False, settings: Settings | None = None, options: Mapping[str, Any] | None = None
) -> AsyncIterator[str]:
    """The host and port where an application is served, while the context is open; uvicorn is told the `options`."""
    config = uvicorn_config(settings or Settings.model_validate({"port": 0}), app)
    config.lifespan = "on" if lifespan else "off"
    for name, value in (options or {}).items():
        setattr(config, name, value)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    host, port = socket.getsockname()
    serving = asyncio.create_task(server.serve([socket]))
    try:
        await until(lambda: server.started or serving.done())
        yield f"{host}:{port}"
    finally:
        server.should_exit = True
        await serving


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so that the server brings about, which does not tell us."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - see above: there is no event
            await asyncio.sleep(0)


@dataclass
class Talk:
    """One websocket of a client, in the words of the protocol."""

    connection: ClientConnection

    async def say(self, **message: Any) -> None:
        await self.raw(json.dumps(message))

    async def raw(self, text: str | bytes) -> None:
        await self.connection.send(text)

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            heard: dict[str, Any] = json.loads(await self.connection.recv())
        return heard

    async def subscribe(self, query: str, ident: str = "1", **more: Any) -> None:
        await self.say(type="subscribe", id=ident, payload={"query": query, **more})

    async def greet(self, token: str | None, **payload: Any) -> Self:
        shown = {"authorization": f"Bearer {token}"} if token else {}
        await self.say(type="connection_init", payload=shown | payload)
        assert await self.hear() == {"type": "connection_ack"}
        return self

    async def closed(self) -> tuple[int, str]:
        """The code and reason that the server closed with, whatever it said before."""
        with suppress(ConnectionClosed):
            while True:
                await self.hear()
        code, reason = self.connection.close_code, self.connection.close_reason
        assert code is not None
        return code, reason or ""


@asynccontextmanager
async def talking(
    where: str, *, protocols: tuple[str, ...] = (PROTOCOL,), headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Talk]:
    """A websocket to the graph that has not said who it is yet."""
    async with connect(
        f"ws://{where}/graphql",
        subprotocols=list(protocols),  # type: ignore[arg-type]  # they are text
        additional_headers=headers or {},
        proxy=None,
        **options,
    ) as connection:
        yield Talk(connection)


@asynccontextmanager
async def streaming(where: str, token: str | None, accept: str, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
    """A response that goes on."""
    headers = {"accept": accept, **({"authorization": f"Bearer {token}"} if token else {})}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
        client.stream("POST", f"http://{where}/graphql", json=body, headers=headers) as response,
    ):
        yield response
