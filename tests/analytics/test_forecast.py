from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.codec import decode, encode
from analytics.course import CoursePulse
from analytics.declare import DataQuality, DataQualityLevel, Withheld, WithheldReason
from analytics.learner.velocities import LearningVelocity, velocity
from analytics.models.forecast import ForecastFactor, forecast_model
from analytics.prediction import DropOffRisk, drop_off_risk
from analytics.prediction.forecast import performance_forecast
from analytics.prediction.forecast_values import ForecastMethod, InfluencingFactor, PerformanceForecast
from analytics.prediction.values import Confidence, FactorStatus
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Module, Progress
from tests.analytics.made import COURSE, done, handed_in, log, on, opened, takes, taking, task, tasks

PULSE = CoursePulse(COURSE, 19.0, 40, DataQuality(40, 1, DataQualityLevel.OK))
NO_RISK = Withheld(WithheldReason.NOT_ENOUGH_DATA, "It is too early.")
FOUR = tasks(task("A", 20), task("B", 50), task("C", 100), task("D", 150))


class Facts(NamedTuple):
    """What is known of one learner."""

    progress: Progress = takes(taking())
    scores: Scores = handed_in(done("A", 20, 60), done("B", 50, 80))
    assessments: Assessments = FOUR
    interactions: Interactions | None = log(*(opened(f"item-{n}", 60) for n in range(19)))
    pulses: tuple[CoursePulse, ...] | None = (PULSE,)
    velocity: LearningVelocity | None = None
    risk: DropOffRisk | Withheld = NO_RISK


def forecast(day: float = 64, **facts: Any) -> PerformanceForecast:
    value = performance_forecast(*Facts(**facts), at=on(day))
    assert isinstance(value, PerformanceForecast)
    return value


def factors(value: PerformanceForecast) -> dict[ForecastFactor, InfluencingFactor]:
    return {factor.factor: factor for factor in value.by_course[0].influencing_factors}


def test_half_way_worked_by_hand() -> None:
    """Four pieces of equal weight, 60 and 80 in, on time; as active as is usual, 60 credits, day 64.

    Secured (60 + 80) / 4 = 35, open 0.5. Recent score 0.6 x 80 + 0.4 x 60 = 72. Open work 15.2287 + 0.6372 x 72 =
    61.11. Predicted 35 + 30.55 = 65.55. Interval 35 + 0.5 (61.11 - 32.4) = 49.35 to 35 + 0.5 (61.11 + 21.9) = 76.50.
    """
    value = forecast()
    assert (value.secured, value.still_possible) == (35, 85)
    assert value.predicted_score == pytest.approx(65.55, abs=0.01)
    assert (value.interval.low, value.interval.high) == pytest.approx((49.35, 76.50), abs=0.01)
    assert (value.method, value.confidence) == (ForecastMethod.MODEL, Confidence.HIGH)
    assert value.horizon == on(200)
    assert value.by_course[0].open_share == 0.5
    assert factors(value)[ForecastFactor.RECENT_SCORE].current_value == pytest.approx(72)
    assert value.quality == DataQuality(21, 64, DataQualityLevel.OK)


def test_who_falls_behind_worked_by_hand() -> None:
    """A (60) three days late, B missed, 9 item-days of 19, a repeat, 120 credits: secured 15, open 0.5.

    15.2287 + 0.6372 x 60 - 34.0983 x 0.5 - 10.0456 + 7.8569 ln(10 / 20) - 4.9539 - 1.3927 = 14.57; 15 + 7.28 = 22.28.
    The interval: 14.57 - 32.4 is below 0, so 15; 15 + 0.5 (14.57 + 21.9) = 33.23.
    """
    value = forecast(
        progress=takes(taking(credits_=120, attempts=1)),
        scores=handed_in(done("A", 23, 60)),
        interactions=log(*(opened(f"item-{n}", 60) for n in range(9))),
    )
    assert (value.secured, value.still_possible) == (15, 65)
    assert value.predicted_score == pytest.approx(22.28, abs=0.01)
    assert (value.interval.low, value.interval.high) == pytest.approx((15, 33.23), abs=0.01)
    assert factors(value)[ForecastFactor.MISSED].status is FactorStatus.LOWERS


def test_when_nothing_is_open_the_secured_score_is_the_forecast() -> None:
    """60, 80 and two pieces that were never handed in: (60 + 80 + 0 + 0) / 4 = 35."""
    value = forecast(160)
    assert (value.predicted_score, value.interval.low, value.interval.high) == (35, 35, 35)
    assert (value.method, value.confidence) == (ForecastMethod.SECURED, Confidence.HIGH)
    assert all(factor.contribution == 0 for factor in value.by_course[0].influencing_factors)


