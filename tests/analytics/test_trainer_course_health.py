from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Withheld
from analytics.standings.values import CourseStandings, Weekday, WeekdayActivity
from analytics.trainer.health import TrainerCourseHealth, TrainerHealthStatus, course_health, heatmap, status_of
from analytics.trainer.issues import TrainerIssueType, TrainerSeverity, bottlenecks
from tests.analytics.made import COURSE, on
from tests.analytics.taught import NOW, TEN_RISKS, assessment, at_risks, course

quick = settings(max_examples=60, deadline=None)


def told(*courses: CourseStandings) -> TrainerCourseHealth:
    value = course_health(courses, at=NOW)
    assert isinstance(value, TrainerCourseHealth)
    return value


def health(made: CourseStandings) -> float:
    score = told(made).courses[0].health_score
    assert score is not None
    return score


def test_a_course_of_twelve_worked_by_hand() -> None:
    rows = at_risks(TEN_RISKS, submitted=1, active=True)
    made = course(
        rows,
        withdrawn=2,
        assessments=(assessment("A", 20, 10, 10), assessment("B", 40, 10, 9), assessment("C", 60, 10, 7)),
    )
    value = told(made)
    (one,) = value.courses
    # 100 x 10/12 x (1 - 0.33) = 55.83
    assert one.health_score == pytest.approx(55.83, abs=0.01)
    assert (one.retention, one.mean_risk, one.active_share) == (pytest.approx(10 / 12), pytest.approx(0.33), 1)
    assert one.submission_rate == pytest.approx(26 / 30)
    assert (value.overall_health, value.status) == (one.health_score, TrainerHealthStatus.WATCH)
    # Of the ten, one is at 50 (high) and one at 80 (critical).
    assert (value.at_risk_count, one.at_risk_count) == (2, 2)
    assert (one.funnel.enrolled, one.funnel.active, one.funnel.submitted, one.funnel.completed) == (12, 10, 10, 0)
    # From A to B it drops by 10 points, which is not more than 10; from B to C by 20.
    (bottleneck,) = one.bottlenecks
    assert (bottleneck.assessment_id, bottleneck.submission_rate, bottleneck.drop) == ("C", 0.7, pytest.approx(20))
    assert value.problem_modules == one.bottlenecks
    assert [(issue.type, issue.severity) for issue in one.issues] == [
        (TrainerIssueType.BOTTLENECK, TrainerSeverity.MEDIUM)
    ]
    assert len(one.recommendations) == 1
    assert value.alerts == ()


def test_a_course_of_nine_shows_counts_and_no_rates() -> None:
    made = course(at_risks([80.0] * 8, submitted=0, active=False), 1, assessments=(assessment("A", 20, 8, 0),))
    value = told(made)
    (one,) = value.courses
    assert (one.funnel.enrolled, one.funnel.active, one.funnel.submitted, one.at_risk_count) == (9, 8, 0, 8)
    assert (one.health_score, one.status, one.retention, one.mean_risk) == (None, None, None, None)
    assert (one.active_share, one.submission_rate, one.issues, one.bottlenecks) == (None, None, (), ())
    assert (value.overall_health, value.status, value.at_risk_count) == (None, None, 8)


def test_what_is_far_below_the_usual_is_an_alert_and_has_an_answer() -> None:
    # Half have left, the mean risk is 70 %, nobody is active, 9 of 20 pieces were in, and B has 70 points less.
    rows = at_risks([70.0] * 10, active=False)
    made = course(rows, 10, assessments=(assessment("A", 20, 10, 8), assessment("B", 40, 10, 1)))
    value = told(made)
    kinds = {alert.type for alert in value.alerts}
    assert kinds == set(TrainerIssueType)
    assert [issue.severity for issue in value.courses[0].issues] == [TrainerSeverity.HIGH] * 5
    assert len(value.courses[0].recommendations) == 5


def test_courses_weigh_their_credits_and_finished_ones_are_left_out() -> None:
    good = course(at_risks([0.0] * 10), name="good", credits=30.0)
    poor = course(at_risks([90.0] * 10), name="poor", credits=60.0)
    over = course(at_risks([None] * 10), results=(10, 0), name="over", ends=on(99))
    # (30 x 100 + 60 x 10) / 90 = 40
    value = told(good, poor, over)
    assert value.overall_health == pytest.approx(40)
    assert value.status is TrainerHealthStatus.WATCH
    assert {one.course_id for one in value.courses} == {"good", "poor"}
    # The same ten learners take both: at risk in one of them, they count once.
    assert value.at_risk_count == 10


