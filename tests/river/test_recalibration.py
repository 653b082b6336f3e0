"""The risk as it stood is written down by the night, and what came of it moves what is told next."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from datasources.postgres import outcomes
from datasources.postgres.outcomes import METRIC, Stood
from datasources.postgres.session import system
from datasources.postgres.tables import AggregateRow
from tests.campus import PYTHON, STATS, small_campus
from tests.cast import ACME, OTHER
from tests.river.banks import Clock, Services, running
from tests.river.nights_out import through
from tests.river.test_nightly import arrived

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Gateway

RISK = """
{ viewer { learner { prediction {
    dropOffRisk {
      value { riskScore base logit riskFactors { contribution } recalibration { outcomes shift } modelVersion }
      freshness { origin sources { service } }
    }
    performanceForecast { value { passProbability byCourse { courseId passProbability } } }
} } } }
"""
STARTS, ENDS = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
MIDDLE = date(2025, 12, 1)
PAST = (
    """
    INSERT INTO people (organization, id, name, roles, is_active)
    SELECT :organization, 'past ' || n, 'Past ' || n, '{learner}', true FROM generate_series(1, 240) n
    """,
    """
    INSERT INTO courses (organization, id, title, starts_at, ends_at)
    VALUES (:organization, 'past', 'The past', :starts, :ends)
    """,
    """
    INSERT INTO enrollments (organization, course, person, enrolled_at, status, result)
    SELECT :organization, 'past', 'past ' || n, :starts, 'completed', CASE WHEN n <= 24 THEN 'failed' ELSE 'passed' END
    FROM generate_series(1, 240) n
    """,
)
"""Two hundred and forty took a course that is over, and 24 of them failed it."""


async def lived(gateway: Gateway) -> None:
    """Half of them had been told 20 %, half 60 %: 96 were expected to fail."""
    await arrived(gateway)
    known = {"organization": ACME, "starts": STARTS, "ends": ENDS}
    async with gateway.world.database.session(system(ACME)) as session:
        connection = await session.connection()
        for statement in PAST:
            given = {name: value for name, value in known.items() if f":{name}" in statement}
            await connection.execute(text(statement), given)
    groups = [Stood(120, 0.2), Stood(120, 0.6)]
    await outcomes.write(gateway.world.database, ACME, MIDDLE, 2, {"past": groups})


async def test_the_night_writes_down_at_what_risk_courses_stand_and_of_whom_it_does_not_say(clone: Clone) -> None:
    clock = Clock()
    async with running(clone.app_url, Services(small_campus()), clock) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        wanted = select(AggregateRow).where(col(AggregateRow.metric).startswith(METRIC))
        async with gateway.world.database.session(system(ACME)) as session:
            rows = list((await session.exec(wanted.order_by(col(AggregateRow.name)))).all())
        async with gateway.world.database.session(system(OTHER)) as session:
            assert (await session.exec(wanted)).all() == []
    assert [(row.name, row.metric, row.version, row.day) for row in rows] == [
        (course, f"{METRIC} 1", 2, clock.now().date()) for course in (PYTHON, STATS)
    ]
    assert all(10 <= row.n <= 13 and 0 < row.total < row.n for row in rows)


async def test_what_came_of_others_moves_the_base_of_a_learners_risk(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        plain = (await gateway.ask(RISK)).data["viewer"]["learner"]["prediction"]
        gateway.world.memory.clear()
        gateway.world.roster.forget(ACME)
        async with gateway.world.database.session(system(ACME)) as session:
            await (await session.connection()).execute(text("DELETE FROM answers"))
        await lived(gateway)
        moved = (await gateway.ask(RISK)).data["viewer"]["learner"]["prediction"]
    before, after = plain["dropOffRisk"]["value"], moved["dropOffRisk"]["value"]
    assert before["recalibration"] is None
    assert after["recalibration"]["outcomes"] == 240
    shift = after["recalibration"]["shift"]
    assert -2 < shift < -1
    assert after["base"] == pytest.approx(before["base"] + shift, abs=1e-6)
    assert after["logit"] == pytest.approx(before["logit"] + shift, abs=1e-6)
    assert after["logit"] == pytest.approx(
        after["base"] + math.fsum(one["contribution"] for one in after["riskFactors"]), abs=1e-6
    )
    assert after["riskScore"] < before["riskScore"]
    assert after["modelVersion"].endswith("recalibrated on 240 outcomes")
    assert moved["dropOffRisk"]["freshness"] == plain["dropOffRisk"]["freshness"]
    forecast = moved["performanceForecast"]["value"]
    assert forecast["passProbability"] > plain["performanceForecast"]["value"]["passProbability"]
