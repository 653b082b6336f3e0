import math
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analytics.codec import decode, encode
from analytics.course import CoursePulse
from analytics.declare import DataQuality, DataQualityLevel, Withheld, WithheldReason
from analytics.models.features import Factor
from analytics.models.risk import risk_model
from analytics.prediction import DropOffRisk, drop_off_risk
from analytics.prediction.calibration import RiskCalibration
from analytics.prediction.interventions import InterventionPriority, InterventionType, RiskLevel
from analytics.prediction.risk import risk_level
from analytics.prediction.values import Confidence, FactorStatus, RiskFactor
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Progress
from tests.analytics.made import COURSE, done, handed_in, log, on, opened, takes, taking, task, tasks

PULSE = CoursePulse(COURSE, 19.0, 40, DataQuality(40, 1, DataQualityLevel.OK))
TWO = tasks(task("A", 20), task("B", 50))


class Facts(NamedTuple):
    """What is known of one learner."""

    progress: Progress = takes(taking())
    scores: Scores = handed_in(done("A", 20, 80), done("B", 50, 80))
    assessments: Assessments = TWO
    interactions: Interactions | None = log(*(opened(f"item-{n}", 55) for n in range(19)))
    pulses: tuple[CoursePulse, ...] | None = (PULSE,)
    calibration: RiskCalibration | None = None


def risk(day: float = 60, **facts: Any) -> DropOffRisk:
    value = drop_off_risk(*Facts(**facts), at=on(day))
    assert isinstance(value, DropOffRisk)
    return value


def factor(value: DropOffRisk, which: Factor) -> RiskFactor:
    return next(f for f in value.risk_factors if f.factor is which)


def values(value: DropOffRisk) -> dict[Factor, float | None]:
    return {f.factor: f.current_value for f in value.risk_factors}


def test_a_learner_in_trouble_worked_by_hand() -> None:
    """Day 60 of 200: A (60 points) three days late, B missed, 9 item-days where 19 are usual, 120 credits.

    -0.1392 + 0.5788 x 0.6931 + 1.7637 x 0.5 + 0.5391 + 5.415 x 0.1 + 0.5205 + 0.1599 - 1.9994 x 0.3 = 2.3050
    """
    value = risk(
        progress=takes(taking(credits_=120)),
        scores=handed_in(done("A", 23, 60)),
        interactions=log(*(opened(f"item-{n}", 55) for n in range(9))),
    )
    assert values(value) == pytest.approx(
        {
            Factor.ACTIVITY: math.log(10 / 20),
            Factor.MISSED: 0.5,
            Factor.LAST_MISSED: 1,
            Factor.SCORE: -0.1,
            Factor.LATE: 1,
            Factor.REPEAT: 0,
            Factor.CREDITS: 1,
            Factor.ELAPSED: 0.3,
        }
    )
    assert value.logit == pytest.approx(2.3050, abs=1e-4)
    assert value.risk_score == pytest.approx(90.93, abs=0.01)
    assert (value.risk_level, value.confidence) == (RiskLevel.CRITICAL, Confidence.HIGH)
    assert value.predictions.fail_or_withdraw == pytest.approx(0.9093, abs=1e-4)
    assert value.predictions.withdraw_30d == value.predictions.next_month == value.drop_off_probability_30d
    assert value.predictions.calibration_group.level is RiskLevel.CRITICAL
    assert value.predictions.calibration_group.observed > 0.85
    assert {i.priority for i in value.interventions} == {InterventionPriority.URGENT}
    assert len(value.interventions) == 3


def test_a_learner_on_course_worked_by_hand() -> None:
    """Day 60: both on time with 80 points, as active as is usual: -0.1392 - 5.415 x 0.1 - 1.9994 x 0.3 = -1.2805."""
    value = risk()
    assert value.logit == pytest.approx(-1.2805, abs=1e-4)
    assert value.risk_score == pytest.approx(21.75, abs=0.01)
    assert value.risk_level is RiskLevel.LOW
    assert value.interventions == ()
    assert value.quality == DataQuality(21, 60, DataQualityLevel.OK)
    assert value.model_version.startswith("drop-off-risk 2, trained 2026-")


