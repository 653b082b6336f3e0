"""Learner mastery: worked examples, and what a success or a failure may never do."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import DataQualityLevel, Withheld
from analytics.learner import Mastery, mastery
from analytics.learner.knowledge import MasteryState, effective, mastery_of, state_of
from datasources.assessment import ScoreRecord, Scores
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.skills import RequiredSkill, RequiredSkills

AT = datetime(2014, 2, 10, 12, tzinfo=UTC)


def score(name: str, points: float | None, *skills: str, ago: float = 10, out_of: float = 100) -> ScoreRecord:
    return ScoreRecord(name, "c", AT - timedelta(days=ago), points, out_of, skills)


def practice(name: str, share: float | None, *skills: str, ago: float = 10) -> PracticeSession:
    began = AT - timedelta(days=ago)
    return PracticeSession(name, "exercise", began, skills, None if share is None else began, share)


def told(scores: list[ScoreRecord], sessions: list[PracticeSession] | None = None, *required: RequiredSkill) -> Mastery:
    sittings = None if sessions is None else PracticeSessions(tuple(sessions))
    answer = mastery(Scores(tuple(scores)), sittings, RequiredSkills(required), at=AT)
    assert isinstance(answer, Mastery)
    return answer


def test_the_worked_example_comes_out() -> None:
    answer = told(
        [score("one", 100, "sql", ago=30), score("two", 0, "sql", ago=20)],
        [practice("three", 1.0, "sql", ago=10)],
        RequiredSkill("sql", "SQL", 60, importance=1.0),
        RequiredSkill("git", "Git", 60, importance=0.5),
    )
    # Ages 2, 1, 0 weigh .64, .8, 1: (0.5 + .64 x 1 + .8 x 0 + 1 x 1) / (1 + 2.44) = 2.14 / 3.44.
    git, sql = answer.skills
    assert sql.mastery == pytest.approx(2.14 / 3.44)
    assert (sql.state, sql.observations, sql.name) == (MasteryState.DEVELOPING, 3, "SQL")
    assert sql.confidence == pytest.approx(2.44 / 3.44)
    assert sql.last_observed == AT - timedelta(days=10)
    assert (git.mastery, git.state, git.confidence) == (None, MasteryState.NOT_ASSESSED, 0)
    # Git has no result and counts at the prior: (1 x .622 + .5 x .5) / 1.5.
    assert answer.mastery_progress == pytest.approx(100 * (2.14 / 3.44 + 0.25) / 1.5)
    assert (answer.mastered_count, answer.assessed_count) == (0, 1)
    assert (answer.quality.observations, answer.quality.coverage_days) == (3, 21)
    assert answer.quality.level is DataQualityLevel.OK


def test_a_score_is_a_share_of_its_maximum_and_of_nothing_it_is_none() -> None:
    answer = told([score("one", 15, "sql", out_of=20), score("two", 5, "sql", out_of=0, ago=5)])
    # One result of .75: (.5 + .75) / 2.
    assert answer.skills[0].mastery == pytest.approx(0.625)
    assert answer.skills[0].observations == 1


def test_only_what_is_required_counts_towards_progress() -> None:
    assert told([score("one", 100, "chess")]).mastery_progress is None
    required = RequiredSkill("sql", "SQL", 60)
    assert told([score("one", 100, "chess")], None, required).mastery_progress is None
    assert told([score("one", 100, "sql"), score("two", 0, "chess")], None, required).mastery_progress == 75


def test_importances_that_are_all_nothing_weigh_the_same() -> None:
    needs = (RequiredSkill("sql", "SQL", 60, importance=0), RequiredSkill("git", "Git", 60, importance=0))
    answer = told([score("one", 100, "sql"), score("two", 0, "git")], None, *needs)
    assert answer.mastery_progress == pytest.approx(100 * (0.75 + 0.25) / 2)


def test_a_course_masters_the_skills_its_assessments_name() -> None:
    answer = told([score("one", 100, "sql"), score("two", 0, "git")], [practice("x", 1.0, "chess")])
    (course,) = answer.by_course
    assert (course.course_id, course.skills) == ("c", 2)
    assert course.mastery == pytest.approx(0.5)


def test_without_a_result_there_is_nothing_to_say() -> None:
    unmarked = ScoreRecord("late", "c", AT, 90, skill_ids=("sql",), graded_at=AT + timedelta(days=1))
    unnamed, unfinished = score("one", 90), practice("x", None, "sql")
    answer = mastery(Scores((unmarked, unnamed)), PracticeSessions((unfinished,)), None, at=AT)
    assert isinstance(answer, Withheld)


@pytest.mark.parametrize(
    ("value", "observations", "state"),
    [
        (0.5, 0, MasteryState.NOT_ASSESSED),
        (0.59, 9, MasteryState.NOVICE),
        (0.6, 1, MasteryState.DEVELOPING),
        (0.9, 2, MasteryState.DEVELOPING),
        (0.85, 3, MasteryState.MASTERED),
    ],
)
def test_the_bands_are_those_of_the_definition(value: float, observations: int, state: MasteryState) -> None:
    assert state_of(value, observations) is state


def test_three_successes_in_a_row_are_mastery_and_two_are_not() -> None:
    assert state_of(mastery_of([1, 1]), 2) is MasteryState.DEVELOPING
    assert state_of(mastery_of([1, 1, 1]), 3) is MasteryState.MASTERED


SUCCESSES = st.lists(st.floats(0, 1), max_size=12)


@settings(deadline=None)
@given(SUCCESSES, st.floats(0, 1), st.floats(0, 1))
def test_a_success_never_lowers_mastery_and_a_failure_never_raises_it(
    earlier: list[float], prior: float, latest: float
) -> None:
    before = mastery_of(earlier, prior)
    after = mastery_of([*earlier, latest], prior)
    assert 0 <= after <= 1
    decay_alone = mastery_of([*earlier, before], prior)
    if latest >= before:
        assert after >= decay_alone - 1e-12
    assert mastery_of([*earlier, 1.0], prior) >= before - 1e-12
    assert mastery_of([*earlier, 0.0], prior) <= before + 1e-12


@given(st.floats(0, 0.99))
def test_successes_in_a_row_rise_towards_a_limit_below_one(prior: float) -> None:
    row = [mastery_of([1.0] * n, prior) for n in range(12)]
    assert all(later > earlier for earlier, later in itertools.pairwise(row))
    # The weights sum to 5 in the end: (p0 + 5) / 6.
    assert row[-1] < (prior + 5) / 6 < 1
    assert mastery_of([1.0] * 200, prior) == pytest.approx((prior + 5) / 6)


def test_old_observations_add_less_and_less_certainty() -> None:
    assert effective(0) == 0
    assert effective(3) == pytest.approx(2.44)
    assert effective(500) == pytest.approx(5)
