import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Withheld
from analytics.prediction.interventions import RiskLevel
from analytics.standings.values import CourseLearner, CourseStandings
from analytics.trainer.distribution import TrainerBin, TrainerStudentDistribution, quartiles, student_distribution
from tests.analytics.made import COURSE, on
from tests.analytics.taught import NOW, TEN_RISKS, at_risks, course, learner

quick = settings(max_examples=60, deadline=None)


def told(*courses: CourseStandings, day: float = 100) -> TrainerStudentDistribution:
    value = student_distribution(courses, at=on(day))
    assert isinstance(value, TrainerStudentDistribution)
    return value


def counts(bins: tuple[TrainerBin, ...]) -> dict[str, int]:
    return {one.bin: one.learners for one in bins if one.learners}


def test_a_course_of_eleven_worked_by_hand() -> None:
    # Ten with risks 10, 10, 20, 20, 30, 30, 40, 40, 50, 80; of one more only that they are there is known.
    known = dict.fromkeys(("attainment", "average_score", "engagement", "mastery"), 60.0)
    rows = (*at_risks(TEN_RISKS, progress=0.5, previous_attempts=1, **known), learner("y"))
    value = told(course(rows))
    assert (value.total_students, value.at_risk_students) == (11, 2)
    assert counts(value.distribution.by_risk) == {"LOW": 4, "MODERATE": 4, "HIGH": 1, "CRITICAL": 1, "UNKNOWN": 1}
    assert value.distribution.by_risk[0].share == pytest.approx(4 / 11)
    assert counts(value.distribution.by_engagement) == {"HIGH": 10, "UNKNOWN": 1}
    assert counts(value.distribution.by_progress) == {"50-75": 10, "UNKNOWN": 1}
    assert counts(value.distribution.by_pace) == {"UNKNOWN": 11}
    assert counts(value.distribution.by_attainment) == {"PASS": 10, "UNKNOWN": 1}
    assert counts(value.distribution.by_skill_level) == {"DEVELOPING": 10, "UNKNOWN": 1}
    assert counts(value.score_histogram) == {"60-70": 10, "UNKNOWN": 1}
    assert counts(value.attempts) == {"1": 10, "UNKNOWN": 1}
    # Of ten numbers the quarter lies at place 2.25, the half at 4.5, three quarters at 6.75, nine tenths at 8.1:
    # between 20 and 20; 30 and 30; 40 and 40; and a tenth of the way from 50 to 80.
    found = value.risk_quartiles
    assert found is not None
    assert (found.p25, found.p50, found.p75, found.p90, found.known) == (20, 30, 40, pytest.approx(53), 10)
    (segment,) = value.distribution.by_course
    assert (segment.learners, segment.at_risk, segment.mean_risk) == (11, 2, pytest.approx(33))
    assert (segment.median_engagement, segment.median_attainment) == (60, 60)


def test_how_many_are_at_risk_is_null_while_the_risk_of_many_is_not_known() -> None:
    value = told(course(at_risks([90.0] * 8 + [None])))
    assert (value.at_risk_students, value.distribution.by_course[0].at_risk) == (None, None)
    # Who they are is said as far as it is known.
    assert len(value.at_risk) == 8
    assert told(course(at_risks([90.0] * 9 + [None]))).at_risk_students == 9


def test_who_is_at_risk_is_told_the_highest_risk_first_and_ties_by_id() -> None:
    rows = (learner("d", 60.0), learner("a", 49.9), learner("c", 60.0), learner("b", 90.0))
    named = told(course(rows)).at_risk
    assert [(one.learner_id, one.risk_score, one.course_id) for one in named] == [
        ("b", 90, COURSE),
        ("c", 60, COURSE),
        ("d", 60, COURSE),
    ]


def test_a_course_of_nine_shows_counts_and_no_rates() -> None:
    value = told(course(at_risks([60.0] * 9, attainment=50.0, average_score=50.0, engagement=50.0)))
    assert (value.total_students, value.at_risk_students, len(value.at_risk)) == (9, 9, 9)
    assert counts(value.distribution.by_risk) == {"HIGH": 9}
    assert {one.share for one in (*value.distribution.by_risk, *value.score_histogram)} == {None}
    assert (value.box_plot, value.risk_quartiles, value.engagement_quartiles) == (None, None, None)
    (segment,) = value.distribution.by_course
    assert (segment.mean_risk, segment.median_engagement, segment.median_attainment) == (None, None, None)


