"""What one viewer may take in a minute and in an hour: counted once, the same in one process as in Redis."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import TcpFakeServer
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis as Connected

from gateway.budget import Account, Allowance, OwnTill, Taken, Verdict, judge, spend
from gateway.operation import READING
from gateway.refusal import Refused
from gateway.settings import SettingsError, read
from gateway.shared_budget import REST, TAKE, SharedTill, connected
from tests.cast import LARS, LENA
from tests.gateway.edge import NOW, Edge
from tests.gateway.processes import free_port
from tests.gateway.served import PATIENCE
from tests.river.memories import holding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

HELLO = {"query": "{ hello }"}
STEPS = st.lists(st.tuples(st.floats(0, 90), st.integers(0, 60)), min_size=1, max_size=30)
"""Seconds that pass, and what is asked for then."""


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server that speaks Redis' protocol, scripts included."""
    where = ("127.0.0.1", free_port())
    TcpFakeServer.allow_reuse_address = True
    server = TcpFakeServer(where, server_type="redis")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    # This server hangs up on who asks for a script it has not seen, which a real one only says.
    with closing(Connected(*where)) as client:
        client.script_load(TAKE)
    yield where
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def shared(  # noqa: PLR0913 - what a till is made of, half of it by name
    address: tuple[str, int],
    allowance: Allowance,
    now: Moment,
    *,
    monotonic: Moment | None = None,
    own: Any = None,
    patience: float = PATIENCE,
) -> AsyncIterator[SharedTill]:
    redis = connected(f"redis://{address[0]}:{address[1]}", patience)
    own = own or OwnTill(allowance.share(2), now)
    try:
        yield SharedTill(redis, allowance, own, now=now, monotonic=monotonic or Moment(), patience=patience)
    finally:
        await redis.aclose()


async def spent(till: Any, payer: str, *costs: int) -> list[str | None]:
    return [(await till.take(payer, cost)).over for cost in costs]


@given(STEPS, st.integers(1, 100), st.integers(1, 20))
@settings(deadline=None, max_examples=60)
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[float, int]], cost: int, requests: int) -> None:
    account, now, allowance = Account(), NOW, Allowance(cost, requests)
    for seconds, wanted in steps:
        now += seconds
        verdict = judge(account, allowance, wanted, now)
        account = verdict.account
        assert account.cost.counted(now) <= cost
        assert account.requests.counted(now) <= requests
        assert 0 <= (verdict.left("cost") or 0) <= cost
        fits = account.at(now).cost.current <= cost
        assert fits


@given(STEPS, st.integers(1, 100), st.integers(1, 59))
@settings(deadline=None, max_examples=60)
def test_the_wait_that_is_told_is_enough_and_a_second_less_is_not(
    steps: list[tuple[float, int]], limit: int, wanted: int
) -> None:
    account, now, allowance = Account(), NOW, Allowance(cost=limit)
    for seconds, cost in steps:
        now += seconds
        account = judge(account, allowance, cost, now).account
    verdict = judge(account, allowance, wanted, now)
    if verdict.over and wanted <= limit:
        wait = verdict.account.cost.wait(now, limit - wanted)
        assert judge(verdict.account, allowance, wanted, now + wait).over is None
        if wait > 1:
            assert judge(verdict.account, allowance, wanted, now + wait - 1.001).over == "cost"


