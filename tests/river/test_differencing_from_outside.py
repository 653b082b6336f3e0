"""From outside: what two answers about an organization, subtracted, never tell of one person."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.campus import LEARNERS, PYTHON, small_campus
from tests.cast import ACME, LARS, LENA
from tests.river.banks import Services, running

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datasources.simulator.campus import Campus
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway

ADMIN = """
{
  organization {
    analytics {
      learningVelocity {
        value {
          overallVelocity lowerQuartile upperQuartile shareOnTrack activeRate members learners noCourse
          distribution { lowest highest share }
          departmentBreakdown { department velocity averageProgress learnerCount }
        }
        withheld { reason needed }
      }
      strategicAlignment {
        value {
          overallAlignment coverage members assessedMembers
          strategicGoals { goalId coverage effortShare learnerCount completionRate }
          skillGaps { skillId currentLevel affectedLearners }
        }
        withheld { reason needed }
      }
      learningCulture {
        value {
          overallCulture members active
          cultureDimensions { participation regularity social persistence breadth }
        }
        withheld { reason needed }
      }
      performance {
        value {
          members
          performanceMetrics { passRate completionRate attainment atRiskShare }
          departmentPerformance { department performance skillDevelopmentRate retentionRate }
        }
        withheld { reason needed }
      }
    }
  }
}
"""
MARKET = "{ market { skillDemand { value { skillDemand { skillId demandScore supply shortage } } } } }"
TEN = [LENA, *LEARNERS[:9]]


def campus_of(learners: Iterable[str], *, department: dict[str, str] | None = None) -> Campus:
    """The small campus with no other learners in Acme, and these departments."""
    campus, kept, parts = small_campus(), set(learners), department or {}
    return replace(
        campus,
        people=tuple(
            replace(one, department=parts.get(one.id, one.department))
            for one in campus.people
            if one.organization != ACME or one.id in kept or "learner" not in one.roles
        ),
        registrations=tuple(
            one for one in campus.registrations if one.person in kept or one.person not in {LENA, LARS, *LEARNERS[:13]}
        ),
        practice=tuple(one for one in campus.practice if one.person in kept),
    )


async def told(gateway: Gateway, who: str = "olga") -> dict[str, Any]:
    analytics: dict[str, Any] = (await gateway.ask(ADMIN, who)).data["organization"]["analytics"]
    return analytics


async def asked(clone: Clone, campus: Campus, clock: Clock) -> dict[str, Any]:
    """What the admin of this campus is told by a gateway over this database."""
    async with running(clone.app_url, Services(campus), clock) as gateway:
        return await told(gateway)


async def test_an_organization_of_k_less_one_is_not_spoken_of(clone: Clone, clock: Clock) -> None:
    for answer in (await asked(clone, campus_of(TEN[:9]), clock)).values():
        assert answer["value"] is None
        assert answer["withheld"] == {"reason": "TOO_FEW_PEERS", "needed": 10}


async def test_an_organization_of_k_is(clone: Clone, clock: Clock) -> None:
    heard = await asked(clone, campus_of(TEN), clock)
    # One of the ten left: nine are at work, which is enough for what is told of members alone.
    assert heard["performance"]["value"]["members"] == 10
    assert heard["strategicAlignment"]["value"]["members"] == 10


async def test_a_market_without_ten_learners_has_a_demand_and_no_supply(gateway: Gateway) -> None:
    here, elsewhere = [
        (await gateway.ask(MARKET, who)).data["market"]["skillDemand"]["value"]["skillDemand"]
        for who in ("lena", "sam")
    ]
    assert [one["demandScore"] for one in here] == [one["demandScore"] for one in elsewhere]
    assert all(one["supply"] is not None for one in here)
    assert all(one["supply"] is None and one["shortage"] is None for one in elsewhere)


async def test_one_who_joins_changes_no_answer_of_that_day(clone: Clone, clock: Clock) -> None:
    before = await asked(clone, campus_of([*TEN, *LEARNERS[9:12]]), clock)
    clock.pass_by(timedelta(hours=3))
    after = await asked(clone, campus_of([*TEN, *LEARNERS[9:12], LARS]), clock)
    assert before["learningVelocity"]["value"]
    assert after == before


async def test_one_who_joined_cannot_be_read_off_the_answers_of_two_days(clone: Clone, clock: Clock) -> None:
    before = await asked(clone, campus_of([*TEN, *LEARNERS[9:12]]), clock)
    clock.pass_by(timedelta(days=2))
    after = await asked(clone, campus_of([*TEN, *LEARNERS[9:12], LARS]), clock)
    for heard in (before, after):
        for answer in heard.values():
            assert numbers_said_exactly(answer["value"]) == []


DERIVED = {"overallAlignment", "overallCulture", "lowest", "highest", "skillDevelopmentRate"}
"""What is worked out of rounded numbers alone, or is no number about people."""


def numbers_said_exactly(value: Any, name: str = "") -> list[tuple[str, float]]:
    """The numbers about people that are no multiple of 5, or of 5 percent."""
    if isinstance(value, dict):
        return [each for key, part in value.items() for each in numbers_said_exactly(part, key)]
    if isinstance(value, list):
        return [each for part in value for each in numbers_said_exactly(part, name)]
    if isinstance(value, int | float) and name not in DERIVED:
        in_percent = value * 100 if 0 < value <= 1 else value
        return [] if in_percent == pytest.approx(5 * round(in_percent / 5)) else [(name, value)]
    return []


async def test_a_department_of_one_among_twelve_is_not_told_nor_left_over(clone: Clone, clock: Clock) -> None:
    twelve = [*TEN, *LEARNERS[9:11]]
    alone = {key: "Sales" if key == LENA else "Engineering" for key in twelve}
    heard = await asked(clone, campus_of(twelve, department=alone), clock)
    assert heard["performance"]["value"]["departmentPerformance"] == []
    velocity = heard["learningVelocity"]["value"]
    assert velocity is None or velocity["departmentBreakdown"] == []


async def test_two_departments_of_ten_or_more_are_told(clone: Clone, clock: Clock) -> None:
    alike = dict.fromkeys((LENA, LARS, *LEARNERS[:13]), "Engineering")
    heard = await asked(clone, campus_of((LENA, LARS, *LEARNERS[:13]), department=alike), clock)
    (part,) = heard["learningVelocity"]["value"]["departmentBreakdown"]
    assert (part["department"], part["learnerCount"] % 5) == ("Engineering", 0)


async def test_the_answers_name_nobody(gateway: Gateway) -> None:
    said = json.dumps([await told(gateway), (await gateway.ask(MARKET, "olga")).data])
    assert not re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}", said)


@pytest.mark.parametrize("who", ["lena", "tomas", "sam"])
async def test_only_the_admin_hears_what_is_said_of_all(gateway: Gateway, who: str) -> None:
    for answer in (await told(gateway, who)).values():
        assert (answer["value"], answer["withheld"]["reason"]) == (None, "NOT_FOR_YOUR_ROLE")


@pytest.mark.parametrize("chosen", ['department: "Sales"', f'course: "{PYTHON}"', f'learner: "{LENA}"'])
async def test_no_filter_isolates_one_of_them(gateway: Gateway, chosen: str) -> None:
    document = ADMIN.replace("learningVelocity {", f"learningVelocity({chosen}) {{")
    assert (await gateway.ask(document, "olga")).body["errors"]
