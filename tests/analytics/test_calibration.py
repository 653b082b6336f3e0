"""Recalibration: the laws of the shift, cases worked by hand, and what it does to a risk."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import DataQuality, DataQualityLevel, Everyone, Withheld, WithheldReason
from analytics.models.recalibration import MOST_SHIFT, Told, deviation_of, shift
from analytics.models.risk import logistic, risk_model
from analytics.outcomes import CourseOutcome, Outcomes, RiskGroup
from analytics.prediction import DropOffRisk, drop_off_risk
from analytics.prediction.calibration import (
    LATELY,
    LEAST_OUTCOMES,
    RiskCalibration,
    RiskStanding,
    risk_calibration,
    risk_standing,
)
from analytics.prediction.values import RiskRecalibration
from tests.analytics.made import COURSE, done, handed_in, on, takes, taking
from tests.analytics.test_risk import Facts, risk

laws = settings(max_examples=60, deadline=None)
AT = on(300)
MODEL = risk_model().version
WIDTH = deviation_of(risk_model().spread)

RISKS = st.floats(0.01, 0.99)
TOLD = st.lists(st.builds(Told, st.integers(10, 200), RISKS), min_size=1, max_size=8)


def ended(name: str = "ended", *, groups: tuple[RiskGroup, ...], failed: int, days_ago: float = 1.0) -> CourseOutcome:
    """A course that is over, of whose learners with a risk this many failed and all others passed."""
    learners = sum(group.learners for group in groups)
    return CourseOutcome(name, AT - timedelta(days=days_ago), MODEL, groups, learners, learners - failed, failed)


HALVES = (RiskGroup(100, 0.2), RiskGroup(100, 0.6))
"""Two hundred, of whom 80 are expected to fail."""


def calibrated(*courses: CourseOutcome) -> RiskCalibration:
    value = risk_calibration(Outcomes(courses), at=AT)
    assert isinstance(value, RiskCalibration)
    return value


def by(shift_: float, outcomes: int = 240) -> RiskCalibration:
    return RiskCalibration(outcomes, 0.1, 0.3, shift_, DataQuality(outcomes, 0, DataQualityLevel.OK))


def test_as_many_as_were_told_to_fail_moves_nothing_worked_by_hand() -> None:
    """100 x 0.2 + 100 x 0.6 = 80 are expected to fail, and 80 do."""
    value = calibrated(ended(groups=HALVES, failed=80))
    assert (value.outcomes, value.failed, value.expected, value.shift) == (200, 0.4, 0.4, 0.0)


def test_an_organization_that_passes_far_more_worked_by_hand() -> None:
    """One group of 400 at even odds, of whom 103 fail: 103 = 400 / (1 + e^-b) + b / 0.4626^2.

    The prior: (0.4874 + 0.6983) / (2 x 1.2816) = 0.4626, and 1 / 0.4626^2 = 4.673. Without it b would be
    ln(103 / 297) = -1.059. At b = -1.00: 400 / (1 + e^1.00) - 4.673 = 107.58 - 4.67 = 102.90, too few by 0.10. At
    b = -0.99: 400 / (1 + e^0.99) - 4.626 = 108.36 - 4.63 = 103.73, too many by 0.73. So -1.00 is nearest.
    """
    assert pytest.approx(0.4626, abs=1e-4) == WIDTH
    assert calibrated(ended(groups=(RiskGroup(400, 0.5),), failed=103)).shift == -1.0
    root = shift([Told(400, 0.5)], 103, WIDTH)
    assert 400 * logistic(root) + root / WIDTH**2 == pytest.approx(103, abs=1e-9)
    assert -1.059 < root < 0


@laws
@given(TOLD, st.floats(0.1, 2.0))
def test_no_shift_where_as_many_fail_as_were_told_to(told: list[Told], deviation: float) -> None:
    expected = math.fsum(one.learners * one.risk for one in told)
    assert shift(told, expected, deviation) == pytest.approx(0, abs=1e-9)


@laws
@given(TOLD, st.floats(0, 1), st.floats(0, 1))
def test_the_more_fail_the_higher_the_shift(told: list[Told], one: float, other: float) -> None:
    people = sum(each.learners for each in told)
    low, high = (shift(told, people * share, WIDTH) for share in sorted((one, other)))
    assert -MOST_SHIFT <= low <= high <= MOST_SHIFT


@laws
@given(TOLD, st.floats(0, 1))
def test_a_narrower_prior_moves_it_less_and_to_the_same_side(told: list[Told], share: float) -> None:
    people = sum(each.learners for each in told)
    wide, narrow = (shift(told, people * share, deviation) for deviation in (1.0, 0.3))
    assert abs(narrow) <= abs(wide) + 1e-9
    assert narrow * wide >= 0 or abs(wide) < 1e-9


@laws
@given(TOLD, st.floats(0, 1), st.randoms(use_true_random=False))
def test_the_order_of_the_groups_is_nothing(told: list[Told], share: float, chance: random.Random) -> None:
    people = sum(each.learners for each in told)
    other = chance.sample(told, len(told))
    assert shift(told, people * share, WIDTH) == shift(other, people * share, WIDTH)


@pytest.mark.parametrize("failed", [0, 400])
def test_what_is_too_far_off_is_cut_off(failed: int) -> None:
    value = calibrated(ended(groups=(RiskGroup(400, 0.98 if failed == 0 else 0.02),), failed=failed))
    assert abs(value.shift) == MOST_SHIFT


def test_under_two_hundred_outcomes_there_is_none() -> None:
    nearly = ended(groups=(RiskGroup(LEAST_OUTCOMES - 1, 0.3),), failed=20)
    value = risk_calibration(Outcomes((nearly,)), at=AT)
    assert isinstance(value, Withheld)
    assert (value.reason, value.needed) == (WithheldReason.NOT_ENOUGH_DATA, 200)
    assert isinstance(
        risk_calibration(Outcomes((nearly, ended("b", groups=HALVES[:1], failed=9))), at=AT), RiskCalibration
    )
    assert isinstance(risk_calibration(Outcomes(()), at=AT), Withheld)


def test_a_course_counts_once_however_often_it_is_told_of() -> None:
    half = ended(groups=HALVES[:1], failed=20)
    assert isinstance(risk_calibration(Outcomes((half, half)), at=AT), Withheld)


@pytest.mark.parametrize(
    "change",
    [
        {"ends_at": AT + timedelta(seconds=1)},
        {"ends_at": AT - LATELY},
        {"model": MODEL + 1},
        {"groups": ()},
        {"passed": 0},
        {"taking": 400},
        {"groups": (RiskGroup(100, 0.2), RiskGroup(130, 0.6))},
        {"groups": (RiskGroup(100, 0.2), RiskGroup(70, 0.6))},
    ],
    ids=[
        "not over",
        "too long ago",
        "another model",
        "no risk",
        "results not known",
        "of many it is not known",
        "many more had a risk",
        "many fewer had a risk",
    ],
)
def test_what_is_not_comparable_is_left_out(change: dict[str, object]) -> None:
    course = ended("other", groups=HALVES, failed=0)
    straight = ended(groups=HALVES, failed=80)
    assert calibrated(straight, course).shift < -0.2
    assert calibrated(straight, replace(course, **change)) == calibrated(straight)  # type: ignore[arg-type]  # a table of changes


def test_a_few_who_are_missing_are_taken_to_be_like_the_others() -> None:
    """205 had a risk, 82 of them expected to fail, and of 200 it is known: 80 failed."""
    course = replace(ended(groups=(RiskGroup(205, 0.4),), failed=82), taking=205, passed=120, failed=80)
    value = calibrated(course)
    assert (value.outcomes, value.shift) == (200, 0.0)


def test_the_shift_is_in_the_base_and_the_factors_still_add_up() -> None:
    plain, moved = risk(), risk(calibration=by(-0.75))
    assert moved.recalibration == RiskRecalibration(240, -0.75)
    assert plain.recalibration is None
    assert moved.base == pytest.approx(plain.base - 0.75)
    assert moved.logit == pytest.approx(plain.logit - 0.75)
    assert moved.logit == pytest.approx(
        moved.base + math.fsum(one.contribution for one in moved.risk_factors), abs=1e-6
    )
    assert moved.risk_factors == plain.risk_factors
    assert moved.risk_score == pytest.approx(100 * logistic(plain.logit - 0.75))
    assert moved.drop_off_probability_30d == plain.drop_off_probability_30d
    assert moved.model_version == f"{plain.model_version}, recalibrated on 240 outcomes"
    assert moved.interval.low < plain.interval.low


def test_a_change_is_beside_the_risk_that_is_told() -> None:
    trouble = {"scores": handed_in(done("A", 23, 60))}
    plain, moved = risk(**trouble), risk(**trouble, calibration=by(0.5))
    assert all(one.risk_score < moved.risk_score for one in moved.scenarios)
    assert [one.risk_score for one in moved.scenarios] > [one.risk_score for one in plain.scenarios]


@laws
@given(st.floats(-2, 2), st.lists(st.tuples(st.integers(0, 100), st.integers(20, 60)), min_size=2, max_size=6))
def test_the_order_of_learners_never_changes(moved: float, work: list[tuple[int, int]]) -> None:
    def ranked(calibration: RiskCalibration | None) -> list[int]:
        found = [risk(scores=handed_in(done("A", day, score)), calibration=calibration).logit for score, day in work]
        return sorted(range(len(found)), key=lambda n: (round(found[n], 9), n))

    assert ranked(by(moved)) == ranked(None)


def at_risk(score: float, course: str = COURSE, moved: float | None = None) -> DropOffRisk:
    """Somebody at this risk in a course, which may have been recalibrated."""
    value = drop_off_risk(*Facts(progress=takes(taking(course))), at=on(60))
    assert isinstance(value, DropOffRisk)
    here = replace(value.by_course[0], risk_score=score)
    return replace(value, by_course=(here,), recalibration=None if moved is None else RiskRecalibration(200, moved))


def standing(risks: list[DropOffRisk]) -> RiskStanding:
    value = risk_standing(Everyone({str(n): one for n, one in enumerate(risks)}), course=COURSE)
    assert isinstance(value, RiskStanding)
    return value


@laws
@given(st.lists(st.floats(0, 100), min_size=10, max_size=120), st.randoms(use_true_random=False))
def test_groups_hold_ten_or_more_and_everybody_once(scores: list[float], chance: random.Random) -> None:
    value = standing([at_risk(score) for score in scores])
    assert all(group.learners >= 10 for group in value.groups)
    assert sum(group.learners for group in value.groups) == value.learners == len(scores)
    assert len(value.groups) <= 5
    assert [group.risk for group in value.groups] == sorted(group.risk for group in value.groups)
    total = math.fsum(group.learners * group.risk for group in value.groups)
    assert total == pytest.approx(math.fsum(scores) / 100)
    assert standing([at_risk(score) for score in chance.sample(scores, len(scores))]).groups == value.groups


def test_under_ten_learners_nothing_is_written_down() -> None:
    nine = Everyone({str(n): at_risk(40) for n in range(9)})
    assert isinstance(risk_standing(nine, course=COURSE), Withheld)
    elsewhere = Everyone({str(n): at_risk(40, "other") for n in range(20)})
    assert isinstance(risk_standing(elsewhere, course=COURSE), Withheld)


def test_what_was_recalibrated_is_written_down_as_it_was_trained_worked_by_hand() -> None:
    """50 % moved by ln 3 is 75 %; so 75 % that was moved by ln 3 stood at 50 %."""
    value = standing([at_risk(75, moved=math.log(3)) for _ in range(10)])
    assert [group.risk for group in value.groups] == [pytest.approx(0.5)]
    assert value.model == MODEL


def test_an_organization_that_passes_far_more_than_trained_is_told_better_risks() -> None:
    """Generated learners whose true log-odds are 0.9 below what the model says, in the course after the next."""
    chance = random.Random(17)
    logits = [chance.gauss(0, 1.5) for _ in range(2_000)]
    told = [logistic(one) for one in logits]
    came = [float(chance.random() < logistic(one - 0.9)) for one in logits]
    past, later = slice(0, 1_000), slice(1_000, 2_000)
    stood = standing([at_risk(100 * one) for one in told[past]])
    value = calibrated(ended(groups=stood.groups, failed=int(sum(came[past]))))
    assert value.shift == pytest.approx(-0.9, abs=0.15)
    moved = [logistic(one + value.shift) for one in logits[later]]
    assert brier(moved, came[later]) < brier(told[later], came[later]) - 0.01
    assert abs(fmean(moved) - fmean(came[later])) < 0.03
    assert abs(fmean(told[later]) - fmean(came[later])) > 0.1


def brier(told: list[float], came: list[float]) -> float:
    return fmean((one - other) ** 2 for one, other in zip(told, came, strict=True))
