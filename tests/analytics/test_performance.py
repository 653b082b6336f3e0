"""Learner performance: worked examples, and what a good score may never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.arithmetic import TrendDirection
from analytics.declare import DataQualityLevel, Withheld
from analytics.learner import Performance, performance
from analytics.learner.attainment import PerformanceBand, band_of
from analytics.learner.scoring import consistency, trend_of
from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.course import CourseProgress, Progress

AT = datetime(2014, 2, 10, 12, tzinfo=UTC)


def day(offset: float) -> datetime:
    return AT + timedelta(days=offset)


def task(name: str, weight: float, due: float | None, course: str = "c") -> Assessment:
    return Assessment(name, course, name, "TMA", weight, due_at=None if due is None else day(due))


def mark(name: str, points: float | None, when: float, course: str = "c", attempt: int = 1) -> ScoreRecord:
    return ScoreRecord(name, course, day(when), points, attempt=attempt)


def running(name: str, credit: float = 60, start: float = -100, end: float = 100) -> CourseProgress:
    return CourseProgress(name, name, day(start), day(end), day(start), (), credits=credit)


def told(tasks: list[Assessment], marks: list[ScoreRecord], *courses: CourseProgress) -> Performance:
    progress = Progress(courses) if courses else None
    answer = performance(Scores(tuple(marks)), Assessments(tuple(tasks)), progress, at=AT)
    assert isinstance(answer, Performance)
    return answer


TASKS = [task("one", 10, -60), task("two", 20, -40), task("three", 30, -20), task("four", 40, 20)]


def test_the_worked_example_comes_out() -> None:
    answer = told(TASKS, [mark("one", 80, -61), mark("two", 50, -38)], running("c"))
    # Marked: (10 x 80 + 20 x 50) / 30 = 60. Of the due 60 `three` is missing: 1800 / 60 = 30.
    assert answer.average_score == pytest.approx(60)
    assert answer.overall_score == pytest.approx(30)
    assert answer.band is PerformanceBand.FAIL
    # Three are due: two handed in, one of them by the due date; both reach 40.
    assert answer.submission_rate == pytest.approx(2 / 3)
    assert answer.on_time_rate == pytest.approx(1 / 3)
    assert answer.pass_rate == 1
    # 80 and 50: 15 from their mean, so 100 (1 - 15/50).
    assert answer.consistency == pytest.approx(70)
    assert (answer.trend.direction, answer.trend.slope) == (TrendDirection.INSUFFICIENT_DATA, -30)
    assert answer.personal_best == 80
    assert [(each.title, each.on_time) for each in answer.recent] == [("two", False), ("one", True)]
    # Used: handed in 61 and 38 days ago, due 20 days ago: 42 days with both ends.
    assert (answer.quality.observations, answer.quality.coverage_days) == (3, 42)
    assert answer.quality.level is DataQualityLevel.OK


def test_work_handed_in_early_counts_before_it_is_due() -> None:
    answer = told(TASKS, [mark("four", 90, -1)], running("c"))
    assert answer.average_score == 90
    # 40 x 90 of 10 + 20 + 30 + 40.
    assert answer.overall_score == pytest.approx(36)
    assert answer.submission_rate == 0


def test_courses_weigh_by_their_credits() -> None:
    tasks = [task("a", 1, -5, "c"), task("b", 1, -5, "d")]
    marks = [mark("a", 80, -6, "c"), mark("b", 50, -6, "d")]
    answer = told(tasks, marks, running("c", 60), running("d", 30))
    assert answer.overall_score == pytest.approx((60 * 80 + 30 * 50) / 90)
    assert [each.attainment for each in answer.by_course] == [80, 50]


def test_only_running_courses_count_and_without_the_course_service_all() -> None:
    tasks = [task("a", 1, -5, "c"), task("b", 1, -205, "old")]
    marks = [mark("a", 80, -6, "c"), mark("b", 50, -206, "old")]
    ended = running("old", start=-300, end=-110)
    assert told(tasks, marks, running("c"), ended).overall_score == 80
    assert len(told(tasks, marks, running("c"), ended).by_course) == 2
    assert told(tasks, marks, ended).overall_score == 50
    assert told(tasks, marks).overall_score == pytest.approx(65)


def test_a_new_course_without_due_work_has_no_score_yet() -> None:
    tasks = [task("a", 1, 5, "new"), task("b", 1, -205, "old")]
    answer = told(tasks, [mark("b", 50, -206, "old")], running("new"), running("old", start=-300, end=-110))
    assert (answer.overall_score, answer.average_score, answer.submission_rate, answer.band) == (None,) * 4


def test_banked_and_formative_work_counts_neither_as_done_nor_as_missed() -> None:
    formative = replace(task("quiz", 50, -30), counts=False)
    weightless = task("warm-up", 0, -30)
    banked = replace(mark("b", 100, -90), banked=True)
    tasks = [*TASKS, formative, weightless, task("b", 50, -30)]
    marks = [mark("one", 80, -61), mark("two", 50, -38)]
    expected = told(TASKS, marks, running("c"))
    assert told(tasks, [*marks, banked, mark("quiz", 0, -30)], running("c")) == expected


def test_where_nothing_has_a_weight_all_weighs_the_same() -> None:
    answer = told([task("a", 0, -9), task("b", 0, -8)], [mark("a", 70, -9)], running("c"))
    assert answer.overall_score == pytest.approx(35)


def test_the_best_attempt_in_time_counts_else_the_first() -> None:
    tries = [mark("one", 30, -62), mark("one", 70, -61, attempt=2), mark("one", 100, -50, attempt=3)]
    assert told(TASKS[:1], tries, running("c")).average_score == 70
    late = [mark("one", 30, -50), mark("one", 90, -40, attempt=2)]
    assert told(TASKS[:1], late, running("c")).average_score == 30


def test_work_that_waits_for_its_mark_is_handed_in_and_not_scored() -> None:
    answer = told(TASKS[:2], [mark("one", 80, -61), mark("two", None, -41)], running("c"))
    assert (answer.overall_score, answer.average_score, answer.submission_rate) == (80, 80, 1)


def test_a_record_out_of_nothing_is_rejected() -> None:
    broken = replace(mark("two", 5, -41), max_score=0)
    assert told(TASKS[:2], [mark("one", 80, -61), broken], running("c")).submission_rate == 0.5


def test_without_due_work_there_is_nothing_to_say() -> None:
    for tasks in ([], [task("four", 40, 20)]):
        answer = performance(Scores(()), Assessments(tuple(tasks)), Progress((running("c"),)), at=AT)
        assert isinstance(answer, Withheld)
    missed = told([task("one", 10, -3)], [], running("c"))
    assert (missed.overall_score, missed.average_score) == (0, None)


def test_several_courses_have_a_trend_of_their_own_levels() -> None:
    # Course c lies at 80 and d at 40, turn by turn: no direction once each is measured against itself.
    tasks = [task(f"t{i}", 1, -50 + i, "cd"[i % 2]) for i in range(4)]
    marks = [mark(f"t{i}", (80, 40)[i % 2], -50 + i, "cd"[i % 2]) for i in range(4)]
    answer = told(tasks, marks, running("c"), running("d"))
    assert (answer.trend.direction, answer.trend.slope) == (TrendDirection.STABLE, 0)


@pytest.mark.parametrize(
    ("scores", "direction", "slope"),
    [
        ([], TrendDirection.INSUFFICIENT_DATA, None),
        ([50, 60, 70], TrendDirection.INSUFFICIENT_DATA, 10),
        ([50, 60, 70, 80], TrendDirection.UP, 10),
        ([80, 60, 70, 50], TrendDirection.DOWN, -7.5),  # tau = -4/6; slopes -20 -20 -10 -5 -5 10
        ([60, 50, 70, 55], TrendDirection.STABLE, 5 / 12),  # tau = 0; slopes -15 -10 -5/3 5/2 5 20
    ],
)
def test_a_trend_needs_four_scores_that_move_steadily(
    scores: list[float], direction: TrendDirection, slope: float | None
) -> None:
    trend = trend_of(scores)
    assert trend.direction is direction
    assert trend.slope == (None if slope is None else pytest.approx(slope))


@pytest.mark.parametrize(
    ("attained", "band"),
    [
        (None, None),
        (39.9, PerformanceBand.FAIL),
        (40, PerformanceBand.PASS),
        (84.99, PerformanceBand.DISTINCTION),  # shown as 85.0
        (85, PerformanceBand.DISTINCTION),
    ],
)
def test_the_bands_are_those_of_the_definition(attained: float | None, band: PerformanceBand | None) -> None:
    assert band_of(attained) is band


def test_strengths_and_areas_for_improvement_are_skills_of_marked_work() -> None:
    # python: 90 and 84, a mean of 87; sql: 84 and 30, a mean of 57; testing: 60, which is neither; art is over.
    tasks = [task("one", 10, -60), task("two", 10, -40), task("three", 10, -20), task("four", 10, -10)]
    named = {"one": ("python",), "two": ("python", "sql"), "three": ("sql",), "four": ("testing",)}
    marks = [mark("one", 90, -61), mark("two", 84, -41), mark("three", 30, -21), mark("four", 60, -11)]
    marks = [replace(each, skill_ids=named[each.assessment_id]) for each in marks]
    over = [replace(mark("five", 99, -150, "past"), skill_ids=("art",))]
    answer = told([*tasks, task("five", 10, -140, "past")], marks + over, running("c"), running("past", end=-120))
    assert [(each.skill_id, each.score, each.results) for each in answer.strengths] == [("python", 87, 2)]
    assert [(each.skill_id, each.score, each.results) for each in answer.areas_for_improvement] == [("sql", 57, 2)]


def test_three_strengths_are_told_the_best_first_and_unmarked_work_is_none() -> None:
    tasks = [task(name, 10, -10) for name in "abcde"]
    marks = [mark(name, score, -20) for name, score in zip("abcde", (90, 95, 100, 85, None), strict=True)]
    marks = [replace(each, skill_ids=(each.assessment_id.upper(),)) for each in marks]
    answer = told(tasks, marks, running("c"))
    assert [each.skill_id for each in answer.strengths] == ["C", "B", "A"]
    assert answer.areas_for_improvement == ()


def test_evenness_needs_two_scores() -> None:
    assert consistency([]) is consistency([70]) is None
    assert consistency([70, 70]) == 100
    assert consistency([0, 100]) == 0


NAMES = st.sampled_from(["c", "d"])
WORK = st.lists(
    st.tuples(NAMES, st.integers(1, 40), st.integers(-90, 30), st.none() | st.integers(0, 100), st.integers(-95, 0)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(WORK, st.data())
def test_a_score_at_or_above_the_average_never_lowers_a_learner(
    work: list[tuple[str, int, int, int | None, int]], data: st.DataObject
) -> None:
    tasks = [task(f"t{i}", weight, due, course) for i, (course, weight, due, _, _) in enumerate(work)]
    marks = [
        mark(f"t{i}", points, when, course) for i, (course, _, _, points, when) in enumerate(work) if points is not None
    ]
    courses = [running("c", 60), running("d", 30)]
    missing = [each for each in tasks if each.id not in {each.assessment_id for each in marks}]
    assume(missing and marks)
    before = told(tasks, marks, *courses)
    assert before.average_score is not None
    assert before.overall_score is not None
    assert before.overall_score <= before.average_score + 1e-9
    added = data.draw(st.sampled_from(missing))
    of_course = next((c.average_score for c in before.by_course if c.course_id == added.course_id), None)
    least = min(100.0, max(before.average_score, of_course or 0.0))
    after = told(tasks, [*marks, mark(added.id, data.draw(st.floats(least, 100)), -1, added.course_id)], *courses)
    assert after.average_score is not None
    assert after.overall_score is not None
    assert after.average_score >= before.average_score - 1e-9
    assert after.overall_score >= before.overall_score - 1e-9
