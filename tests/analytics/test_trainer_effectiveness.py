from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.arithmetic import TrendDirection
from analytics.declare import DataQualityLevel, Withheld
from analytics.models.intake import intake_model
from analytics.standings.values import CourseIntake, CourseStandings
from analytics.trainer.effectiveness import TrainerTeachingEffectiveness, teaching_effectiveness, value_added
from analytics.trainer.runs import around, course_name, gain, own_history
from tests.analytics.made import on
from tests.analytics.taught import TEN_RISKS, at_risks, course, intake

quick = settings(max_examples=60, deadline=None)
BETWEEN = 0.01
"""tau^2 of the examples: true differences of 10 points."""


def told(
    *runs: CourseIntake, courses: tuple[CourseStandings, ...] = (), day: float = 300
) -> TrainerTeachingEffectiveness:
    value = teaching_effectiveness(runs, courses or (course(at_risks([None] * 10), results=(10, 0)),), at=on(day))
    assert isinstance(value, TrainerTeachingEffectiveness)
    return value


def test_the_value_added_worked_by_hand() -> None:
    # 60 of 100 passed, 50 were expected, the standard error is 5 points: raw 10.
    found = gain(intake(0.6, 0.5), BETWEEN)
    assert found.raw == pytest.approx(10)
    # tau^2/(tau^2 + se^2) = 0.01 / (0.01 + 0.0025) = 0.8, so 8 points are believed.
    assert found.shrunk == pytest.approx(8)
    # The posterior variance is 0.8 x 0.0025 = 0.002: 4.472 points, times 1.96 = 8.765.
    assert (found.interval.low, found.interval.high) == (
        pytest.approx(-0.765, abs=1e-3),
        pytest.approx(16.765, abs=1e-3),
    )


def test_a_run_beside_its_own_history_worked_by_hand() -> None:
    now = intake(0.7, 0.5, name="py-2", title="Python 2026", starts=on(0))
    runs = [
        now,
        intake(0.6, 0.5, name="py-0", title="Python, 2024", starts=on(-730), ends=on(-530), learners=100),
        intake(0.5, 0.5, name="py-1", title="Python (2025)", starts=on(-365), ends=on(-165), learners=300),
        intake(0.1, 0.5, name="sql-1", title="SQL 2025", starts=on(-365), ends=on(-165)),
        intake(0.1, 0.5, name="few", title="Python 2025", starts=on(-365), ends=on(-165), learners=29),
    ]
    found = own_history(now, runs, BETWEEN)
    assert found is not None
    # Earlier runs: 10 points of 100 learners, 0 points of 300: (100 x 10 + 300 x 0) / 400 = 2.5. Now: 20.
    assert (found.difference, found.earlier_runs) == (pytest.approx(17.5), 2)
    # Their error: sqrt((100 x 5)^2 + (300 x 5)^2) / 400 = 1581.1/400 = 3.953; with the own 5: sqrt(40.62) = 6.374.
    assert found.interval.high - found.difference == pytest.approx(1.96 * 6.374, abs=0.01)
    assert found.direction is TrendDirection.UP


def test_the_first_run_of_a_course_has_no_history() -> None:
    first = intake(0.6, 0.5, title="Python")
    assert own_history(first, [first], BETWEEN) is None
    later = intake(0.6, 0.5, name="later", title=first.title, starts=on(400), ends=on(600))
    assert own_history(first, [first, later], BETWEEN) is None
    assert own_history(later, [first, later], BETWEEN) is not None


def at(year: int, month: int = 2) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "year", "name"),
    [
        ("Module BBB, presentation 2013B", 2013, "module bbb"),
        ("Module BBB, presentation 2013J", 2013, "module bbb"),
        ("Python for everyone", 2026, "python for everyone"),
        ("Python for everyone 2026", 2026, "python for everyone"),
        ("Python for everyone (Autumn 2026)", 2026, "python for everyone"),
        ("Python  for everyone - Q1 2026", 2026, "python for everyone"),
        ("Python for everyone 2025/26", 2025, "python for everyone"),
        ("Python for everyone, cohort 12", 2026, "python for everyone"),
        ("Python for everyone \u2013 run B", 2026, "python for everyone"),
        ("Python 3", 2026, "python 3"),
        ("Europe since 1945", 2026, "europe since 1945"),
        ("Learning to run fast", 2026, "learning to run fast"),
        ("Run 5", 2026, "run 5"),
        ("2026", 2026, "2026"),
    ],
)
def test_runs_of_one_course_share_the_title_without_what_names_the_run(title: str, year: int, name: str) -> None:
    assert course_name(title, at(year), at(year, 9)) == name


