"""The shared mathematics: worked examples and laws."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.arithmetic import (
    days_from,
    deviation,
    half_life,
    kendall_tau,
    known,
    log_share,
    mean,
    percent_change,
    percentile_rank,
    quality,
    quantile,
    shrunk,
    theil_sen,
    unique,
    weighted_mean,
)
from analytics.declare import DataQualityLevel

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e3)), min_size=1, max_size=20), st.integers(0, 9))
def test_a_mean_lies_among_its_values_in_any_order(pairs: list[tuple[float, float]], seed: int) -> None:
    found = weighted_mean(pairs)
    assert found is not None
    assert min(value for value, _ in pairs) <= found <= max(value for value, _ in pairs)
    assert weighted_mean(random.Random(seed).sample(pairs, len(pairs))) == found


def test_a_mean_leaves_out_what_is_not_known() -> None:
    assert weighted_mean([(10, 1), (None, 99), (40, 2)]) == 30
    assert weighted_mean([(None, 1)]) is weighted_mean([]) is mean([]) is None
    assert weighted_mean([(0.1, 3), (None, 1)]) == mean([0.1]) == 0.1
    assert weighted_mean([(10, 0), (20, 0)]) == 15


@given(VALUES)
def test_the_deviation_is_that_of_the_values_themselves(values: list[float]) -> None:
    assert deviation(values) == pytest.approx(statistics.pstdev(values), abs=1e-6)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0, 1e6), st.floats(0.1, 100))
def test_what_is_shrunk_lies_between_the_observed_and_the_prior(obs: float, prior: float, n: float, k: float) -> None:
    found = shrunk(obs, prior, n, k)
    assert min(obs, prior) - 1e-9 <= found <= max(obs, prior) + 1e-9
    assert shrunk(obs, prior, 0, k) == prior


def test_half_a_life_is_half_the_weight() -> None:
    assert [half_life(age, 2) for age in (0, 2, 4)] == [1, 0.5, 0.25]


def test_quantiles_interpolate() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.25, 0.5, 1)] == [1, 1.75, 2.5, 4]
    assert quantile([], 0.5) is None


@given(VALUES, st.floats(0, 1))
def test_quantiles_lie_among_the_values(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found is not None
    assert min(values) <= found <= max(values)


def test_equal_ones_count_half_in_a_percentile() -> None:
    assert percentile_rank(5, [1, 5, 5, 9]) == 50
    assert percentile_rank(5, [5, 5]) == 50
    assert (percentile_rank(0, [1, 2]), percentile_rank(3, [1, 2]), percentile_rank(3, [])) == (0, 100, None)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=10), st.floats(-5, 5))
def test_a_straight_line_has_its_own_slope_whatever_one_value_does(noise: list[int], slope: float) -> None:
    line = [slope * i for i in range(len(noise))]
    assert theil_sen(line) == pytest.approx(slope, abs=1e-9)
    assert theil_sen([0, 1, 2, 3, 4, 99]) == 1
    assert theil_sen([1]) is None


def test_tau_counts_agreements_less_disagreements() -> None:
    assert kendall_tau([1, 2, 3]) == 1
    assert kendall_tau([3, 2, 1]) == -1
    # Pairs of 1 3 2: up, up, down.
    assert kendall_tau([1, 3, 2]) == pytest.approx(1 / 3)
    # One tie of six pairs: 5 / sqrt(6 x 5).
    assert kendall_tau([1, 2, 2, 3]) == pytest.approx(5 / math.sqrt(30))
    assert kendall_tau([7, 7]) == kendall_tau([]) == 0


def test_a_count_is_a_share_of_the_most_on_a_logarithmic_scale() -> None:
    assert (log_share(0, 99), log_share(99, 99), log_share(1000, 99), log_share(5, 0)) == (0, 1, 1, 0)
    assert log_share(9, 99) == pytest.approx(0.5)


def test_changes_are_in_percent_of_what_was_there() -> None:
    assert (percent_change(6, 2), percent_change(0, 2), percent_change(1, 0)) == (200, -100, None)
    # Not a rounding error below: 100 (0 - x) / x of this one is less than -100.
    assert percent_change(0, 0.08124373119358075) == -100


@dataclass(frozen=True)
class Thing:
    id: str
    parts: tuple[int, ...] = ()


@given(st.lists(st.builds(Thing, st.sampled_from("ab"), st.permutations([1, 2, 3]).map(tuple) | st.just((1,)))))
def test_of_records_that_share_an_id_the_same_one_stays_in_any_order(things: list[Thing]) -> None:
    def content(kept: list[Thing]) -> set[tuple[str, tuple[int, ...]]]:
        return {(thing.id, tuple(sorted(thing.parts))) for thing in kept}

    kept = unique(things, lambda thing: thing.id)
    assert {thing.id for thing in kept} == {thing.id for thing in things}
    assert len(kept) == len({thing.id for thing in things})
    assert content(kept) == content(unique(reversed(things), lambda thing: thing.id))


def test_what_has_not_come_yet_is_not_known() -> None:
    now, later = datetime(2014, 2, 10, tzinfo=UTC), datetime(2014, 2, 11, tzinfo=UTC)
    assert known(now, now) == now
    assert known(later, now) is known(None, now) is None


def test_days_are_never_negative_and_never_out_of_bounds() -> None:
    assert days_from(date(2014, 2, 1), date(2014, 2, 10)) == 9
    assert days_from(date(2014, 2, 10), date(2014, 2, 1)) == 0
    assert days_from(date.min, date.max) == 100_000


def test_quality_says_how_much_there_is_and_how_far_it_reaches() -> None:
    first, last = date(2014, 2, 1), date(2014, 2, 10)
    assert quality([], enough=1, span=1).level is DataQualityLevel.NONE
    ok = quality([last, None, first], enough=3, span=10)
    assert (ok.observations, ok.coverage_days, ok.level) == (3, 10, DataQualityLevel.OK)
    assert quality([first, last], enough=3, span=10).level is DataQualityLevel.LOW
    assert quality([first, first, last], enough=3, span=11).level is DataQualityLevel.LOW
