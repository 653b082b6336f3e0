"""Learner skill gap: worked examples, and what a higher level may never do."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import DataQuality, DataQualityLevel, Withheld
from analytics.learner import Mastery, SkillGap, skill_gap
from analytics.learner.demand import demand_scores
from analytics.learner.gaps import LevelEvidence, SkillAction
from analytics.learner.knowledge import MasteryState, SkillMastery
from datasources.skills import Demand, RequiredSkill, RequiredSkills, SkillDemand, UserSkill, UserSkills

AT = datetime(2014, 2, 10, 12, tzinfo=UTC)
SQL = RequiredSkill("sql", "SQL", 80, importance=1.0)
GIT = RequiredSkill("git", "Git", 60, importance=0.5)
TALK = RequiredSkill("talk", "Talking", 40, importance=0.5)


def has(skill: str, level: float, ago: float = 10) -> UserSkill:
    return UserSkill(skill, skill.upper(), level, AT - timedelta(days=ago))


def mastered(skill: str, share: float, observations: int) -> SkillMastery:
    return SkillMastery(skill, None, share, MasteryState.DEVELOPING, 0.7, observations, AT)


def knowing(*skills: SkillMastery) -> Mastery:
    return Mastery(None, skills, (), 0, len(skills), DataQuality(len(skills), 1, DataQualityLevel.LOW))


def told(
    required: list[RequiredSkill],
    levels: list[UserSkill],
    known: Mastery | None = None,
    demand: SkillDemand | None = None,
) -> SkillGap:
    answer = skill_gap(RequiredSkills(tuple(required)), UserSkills(tuple(levels)), known, demand, at=AT)
    assert isinstance(answer, SkillGap)
    return answer


def test_the_worked_example_comes_out() -> None:
    demand = SkillDemand((Demand("sql", "SQL", 99), Demand("git", "Git", 9)))
    answer = told([SQL, GIT, TALK], [has("sql", 30), has("git", 55)], knowing(mastered("sql", 0.5, 3)), demand)
    # SQL: mastery .5 from three results stands for the level 30; 80 - 50 = 30; demand is the highest, 100.
    # Talking: nothing known, 40 - 0; importance .5; demand not known: 40 x .5 x .5.
    # Git: 60 - 55 = 5; importance .5; demand 100 ln 10 / ln 100 = 50: 5 x .5 x .75.
    assert [each.skill_id for each in answer.gaps] == ["sql", "talk", "git"]
    assert [each.gap for each in answer.gaps] == pytest.approx([30, 40, 5])
    assert [each.priority for each in answer.gaps] == pytest.approx([30, 10, 1.875])
    assert [each.demand for each in answer.gaps] == pytest.approx([100, None, 50])
    assert [each.evidence for each in answer.gaps] == [
        LevelEvidence.MASTERY,
        LevelEvidence.NONE,
        LevelEvidence.ASSESSED,
    ]
    # (1 x 50 + .5 x 55 + .5 x 0) / (1 x 80 + .5 x 60 + .5 x 40).
    assert answer.coverage == pytest.approx(77.5 / 130)
    # Git's gap of exactly 5 is not counted; talking is less than half there and important.
    assert (answer.skill_gap_count, answer.critical_gaps) == (2, 1)
    assert [each.action for each in answer.recommendations] == [
        SkillAction.PRACTISE,
        SkillAction.ASSESS,
        SkillAction.PRACTISE,
    ]
    assert [each.skill_id for each in answer.current_skills] == ["git", "sql"]
    assert [each.skill_id for each in answer.required_skills] == ["git", "sql", "talk"]
    assert (answer.quality.observations, answer.quality.coverage_days) == (2, 11)
    assert answer.quality.level is DataQualityLevel.LOW


def test_two_results_are_not_enough_to_replace_the_level() -> None:
    answer = told([SQL], [has("sql", 30)], knowing(mastered("sql", 0.9, 2)))
    assert answer.gaps[0].current == 30


def test_equal_priorities_stand_in_the_order_of_ids() -> None:
    twins = [replace(SQL, skill_id=name) for name in ("c", "a", "b")]
    answer = told([*twins, GIT], [has("git", 60)])
    assert [each.skill_id for each in answer.gaps] == ["a", "b", "c"]


def test_a_half_known_skill_is_to_be_practised_and_a_less_known_one_learnt() -> None:
    actions = {level: told([SQL], [has("sql", level)]).recommendations[0].action for level in (39.0, 40.0)}
    assert actions == {39.0: SkillAction.LEARN, 40.0: SkillAction.PRACTISE}


def test_a_role_that_asks_for_nothing_is_covered() -> None:
    answer = told([], [])
    assert (answer.coverage, answer.gaps) == (1, ())
    assert told([replace(SQL, required_level=0)], [has("sql", 0)]).coverage == 1


def test_importances_that_are_all_nothing_weigh_the_same() -> None:
    needs = [replace(SQL, importance=0), replace(TALK, importance=0)]
    assert told(needs, [has("sql", 40), has("talk", 40)]).coverage == pytest.approx(80 / 120)


def test_when_no_required_skill_is_known_nothing_is_said() -> None:
    answer = skill_gap(RequiredSkills((SQL,)), UserSkills((has("chess", 90),)), None, None, at=AT)
    assert isinstance(answer, Withheld)
    assert answer.needed == 1


def test_demand_is_logarithmic_in_the_latest_period() -> None:
    market = SkillDemand(
        (
            Demand("sql", "SQL", 1000, period="2024"),
            Demand("sql", "SQL", 99, period="2025"),
            Demand("git", "Git", 0, period="2025"),
        )
    )
    assert demand_scores(market, {"sql", "git", "chess"}) == pytest.approx({"sql": 100, "git": 0})
    assert demand_scores(SkillDemand(()), {"sql"}) == {}
    half = SkillDemand((Demand("a", "A", 99), Demand("b", "B", 9)))
    assert demand_scores(half, {"b"}) == pytest.approx({"b": 100 * math.log(10) / math.log(100)})


LEVELS = st.integers(0, 100).map(float)
NEEDS = st.lists(
    st.builds(
        RequiredSkill,
        skill_id=st.sampled_from("abcde"),
        name=st.just("a skill"),
        required_level=LEVELS,
        importance=st.integers(1, 10).map(lambda tenths: tenths / 10),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda need: need.skill_id,
)


@settings(max_examples=200, deadline=None)
@given(NEEDS, st.dictionaries(st.sampled_from("abcde"), LEVELS), st.data())
def test_a_higher_level_never_widens_a_gap(
    needs: list[RequiredSkill], levels: dict[str, float], data: st.DataObject
) -> None:
    raised = data.draw(st.sampled_from([need.skill_id for need in needs]))
    levels = {needs[0].skill_id: 0.0, **levels}
    higher = {**levels, raised: data.draw(st.floats(levels.get(raised, 0), 100))}
    before = told(needs, [has(skill, level) for skill, level in levels.items()])
    after = told(needs, [has(skill, level) for skill, level in higher.items()])
    gaps = {each.skill_id: each.gap for each in before.gaps}
    assert all(each.gap <= gaps[each.skill_id] for each in after.gaps)
    assert after.coverage >= before.coverage - 1e-12
    assert after.critical_gaps <= before.critical_gaps


@settings(max_examples=200, deadline=None)
@given(NEEDS, st.dictionaries(st.sampled_from("abcde"), LEVELS))
def test_everything_is_covered_exactly_when_no_gap_is_left(
    needs: list[RequiredSkill], levels: dict[str, float]
) -> None:
    levels = {needs[0].skill_id: 0.0, **levels}
    answer = told(needs, [has(skill, level) for skill, level in levels.items()])
    assert (answer.coverage == 1) == (answer.gaps == ())
    assert [each.priority for each in answer.gaps] == sorted((each.priority for each in answer.gaps), reverse=True)
