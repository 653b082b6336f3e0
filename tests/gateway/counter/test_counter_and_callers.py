"""Whoever is answered at once holds their token, pays once, and is in the audit and in the log, as anybody is."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from datasources.postgres.session import Actor, Database
from gateway.fast.lines import Lines
from gateway.pen import Pen
from tests.cast import ACME, LENA, OLGA
from tests.gateway.counter.clients import MINE, Response, Served
from tests.river.banks import HOURS, Clock

if TYPE_CHECKING:
    from tests.gateway.counter.clients import Serve

MINUTE = timedelta(minutes=1)


async def test_a_known_request_is_refused_once_its_token_is_over(served: Served, clock: Clock) -> None:
    mine = served.request()
    await served.known(mine)
    async with served.client() as client:
        await client.say(mine)
        assert (await client.hear()).status == 200
        clock.pass_by(HOURS + timedelta(seconds=11))
        for _ in range(2):
            await client.say(mine)
            told = await client.hear()
            assert (told.status, told.said["errors"][0]["message"]) == (401, "The token has expired.")


async def test_who_signs_out_is_refused_from_the_next_request_on_even_in_the_same_packet(served: Served) -> None:
    mine = served.request()
    others = served.request("lars")
    await served.known(mine, others)
    out = served.request("lena", "mutation { signOut { __typename } }")
    async with served.client() as client:
        await client.say(mine + out + mine + others)
        assert [(await client.hear()).status for _ in range(4)] == [200, 200, 401, 200]
        await client.say(mine)
        assert (await client.hear()).status == 401


async def test_who_is_looked_at_again_is_not_handed_anything_before(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    quick = served.quick
    served.gateway.world.standings.changed(ACME, LENA)
    assert (await served.alone(mine)).status == 200
    assert served.quick == quick + 1, "from what is kept, after a look"


@pytest.mark.parametrize("serve", ["kept"], indirect=True)
async def test_what_is_kept_for_known_bytes_goes_when_it_changes(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    kept, planned = served.ways.kept, served.ways.planned
    async with served.client() as client:
        for _ in range(2):
            served.gateway.world.changed(ACME, {LENA})
            await client.say(mine)
            assert (await client.hear()).status == 200
            planned += 1
            assert (served.ways.kept, served.ways.planned) == (kept, planned)
        await client.say(mine)
        await client.hear()
        assert served.ways.kept == kept + 1


async def test_each_request_is_paid_for_once_whichever_way_it_comes(serve: Serve) -> None:
    async with serve(requests_per_hour=50, cost_per_minute=10_000) as one:
        mine = one.request()
        await one.known(mine)
        left: list[int] = []
        refused: list[Response] = []
        async with one.client() as client:
            for pieces in ((mine,), (mine + mine,), (mine[:50], mine[50:]), (mine + b"\r\n",)) * 12:
                await client.say(*pieces)
                for _ in range(pieces[0].count(b"POST")):
                    told = await client.hear()
                    if told.status == 200 and "data" in told.said:
                        left.append(told.said["extensions"]["cost"]["budget"]["requests"]["left"])
                    else:
                        refused.append(told)
            assert left == list(range(left[0], -1, -1))
            with one.ordinary():
                ordinary = await one.alone(mine)
            assert {told.same for told in refused} == {ordinary.same}
            assert ordinary.said["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_what_costs_too_much_is_counted_as_one_request(serve: Serve, clock: Clock) -> None:
    # What two minutes take does not fall into two hours.
    clock.pass_by(MINUTE * (60 - clock.now().minute))
    async with serve(requests_per_hour=100, cost_per_minute=200) as one:
        mine = one.request()
        await one.known(mine)
        async with one.client() as client:
            told: list[Response] = []
            while not told or "data" in told[-1].said:
                await client.say(mine)
                told.append(await client.hear())
            for _ in range(4):
                await client.say(mine)
                told.append(await client.hear())
            assert all("data" not in one.said for one in told[-5:])
            # What was taken before the last minute counts no more.
            clock.pass_by(2 * MINUTE)
            await client.say(mine)
            budget = (await client.hear()).said["extensions"]["cost"]["budget"]
        asked = 7 + len(told) + 1  # the document was read for one before
        assert (budget["cost"]["left"], budget["requests"]["left"]) == (200 - 15, 100 - asked)


class Failing(Lines):
    """Fails once it is told to."""

    fails = False

    def info(self, event: str, **said: Any) -> None:
        if self.fails:
            message = "no"
            raise RuntimeError(message)
        super().info(event, **said)


@pytest.mark.parametrize("serve", ["kept"], indirect=True)
async def test_a_fault_of_ours_is_not_called_a_bad_request(serve: Serve, logs: list[Any]) -> None:
    lines = Failing(io.StringIO())
    async with serve(lines=lines) as one:
        mine = one.request()
        await one.known(mine)
        lines.fails = True
        for pieces in ((mine,), (b"\r\n" + mine,)):
            assert (await one.alone(*pieces)).status == 500
    assert "answer at once failed" in {line["event"] for line in logs}


async def test_a_log_that_nobody_takes_any_more_refuses_nobody(serve: Serve) -> None:
    taken, given = os.pipe()
    pen = Pen(given)
    async with serve(lines=Lines(pen)) as one:
        mine = one.request()
        await one.known(mine)
        os.close(taken)
        async with one.client() as client:
            await client.say(mine * 600)
            assert {(await client.hear()).status for _ in range(600)} == {200}
    pen.close()
    os.close(given)


OF_LENA = f'{{ learner(id: "{LENA}") {{ displayName analytics {{ engagement {{ value {{ overallScore }} }} }} }} }}'


@pytest.mark.parametrize(("trusted", "address"), [("127.0.0.1", "192.0.2.7"), ("192.0.2.1", "127.0.0.1")])
async def test_each_reading_is_in_the_audit_with_its_address(
    serve: Serve, database: Database, trusted: str, address: str
) -> None:
    async with serve(trusted_proxies=trusted) as one:
        hers = one.request("olga", OF_LENA, b"X-Forwarded-For: 192.0.2.7")
        await one.known(hers)
        quick = one.quick
        async with one.client() as client:
            await client.say(hers, hers + hers, hers[:200], hers[200:])
            assert [(await client.hear()).status for _ in range(4)] == [200] * 4
        assert one.quick == quick + 4
    heard = "SELECT address, sum((details ->> 'answers')::integer) FROM audit WHERE kind = 'answers.heard' GROUP BY 1"
    async with database.session(Actor(ACME, OLGA, "org-admin")) as session:
        rows = (await (await session.connection()).exec_driver_sql(heard)).all()
    # Six times until it was known, and the four.
    assert [tuple(row) for row in rows] == [(address, 10)]


async def test_requests_that_name_themselves_are_not_remembered_by_their_bytes(served: Served) -> None:
    mine = served.request()
    await served.known(mine)
    tickets = len(served.door.way.tickets)
    for number in range(5):
        told = await served.alone(served.request("lena", MINE, b"X-Request-Id: request-%d" % number))
        assert told.request_id == b"request-%d" % number
    assert len(served.door.way.tickets) == tickets
    await served.alone(served.request("lena", MINE, b"X-Forwarded-For: " + b"192.0.2.7, " * 900))
    assert len(served.door.way.tickets) == tickets + 1
    assert served.door.way.tickets.held > 9_900
