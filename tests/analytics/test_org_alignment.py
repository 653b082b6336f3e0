"""Organization alignment: a worked example, and what the definition says it may never do."""

from __future__ import annotations

import pytest
from crowds import NOW, TODAY, everyone, named, people, roll
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Everyone, Withheld, WithheldReason
from analytics.learner.gaps import CurrentSkill, LevelEvidence
from analytics.organization import OrgStrategicAlignment, strategic_alignment
from analytics.organization.alignment import (
    alignment_of,
    effort_match,
    goal_coverage,
    shares_of,
    told_shares,
)
from analytics.organization.effort import Effort, effort_by_goal
from datasources.assessment import ScoreRecord, Scores
from datasources.content import Interaction, Interactions
from datasources.course import Result
from datasources.directory import Goal, Goals, GoalSkill
from datasources.skills import Demand, SkillDemand, UserSkill, UserSkills

DATA = Goal("data", "Decide by data", 3.0, (GoalSkill("sql", 80, 1.0), GoalSkill("statistics", 50, 0.4)))
BUILD = Goal("build", "Build our own tools", 1.0, (GoalSkill("python", 60, 1.0),))
VAGUE = Goal("vague", "Be the best", 9.0)

quick = settings(max_examples=60, deadline=None)


def skilled(**levels: float) -> UserSkills:
    return UserSkills(tuple(UserSkill(skill, skill.title(), level) for skill, level in levels.items()))


def opened(**item_days: int) -> Interactions:
    """So many items of each course, opened today."""
    return Interactions(
        tuple(Interaction(f"i{i}", course, "page", TODAY, 1) for course, n in item_days.items() for i in range(n))
    )


def handed_in(**skills: str) -> Scores:
    return Scores(tuple(ScoreRecord("t", course, NOW, 50.0, skill_ids=(skill,)) for course, skill in skills.items()))


TEACHES = handed_in(queries="sql", snakes="python", cooking="cookery")


def told(
    levels: list[UserSkills], days: list[Interactions] | None, *goals: Goal, demand: SkillDemand | None = None
) -> OrgStrategicAlignment:
    answer = strategic_alignment(
        people(len(levels), roll("queries", [Result.PASSED] * 8 + [Result.FAILED] * 4, left=[11])),
        Goals(goals),
        everyone(levels),
        None,
        everyone([TEACHES] * len(levels)),
        None if days is None else everyone(days),
        demand,
        at=NOW,
    )
    assert isinstance(answer, OrgStrategicAlignment)
    return answer


def test_the_worked_example_comes_out() -> None:
    # Twenty members. All have sql 40; ten have python 60 and ten have none; nobody has statistics.
    levels = [skilled(sql=40, python=60)] * 10 + [skilled(sql=40)] * 10
    # Twelve open six items of queries (sql), and two of snakes (python); cooking serves no goal.
    days = [opened(queries=6, snakes=2, cooking=50)] * 12 + [opened()] * 8
    answer = told(levels, days, DATA, BUILD, VAGUE, demand=SkillDemand((Demand("sql", "SQL", 9), Demand("x", "", 99))))
    # data: (1 x 40 + 0.4 x 0) / (1 x 80 + 0.4 x 50) = 0.4 each. build: 1 for ten, 0 for ten: 0.5.
    # Weights 3 and 1 are 0.75 and 0.25: coverage 0.425, said as 0.45 among twenty.
    assert answer.coverage == 0.45
    # Effort 72 and 24 item-days: 0.75 and 0.25, as the weights ask.
    assert answer.effort_match == 1
    assert answer.overall_alignment == pytest.approx(100 * (0.6 * 0.45 + 0.4))
    build, data, vague = answer.strategic_goals
    assert (build.weight, build.coverage, build.effort_share, build.learner_count) == (0.25, 0.5, 0.25, 10)
    assert (data.weight, data.coverage, data.effort_share, data.learner_count) == (0.75, 0.4, 0.75, 10)
    # Of the twelve in the course that is over one left: 11 of 12 are 91.7 percent. No course of build is over.
    assert (data.completion_rate, build.completion_rate) == (0.90, None)
    assert (vague.weight, vague.coverage, vague.learner_count) == (0, None, None)
    sql, python, statistics = answer.skill_gaps
    # sql: 80 - 40, times (0.5 + 0.5 x ln 10 / ln 100 = 0.75). All twenty are below.
    assert (sql.current_level, sql.gap_size, sql.affected_learners) == (40, 40, 20)
    assert sql.priority == pytest.approx(30)
    # python: a mean of 30, and ten of twenty are below 60; no demand is known: 30 x 0.5.
    assert (python.skill_id, python.current_level, python.priority, python.affected_learners) == ("python", 30, 15, 10)
    # Nobody has a level in statistics, so what they can do in it is not known.
    assert (statistics.required_level, statistics.current_level, statistics.affected_learners) == (50, None, None)


def test_all_targets_met_and_effort_as_the_weights_is_a_hundred() -> None:
    answer = told([skilled(sql=80, statistics=50, python=60)] * 12, [opened(queries=3, snakes=1)] * 12, DATA, BUILD)
    assert answer.overall_alignment == 100
    assert {gap.gap_size for gap in answer.skill_gaps} == {0}


def test_without_goals_that_ask_for_skills_it_says_so() -> None:
    for goals in ((), (VAGUE,)):
        answer = strategic_alignment(
            people(12), Goals(goals), everyone([skilled(sql=50)] * 12), None, None, None, None, at=NOW
        )
        assert isinstance(answer, Withheld)
        assert answer.reason is WithheldReason.NOT_ENOUGH_DATA
        assert "no goals" in answer.message