def test_what_is_not_known_is_not_zero() -> None:
    value = told(course(at_risks([90.0] * 10), name="known"), course(at_risks([None] * 10), name="unknown"))
    assert [one.at_risk_count for one in value.courses] == [10, None]
    assert (value.at_risk_count, value.overall_health, value.status) == (None, None, None)
    # One of ten may be missing.
    assert told(course(at_risks([90.0] * 9 + [None]))).at_risk_count == 9


def test_a_trainer_without_a_running_course_has_no_health() -> None:
    assert isinstance(course_health((), at=NOW), Withheld)
    assert isinstance(course_health((course(at_risks([1.0] * 10)),), at=on(200)), Withheld)


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (60, TrainerHealthStatus.HEALTHY),
        (59.96, TrainerHealthStatus.HEALTHY),
        (59.94, TrainerHealthStatus.WATCH),
        (40, TrainerHealthStatus.WATCH),
        (39.9, TrainerHealthStatus.CRITICAL),
        (None, None),
    ],
)
def test_the_status_is_that_of_the_score_as_it_is_shown(
    score: float | None, status: TrainerHealthStatus | None
) -> None:
    assert status_of(score) is status


def test_bottlenecks_are_told_from_the_assessment_before_and_lowest_first() -> None:
    found = bottlenecks(
        COURSE,
        [
            assessment("D", 70, 20, 4),
            assessment("A", 10, 20, 20),
            assessment("B", 20, 20, 8),
            assessment("tiny", 30, 9, 0),
            assessment("C", 40, 20, 18),
            assessment("E", 94, 20, 0),
            assessment("A2", 12, 20, 18),
            assessment("A3", 14, 20, 16),
            assessment("A4", 16, 20, 14),
        ],
        NOW,
    )
    # By due date, from ten learners or more: 100, 90, 80, 70, 40, 90, 20 %. E was due only six days ago.
    assert [(one.assessment_id, one.drop) for one in found] == [("D", pytest.approx(70)), ("B", pytest.approx(30))]


def test_work_due_on_one_day_is_compared_with_what_was_due_before_whichever_comes_first_by_name() -> None:
    first, quiz, essay = assessment("M", 20, 10, 10), assessment("A", 40, 10, 8), assessment("Z", 40, 20, 14)
    for one, other in ((quiz, essay), (replace(quiz, assessment="Z"), replace(essay, assessment="A"))):
        found = bottlenecks(COURSE, [other, first, one], NOW)
        # 100 % before; 80 % of the quiz and 70 % of the essay.
        assert [(each.title, each.drop) for each in found] == [("Z", pytest.approx(30)), ("A", pytest.approx(20))]
    # Together (8 + 14) / (10 + 20) = 73.3 % handed in; 73.3 - 60 = 13.3 points fewer of what is due next.
    found = bottlenecks(COURSE, [first, quiz, essay, assessment("N", 60, 10, 6)], NOW)
    assert [(each.title, round(each.drop, 1)) for each in found] == [("N", 13.3), ("Z", 30), ("A", 20)]


def test_the_days_of_the_week_are_summed_monday_first_and_unknown_is_not_zero() -> None:
    days = [WeekdayActivity(Weekday.FRIDAY, 3), WeekdayActivity(Weekday.MONDAY, 2), WeekdayActivity(Weekday.FRIDAY, 4)]
    shown = {day.weekday: day.active_days for day in heatmap(days)}
    assert list(shown) == list(Weekday)
    assert (shown[Weekday.MONDAY], shown[Weekday.FRIDAY], shown[Weekday.SUNDAY]) == (2, 7, 0)
    assert heatmap([]) == ()


RISKS = st.lists(st.floats(0, 100), min_size=11, max_size=30)


@quick
@given(RISKS, st.integers(0, 20), st.data())
def test_a_withdrawal_never_raises_it_while_the_others_stay_as_they_are(
    risks: list[float], left: int, data: st.DataObject
) -> None:
    who = data.draw(st.integers(0, len(risks) - 1))
    before = course(at_risks(risks), left)
    after = course(at_risks([*risks[:who], *risks[who + 1 :]]), left + 1)
    assert health(after) <= health(before) + 1e-9


@quick
@given(RISKS, st.integers(0, 20))
def test_it_is_the_expected_pass_share_of_the_starters(risks: list[float], left: int) -> None:
    passing = sum(1 - risk / 100 for risk in risks)
    assert health(course(at_risks(risks), left)) == pytest.approx(100 * passing / (len(risks) + left), abs=1e-6)


@quick
@given(RISKS, st.integers(0, 20), st.lists(st.floats(0, 100), min_size=5, max_size=5))
def test_scores_of_work_do_not_reach_it(risks: list[float], left: int, scores: list[float]) -> None:
    scored = at_risks(risks, attainment=scores[0], average_score=scores[1], engagement=scores[2], mastery=scores[3])
    assert health(course(scored, left)) == health(course(at_risks(risks), left))
