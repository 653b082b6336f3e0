"""The limits: what an ASGI application on uvicorn gives that does nothing, or one statement and nothing else.

`python -m bench.side_by_side.bare PORT SIZES [DATABASE]`: SIZES is JSON, how many bytes the answer to each query has.
With the URL of a database, the answer is what one statement over our own tables puts together: whole kept values for
a learner, headlines for a roster. No GraphQL, no token, no viewer; row-level security must be off in that database.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import orjson
import uvicorn

from analytics.catalog import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = {
    "q1": (
        "learner-velocity",
        "learner-skill-gap",
        "learner-engagement",
        "learner-mastery",
        "learner-performance",
        "learner-content-effectiveness",
        "predictive-drop-off-risk",
        "predictive-performance-forecast",
    ),
    "q2": ("learner-velocity", "learner-engagement", "predictive-drop-off-risk"),
    "q3": ("learner-velocity",),
}
"""The metrics that each query shows."""
VALUES = """
    SELECT '{"data":[' || string_agg(value, ',') || ']}' FROM answers
    WHERE organization = $1 AND scope = 'learner' AND subject = $2 AND metric = ANY ($3)
"""
HEADLINES = """
    SELECT '{"data":[' || string_agg(
        '{"id":"' || p.id || '","displayName":"' || p.name || '","said":[' || h.said || ']}', ',' ORDER BY p.name, p.id
    ) || ']}'
    FROM people p JOIN (
        SELECT subject,
            string_agg('[' || coalesce(score::text, 'null') || ',"' || coalesce(level, '') || '"]', ',') AS said
        FROM answers WHERE organization = $1 AND scope = 'learner' AND metric = ANY ($2) GROUP BY subject
    ) h ON h.subject = p.id
    WHERE p.organization = $1 AND 'learner' = ANY (p.roles)
"""
CONNECTIONS = 8
TYPE = (b"content-type", b"application/json")


class _Unreset(asyncpg.Connection):  # type: ignore[misc]  # asyncpg is untyped
    """A connection that goes back to the pool without a round trip: nothing is ever set on it."""

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""


class Bare:
    """The application; the path says which query."""

    def __init__(self, sizes: Mapping[str, int], database: str | None) -> None:
        self._ready = {name: b'{"data":"' + b"x" * (size - 11) + b'"}' for name, size in sizes.items()}
        self._database = database
        self._metrics = {name: [f"{key}@{METRICS[key].version}" for key in shown] for name, shown in SHOWN.items()}
        self._pool: Any = None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, or open and close the pool."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        posted = b""
        while True:
            message = await receive()
            posted += message.get("body", b"")
            if not message.get("more_body"):
                break
        name = scope["path"][1:3]
        body = self._ready[name] if self._pool is None else await self._told(name, posted)
        headers = [TYPE, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _told(self, name: str, posted: bytes) -> bytes:
        asked = orjson.loads(posted)
        if name == "q2":
            told: str = await self._pool.fetchval(HEADLINES, asked["organization"], self._metrics[name])
        else:
            told = await self._pool.fetchval(VALUES, asked["organization"], asked["id"], self._metrics[name])
        return told.encode()

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and self._database is not None:
                self._pool = await asyncpg.create_pool(
                    self._database, min_size=CONNECTIONS, max_size=CONNECTIONS, connection_class=_Unreset
                )
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                if self._pool is not None:
                    await self._pool.close()
                return


if __name__ == "__main__":
    port, sizes, *database = sys.argv[1:]
    uvicorn.run(
        Bare(json.loads(sizes), database[0] if database else None),
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
    )