def test_below_thirty_results_nothing_is_said() -> None:
    value = told(intake(0.9, 0.5, learners=29))
    (one,) = value.courses
    assert (one.results, one.observed, one.expected, one.raw, one.value_added) == (29, None, None, None, None)
    assert (one.interval, one.vs_own_history, value.overall_effectiveness) == (None, None, None)
    assert (value.strengths, value.areas_for_improvement) == ((), ())
    assert value.quality.level is DataQualityLevel.LOW


def test_the_caveat_is_always_there_and_the_overall_weighs_results() -> None:
    tau2 = intake_model().between
    value = told(intake(0.9, 0.5, learners=300), intake(0.3, 0.5, name="b", learners=100))
    assert "never rank" in value.caveat
    kept = tau2 / (tau2 + 0.0025)
    # (300 x 40 + 100 x -20) / 400 = 25 points, times what is believed of it.
    assert value.overall_effectiveness == pytest.approx(25 * kept)
    assert len(value.strengths) == 1
    assert value.quality.level is DataQualityLevel.OK
    assert told().overall_effectiveness is None
    assert told().caveat == value.caveat


def test_what_is_so_in_the_courses_worked_by_hand() -> None:
    over = course(at_risks([None] * 8, attainment=70.0), 4, results=(8, 0), name="over", ends=on(90), credits=60.0)
    rows = at_risks(TEN_RISKS, attainment=50.0, active=True)
    running = course(rows, 2, credits=60.0, feedback_days=4.0, marked=10)
    late = course((), name="late", feedback_days=9.0, marked=9)
    value = told(courses=(over, running, late), day=100)
    # Of the finished course eight are present, fewer than ten, so their attainment is not said.
    assert value.metrics.learning_outcomes == 50
    assert value.metrics.engagement_rate == 1
    # 8/12 and 10/12, each of 60 credits.
    assert value.metrics.retention_rate == pytest.approx(0.75)
    assert {one.course_id: one.feedback_days for one in value.feedback} == {
        "over": None,
        "python-2026": 4,
        "late": None,
    }
    assert value.feedback_days == 4


def test_a_course_that_still_runs_has_no_value_added() -> None:
    assert told(intake(0.9, 0.5), day=100).courses == ()
    assert isinstance(teaching_effectiveness((), (), at=on(0)), Withheld)


SHARES = st.floats(0, 1)
ERRORS = st.floats(0.001, 0.5)
LEARNERS = st.integers(30, 5000)


@quick
@given(SHARES, SHARES, ERRORS, st.floats(0, 1))
def test_what_is_believed_is_never_more_than_what_was_seen(o: float, e: float, error: float, between: float) -> None:
    found = gain(intake(o, e, error=error), between)
    assert abs(found.shrunk) <= abs(found.raw)
    assert found.shrunk * found.raw >= 0
    assert -100 <= found.interval.low <= found.shrunk <= found.interval.high <= 100


@quick
@given(SHARES, ERRORS, LEARNERS)
def test_a_course_that_meets_its_expectation_added_nothing(share: float, error: float, learners: int) -> None:
    (one,) = told(intake(share, share, error=error, learners=learners)).courses
    assert (one.raw, one.value_added) == (0, 0)
    assert one.interval is not None
    assert one.interval.low <= 0 <= one.interval.high


@quick
@given(SHARES, SHARES, ERRORS, st.floats(0.01, 0.99), st.floats(0.0001, 0.1))
def test_the_interval_narrows_as_n_grows(o: float, e: float, error: float, less: float, between: float) -> None:
    few, many = gain(intake(o, e, error=error), between), gain(intake(o, e, error=error * less), between)
    assert many.interval.high - many.interval.low <= few.interval.high - few.interval.low + 1e-9
    assert abs(many.shrunk) >= abs(few.shrunk) - 1e-9


@quick
@given(st.lists(st.builds(intake, SHARES, SHARES, learners=st.integers(0, 60)), max_size=5))
def test_nothing_is_ever_said_of_fewer_than_thirty(runs: list[CourseIntake]) -> None:
    named = [replace(run, course=f"run-{number}") for number, run in enumerate(runs)]
    for run in named:
        one = value_added(run, named, BETWEEN)
        assert (one.value_added is None) == (run.learners < 30)
        if one.vs_own_history is not None:
            assert run.learners >= 30


def test_an_interval_stays_within_a_hundred_points() -> None:
    assert (around(99, 10).high, around(-99, 10).low) == (100, -100)
