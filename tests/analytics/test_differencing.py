"""Subtracting one answer about a group from another: what that never tells of one person."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from crowds import NOW, TODAY, everyone, named, organization, people, plan, roll
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.arithmetic import mean
from analytics.catalog import METRICS
from analytics.declare import Everyone, Metric, Scope, Withheld, WithheldReason
from analytics.market import MarketSkillDemand, skill_demand
from analytics.organization.culture import learning_culture
from analytics.organization.people import by_department, members_of
from analytics.organization.results import performance
from analytics.organization.velocity import OrgLearningVelocity, learning_velocity
from analytics.privacy import in_fives, said, said_part, step
from datasources.course import ActiveDay, Activity
from datasources.directory import Kpis
from datasources.skills import AcquiredSkill, Demand, SkillAcquisition, SkillDemand, UserSkill, UserSkills

if TYPE_CHECKING:
    from analytics.rolls import Membership

quick = settings(max_examples=60, deadline=None)
DEPARTMENTS = st.lists(st.sampled_from(["lab", "desk", "yard", None]), min_size=1, max_size=60)
WIDE = [metric for metric in METRICS.values() if metric.scope in {Scope.ORGANIZATION, Scope.MARKET}]


def all_of(membership: Membership, done: list[int]) -> list[Any]:
    """What three metrics of an organization say, of members who have done so much of their work."""
    plans = everyone(plan(each) for each in done)
    acts = everyone(Activity((ActiveDay(TODAY, 1),)) for _ in done)
    learnt = everyone(SkillAcquisition((AcquiredSkill("s", "", NOW, 60),)) for _ in done)
    return [
        learning_velocity(membership, plans, acts, at=NOW),
        learning_culture(membership, acts, None, None, at=NOW),
        performance(membership, Kpis(()), None, None, learnt, at=NOW),
    ]


def parts_of(value: Any) -> list[Any]:
    """Every dataclass, text and number in a value."""
    if isinstance(value, tuple):
        return [each for item in value for each in parts_of(item)]
    if is_dataclass(value):
        return [value, *(each for part in fields(value) for each in parts_of(getattr(value, part.name)))]
    return [value]


def test_when_the_tenth_joins_nothing_was_said_before() -> None:
    assert all(isinstance(answer, Withheld) for answer in all_of(people(9), [5] * 9))
    assert not any(isinstance(answer, Withheld) for answer in all_of(people(10), [5] * 10))


@quick
@given(st.lists(st.floats(0, 100), min_size=10, max_size=120), st.floats(0, 100))
def test_who_joins_a_mean_leaves_a_hundred_points_open(numbers: list[float], joiner: float) -> None:
    n = len(numbers)
    before, after = said(mean(numbers) or 0, n), said(mean([*numbers, joiner]) or 0, n + 1)
    # Whoever subtracts knows each mean to half a step, and multiplies by the sizes.
    centre = (n + 1) * after - n * before
    slack = ((n + 1) * step(n + 1) + n * step(n)) / 2
    assert centre - slack - 1e-6 <= joiner <= centre + slack + 1e-6
    assert 2 * slack >= 100


@quick
@given(st.integers(11, 200), st.integers(0, 200))
def test_who_joins_a_share_moves_it_only_where_the_fives_turn(n: int, able: int) -> None:
    able = min(able, n - 1)
    without, with_them = said_part(able, n), said_part(able + 1, n)
    assert 0 <= without <= with_them <= 1
    # Of five counts in a row four say nothing of the one who joined: in a group of 12 as in one of 60.
    assert (without == with_them) or in_fives(able) != in_fives(able + 1)


@quick
@given(DEPARTMENTS)
def test_the_whole_less_its_departments_never_leaves_fewer_than_ten(departments: list[str | None]) -> None:
    members = members_of(organization(departments))
    shown = by_department(members, members)
    rest = len(members) - sum(len(part) for _, part in shown)
    assert all(len(part) >= 10 for _, part in shown)
    assert rest == 0 or rest >= 10 or not shown


@quick
@given(DEPARTMENTS, st.sampled_from(["lab", "desk", "yard", None]))
def test_a_department_that_one_joins_is_shown_without_leaving_few_over(
    departments: list[str | None], joined: str | None
) -> None:
    for parts in (departments, [*departments, joined]):
        members = members_of(organization(parts))
        told = [len(part) for _, part in by_department(members, members)]
        rest = len(parts) - sum(told)
        assert rest == 0 or rest >= 10 or not told


def test_a_department_of_one_in_an_organization_of_twelve_is_not_shown_nor_left_over() -> None:
    pace, _, figures = all_of(organization(["sales"] + ["lab"] * 11, roll("c", [None] * 12)), [0] + [10] * 11)
    assert pace.department_breakdown == ()
    assert figures.department_performance == ()


def test_a_part_that_only_some_have_a_number_in_is_counted_by_those() -> None:
    # Both departments have twelve members; in one of them only nine have work that is due.
    plans = Everyone({named(i): plan(5) for i in range(24) if i < 12 or i >= 15})
    answer = learning_velocity(organization(["lab"] * 12 + ["desk"] * 12), plans, Everyone({}), at=NOW)
    assert isinstance(answer, OrgLearningVelocity)
    assert answer.department_breakdown == (), "the nine would be the organization less the other department"


@quick
@given(st.lists(st.integers(0, 20), min_size=10, max_size=70))
def test_bands_of_a_distribution_are_of_ten_or_more(done: list[int]) -> None:
    pace = all_of(people(len(done)), done)[0]
    for band in pace.distribution:
        last = band.highest == 200
        held = sum(band.lowest <= 10 * each and (last or 10 * each < band.highest) for each in done)
        assert held >= 10
        assert band.share == said(100 * held / len(done), len(done)) / 100


@quick
@given(st.lists(st.integers(0, 20), min_size=10, max_size=70))
def test_no_answer_holds_an_id_and_every_count_is_in_fives(done: list[int]) -> None:
    membership = organization([("lab", "desk", None)[i % 3] for i in range(len(done))], roll("c", [None] * len(done)))
    ids = {member.learner for member in membership.members}
    for answer in all_of(membership, done):
        found = parts_of(answer)
        assert not [each for each in found if isinstance(each, str) and each in ids]
        for each in found:
            for name in ("members", "learners", "no_course", "active", "learner_count"):
                assert getattr(each, name, 0) % 5 == 0
            assert getattr(each, "observations", 0) % 5 == 0


@pytest.mark.parametrize("metric", WIDE, ids=lambda metric: metric.key)
def test_nobody_can_choose_who_an_organizations_numbers_are_about(metric: Metric) -> None:
    assert metric.arguments == (), "a filter that isolates one"
    assert metric.k >= 10


def test_a_supply_is_of_ten_or_more_with_a_level_and_rounded() -> None:
    market = SkillDemand((Demand("sql", "SQL", 5),))

    def supply(have: list[float]) -> float | None:
        levels = [UserSkills((UserSkill("sql", "SQL", level),)) for level in have]
        facts = everyone([*levels, *[UserSkills(())] * 10])
        answer = skill_demand(market, facts, None, at=NOW)
        assert isinstance(answer, MarketSkillDemand)
        return answer.skill_demand[0].supply

    assert supply([90.0] * 9) is None
    assert supply([90.0] * 10) == 0.5
    # One more who has it, and one more who has not: 11 and 10 of 21 are both said as half.
    assert supply([90.0] * 11) == supply([*[90.0] * 10, 10.0]) == 0.5


def test_too_few_says_so_and_says_how_many_would_do() -> None:
    for answer in all_of(people(9), [5] * 9):
        assert (answer.reason, answer.needed) == (WithheldReason.TOO_FEW_PEERS, 10)