def test_without_a_score_the_mean_stands_in_with_the_widest_interval() -> None:
    """Nothing due on day 10: 15.2287 + 0.6372 x 76.2 = 63.78; all is open, so 63.78 - 38.1 = 25.68 to 86.08."""
    value = forecast(10, scores=handed_in(), interactions=log(*(opened(f"item-{n}", 5) for n in range(19))))
    assert (value.secured, value.still_possible) == (0, 100)
    assert value.predicted_score == pytest.approx(63.78, abs=0.01)
    assert (value.interval.low, value.interval.high) == pytest.approx((25.68, 86.08), abs=0.01)
    assert (value.method, value.confidence) == (ForecastMethod.COURSE_MEAN, Confidence.LOW)
    assert factors(value)[ForecastFactor.RECENT_SCORE].current_value is None


def test_without_a_score_for_want_of_handing_in_little_is_expected() -> None:
    """Both due pieces missed: 0.5 (63.78 - 34.0983) = 14.84. Others like that ended 8 points from the forecast."""
    value = forecast(scores=handed_in())
    assert value.predicted_score == pytest.approx(14.84, abs=0.01)
    assert (value.method, value.confidence) == (ForecastMethod.COURSE_MEAN, Confidence.LOW)


def test_without_the_activity_it_adds_nothing_and_confidence_is_low() -> None:
    value = forecast(interactions=None)
    unknown = factors(value)[ForecastFactor.ACTIVITY]
    assert (unknown.current_value, unknown.contribution, unknown.status) == (None, 0, FactorStatus.NEUTRAL)
    assert value.confidence is Confidence.LOW


def test_work_that_waits_for_its_mark_is_open_and_overdue_work_is_lost() -> None:
    waiting = forecast(110, scores=handed_in(*Facts().scores.scores, done("C", 99, None)))
    assert (waiting.by_course[0].open_share, forecast(110).by_course[0].open_share) == (0.5, 0.25)


def test_where_nothing_weighs_anything_all_weighs_the_same() -> None:
    weightless = tasks(*(replace(each, weight=0.0) for each in FOUR.assessments))
    assert forecast(assessments=weightless) == forecast()


def test_banked_work_is_secured_and_never_missed() -> None:
    value = forecast(scores=handed_in(done("A", -1, 60, banked=True), done("B", 50, 80)))
    assert value.secured == 35
    assert factors(value)[ForecastFactor.MISSED].current_value == 0


def test_over_several_courses_it_is_the_mean_weighed_by_credits() -> None:
    """30 credits of the first course, 60 of one in which nothing is due yet: (30 x + 60 y) / 90."""
    early = tasks(*FOUR.assessments, task("Z", 120, course="other"))
    value = forecast(progress=takes(taking(credits_=30), taking("other", credits_=60)), assessments=early)
    other, one = value.by_course
    assert (other.course_id, one.course_id) == ("other", COURSE)
    assert value.predicted_score == pytest.approx((30 * one.predicted_score + 60 * other.predicted_score) / 90)
    assert value.secured == pytest.approx(35 / 3)
    assert (value.method, value.confidence) == (ForecastMethod.COURSE_MEAN, Confidence.LOW)
    assert (value.scenarios.pessimistic, value.scenarios.realistic) == (value.interval.low, value.predicted_score)


def test_the_probability_of_passing_is_what_the_risk_leaves() -> None:
    facts = Facts()
    risk = drop_off_risk(*facts[:5], None, at=on(64))
    assert isinstance(risk, DropOffRisk)
    assert forecast(risk=risk).pass_probability == pytest.approx(1 - risk.risk_score / 100)
    assert forecast(risk=NO_RISK).pass_probability is None


def test_when_the_work_is_done_is_told_as_velocity_has_it() -> None:
    modules = tuple(
        Module(f"m{n}", "", due_at=on(20 * n), completed_at=on(20 * n) if n < 4 else None) for n in range(8)
    )
    progress = takes(replace(taking(), modules=modules))
    pace = velocity(progress, at=on(64))
    assert isinstance(pace, LearningVelocity)
    timeline = forecast(progress=progress, velocity=pace).by_course[0].completion_timeline
    assert timeline is not None
    assert timeline.estimated_completion == pace.estimated_completion
    assert forecast().by_course[0].completion_timeline is None


@pytest.mark.parametrize("progress", [takes(), takes(taking(left=50)), takes(replace(taking(), end_date=on(60)))])
def test_without_a_running_course_there_is_no_forecast(progress: Progress) -> None:
    value = performance_forecast(*Facts(progress=progress), at=on(64))
    assert isinstance(value, Withheld)
    assert value.reason is WithheldReason.NOT_ENOUGH_DATA


