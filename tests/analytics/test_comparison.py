import statistics
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.codec import encode
from analytics.comparison import ComparedMetric, MetricComparison, PeerComparison, Standing, peers
from analytics.declare import Cohort, DataQuality, DataQualityLevel, Rung, Withheld, WithheldReason
from analytics.learner import Engagement, LearningVelocity, Performance

DAY = date(2026, 3, 1)
QUALITY = DataQuality(10, 30, DataQualityLevel.OK)
NOTHING = Withheld(WithheldReason.NOT_ENOUGH_DATA, "Nothing is known.")
FEW = Withheld(WithheldReason.TOO_FEW_PEERS, "Too few.", needed=10)
DOWN = Withheld(WithheldReason.SOURCE_DOWN, "It did not answer.")


def value(kind: type[Any], **known: Any) -> Any:
    """A value of which only some fields matter here."""
    made = kind.__new__(kind)
    for field in fields(kind):
        object.__setattr__(made, field.name, known.get(field.name, QUALITY if field.name == "quality" else None))
    return made


def cohort(values: list[float], rung: Rung = Rung.COURSE) -> Cohort[Any]:
    return Cohort(rung, DAY, tuple(values))


def compare(own: float | None, others: list[float] | None) -> PeerComparison | Withheld:
    """One number compared, engagement; there is nothing of the others."""
    mine = NOTHING if own is None else value(Engagement, overall_score=own)
    theirs = FEW if others is None else cohort(others)
    return peers(NOTHING, mine, NOTHING, NOTHING, FEW, theirs, FEW, FEW)


def one(own: float, others: list[float]) -> MetricComparison:
    said = compare(own, others)
    assert isinstance(said, PeerComparison)
    (comparison,) = said.comparisons
    return comparison


def test_ten_peers_worked_by_hand() -> None:
    """52 among 10, 20 ... 100: five below, so 50; mean 55; median 55."""
    said = one(52, [float(n) for n in range(10, 101, 10)])
    assert (said.metric, said.own, said.percentile, said.standing) == (
        ComparedMetric.ENGAGEMENT,
        52,
        50,
        Standing.AMONG,
    )
    assert (said.mean, said.median, said.peers, said.rung, said.taken_on) == (55, 55, 10, Rung.COURSE, DAY)


def test_numbers_about_few_are_rounded_to_five_and_means_of_many_to_one() -> None:
    few, many = one(52, [51.0, *[53.0] * 12]), one(52, [51.0, *[53.0] * 59])
    assert (few.percentile, few.mean, few.median, few.peers) == (10, 55, 55, 15)
    assert many.percentile == pytest.approx(100 / 60)
    # (51 + 53 x 59) / 60 = 52.97.
    assert (many.mean, many.median, many.peers) == (53, 53, 60)


@given(st.lists(st.floats(0, 100), min_size=10, max_size=120))
def test_a_mean_of_peers_is_never_so_exact_that_who_joins_could_be_subtracted(others: list[float]) -> None:
    told = one(50, others)
    by = 5 if len(others) < 50 else 1
    assert (told.mean % by, told.median % by) == (0, 0)


def test_velocity_is_compared_by_a_hundred_times_its_ratio_and_attainment_by_its_score() -> None:
    said = peers(
        value(LearningVelocity, pace_ratio=1.5),
        NOTHING,
        NOTHING,
        value(Performance, overall_score=70.0),
        cohort([100.0] * 20, Rung.COURSE_REGION),
        FEW,
        FEW,
        cohort([80.0] * 30, Rung.ORGANIZATION),
    )
    assert isinstance(said, PeerComparison)
    assert [(c.metric, c.own, c.percentile, c.standing, c.rung) for c in said.comparisons] == [
        (ComparedMetric.VELOCITY, 150, 100, Standing.ABOVE, Rung.COURSE_REGION),
        (ComparedMetric.ATTAINMENT, 70, 0, Standing.BELOW, Rung.ORGANIZATION),
    ]
    assert said.percentile == 50
    assert said.quality == DataQuality(20, 1, DataQualityLevel.LOW)
    assert [(n.metric, n.reason) for n in said.not_compared] == [
        (ComparedMetric.ENGAGEMENT, WithheldReason.NOT_ENOUGH_DATA),
        (ComparedMetric.MASTERY, WithheldReason.NOT_ENOUGH_DATA),
    ]


@pytest.mark.parametrize("others", [None, [50.0] * 9])
def test_fewer_than_ten_peers_are_not_spoken_of(others: list[float] | None) -> None:
    said = compare(52, others)
    assert isinstance(said, Withheld)
    assert (said.reason, said.needed) == (WithheldReason.TOO_FEW_PEERS, 10)


def test_who_has_no_number_is_told_so() -> None:
    said = compare(None, [50.0] * 20)
    assert isinstance(said, Withheld)
    assert said.reason is WithheldReason.NOT_ENOUGH_DATA
    silent = peers(value(LearningVelocity), NOTHING, NOTHING, NOTHING, cohort([50.0] * 20), FEW, FEW, FEW)
    assert isinstance(silent, Withheld)


def test_a_service_that_is_down_is_not_a_want_of_data_or_of_peers() -> None:
    mine = value(Engagement, overall_score=52.0)
    said = peers(DOWN, mine, NOTHING, NOTHING, FEW, cohort([50.0] * 20), DOWN, FEW)
    assert isinstance(said, PeerComparison)
    assert [(n.metric, n.reason) for n in said.not_compared] == [
        (ComparedMetric.VELOCITY, WithheldReason.SOURCE_DOWN),
        (ComparedMetric.MASTERY, WithheldReason.NOT_ENOUGH_DATA),
        (ComparedMetric.ATTAINMENT, WithheldReason.NOT_ENOUGH_DATA),
    ]
    for own, theirs in ((DOWN, cohort([50.0] * 20)), (mine, DOWN)):
        alone = peers(NOTHING, own, NOTHING, NOTHING, FEW, theirs, FEW, FEW)
        assert isinstance(alone, Withheld)
        assert alone.reason is WithheldReason.SOURCE_DOWN


def test_a_number_kept_rounded_equals_one_that_was_not() -> None:
    assert one(66.7, [200 / 3] * 12).percentile == 50


def test_nothing_names_or_singles_out_a_peer() -> None:
    said = compare(52, [3.25, *[50.0] * 10, 97.75])
    assert isinstance(said, PeerComparison)
    text = str(encode(said))
    assert "3.25" not in text
    assert "97.75" not in text


scores = st.lists(st.floats(0, 200), min_size=10, max_size=80)


@given(scores, st.floats(0, 200), st.floats(0, 200))
def test_percentiles_are_bounded_and_rise_with_ones_own_number(others: list[float], a: float, b: float) -> None:
    low, high = (one(own, others) for own in sorted((a, b)))
    assert 0 <= low.percentile <= high.percentile <= 100
    assert abs(low.mean - statistics.fmean(others)) <= 2.6


@given(st.floats(0, 200), st.integers(10, 80))
def test_among_equals_everyone_is_at_fifty(own: float, n: int) -> None:
    assert one(own, [own] * n).percentile == 50


@given(scores, st.floats(0, 200), st.randoms())
def test_the_order_of_peers_never_matters(others: list[float], own: float, random: Any) -> None:
    shuffled = list(others)
    random.shuffle(shuffled)
    assert one(own, others) == one(own, shuffled)
