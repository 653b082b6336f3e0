"""Whether the answers are right: ours are what the tables hold, byte for byte, and peers all say the same."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from bench.side_by_side.asked import expected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Pool  # type: ignore[import-untyped]  # it ships no types

    from bench.side_by_side.asked import Asked
    from bench.side_by_side.servers import Target

SAMPLE = {"q1": 40, "q2": 6, "q3": 40}
"""How many requests of each query are looked at each time."""
AT_ONCE = 16
SECONDS = 30.0
AROUND = 60
"""Bytes of a wrong answer that are shown, on each side of where it begins to be wrong."""


@dataclass(slots=True)
class Checker:
    """Looks at answers, and counts the wrong ones by target and query, with an example of each.

    `asked` is what ours are asked; the same requests are compared each time.
    """

    database: Pool
    asked: Mapping[str, Sequence[Asked]]
    looked: int = 0
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)
    _right: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _told: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    async def look(self, target: Target, query: str) -> None:
        """Ask a target some requests of a query, several at once. What limits answer is not looked at."""
        if target.kind == "limit":
            return
        lines = target.requests[query].read_text().splitlines()
        count = min(SAMPLE[query], len(lines))
        chosen = random.Random(query).sample(range(len(lines)), count)
        at_once = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS, limits=at_once) as client:
            await asyncio.gather(*(self._one(client, target, query, n, lines[n]) for n in chosen))

    async def _one(self, client: httpx.AsyncClient, target: Target, query: str, number: int, line: str) -> None:
        token, _, body = line.rpartition("\t")
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        try:
            answer = await client.post(target.at(query), content=body, headers=headers)
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            self._complain(target, query, f"{type(error).__name__} {error}")
            return
        self.looked += 1
        if told.get("errors") or answer.status_code != httpx.codes.OK or told.get("data") is None:
            self._complain(target, query, json.dumps(told)[:300])
            return
        if target.kind == "peer":
            other = self._told.setdefault((str(target.requests[query]), number), told["data"])
            # A whole number may be written as 1 or as 1.0, which is the same in JSON.
            if told["data"] != other:
                self._complain(target, query, _apart(orjson.dumps(told["data"]), orjson.dumps(other)))
            return
        said, right = orjson.dumps(told["data"]), await self._table(query, number)
        if said != right:
            self._complain(target, query, _apart(said, right))

    async def _table(self, query: str, number: int) -> bytes:
        """What the tables hold for a request."""
        if (query, number) not in self._right:
            self._right[query, number] = orjson.dumps(await expected(self.database, self.asked[query][number]))
        return self._right[query, number]

    def _complain(self, target: Target, query: str, why: str) -> None:
        self.wrong.setdefault(target.name, {}).setdefault(query, why)


def _apart(said: bytes, right: bytes) -> str:
    """Where two answers part, with a little of each."""
    pairs = enumerate(zip(said, right, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(said), len(right)))
    around = slice(max(0, place - AROUND), place + AROUND)
    shown, other = (one[around].decode(errors="replace") for one in (said, right))
    return f"at byte {place}: ...{shown}... is not ...{other}..."
