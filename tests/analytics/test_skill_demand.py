"""Skill demand: a worked example, and what the definition says it may never do."""

from __future__ import annotations

import math

import pytest
from crowds import NOW, everyone
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Everyone, Withheld
from analytics.market import DemandTrend, MarketSkillDemand, coverage, growth_of, skill_demand, trend_of
from datasources.skills import Demand, SkillDemand, UserSkill, UserSkills

quick = settings(max_examples=60, deadline=None)


def asks(period: str | None = None, **counts: int) -> list[Demand]:
    return [Demand(skill, skill.title(), count, period=period) for skill, count in counts.items()]


def skilled(**levels: float) -> UserSkills:
    return UserSkills(tuple(UserSkill(skill, skill, level) for skill, level in levels.items()))


def told(demand: list[Demand], has: Everyone[UserSkills] | None = None) -> MarketSkillDemand:
    answer = skill_demand(SkillDemand(tuple(demand)), has, None, at=NOW)
    assert isinstance(answer, MarketSkillDemand)
    return answer


def test_the_worked_example_comes_out() -> None:
    demand = asks("2026-01", sql=99, python=99, excel=9, cobol=0) + asks("2025-12", sql=60, excel=10)
    # Twenty learners: twelve have sql 60 or more, eight less; nine have a level in excel; nobody is asked about cobol.
    has = everyone([skilled(sql=60, excel=90)] * 9 + [skilled(sql=70)] * 3 + [skilled(sql=59.9)] * 8)
    answer = told(demand, has)
    python, sql, excel, cobol = answer.skill_demand
    # ln 100 / ln 100, ln 10 / ln 100, ln 1 / ln 100.
    assert [one.demand_score for one in answer.skill_demand] == [100, 100, pytest.approx(50), 0]
    assert [(one.skill_id, one.rank) for one in answer.skill_demand] == [
        ("python", 1),
        ("sql", 1),
        ("excel", 3),
        ("cobol", 4),
    ]
    # sql: ln(100 / 61), and z = 39 / sqrt(159) = 3.09. excel: z = -1 / sqrt(19). python was not listed before.
    assert (sql.growth, sql.trend) == (pytest.approx(math.log(100 / 61)), DemandTrend.RISING)
    assert (excel.growth, excel.trend) == (pytest.approx(math.log(10 / 11)), DemandTrend.STEADY)
    assert (python.growth, python.trend) == (None, DemandTrend.UNKNOWN)
    # 12 of 20 have sql, in fives 10: half is there, 50 points are short. Nine with a level in excel are too few.
    assert (sql.supply, sql.shortage) == (0.5, 50)
    assert (excel.supply, excel.shortage, cobol.supply) == (None, None, None)
    assert [one.skill_id for one in answer.shortages] == ["sql"]
    assert (answer.skills_considered, answer.skills_with_supply) == (4, 1)
    assert (answer.period, answer.period_before) == ("2026-01", "2025-12")


def test_one_period_has_no_growth() -> None:
    answer = told(asks(None, sql=5, python=3))
    assert {(one.growth, one.trend) for one in answer.skill_demand} == {(None, DemandTrend.UNKNOWN)}
    assert (answer.period, answer.period_before) == (None, None)


def test_who_has_less_than_ten_others_sees_the_demand_without_a_supply() -> None:
    assert told(asks(sql=5), everyone([skilled(sql=90)] * 11)).skill_demand[0].supply is not None
    for has in (None, everyone([skilled(sql=90)] * 10)):
        answer = told(asks(sql=5), has)
        assert [(one.demand_score, one.supply, one.shortage) for one in answer.skill_demand] == [(100, None, None)]
        assert answer.shortages == ()


def test_a_market_that_lists_nothing_has_nothing_to_say() -> None:
    assert isinstance(skill_demand(SkillDemand(()), None, None, at=NOW), Withheld)


def test_a_hundred_skills_are_listed_and_twenty_shortages_of_all() -> None:
    counts = {f"skill-{i:03}": 1000 - i for i in range(150)}
    answer = told(asks(**counts), everyone([skilled(**dict.fromkeys(counts, 10.0))] * 12))
    assert len(answer.skill_demand) == 100
    assert [one.skill_id for one in answer.shortages] == [f"skill-{i:03}" for i in range(20)]
    assert (answer.skills_considered, answer.skills_with_supply) == (150, 150)


COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10_000), min_size=1)


@quick
@given(COUNTS)
def test_the_order_by_score_is_the_order_by_count(counts: dict[str, int]) -> None:
    skills = told(asks(**counts)).skill_demand
    for one in skills:
        for other in skills:
            assert (one.count > other.count) == (one.demand_score > other.demand_score)
            assert (one.count > other.count) == (one.rank < other.rank)


@quick
@given(COUNTS, st.integers(2, 50))
def test_scaling_the_counts_keeps_the_ranks(counts: dict[str, int], factor: int) -> None:
    scaled = {skill: count * factor for skill, count in counts.items()}
    ranks = [{one.skill_id: one.rank for one in told(asks(**each)).skill_demand} for each in (counts, scaled)]
    assert ranks[0] == ranks[1]


@quick
@given(COUNTS, st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 100)), min_size=11, max_size=60))
def test_a_shortage_is_the_demand_that_the_supply_does_not_meet(
    counts: dict[str, int], levels: list[dict[str, float]]
) -> None:
    answer = told(asks(**counts), everyone([skilled(**each) for each in levels]))
    for one in answer.skill_demand:
        assessed = sum(one.skill_id in each for each in levels)
        assert (one.supply is not None) == (assessed >= 10)
        if one.supply is not None:
            true = sum(each.get(one.skill_id, 0) >= 60 for each in levels) / len(levels)
            assert abs(one.supply - true) <= 2 / len(levels) + (0.0251 if len(levels) < 50 else 0.0051)
            assert one.shortage == max(0, one.demand_score - 100 * one.supply)


@quick
@given(COUNTS, st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 100)), min_size=10, max_size=60))
def test_the_headline_lies_between_the_least_and_the_most_supply(
    counts: dict[str, int], levels: list[dict[str, float]]
) -> None:
    answer = told(asks(**counts), everyone([skilled(**each) for each in levels]))
    supply = [100 * one.supply for one in answer.skill_demand if one.supply is not None and one.demand_score]
    found = coverage(answer)
    assert (found is None) == (not supply)
    assert found is None or min(supply) - 1e-9 <= found <= max(supply) + 1e-9


@quick
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_trend_goes_the_way_of_the_growth(now: int, before: int) -> None:
    trend, growth = trend_of(now, before), growth_of(now, before)
    assert trend is not DemandTrend.RISING or growth > 0
    assert trend is not DemandTrend.FALLING or growth < 0
    assert growth == pytest.approx(-growth_of(before, now))


def test_a_difference_within_chance_is_steady() -> None:
    # z = 20 / sqrt(100) = 2 is not beyond 2; 22 / sqrt(102) is.
    assert [trend_of(60, 40), trend_of(62, 40), trend_of(40, 62)] == [
        DemandTrend.STEADY,
        DemandTrend.RISING,
        DemandTrend.FALLING,
    ]