def test_without_effort_the_coverage_stands_alone() -> None:
    for days in (None, [opened()] * 12, [opened(cooking=5)] * 12, [opened(queries=5)] * 9 + [opened()] * 3):
        answer = told([skilled(sql=80)] * 12, days, DATA)
        assert (answer.overall_alignment, answer.effort_match) == (None, None)
        assert answer.coverage == 0.8


def test_nine_with_a_level_are_too_few() -> None:
    levels = everyone([skilled(sql=50)] * 9 + [skilled()] * 20)
    answer = strategic_alignment(people(29), Goals((DATA,)), levels, None, None, None, None, at=NOW)
    assert isinstance(answer, Withheld)
    assert answer.reason is WithheldReason.TOO_FEW_PEERS


def test_the_effort_of_few_is_not_told_nor_left_over() -> None:
    many, few = frozenset(map(named, range(30))), frozenset(map(named, range(3)))
    told = told_shares({"a": Effort(50, many), "b": Effort(30, many), "c": Effort(20, few)})
    assert told == {"b": 0.3}


LEVELS = st.dictionaries(st.sampled_from(["sql", "statistics", "python"]), st.floats(0, 100))
ASKED = st.lists(
    st.builds(GoalSkill, st.sampled_from(["sql", "statistics", "python"]), st.floats(0, 100), st.floats(0, 1)),
    min_size=1,
    max_size=3,
    unique_by=lambda skill: skill.skill_id,
)
WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1000), min_size=1)


def shown(levels: dict[str, float]) -> dict[str, CurrentSkill]:
    return {name: CurrentSkill(name, None, level, LevelEvidence.ASSESSED, None) for name, level in levels.items()}


@quick
@given(ASKED, st.lists(LEVELS, min_size=1, max_size=12), st.data())
def test_more_of_a_skill_never_lowers_the_coverage(
    asked: list[GoalSkill], levels: list[dict[str, float]], data: st.DataObject
) -> None:
    who, skill = data.draw(st.integers(0, len(levels) - 1)), data.draw(st.sampled_from(["sql", "python"]))
    before = goal_coverage(asked, [shown(each) for each in levels])
    more = data.draw(st.floats(levels[who].get(skill, 0), 100))
    levels[who] = {**levels[who], skill: more}
    assert goal_coverage(asked, [shown(each) for each in levels]) >= before - 1e-12
    assert 0 <= before <= 1 + 1e-12


@quick
@given(WEIGHTS, st.data())
def test_scaling_all_weights_changes_nothing(weights: dict[str, float], data: st.DataObject) -> None:
    factor = data.draw(st.sampled_from([0.5, 2, 4, 1024]))
    effort = {name: data.draw(st.floats(0, 1000)) for name in weights}
    scaled = {name: weight * factor for name, weight in weights.items()}
    assert shares_of(scaled) == pytest.approx(shares_of(weights))
    match = effort_match(effort, shares_of(weights))
    assert effort_match(effort, shares_of(scaled)) == (None if match is None else pytest.approx(match))


@quick
@given(WEIGHTS, st.data())
def test_effort_matches_between_nothing_and_wholly(weights: dict[str, float], data: st.DataObject) -> None:
    effort = {name: data.draw(st.floats(0, 1000)) for name in weights}
    match = effort_match(effort, shares_of(weights))
    assert match is None or 0 <= match <= 1
    assert effort_match(shares_of(weights), shares_of(weights)) == pytest.approx(1)
    assert 0 <= alignment_of(1.0, match or 0.0) <= 100


COURSES = st.dictionaries(
    st.sampled_from(["c1", "c2", "c3"]), st.frozensets(st.sampled_from(["sql", "python", "cookery"])), max_size=3
)


@quick
@given(COURSES, st.lists(st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.integers(0, 5)), max_size=6))
def test_every_item_day_of_a_course_for_a_goal_is_counted_once(
    courses: dict[str, frozenset[str]], days: list[dict[str, int]]
) -> None:
    goals = {"data": frozenset({"sql"}), "build": frozenset({"sql", "python"})}
    facts = {named(i): opened(**each) for i, each in enumerate(days)}
    effort = effort_by_goal(goals, facts, courses, NOW)
    wanted = {course for course, skills in courses.items() if skills & {"sql", "python"}}
    total = sum(n for each in days for course, n in each.items() if course in wanted)
    assert sum(each.item_days for each in effort.values()) == pytest.approx(total)


@quick
@given(st.lists(LEVELS, min_size=10, max_size=60))
def test_the_score_stays_within_its_range(levels: list[dict[str, float]]) -> None:
    answer = strategic_alignment(
        people(len(levels)),
        Goals((DATA, BUILD)),
        everyone([skilled(**each) for each in levels]),
        None,
        everyone([TEACHES] * len(levels)),
        everyone([opened(queries=i % 3, snakes=1) for i in range(len(levels))]),
        None,
        at=NOW,
    )
    if isinstance(answer, OrgStrategicAlignment):
        assert answer.overall_alignment is not None
        assert 0 <= answer.overall_alignment <= 100
        assert [gap.priority or 0 for gap in answer.skill_gaps] == sorted(
            (gap.priority or 0 for gap in answer.skill_gaps), reverse=True
        )


def test_an_organization_of_nobody_is_too_few() -> None:
    answer = strategic_alignment(people(0), Goals((DATA,)), Everyone({}), None, None, None, None, at=NOW)
    assert isinstance(answer, Withheld)
