"""Learner velocity: worked examples, and what more work may never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.declare import DataQualityLevel, Withheld
from analytics.learner import LearningVelocity, Window, velocity
from analytics.learner.pace import PaceStatus, PaceTrend, band, pace_trend
from datasources.course import CourseProgress, Module, Progress

AT = datetime(2014, 2, 10, 12, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


def day(offset: float) -> datetime:
    return AT + timedelta(days=offset)


def module(name: str, weight: float, due: float | None, done: float | None = None) -> Module:
    return Module(name, name, weight, None if due is None else day(due), None if done is None else day(done))


def course(
    *modules: Module, start: float = -70, end: float = 70, name: str = "c", credit: float = 60
) -> CourseProgress:
    return CourseProgress(name, name, day(start), day(end), day(min(start, -1)), modules, credits=credit)


def told(*courses: CourseProgress, window: Window = Window.MONTH) -> LearningVelocity:
    answer = velocity(Progress(courses), at=AT, window=window)
    assert isinstance(answer, LearningVelocity)
    return answer


WORKED = course(
    module("one", 10, due=-42, done=-45),
    module("two", 20, due=-14, done=-10),
    module("three", 30, due=-7),
    module("four", 40, due=35),
)


def test_the_worked_example_comes_out() -> None:
    answer = told(WORKED)
    # C = 10 + 20 = 30 of W = 100; D = 10 + 20 + 30 = 60.
    assert answer.pace_ratio == pytest.approx(30 / 60)
    assert answer.progress == pytest.approx(0.3)
    # In the last 28 days only `two` was completed: 20 in 4 weeks.
    assert answer.current_pace == pytest.approx(5)
    # 70 are left for 10 weeks; 30 were done in 10 weeks.
    assert answer.target_pace == pytest.approx(7)
    assert answer.average_pace == pytest.approx(3)
    # 70 at 5 a week: 14 weeks. One completion: pace x (1 +- 1), so 7 weeks at best and never at worst.
    assert answer.estimated_completion == day(14 * 7)
    assert answer.estimated_range is not None
    assert answer.estimated_range.earliest == day(7 * 7)
    assert answer.estimated_range.latest is None
    # One completion in each window: too few for a trend. A ratio of exactly .5 is slightly behind.
    assert answer.trend is PaceTrend.INSUFFICIENT_DATA
    assert answer.status is PaceStatus.SLIGHTLY_BEHIND
    # Done or due by now: one (-45), two (-10), three (-7): 39 days from first to last, both included.
    assert (answer.quality.observations, answer.quality.coverage_days) == (3, 39)
    assert answer.quality.level is DataQualityLevel.LOW


def test_a_shorter_window_sees_only_what_is_in_it() -> None:
    assert told(WORKED, window=Window.WEEK).current_pace == 0
    assert told(WORKED, window=Window.WEEK).estimated_completion is None
    # The course is 70 days old, so a quarter looks back 70 days: 30 in 10 weeks.
    assert told(WORKED, window=Window.QUARTER).current_pace == pytest.approx(3)


def test_the_history_tells_when_it_was_done() -> None:
    history = told(WORKED).history
    assert len(history) == 12
    assert history[-1].last_day == AT.date()
    # Ten days ago lies in the last but one week; 45 days ago in the seventh from the end.
    assert [(week.completed, week.pace) for week in history if week.completed] == [(1, 10.0), (1, 20.0)]
    assert (history[-2].completed, history[-7].completed) == (1, 1)


def test_courses_weigh_by_their_credits() -> None:
    other = course(module("all", 5, due=-3, done=-3), module("rest", 5, due=60), name="d", credit=30)
    answer = told(WORKED, other)
    # Ratios .5 at 60 credits and 1 at 30: 2/3. Progress .3 and .5: 11/30.
    assert answer.pace_ratio == pytest.approx((0.5 * 60 + 1 * 30) / 90)
    assert answer.progress == pytest.approx((0.3 * 60 + 0.5 * 30) / 90)
    # The last course is done last: 14 weeks against 5 left at 5 in 4 weeks, which is 4 weeks.
    assert answer.estimated_completion == day(14 * 7)
    assert [each.course_id for each in answer.by_course] == ["c", "d"]


def test_only_running_courses_count_while_one_runs() -> None:
    ended = course(module("old", 10, due=-200), start=-300, end=-100, name="a")
    later = course(module("new", 10, due=100), start=20, end=200, name="z")
    left = replace(course(module("left", 10, due=-5), name="l"), left_at=day(-1))
    assert told(WORKED, ended, later, left).pace_ratio == told(WORKED).pace_ratio
    assert [each.course_id for each in told(WORKED, ended, later, left).by_course] == ["a", "c", "z"]


def test_between_courses_the_last_one_speaks_and_before_the_first_the_next() -> None:
    finished = course(module("old", 10, due=-200, done=-210), start=-300, end=-100, name="a")
    unfinished = course(module("late", 10, due=-95), start=-200, end=-90, name="b")
    later = course(module("new", 10, due=100), start=20, end=200, name="z")
    assert told(finished, later).status is PaceStatus.COMPLETED
    assert told(finished, later).estimated_completion == day(-210)
    assert told(finished, unfinished).status is PaceStatus.OVERDUE
    assert told(later).status is PaceStatus.NOT_STARTED
    assert told(later).pace_ratio is None


def test_without_due_dates_the_work_falls_due_evenly() -> None:
    # Half of 140 days is over: 50 of 100 are due, 40 are done.
    answer = told(course(module("a", 40, None, done=-3), module("b", 60, None)))
    assert answer.pace_ratio == pytest.approx(40 / 50)


def test_formative_modules_count_only_where_nothing_has_a_weight() -> None:
    assert told(WORKED, course(name="n")).pace_ratio == told(WORKED).pace_ratio
    with_formative = replace(WORKED, modules=(*WORKED.modules, module("quiz", 0, due=-20)))
    assert told(with_formative) == told(WORKED)
    assert told(course(module("a", 0, due=-9, done=-9), module("b", 0, due=-8))).pace_ratio == pytest.approx(0.5)


def test_a_completion_before_the_start_counts_at_the_start() -> None:
    early = course(module("a", 10, due=10, done=-20), module("b", 10, due=12), start=-5)
    # The course is five days old, a week is the shortest window: 10 in one week.
    assert told(early).current_pace == pytest.approx(10)


def test_nothing_for_four_weeks_with_work_left_undone_is_stalled() -> None:
    stalled = course(module("a", 10, due=-40, done=-41), module("b", 10, due=-5))
    assert told(stalled).status is PaceStatus.STALLED
    nothing_due = course(module("a", 10, due=-40, done=-41), module("b", 10, due=5))
    assert told(nothing_due).status is PaceStatus.ON_TRACK
    young = course(module("b", 10, due=-5), start=-20)
    assert told(young).status is PaceStatus.BEHIND


def test_all_open_courses_stalled_is_stalled_and_one_alive_is_not() -> None:
    stalled = course(module("a", 10, due=-40, done=-41), module("b", 10, due=-5))
    assert told(stalled, replace(stalled, course_id="d")).status is PaceStatus.STALLED
    assert told(stalled, replace(WORKED, course_id="d")).status is PaceStatus.SLIGHTLY_BEHIND


@pytest.mark.parametrize(
    ("ratio", "status"),
    [
        (0.0, PaceStatus.BEHIND),
        (0.499, PaceStatus.BEHIND),
        (0.5, PaceStatus.SLIGHTLY_BEHIND),
        (0.95, PaceStatus.ON_TRACK),
        (1.05, PaceStatus.ON_TRACK),
        (1.051, PaceStatus.AHEAD),
    ],
)
def test_the_bands_are_those_of_the_definition(ratio: float, status: PaceStatus) -> None:
    assert band(ratio, started_work=True) is status


def test_before_anything_is_due_work_done_is_ahead() -> None:
    assert band(None, started_work=True) is PaceStatus.AHEAD
    assert band(None, started_work=False) is PaceStatus.ON_TRACK


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        (2, 1, PaceTrend.INSUFFICIENT_DATA),
        (3, 1, PaceTrend.STEADY),  # z = 2/2 = 1, not beyond
        (4, 1, PaceTrend.ACCELERATING),  # z = 3/2.24
        (1, 4, PaceTrend.DECELERATING),
    ],
)
def test_a_trend_is_more_than_one_standard_error(now: int, before: int, trend: PaceTrend) -> None:
    assert pace_trend(now, before) is trend


def test_a_clear_trend_says_by_how_many_percent() -> None:
    recent = [module(f"r{i}", 1, due=50, done=-i - 1) for i in range(6)]
    older = [module("o1", 1, due=-29, done=-30), module("o2", 1, due=-30, done=-31)]
    answer = told(course(*recent, *older, module("rest", 1, due=60)))
    # Six against two: z = 4/2.83; 200 percent more.
    assert answer.trend is PaceTrend.ACCELERATING
    assert answer.trend_percentage == pytest.approx(200)


def test_without_planned_work_there_is_no_pace() -> None:
    for progress in (Progress(()), Progress((course(),))):
        answer = velocity(progress, at=AT)
        assert isinstance(answer, Withheld)
        assert answer.needed == 1


WEIGHTS = st.sampled_from([0.0, 1.0, 2.5, 10.0, 30.0])
OFFSETS = st.integers(-100, 100).map(float)
MODULES = st.lists(st.tuples(WEIGHTS, st.none() | OFFSETS, st.none() | OFFSETS), min_size=1, max_size=6).map(
    lambda rows: tuple(module(f"m{i}", weight, due, done) for i, (weight, due, done) in enumerate(rows))
)
COURSES = st.builds(
    lambda modules, start, length, credit, name: course(
        *modules, start=start, end=start + length, name=name, credit=credit
    ),
    MODULES,
    st.integers(-90, -1),
    st.integers(1, 200),
    st.sampled_from([15.0, 30.0, 60.0]),
    st.sampled_from(["a", "b", "c"]),
)
SOME = st.lists(COURSES, min_size=1, max_size=3, unique_by=lambda course: course.course_id)


@settings(max_examples=200, deadline=None)
@given(SOME, st.data())
def test_a_completion_never_slows_anyone_down(courses: list[CourseProgress], data: st.DataObject) -> None:
    which = data.draw(st.sampled_from(courses))
    undone = [m for m in which.modules if m.completed_at is None or m.completed_at > AT]
    assume(undone and which.end_date > AT)
    added = data.draw(st.sampled_from(undone))
    when = data.draw(st.floats(0, 90).map(lambda ago: max(which.start_date, day(-ago))))
    modules = tuple(replace(m, completed_at=when) if m is added else m for m in which.modules)
    before = told(*courses)
    after = told(*(replace(each, modules=modules) if each is which else each for each in courses))
    assert (after.pace_ratio is None) == (before.pace_ratio is None)
    assert (after.pace_ratio or 0) >= (before.pace_ratio or 0) - 1e-12
    assert after.progress >= before.progress - 1e-12
    assert (after.estimated_completion or NEVER) <= (before.estimated_completion or NEVER)


@settings(max_examples=200, deadline=None)
@given(SOME, st.integers(1, 100))
def test_a_later_end_never_asks_for_a_faster_pace(courses: list[CourseProgress], days: int) -> None:
    running = [each for each in courses if each.end_date > AT]
    assume(running)
    postponed = [replace(each, end_date=each.end_date + timedelta(days=days)) for each in running]
    assert told(*postponed).target_pace <= told(*running).target_pace + 1e-12