def test_without_anything_due_most_is_zero_and_confidence_is_low() -> None:
    value = risk(10, assessments=tasks(task("A", 20)), scores=handed_in(), interactions=log())
    assert (factor(value, Factor.MISSED).current_value, factor(value, Factor.LAST_MISSED).current_value) == (0, 0)
    assert (factor(value, Factor.SCORE).current_value, factor(value, Factor.LATE).current_value) == (0, 0)
    assert value.confidence is Confidence.LOW
    assert all(i.type is not InterventionType.TUTORING for i in value.interventions)


def test_confidence_grows_with_the_days() -> None:
    days = {day: risk(day, assessments=tasks(task("A", 5))).confidence for day in (27, 28, 59, 60)}
    assert list(days.values()) == [Confidence.LOW, Confidence.MEDIUM, Confidence.MEDIUM, Confidence.HIGH]


def test_without_the_activity_it_adds_nothing_and_confidence_is_low() -> None:
    value = risk(interactions=None, pulses=None)
    unknown = factor(value, Factor.ACTIVITY)
    assert (unknown.current_value, unknown.contribution, unknown.status) == (None, 0, FactorStatus.NEUTRAL)
    assert value.confidence is Confidence.LOW
    assert value.quality.level is DataQualityLevel.LOW
    assert math.fsum((value.base, *(f.contribution for f in value.risk_factors))) == pytest.approx(
        value.logit, abs=1e-9
    )


def test_without_a_cohort_the_stored_median_stands_in() -> None:
    usual = risk_model().usual
    alone, known = risk(pulses=()), risk(progress=takes(taking("BBB_2013J")), pulses=())
    assert factor(alone, Factor.ACTIVITY).current_value == pytest.approx(math.log(20) - math.log1p(usual.overall))
    assert factor(known, Factor.ACTIVITY).current_value == pytest.approx(-math.log1p(usual.by_course["BBB_2013J"]))


def test_formative_and_banked_work_is_never_due_missed_or_late() -> None:
    more = tasks(*TWO.assessments, task("quiz", 40, weight=0), task("draft", 41, counts=False), task("old", 42))
    scores = handed_in(*Facts().scores.scores, done("quiz", 45, 0), done("old", -1, 80, banked=True))
    assert risk(assessments=more, scores=scores).risk_factors == risk().risk_factors


def test_of_work_due_together_one_piece_is_enough_not_to_have_missed_the_last() -> None:
    together = tasks(task("A", 20), task("B", 50), task("C", 50))
    assert factor(risk(assessments=together), Factor.LAST_MISSED).current_value == 0
    assert factor(risk(assessments=together), Factor.MISSED).current_value == pytest.approx(1 / 3)
    assert (
        factor(risk(assessments=together, scores=handed_in(done("A", 20, 80))), Factor.LAST_MISSED).current_value == 1
    )


def test_of_several_courses_the_riskiest_is_told_and_all_are_listed() -> None:
    value = risk(progress=takes(taking(), taking("other", attempts=2)))
    assert (value.course_id, value.course_title) == ("other", "Other")
    assert [course.course_id for course in value.by_course] == ["other", COURSE]
    assert value.risk_score == max(course.risk_score for course in value.by_course)
    assert value.by_course[1].risk_score == risk().risk_score


@pytest.mark.parametrize(
    ("progress", "day"),
    [
        (takes(), 60),
        (takes(taking(left=50)), 60),
        (takes(taking()), -1),
        (takes(taking()), 200),
        (takes(taking(enrolled=61)), 60),
    ],
)
def test_before_the_start_after_the_end_and_for_who_left_there_is_no_risk(progress: Progress, day: float) -> None:
    value = drop_off_risk(*Facts(progress=progress), at=on(day))
    assert isinstance(value, Withheld)
    assert value.reason is WithheldReason.NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0, "low"),
        (24.94, "low"),
        (24.96, "moderate"),
        (50, "high"),
        (74.9, "high"),
        (75, "critical"),
        (100, "critical"),
    ],
)
def test_the_level_is_that_of_the_score_as_it_is_shown(score: float, level: str) -> None:
    assert risk_level(score) == level


def test_nothing_about_who_the_learner_is_can_reach_it() -> None:
    seen = {name.name for kind in (type(taking()), type(task("A", 1)), type(done("A", 1, 1))) for name in fields(kind)}
    assert not seen & {"age_band", "region", "gender", "education", "disability", "department", "name"}
    assert set(risk_model().reference) == set(Factor)


