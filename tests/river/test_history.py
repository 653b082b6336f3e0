"""Numbers over time: from nights, for admins, of ten people or more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.campus import PYTHON, small_campus
from tests.river.banks import Clock, Services, running
from tests.river.nights_out import through
from tests.river.test_nightly import arrived

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Gateway

HISTORY = """
query ($from: Date!, $to: Date!, $metric: MetricName!, $by: Granularity, $department: String, $course: ID) {
  organization {
    history(
      metric: $metric, range: {from: $from, to: $to}, granularity: $by, department: $department, course: $course
    ) { metric mean meanBefore change points { beginsOn endsOn days mean spread learners version } }
    comparison(metric: $metric, by: COURSE) { name learners mean meanBefore change }
  }
}
"""
FORTNIGHT = {"from": "2026-11-15", "to": "2026-11-28", "metric": "LEARNER_ENGAGEMENT"}


async def three_nights(gateway: Gateway, clock: Clock) -> None:
    """Saturday to Monday."""
    await arrived(gateway)
    for _ in range(3):
        await through(gateway.world)
        clock.pass_by(timedelta(days=1))


async def test_an_admin_reads_what_the_nights_wrote(clone: Clone) -> None:
    clock = Clock()
    async with running(clone.app_url, Services(small_campus()), clock) as gateway:
        await three_nights(gateway, clock)
        by_day = (await gateway.ask(HISTORY, "olga", **FORTNIGHT, by="DAY")).data["organization"]
        by_week = (await gateway.ask(HISTORY, "olga", **FORTNIGHT)).data["organization"]
        by_month = (await gateway.ask(HISTORY, "olga", **FORTNIGHT, by="MONTH")).data["organization"]
        before = (await gateway.ask(HISTORY, "olga", **(FORTNIGHT | {"from": "2026-11-22"}))).data["organization"]
        of_course = (await gateway.ask(HISTORY, "olga", **FORTNIGHT, course=PYTHON)).data["organization"]
        small = (await gateway.ask(HISTORY, "olga", **FORTNIGHT, department="Sales")).data["organization"]
        market = FORTNIGHT | {"metric": "COMPARISON_SKILL_DEMAND"}
        of_market = (await gateway.ask(HISTORY, "olga", **market)).data["organization"]
        wide = FORTNIGHT | {"metric": "ORG_LEARNING_VELOCITY"}
        of_all = (await gateway.ask(HISTORY, "olga", **wide)).data["organization"]
    days = by_day["history"]["points"]
    assert [(one["beginsOn"], one["days"]) for one in days] == [
        ("2026-11-21", 1),
        ("2026-11-22", 1),
        ("2026-11-23", 1),
    ]
    weeks = by_week["history"]["points"]
    assert [(one["beginsOn"], one["endsOn"], one["days"]) for one in weeks] == [
        ("2026-11-16", "2026-11-22", 2),
        ("2026-11-23", "2026-11-28", 1),
    ]
    months = by_month["history"]["points"]
    assert [(one["beginsOn"], one["endsOn"], one["days"]) for one in months] == [("2026-11-15", "2026-11-28", 3)]
    # The platform's clock stands still here, so each night says the same.
    assert {one["mean"] for one in (*days, *weeks, *months)} == {by_day["history"]["mean"]}
    assert all(one["mean"] % 5 == 0 and one["learners"] % 5 == 0 and one["learners"] >= 10 for one in days)
    assert before["history"]["meanBefore"] == before["history"]["mean"]
    assert before["history"]["change"] == 0
    assert by_day["history"]["meanBefore"] is None
    assert len(of_course["history"]["points"]) == 2
    assert small["history"]["points"] == []
    assert [len(one["history"]["points"]) for one in (of_market, of_all)] == [2, 2]


async def compared(gateway: Gateway) -> list[dict[str, Any]]:
    """What is said of this week beside the last."""
    told: list[dict[str, Any]] = (await gateway.ask(HISTORY, "olga", **FORTNIGHT)).data["organization"]["comparison"]
    return told


async def test_an_admin_compares_this_week_with_the_last(clone: Clone) -> None:
    # Which week is this one is said by the database's clock.
    async with running(clone.app_url, Services(small_campus()), Clock(datetime.now(UTC))) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        groups = await compared(gateway)
    assert PYTHON in [one["name"] for one in groups]
    assert all(one["learners"] >= 10 and one["meanBefore"] is None for one in groups)


async def test_nobody_else_reads_it(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        await through(gateway.world)
        replies = {who: await gateway.ask(HISTORY, who, **FORTNIGHT) for who in ("lena", "tomas", "sam")}
    assert {who: reply.codes for who, reply in replies.items()} == {
        "lena": {"FORBIDDEN"},
        "tomas": {"FORBIDDEN"},
        "sam": {"FORBIDDEN"},
    }


async def test_a_range_that_is_none_is_refused(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        wrong = (
            {"from": "2026-11-22", "to": "2026-11-21"},
            {"from": "2019-01-01", "to": "2026-11-21"},
            {"from": "yesterday"},
            {"from": "0001-01-01", "to": "0001-01-02"},
            {"course": PYTHON, "department": "Sales"},
        )
        codes = [(await gateway.ask(HISTORY, "olga", **(FORTNIGHT | one))).codes for one in wrong]
        without = await gateway.ask(HISTORY, "olga", **(FORTNIGHT | {"metric": "GAMIFICATION"}))
    assert codes == [{"BAD_USER_INPUT"}] * 5
    assert without.codes == {"FORBIDDEN"}
    message = without.body["errors"][0]["message"]
    assert message.startswith("GAMIFICATION has no number that is summed up; these have: ")
    assert "LEARNER_ENGAGEMENT" in message, "as they are asked for"
    assert "learner-engagement" not in message


async def test_a_group_that_is_none_is_not_found(clone: Clone) -> None:
    async with running(clone.app_url, Services(small_campus()), Clock()) as gateway:
        await arrived(gateway)
        wrong = ({"department": "nope"}, {"course": "nope"})
        codes = [(await gateway.ask(HISTORY, "olga", **(FORTNIGHT | one))).codes for one in wrong]
        known = await gateway.ask(HISTORY, "olga", **FORTNIGHT, department="Sales")
    assert codes == [{"NOT_FOUND"}] * 2
    assert known.data["organization"]["history"]["points"] == []
