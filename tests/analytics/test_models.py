import json
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from analytics.models.features import SIGNS, Due, Factor, Standing, activity, features
from analytics.models.risk import RISK_LEVELS, logistic, read, risk_model

TEXT = files("analytics.models").joinpath("risk.json").read_text("utf-8")


def changed(**parts: Any) -> str:
    return json.dumps({**json.loads(TEXT), **parts})


def test_the_committed_model_can_be_served() -> None:
    assert read(TEXT) == risk_model()
    assert [group.level for group in risk_model().groups] == [name for name, _, _ in RISK_LEVELS]


def test_more_of_the_good_never_looks_worse() -> None:
    for model in (risk_model().fail_or_withdraw, risk_model().withdraw_30d):
        assert all(SIGNS[factor] * model.weights[factor] >= 0 for factor in Factor)


def test_the_coefficients_are_near_those_that_were_published_for_this_data() -> None:
    published = dict(zip(Factor, (-0.5832, 1.8966, 0.4334, -5.4135, 0.5094, 0.3620, 0.1572, -2.0339), strict=True))
    model = risk_model().fail_or_withdraw
    assert model.weights == pytest.approx(published, abs=0.15)
    assert model.intercept == pytest.approx(-0.1309, abs=0.05)


def test_the_card_says_what_it_stands_on_and_shows_no_leakage() -> None:
    card = risk_model().card
    assert card["data"]["licence"] == "CC BY 4.0"
    assert card["rows"] == sum(group.cases for group in risk_model().groups)
    by_day = card["leaveOnePresentationOut"]["failOrWithdraw"]
    assert 0.74 < by_day["34"]["auc"] < 0.80
    assert 0.84 < by_day["124"]["auc"] < 0.90
    assert any("2014J" in limit for limit in card["limits"])


def test_riskier_groups_really_fared_worse() -> None:
    observed = [group.observed for group in risk_model().groups]
    assert observed == sorted(observed)


def test_a_model_that_is_not_whole_is_refused() -> None:
    reference = json.loads(TEXT)["reference"]
    del reference["late"]
    with pytest.raises(ValidationError, match="needs exactly the factors"):
        read(changed(reference=reference))
    with pytest.raises(ValidationError, match="usual"):
        read(changed(usual=None))


def test_a_model_with_a_wrong_sign_is_refused() -> None:
    model = json.loads(TEXT)["fail_or_withdraw"]
    model["weights"]["activity"] = 0.1
    with pytest.raises(ValidationError, match="activity has the wrong sign"):
        read(changed(fail_or_withdraw=model))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e6", "null"])
def test_a_coefficient_that_is_no_sensible_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        read(TEXT.replace('"intercept": -', f'"intercept": {number}, "_": -', 1))


def test_log_odds_of_any_size_are_a_probability() -> None:
    assert (logistic(0), logistic(-1e6), logistic(1e6)) == (0.5, 0.0, 1.0)
    assert logistic(2) == pytest.approx(0.8808, abs=1e-4)


def test_features_worked_by_hand() -> None:
    due = [Due(19, 21), Due(47, None), Due(54, 54), Due(54, None)]
    standing = Standing(activity(0, 19), due, [50.0, 60.0], repeats=2, credits=30, elapsed=0.25)
    assert features(standing) == pytest.approx(
        {
            Factor.ACTIVITY: -2.9957,
            Factor.MISSED: 0.5,
            Factor.LAST_MISSED: 0,
            Factor.SCORE: -0.15,
            Factor.LATE: 0.5,
            Factor.REPEAT: 1,
            Factor.CREDITS: -1,
            Factor.ELAPSED: 0.25,
        },
        abs=1e-4,
    )


def test_features_stay_within_what_the_model_was_taught() -> None:
    assert (activity(0, 1e5), activity(10**6, 0)) == (-4, 2)
    wild = features(Standing(0, [], [], repeats=0, credits=1e-300, elapsed=7))
    assert (wild[Factor.CREDITS], wild[Factor.ELAPSED]) == (-2, 1)
    assert features(Standing(0, [], [], repeats=0, credits=0, elapsed=-1))[Factor.CREDITS] == 0
