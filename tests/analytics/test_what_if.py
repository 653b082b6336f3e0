import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.models.features import Factor
from analytics.models.risk import Coefficients, risk_model
from analytics.prediction.what_if import RiskChange, what_if

MODEL = risk_model().fail_or_withdraw
UNIT = Coefficients(0.0, {**dict.fromkeys(Factor, 0.0), Factor.ACTIVITY: -1, Factor.MISSED: 2, Factor.LATE: 0.5})
shares = st.floats(0, 1)
learners = st.fixed_dictionaries(
    {
        Factor.ACTIVITY: st.floats(-4, 2),
        Factor.MISSED: shares,
        Factor.LAST_MISSED: st.sampled_from([0.0, 1.0]),
        Factor.SCORE: st.floats(-0.7, 0.3),
        Factor.LATE: shares,
        Factor.REPEAT: st.sampled_from([0.0, 1.0]),
        Factor.CREDITS: st.floats(-2, 4),
        Factor.ELAPSED: shares,
    }
)


@given(values=learners, known=st.booleans())
def test_no_change_raises_the_risk_and_both_are_at_least_as_good_as_each(
    values: dict[Factor, float], *, known: bool
) -> None:
    told = {one.change: one.probability for one in what_if(values, MODEL, activity_known=known)}
    assert all(probability <= MODEL.probability(values) for probability in told.values())
    if RiskChange.BOTH in told:
        assert told[RiskChange.BOTH] <= min(told[RiskChange.CATCH_UP], told[RiskChange.BE_ACTIVE])
    assert known or RiskChange.BE_ACTIVE not in told


@given(learners)
def test_the_learner_s_own_values_are_left_as_they_are(values: dict[Factor, float]) -> None:
    before = dict(values)
    assert what_if(values, MODEL) == what_if(values, MODEL)
    assert values == before


def test_missing_work_is_late_once_it_is_handed_in() -> None:
    """Of 4 due, 1 missed and 1 of the 3 others late: then 2 of 4 late. 2 x 0.25 + 0.5 / 3 = 0.667; 0.5 x 0.5 = 0.25."""
    values = {**dict.fromkeys(Factor, 0.0), Factor.MISSED: 0.25, Factor.LATE: 1 / 3}
    (caught_up,) = what_if(values, UNIT)
    assert UNIT.logit(values) == pytest.approx(2 / 3)
    assert caught_up.probability == pytest.approx(0.5622, abs=1e-4)


def test_a_model_that_minds_lateness_more_than_absence_is_not_told_to_catch_up() -> None:
    strict = Coefficients(0.0, {**UNIT.weights, Factor.LATE: 3.0})
    assert what_if({**dict.fromkeys(Factor, 0.0), Factor.MISSED: 0.5}, strict) == ()


def test_who_is_more_active_than_usual_is_not_told_to_do_less() -> None:
    assert what_if({**dict.fromkeys(Factor, 0.0), Factor.ACTIVITY: 1.0}, UNIT) == ()