def test_without_work_that_counts_there_is_no_forecast() -> None:
    assert isinstance(performance_forecast(*Facts(assessments=tasks()), at=on(64)), Withheld)


def test_the_published_formula_has_the_coefficients_that_are_served() -> None:
    model = forecast_model()
    told = [model.intercept, *(abs(model.weights[factor]) for factor in ForecastFactor)]
    assert told == pytest.approx([15.23, 0.637, 34.1, 10.0, 7.86, 4.95, 1.39], rel=0.01)


NAMES = ["A", "B", "C", "D"]
all_tasks = st.lists(
    st.builds(
        task, st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 120)), weight=st.sampled_from([0.0, 5, 20])
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda a: a.id,
)
all_scores = st.lists(
    st.builds(
        done, st.sampled_from(NAMES), st.integers(-5, 60), st.one_of(st.none(), st.floats(0, 100)), banked=st.booleans()
    ),
    max_size=5,
    unique_by=lambda r: r.assessment_id,
)


@st.composite
def learners(draw: st.DrawFn) -> Facts:
    """Anything a learner of one running course may have done."""
    made = draw(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(20, 60)), max_size=20))
    course = taking(COURSE, credits_=draw(st.floats(0, 1000)), attempts=draw(st.integers(0, 3)))
    return Facts(
        takes(course),
        handed_in(*draw(all_scores)),
        tasks(*draw(all_tasks)),
        draw(st.sampled_from([None, log(*(opened(item, day) for item, day in made))])),
        draw(st.sampled_from([None, (), (PULSE,)])),
    )


quick = settings(max_examples=60, deadline=None)


def told(facts: Facts, day: float = 64) -> PerformanceForecast:
    return forecast(day, **facts._asdict())


@quick
@given(learners(), st.integers(0, 199))
def test_it_is_never_below_what_is_secured_nor_above_what_is_possible(facts: Facts, day: int) -> None:
    value = told(facts, day)
    (course,) = value.by_course
    assert 0 <= value.secured <= value.interval.low <= value.predicted_score <= value.interval.high
    assert value.interval.high <= value.still_possible <= 100
    assert course.still_possible == pytest.approx(course.secured + 100 * course.open_share)
    assert value.interval.high - value.interval.low <= 100 * course.open_share + 1e-9
    if course.open_share == 0:
        assert value.predicted_score == value.secured


@quick
@given(learners(), st.floats(0, 100))
def test_a_better_last_score_never_lowers_it(facts: Facts, better: float) -> None:
    marked = [record for record in facts.scores.scores if record.score is not None]
    if not marked:
        return
    last = max(marked, key=lambda record: (record.submitted_at, record.assessment_id))
    raised = replace(last, score=max(last.score or 0.0, better))
    scores = handed_in(*(raised if record is last else record for record in facts.scores.scores))
    assert told(facts._replace(scores=scores)).predicted_score >= told(facts).predicted_score - 1e-9


@quick
@given(learners(), st.sampled_from("abcxyz"), st.integers(20, 64))
def test_more_activity_never_lowers_it(facts: Facts, item: str, day: int) -> None:
    if facts.interactions is not None:
        more = facts._replace(interactions=log(facts.interactions.interactions, opened(item, day)))
        assert told(more).predicted_score >= told(facts).predicted_score - 1e-9


@quick
@given(learners())
def test_baseline_and_contributions_add_up_to_the_prediction_before_its_limits(facts: Facts) -> None:
    (course,) = told(facts).by_course
    total = course.baseline + sum(factor.contribution for factor in course.influencing_factors)
    within = min(max(total, course.secured), course.still_possible)
    assert course.predicted_score == pytest.approx(within, abs=1e-6)


@quick
@given(learners(), st.randoms())
def test_order_repeats_and_the_future_never_matter(facts: Facts, random: Any) -> None:
    def mixed(made: tuple[Any, ...]) -> tuple[Any, ...]:
        twice = [*made, *made]
        random.shuffle(twice)
        return tuple(twice)

    later = [replace(r, submitted_at=on(65) + timedelta(days=n)) for n, r in enumerate(facts.scores.scores)]
    disordered = facts._replace(
        progress=takes(*mixed(facts.progress.courses)),
        scores=handed_in(*mixed((*facts.scores.scores, *later))),
        assessments=tasks(*mixed(facts.assessments.assessments)),
        interactions=None
        if facts.interactions is None
        else log(mixed(facts.interactions.interactions), opened("new", 65, 66)),
    )
    assert told(disordered) == told(facts)


@quick
@given(learners())
def test_it_survives_the_wire(facts: Facts) -> None:
    value = told(facts)
    wire = encode(value)
    assert encode(decode(PerformanceForecast, wire, value.quality)) == wire