def test_a_segment_of_nine_stays_silent_among_larger_ones() -> None:
    small = course(at_risks([60.0] * 9), name="small")
    large = course(tuple(learner(f"other-{n}", 20.0) for n in range(10)), name="large")
    segments = {one.course_id: one for one in told(small, large).distribution.by_course}
    assert (segments["small"].learners, segments["small"].mean_risk) == (9, None)
    assert (segments["large"].learners, segments["large"].mean_risk) == (10, 20)


def test_a_learner_of_two_courses_counts_once_where_the_risk_is_highest() -> None:
    first = course(at_risks([10.0, 60.0]), name="first")
    second = course(at_risks([80.0, None]), name="second")
    value = told(first, second)
    assert value.total_students == 2
    assert [(one.learner_id, one.course_id, one.risk_score) for one in value.at_risk] == [
        ("learner-00", "second", 80),
        ("learner-01", "first", 60),
    ]


def test_running_courses_are_told_of_else_the_one_that_ended_last() -> None:
    over = course(at_risks([None] * 3), results=(3, 0), name="over", ends=on(90))
    older = course(at_risks([None] * 5), results=(5, 0), name="older", ends=on(80))
    assert [one.course_id for one in told(over, older).distribution.by_course] == ["over"]
    running = course(at_risks([1.0] * 2))
    assert [one.course_id for one in told(over, older, running).distribution.by_course] == [COURSE]


def test_without_a_course_there_is_nobody_to_tell_of() -> None:
    assert isinstance(student_distribution((), at=NOW), Withheld)


def test_a_bin_holds_its_lower_end_and_the_last_one_both() -> None:
    scores = (0.0, 9.9, 10.0, 99.9, 100.0)
    shown = told(course(tuple(learner(f"{score}", average_score=score) for score in scores))).score_histogram
    assert counts(shown) == {"0-10": 2, "10-20": 1, "90-100": 2}
    assert len(shown) == 11


def test_quartiles_need_ten_known_numbers() -> None:
    assert quartiles([1.0] * 9 + [None] * 9) is None
    ten = quartiles([float(n) for n in range(10)])
    assert ten is not None
    assert (ten.p25, ten.p50, ten.p75, ten.p90) == (2.25, 4.5, 6.75, pytest.approx(8.1))


SCORES = st.none() | st.floats(0, 100)
ROWS = st.lists(
    st.builds(
        lambda number, risk, score, attempts: learner(
            f"learner-{number}",
            risk,
            engagement=score,
            attainment=score,
            average_score=score,
            mastery=score,
            progress=None if score is None else score / 100,
            previous_attempts=attempts,
        ),
        st.integers(0, 40),
        SCORES,
        SCORES,
        st.none() | st.integers(0, 9),
    ),
    max_size=30,
    unique_by=lambda row: row.learner,
)


@quick
@given(ROWS, ROWS)
def test_every_histogram_sums_to_the_learners(first: list[CourseLearner], second: list[CourseLearner]) -> None:
    value = told(course(first, name="first"), course(second, name="second"))
    everyone = {row.learner for row in (*first, *second)}
    assert value.total_students == len(everyone)
    of = value.distribution
    histograms = (of.by_risk, of.by_engagement, of.by_progress, of.by_pace, of.by_attainment, of.by_skill_level)
    for bins in (*histograms, value.score_histogram, value.attempts):
        assert sum(one.learners for one in bins) == len(everyone)
        assert bins[-1].bin == "UNKNOWN"


@quick
@given(ROWS, ROWS)
def test_who_is_at_risk_is_high_and_critical_together_and_of_these_courses(
    first: list[CourseLearner], second: list[CourseLearner]
) -> None:
    value = told(course(first, name="first"), course(second, name="second"))
    by_risk = {one.bin: one.learners for one in value.distribution.by_risk}
    assert by_risk["HIGH"] + by_risk["CRITICAL"] == len(value.at_risk)
    many_unknown = by_risk["UNKNOWN"] > 0.1 * value.total_students
    assert value.at_risk_students == (None if many_unknown else len(value.at_risk))
    assert {one.learner_id for one in value.at_risk} <= {row.learner for row in (*first, *second)}
    assert {one.risk_level for one in value.at_risk} <= {RiskLevel.HIGH, RiskLevel.CRITICAL}
    scores = [one.risk_score for one in value.at_risk]
    assert scores == sorted(scores, reverse=True)
    assert all(round(score, 1) >= 50 for score in scores)


@quick
@given(ROWS, ROWS)
def test_the_order_of_courses_and_learners_never_matters(
    first: list[CourseLearner], second: list[CourseLearner]
) -> None:
    one, other = course(first, name="first"), course(second, name="second")
    turned = (course(second[::-1], name="second"), course(first[::-1], name="first"), other)
    assert told(*turned) == told(one, other)