NAMES = ["A", "B", "C", "D"]
all_tasks = st.lists(
    st.builds(
        task, st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 80)), weight=st.sampled_from([0.0, 5, 20])
    ),
    max_size=4,
    unique_by=lambda a: a.id,
)
all_scores = st.lists(
    st.builds(
        done, st.sampled_from(NAMES), st.integers(-5, 60), st.one_of(st.none(), st.floats(0, 100)), banked=st.booleans()
    ),
    max_size=6,
)
all_logs = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(20, 60)), max_size=20)
all_courses = st.lists(
    st.builds(taking, st.just(COURSE), credits_=st.floats(0, 1000), attempts=st.integers(0, 5)), min_size=1, max_size=1
)


@st.composite
def learners(draw: st.DrawFn) -> Facts:
    """Anything a learner of one running course may have done."""
    return Facts(
        takes(*draw(all_courses)),
        handed_in(*draw(all_scores)),
        tasks(*draw(all_tasks)),
        draw(st.one_of(st.none(), all_logs.map(lambda made: log(*(opened(item, day) for item, day in made))))),
        draw(st.sampled_from([(), (PULSE,), (replace(PULSE, item_days=0.0),)])),
    )


def told(facts: Facts, day: float = 60) -> DropOffRisk:
    value = drop_off_risk(*facts, at=on(day))
    assume(isinstance(value, DropOffRisk))
    assert isinstance(value, DropOffRisk)
    return value


@given(learners())
def test_the_interval_is_around_the_risk_and_no_change_raises_it(facts: Facts) -> None:
    value = told(facts)
    assert 0 <= value.interval.low <= value.risk_score <= value.interval.high <= 100
    assert all(scenario.risk_score <= value.risk_score for scenario in value.scenarios)


@given(learners())
def test_the_factors_add_up_on_the_wire_and_the_largest_that_raise_come_first(facts: Facts) -> None:
    value = told(facts)
    wire = encode(value)
    total = wire["base"] + sum(f["contribution"] for f in wire["riskFactors"])
    assert abs(total - wire["logit"]) < 1e-6
    contributions = [f.contribution for f in value.risk_factors]
    assert contributions == sorted(contributions, reverse=True)
    assert len(contributions) == len(Factor)
    assert value.risk_score == pytest.approx(100 / (1 + math.exp(-value.logit)))
    assert encode(decode(DropOffRisk, wire, value.quality)) == wire


@given(learners(), st.floats(0, 30))
def test_handing_in_missed_work_on_time_with_a_good_score_never_raises_it(facts: Facts, better: float) -> None:
    names = {record.assessment_id for record in facts.scores.scores}
    missed = [a for a in facts.assessments.assessments if a.due_at and a.due_at <= on(60) and a.id not in names]
    before = told(facts)
    mean = 70 + 100 * (factor(before, Factor.SCORE).current_value or 0)
    for assessment in missed:
        assert assessment.due_at
        record = replace(done(assessment.id, 0, min(100, mean + better)), submitted_at=assessment.due_at)
        after = told(facts._replace(scores=handed_in(*facts.scores.scores, record)))
        assert after.logit <= before.logit + 1e-9


@given(learners(), st.sampled_from("abcxyz"), st.integers(20, 60))
def test_more_activity_never_raises_it(facts: Facts, item: str, day: int) -> None:
    if facts.interactions is not None:
        more = facts._replace(interactions=log(facts.interactions.interactions, opened(item, day)))
        assert told(more).logit <= told(facts).logit


@given(learners(), st.randoms())
def test_order_repeats_and_the_future_never_matter(facts: Facts, random: Any) -> None:
    def mixed(made: tuple[Any, ...]) -> tuple[Any, ...]:
        twice = [*made, *made]
        random.shuffle(twice)
        return tuple(twice)

    later = [replace(r, submitted_at=on(61) + timedelta(days=n)) for n, r in enumerate(facts.scores.scores)]
    disordered = Facts(
        takes(*mixed(facts.progress.courses)),
        handed_in(*mixed((*facts.scores.scores, *later))),
        tasks(*mixed(facts.assessments.assessments)),
        None if facts.interactions is None else log(mixed(facts.interactions.interactions), opened("new", 61, 62)),
        facts.pulses,
    )
    assert told(disordered) == told(facts)
