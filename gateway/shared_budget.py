"""The till that all processes share, in Redis; while Redis is away, each process counts its own share."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.budget import LIMITLESS, Account, Taken, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.budget import Allowance, Till

LOG = structlog.get_logger(__name__)
PREFIX = "gateway:budget:"
SECONDS = 0.25
"""How long Redis may take; it usually takes a thousandth of this."""
CONNECTIONS = 8
"""The most of one process; whoever finds none free waits."""
REST = 5.0
"""Seconds that Redis is left alone after it failed."""
TAKE = """
local function look(name, window)
  local held = redis.call('HMGET', KEYS[1], name .. 'w', name .. 'c', name .. 'b')
  local at, current, before = tonumber(held[1] or 0), tonumber(held[2] or 0), tonumber(held[3] or 0)
  if at >= window then return at, current, before end
  return window, 0, at == window - 1 and current or 0
end
local cw, cc, cb = look('c', tonumber(ARGV[1]))
local rw, rc, rb = look('r', tonumber(ARGV[4]))
local over, cost = 0, tonumber(ARGV[7])
if rc + math.floor(rb * tonumber(ARGV[5])) + 1 > tonumber(ARGV[6]) then
  over = 1
else
  rc = rc + 1
  if cc + math.floor(cb * tonumber(ARGV[2])) + cost > tonumber(ARGV[3]) then over = 2 else cc = cc + cost end
end
redis.call('HSET', KEYS[1], 'cw', cw, 'cc', cc, 'cb', cb, 'rw', rw, 'rc', rc, 'rb', rb)
redis.call('EXPIRE', KEYS[1], ARGV[8])
return {over, cw, cc, cb, rw, rc, rb}
"""
"""What `gateway.budget.judge` says, in one step of Redis; a test holds the two equal."""


def connected(url: str, patience: float = SECONDS) -> Redis:
    """A client of the Redis at a redis:// or rediss:// URL, which connects when it is used."""
    return Redis.from_pool(
        BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=patience, retry=Retry(NoBackoff(), retries=1)
        )
    )


class SharedTill:
    """The accounts of all processes with the same Redis.

    They go by the clock of whoever asks, in seconds since 1970: clocks that differ by a second move a sixtieth
    of a minute's cost. `own` counts while Redis is away: a viewer is never without a limit, and never locked out.
    """

    def __init__(  # noqa: PLR0913 - what it counts by, all but three by name
        self,
        redis: Redis,
        allowance: Allowance,
        own: Till,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        patience: float = SECONDS,
    ) -> None:
        self._allowance = allowance
        self._redis = redis
        self._own = own
        self._now = now
        self._monotonic = monotonic
        self._take = redis.register_script(TAKE)
        self._patience = patience
        self._rests_until = 0.0
        self._away = False

    async def take(self, payer: str, cost: int) -> Verdict:
        """One more operation of a viewer, and what it costs."""
        if self._monotonic() < self._rests_until:
            return await self._own.take(payer, cost)
        try:
            async with asyncio.timeout(self._patience):
                verdict = await self._shared(payer, cost)
        except (RedisError, OSError, TimeoutError) as problem:
            self._rests_until = self._monotonic() + REST
            if not self._away:
                LOG.warning("budget.alone", why="Redis does not answer", problem=type(problem).__name__)
            self._away = True
            return await self._own.take(payer, cost)
        if self._away:
            LOG.info("budget.together", why="Redis answers again")
        self._away = False
        return verdict

    async def _shared(self, payer: str, cost: int) -> Verdict:
        now = self._now()
        of_cost, of_requests = Account().at(now).cost, Account().at(now).requests
        told = await self._take(
            keys=[PREFIX + sha256(payer.encode()).hexdigest()],
            args=[
                *(of_cost.window, repr(of_cost.share(now)), self._allowance.cost or LIMITLESS),
                *(of_requests.window, repr(of_requests.share(now)), self._allowance.requests or LIMITLESS),
                *(cost, 2 * of_requests.seconds),
            ],
        )
        over, *numbers = (int(number) for number in told)
        account = Account(Taken(of_cost.seconds, *numbers[:3]), Taken(of_requests.seconds, *numbers[3:]))
        return Verdict(account, self._allowance, now, (None, "requests", "cost")[over])