def test_room_comes_back_steadily() -> None:
    # Sixty taken in the minute that ended, so half a minute later half of it still counts, and thirty are free.
    taken = Taken(60, int(NOW // 60), current=60)
    start = (NOW // 60 + 1) * 60
    assert [taken.at(start + seconds).counted(start + seconds) for seconds in (0, 15, 30, 45, 60)] == [
        60,
        45,
        30,
        15,
        0,
    ]


def test_a_clock_that_lags_adds_to_the_window_that_another_has_begun() -> None:
    ahead = judge(Account(), Allowance(10, 10), 6, NOW + 60).account
    assert judge(ahead, Allowance(10, 10), 6, NOW).over == "cost"


def test_what_costs_too_much_still_counts_as_asked() -> None:
    account = judge(Account(), Allowance(10, 2), 11, NOW).account
    assert (account.cost.current, account.requests.current) == (0, 1)
    assert judge(account, Allowance(10, 2), 11, NOW).over == "cost"
    account = judge(account, Allowance(10, 2), 1, NOW).account
    assert judge(account, Allowance(10, 2), 1, NOW).over == "requests"


@given(st.integers(1, 1_000), st.integers(1, 64))
@settings(max_examples=60)
def test_the_shares_of_all_processes_are_never_more_than_the_whole(limit: int, processes: int) -> None:
    share = Allowance(limit).share(processes)
    assert share.cost is not None
    assert share.cost >= 1
    assert share.cost * processes <= max(limit, processes)
    assert share.requests is None


async def test_a_process_remembers_the_viewers_it_saw_last() -> None:
    till = OwnTill(Allowance(requests=1), Moment(), viewers=2)
    assert await spent(till, LENA, 0, 0) == [None, "requests"]
    assert await spent(till, LARS, 0) == [None]
    assert await spent(till, LENA, 0) == ["requests"]


async def test_an_account_names_nobody() -> None:
    till = OwnTill(Allowance(requests=1), Moment())
    assert await spent(till, LENA, 0, 0) == [None, "requests"]
    assert not holding(till, {LENA})


async def test_a_refusal_says_what_is_left_and_when_it_would_pass() -> None:
    till = OwnTill(Allowance(cost=100), Moment((NOW // 60) * 60))
    await spend(till, LENA, 80)
    with pytest.raises(Refused) as refused:
        await spend(till, LENA, 30)
    said = refused.value.errors[0]["extensions"]
    # After this minute, 80 of the one before count less and less: 70 when an eighth and a bit of the next is over.
    assert said == {
        "code": "RATE_LIMITED", "limit": "cost", "allowed": 100, "left": 20, "found": 30, "retryAfter": 67
    }  # fmt: skip
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "67"})


async def test_what_could_never_pass_is_not_put_off() -> None:
    with pytest.raises(Refused) as refused:
        await spend(OwnTill(Allowance(cost=100), Moment()), LENA, 101)
    assert "retryAfter" not in refused.value.errors[0]["extensions"]
    assert refused.value.headers == {}


@given(STEPS)
@settings(deadline=None, max_examples=20)
def test_redis_counts_as_one_process_does(address: tuple[str, int], steps: list[tuple[float, int]]) -> None:
    allowance = Allowance(100, 20)

    async def both() -> None:
        now = Moment()
        alone = OwnTill(allowance, now)
        async with shared(address, allowance, now, own=Never()) as together:
            payer = f"payer {id(steps)} {steps}"
            for seconds, cost in steps:
                now.now += seconds
                assert await together.take(payer, cost) == await alone.take(payer, cost)

    asyncio.run(both())


class Never:
    """A till that is not asked."""

    async def take(self, payer: str, cost: int) -> Verdict:
        message = f"{payer} was counted in the process, for {cost}"
        raise AssertionError(message)


async def test_processes_with_one_redis_count_together(address: tuple[str, int]) -> None:
    now, allowance = Moment(), Allowance(cost=10, requests=5)
    async with shared(address, allowance, now, own=Never()) as one, shared(address, allowance, now, own=Never()) as two:
        assert await spent(one, "together", 4) == [None]
        assert await spent(two, "together", 4, 4) == [None, "cost"]
        assert await spent(one, "together", 2) == [None]
        assert await spent(two, "somebody else", 10) == [None]


async def test_many_at_once_never_take_more_than_there_is(address: tuple[str, int]) -> None:
    async with shared(address, Allowance(cost=10), Moment(), own=OwnTill(Allowance(cost=1), Moment())) as till:
        verdicts = await asyncio.gather(*(till.take("at once", 1) for _ in range(30)))
    assert sum(verdict.over is None for verdict in verdicts) == 10


async def test_without_redis_each_process_counts_its_share_and_comes_back(address: tuple[str, int]) -> None:
    now, monotonic, allowance = Moment(), Moment(100.0), Allowance(requests=4)
    async with shared(("127.0.0.1", free_port()), allowance, now, monotonic=monotonic) as till:
        # A share of two processes: never open, and never closed.
        assert await spent(till, LENA, 0, 0, 0) == [None, None, "requests"]
        async with shared(address, allowance, now, own=Never()) as other:
            till._take, away = other._take, till._take
            assert await spent(till, LENA, 0) == ["requests"]
            monotonic.now += REST
            assert await spent(till, LENA, 0) == [None]
            till._take = away
            assert await spent(till, LENA, 0) == ["requests"]


async def test_a_redis_that_does_not_answer_holds_nobody_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_024):
            pass
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server, asyncio.timeout(PATIENCE):
        host, port = server.sockets[0].getsockname()
        async with shared((host, port), Allowance(requests=2), Moment(), patience=0.05) as till:
            assert await spent(till, LENA, 0, 0) == [None, "requests"]


def test_no_viewer_is_named_in_redis(address: tuple[str, int]) -> None:
    async def take() -> None:
        async with shared(address, Allowance(requests=2), Moment(), own=Never()) as till:
            await till.take(LENA, 1)
            keys = [key.decode() async for key in till._redis.scan_iter()]
            assert keys
            assert not any(LENA in key for key in keys)
            assert all([await till._redis.ttl(key) > 0 for key in keys])

    asyncio.run(take())


async def test_the_budget_is_told_with_every_answer() -> None:
    edge = Edge(options={"till": OwnTill(Allowance(cost=1_000, requests=100), Moment())})
    first, second = [(await edge.post(HELLO)).json()["extensions"]["cost"] for _ in range(2)]
    # To read a document for the first time is an operation of its own.
    assert first["budget"] == {
        "cost": {"left": 1_000 - READING - 1, "limit": 1_000, "seconds": 60},
        "requests": {"left": 98, "limit": 100, "seconds": 3_600},
    }
    assert second["budget"]["cost"]["left"] == 1_000 - READING - 2


async def test_a_document_is_paid_for_by_what_it_costs() -> None:
    edge = Edge(options={"till": OwnTill(Allowance(cost=1_000), Moment())})
    answer = await edge.post({"query": "query($n: Int) { people(first: $n) { me { hello } } }", "variables": {"n": 30}})
    assert answer.json()["extensions"]["cost"] == {
        "static": 31, "limit": 20_000, "budget": {"cost": {"left": 1_000 - READING - 31, "limit": 1_000, "seconds": 60}}
    }  # fmt: skip


async def test_what_is_refused_is_paid_for_as_well() -> None:
    edge = Edge(options={"till": OwnTill(Allowance(requests=4), Moment())})
    bad = {"query": "{ nothing }"}
    said = [(await edge.post(bad)).json()["errors"][0]["extensions"]["code"] for _ in range(4)]
    assert said == ["GRAPHQL_VALIDATION_FAILED"] * 3 + ["RATE_LIMITED"]
    assert (await edge.post(HELLO)).status_code == 429
    # What was never seen is not even read.
    assert len(edge.documents) == 1


async def test_each_operation_of_a_batch_is_paid_for() -> None:
    edge = Edge(options={"till": OwnTill(Allowance(requests=3), Moment())})
    codes = [
        one.get("errors", [{}])[0].get("extensions", {}).get("code") for one in (await edge.post([HELLO] * 3)).json()
    ]
    assert codes == [None, None, "RATE_LIMITED"]


def test_production_has_a_budget_and_development_has_one_if_it_is_set() -> None:
    assert read({}).allowance is None
    assert read({"GATEWAY_COST_PER_MINUTE": "5"}).allowance == Allowance(cost=5)
    with pytest.raises(SettingsError, match="redis://"):
        read({"GATEWAY_REDIS_URL": "http://redis"})
