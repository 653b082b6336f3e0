from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.codec import encode
from analytics.declare import Withheld
from analytics.standings.values import CourseStandings
from analytics.trainer.performance import TrainerCourse, TrainerCoursePerformance, course_of, course_performance
from analytics.trainer.rates import wilson
from tests.analytics.made import on
from tests.analytics.taught import NOW, OVER, TEN_RISKS, UNKNOWN, assessment, at_risks, course

quick = settings(max_examples=60, deadline=None)


def told(*courses: CourseStandings, day: float = 100) -> TrainerCoursePerformance:
    value = course_performance(courses, at=on(day))
    assert isinstance(value, TrainerCoursePerformance)
    return value


def test_a_running_course_of_twelve_worked_by_hand() -> None:
    # 12 enrolled, 2 left; the risks of the other ten sum to 330, so their mean is 33 %.
    running = course(
        at_risks(TEN_RISKS, attainment=60.0, average_score=72.0),
        withdrawn=2,
        assessments=(assessment("A", 20, 10, 10, 8), assessment("B", 50, 10, 6, 4)),
    )
    one = course_of(running, NOW)
    assert (one.student_count, one.active_count, one.completed_count, one.withdrawn_count) == (12, 10, 0, 2)
    # 10/12 x (1 - 0.33) = 0.8333 x 0.67 = 0.5583
    assert one.expected_pass_rate == pytest.approx(0.5583, abs=1e-4)
    assert (one.performance, one.projected) == (pytest.approx(55.83, abs=0.01), True)
    assert (one.completion_rate, one.pass_rate, one.passed_count) == (None, None, None)
    # 16 of 20 pieces handed in, 12 of them in time.
    assert (one.submission_rate, one.on_time_rate) == (0.8, 0.6)
    assert (one.attainment, one.average_score) == (60, 72)


def test_a_finished_course_of_twelve_worked_by_hand() -> None:
    ten = [*at_risks([None] * 10, days_to_complete=150.0)]
    one = course_of(course(ten, withdrawn=2, results=(7, 3)), OVER)
    # 7 of 12 passed = 0.5833; with z = 1.96, z^2 = 3.8415:
    # centre = (0.5833 + 3.8415/24) / (1 + 3.8415/12) = 0.7434 / 1.3201 = 0.5631
    # margin = 1.96 sqrt(0.5833 x 0.4167/12 + 3.8415/576) / 1.3201 = 1.96 x 0.1641 / 1.3201 = 0.2436
    assert one.pass_rate == pytest.approx(7 / 12)
    assert one.pass_interval is not None
    assert one.pass_interval.low == pytest.approx(0.3195, abs=1e-4)
    assert one.pass_interval.high == pytest.approx(0.8067, abs=1e-4)
    assert one.completion_rate == pytest.approx(10 / 12)
    assert (one.performance, one.projected, one.passed_count) == (pytest.approx(58.33, abs=0.01), False, 7)
    assert one.expected_pass_rate is None
    assert one.average_time_to_complete == 150


def test_who_handed_nothing_in_has_no_average_score_and_hides_nobody_elses() -> None:
    # Ten have marks; of four more it is known that they handed nothing in, so their attainment is 0.
    marked = at_risks(TEN_RISKS, attainment=60.0, average_score=72.0)
    silent = tuple(replace(UNKNOWN, learner=f"silent-{n}", attainment=0.0) for n in range(4))
    one = course_of(course((*marked, *silent)), NOW)
    # (10 x 60 + 4 x 0) / 14 = 42.857
    assert (one.attainment, one.average_score) == (pytest.approx(42.857, abs=1e-3), 72)
    # Of whom not even that is known, marks may be missing: 4 of 14 are more than a tenth.
    unknown = tuple(replace(one, attainment=None) for one in silent)
    assert course_of(course((*marked, *unknown)), NOW).average_score is None
    assert course_of(course((*marked[:9], *silent)), NOW).average_score is None


def test_over_courses_performance_weighs_credits() -> None:
    over = course(at_risks([None] * 10), withdrawn=2, results=(7, 3), name="over", ends=on(90), credits=60.0)
    running = course(at_risks(TEN_RISKS), withdrawn=2, credits=30.0)
    # (60 x 58.33 + 30 x 55.83) / 90 = 57.5
    value = told(over, running)
    assert value.overall_performance == pytest.approx(57.5)
    assert value.projected
    assert value.student_count == 24
    assert not told(over).projected


def test_a_course_of_nine_shows_counts_and_no_rates() -> None:
    running = course(at_risks([20.0] * 8, attainment=60.0), withdrawn=1, assessments=(assessment("A", 20, 8, 8, 8),))
    over = course(at_risks([None] * 8, attainment=60.0), withdrawn=1, results=(8, 0), name="over", ends=on(90))
    for one in told(running, over).courses:
        assert (one.student_count, one.withdrawn_count) == (9, 1)
        wire = encode(one)
        rates = ("performance", "completionRate", "passRate", "passInterval", "expectedPassRate", "attainment")
        assert {wire[name] for name in (*rates, "submissionRate", "onTimeRate", "averageScore")} == {None}
    assert told(running, over).overall_performance is None


def test_results_count_only_when_the_course_is_over_and_nine_tenths_of_them_are_known() -> None:
    known = course(at_risks([None] * 20), results=(12, 6))
    assert course_of(known, NOW).pass_rate is None
    # 18 of 20 outcomes are known: 12 of these 18 passed.
    assert course_of(known, OVER).pass_rate == pytest.approx(12 / 18)
    twenty = course(at_risks([None] * 20), results=(12, 4), withdrawn=2)
    # 18 of 22 outcomes are not nine tenths; 20 of 22 are: 14 of these 20 passed.
    assert course_of(twenty, OVER).pass_rate is None
    assert course_of(replace(twenty, results=replace(twenty.results or (), passed=14)), OVER).pass_rate == 0.7


def test_an_expectation_needs_the_risk_of_nine_tenths() -> None:
    nine_tenths = at_risks([*([20.0] * 18), None, None])
    assert course_of(course(nine_tenths), NOW).expected_pass_rate == pytest.approx(0.8)
    assert course_of(course(at_risks([*([20.0] * 17), None, None, None])), NOW).expected_pass_rate is None


def test_without_the_risks_of_a_running_course_there_is_no_number_over_all_courses() -> None:
    over = course(at_risks([None] * 10), withdrawn=2, results=(7, 3), name="over", ends=on(90))
    assert told(over, course(at_risks([None] * 10))).overall_performance is None
    # Nine learners have no rate in any case, and a finished course may never tell its results.
    assert told(over, course(at_risks([None] * 9))).overall_performance == pytest.approx(100 * 7 / 12)
    untold = course(at_risks([None] * 10), name="untold", ends=on(90))
    assert told(over, untold).overall_performance == pytest.approx(100 * 7 / 12)


def test_nobody_who_has_no_course_yet_is_told_a_number() -> None:
    assert isinstance(course_performance((), at=NOW), Withheld)
    assert isinstance(course_performance((course(at_risks(TEN_RISKS)),), at=on(-1)), Withheld)


COUNTS = st.integers(0, 400)
RUNS = st.builds(lambda p, f, w: course(at_risks([None] * (p + f)), w, results=(p, f)), COUNTS, COUNTS, COUNTS)


@quick
@given(st.integers(10, 10_000), st.data())
def test_the_interval_holds_the_rate_and_narrows_as_n_grows(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    interval, wider = wilson(passed * 4, n * 4), wilson(passed, n)
    assert interval is not None
    assert wider is not None
    assert 0 <= interval.low <= passed / n <= interval.high <= 1
    assert 0 <= wider.low <= passed / n <= wider.high <= 1
    assert interval.high - interval.low < wider.high - wider.low


@quick
@given(RUNS)
def test_counts_add_up_and_rates_are_within_their_intervals(made: CourseStandings) -> None:
    one = course_of(made, OVER)
    assert one.student_count == one.active_count + one.completed_count + one.withdrawn_count
    for rate, interval in ((one.pass_rate, one.pass_interval), (one.completion_rate, one.completion_interval)):
        assert (rate is None) == (interval is None)
        if rate is not None and interval is not None:
            assert 0 <= interval.low <= rate <= interval.high <= 1


def merged(a: CourseStandings, b: CourseStandings) -> CourseStandings:
    """Both courses as one; nobody is in both."""
    assert a.results is not None
    assert b.results is not None
    others = tuple(replace(row, learner=f"other-{row.learner}") for row in b.learners)
    results = (a.results.passed + b.results.passed, a.results.failed + b.results.failed)
    return course((*a.learners, *others), a.withdrawn + b.withdrawn, results=results)


@quick
@given(RUNS, RUNS)
def test_two_courses_merged_have_a_rate_between_theirs(a: CourseStandings, b: CourseStandings) -> None:
    of_a, of_b, of_both = (course_of(made, OVER) for made in (a, b, merged(a, b)))

    def between(name: str) -> None:
        both: tuple[float | None, ...] = tuple(getattr(one, name) for one in (of_a, of_b))
        rate = getattr(of_both, name)
        if None not in both:
            assert min(both) - 1e-9 <= rate <= max(both) + 1e-9  # type: ignore[type-var]  # none of them is None

    between("pass_rate")
    between("completion_rate")
    rates = [one for one in (of_a.performance, of_b.performance) if one is not None]
    overall = told(a, replace(b, course="another"), day=200).overall_performance
    assert (overall is None) == (not rates)
    if overall is not None:
        assert min(rates) - 1e-9 <= overall <= max(rates) + 1e-9


@quick
@given(st.lists(st.floats(0, 100), min_size=10, max_size=30), st.integers(0, 20))
def test_who_is_expected_to_pass_is_a_share_of_all_who_started(risks: list[float], left: int) -> None:
    one: TrainerCourse = course_of(course(at_risks(risks), left), NOW)
    assert one.expected_pass_rate == pytest.approx(sum(1 - risk / 100 for risk in risks) / (len(risks) + left))
