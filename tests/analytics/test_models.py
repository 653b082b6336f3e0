import json
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from analytics.catalog import METRICS
from analytics.models import forecast, intake
from analytics.models.features import SIGNS, Due, Factor, Standing, activity, features, recent_score
from analytics.models.forecast import FORECAST_SIGNS, ForecastFactor, Outlook, Piece, forecast_model, outlook
from analytics.models.intake import EDUCATION, intake_model
from analytics.models.risk import RISK_LEVELS, logistic, read, risk_model

FILES = files("analytics.models")
TEXT, FORECAST, INTAKE = (FILES.joinpath(f"{name}.json").read_text("utf-8") for name in ("risk", "forecast", "intake"))


def changed(text: str = TEXT, /, **parts: Any) -> str:
    return json.dumps({**json.loads(text), **parts})


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


def test_the_card_has_all_that_a_reader_needs_to_trust_it() -> None:
    for model in (risk_model(), forecast_model(), intake_model()):
        assert {"says", "data", "method", "rows", "features", "choices", "limits"} <= set(model.card)
        assert {"name", "source", "licence", "changes"} == set(model.card["data"])
        assert model.card["leaveOnePresentationOut"]
        assert (model.version, model.trained_on.year) >= (1, 2026)


def test_what_the_metrics_say_of_their_models_is_what_the_cards_say() -> None:
    def told(figures: Iterable[float], digits: str) -> list[str]:
        return [str(Decimal(str(one)).quantize(Decimal(digits), ROUND_HALF_UP)).removeprefix("0") for one in figures]

    risk, score = (model().card["leaveOnePresentationOut"] for model in (risk_model, forecast_model))
    passed = intake_model().card["leaveOnePresentationOut"]["passed"]["all"]
    by_day = [risk["earliestDay"]["4"], *risk["failOrWithdraw"].values()]
    late = [score["meanAbsoluteError"][day] for day in ("64", "94", "124")]
    for key, figures in {
        "predictive-drop-off-risk": told((day["auc"] for day in by_day), ".01"),
        "predictive-performance-forecast": [
            *told((day["model"] for day in late), ".1"),
            *told((day["ownAverage"] for day in late), ".1"),
        ],
        "trainer-teaching-effectiveness": told([passed["auc"]], ".01"),
    }.items():
        words = re.findall(r"\d*\.\d+", METRICS[key].evidence)
        assert [word for word in words if word in figures] == figures, key


def test_the_calibration_is_told_by_group_and_no_group_is_in_the_model() -> None:
    groups = risk_model().card["calibrationByGroupNotInTheModel"]
    assert set(groups) == {"education", "ageBand", "region"}
    for group in (one for what in groups.values() for one in what.values() if one["n"] >= 1000):
        assert abs(group["predicted"] - group["observed"]) < 0.06
    features_ = {row["feature"] for row in risk_model().card["features"]}
    assert features_ == set(Factor)


def test_nothing_is_said_before_the_earliest_day_that_beats_the_base_rate() -> None:
    days = risk_model().card["leaveOnePresentationOut"]["earliestDay"]
    beaten = [int(day) for day, found in days.items() if found["brier"] < found["brierOfBaseRate"]]
    assert risk_model().floor == min(beaten)


def test_the_interval_held_nearly_as_much_as_it_promises() -> None:
    (told,) = risk_model().card["leaveOnePresentationOut"]["interval"].values()
    assert 0.75 < told["coverage of learners"] < 0.85


def test_the_forecast_is_nearer_than_every_baseline_and_its_interval_holds_what_it_promises() -> None:
    card = forecast_model().card["leaveOnePresentationOut"]
    for errors in card["meanAbsoluteError"].values():
        assert errors["model"] < min(errors[way] for way in errors if way not in {"n", "model"})
    assert all(0.77 < day["coverage"] < 0.83 for day in card["interval80"].values())
    widths = [day["meanWidth"] for day in card["interval80"].values()]
    assert widths == sorted(widths, reverse=True)


def test_the_forecast_s_coefficients_are_near_those_that_were_published() -> None:
    published = dict(zip(ForecastFactor, (0.644, -36.6, -11.4, 7.27, -5.23, -1.56), strict=True))
    assert forecast_model().weights == pytest.approx(published, rel=0.15)
    assert forecast_model().intercept == pytest.approx(15.66, abs=1)


def test_a_forecast_model_with_a_wrong_sign_a_missing_factor_or_no_residual_is_refused() -> None:
    weights = json.loads(FORECAST)["weights"]
    with pytest.raises(ValidationError, match="recentScore has the wrong sign"):
        forecast.read(changed(FORECAST, weights={**weights, "recentScore": -0.1}))
    with pytest.raises(ValidationError, match="needs exactly the factors"):
        forecast.read(changed(FORECAST, weights={"recentScore": 1.0}))
    for residuals in ([], [{"day": 64, "low": -1, "high": 1}, {"day": 34, "low": -1, "high": 1}]):
        with pytest.raises(ValidationError, match="needs residuals"):
            forecast.read(changed(FORECAST, residuals=residuals))
    assert set(FORECAST_SIGNS) == set(ForecastFactor)


def test_residuals_between_two_days_lie_on_a_straight_line() -> None:
    """Half way from day 34 (-38.1, 22.3) to day 64 (-32.4, 21.9): -35.25, 22.1."""
    model = forecast_model()
    between = model.spread(49)
    assert (between.low, between.high) == pytest.approx((-35.25, 22.1))
    assert (model.spread(0), model.spread(999)) == (model.residuals[0], model.residuals[-1])
    assert model.widest == model.residuals[0]


def test_what_is_secured_and_open_worked_by_hand() -> None:
    """Weights 1, 1, 2: 80 secures 20, the missed one is lost, the last is open with half of the weight."""
    assert outlook([Piece(1, 80, open=False), Piece(1, None, open=False), Piece(2, None, open=True)]) == (20, 0.5)
    assert outlook([Piece(0, 80, open=False), Piece(0, None, open=True)]) == (40, 0.5)
    assert outlook([]) == Outlook(0, 0)


def test_the_newest_score_counts_most_worked_by_hand() -> None:
    """40, then 0.6 x 60 + 0.4 x 40 = 52, then 0.6 x 90 + 0.4 x 52 = 74.8."""
    assert recent_score([40, 60, 90]) == pytest.approx(74.8)
    assert recent_score([]) is None


def test_an_intake_worked_by_hand() -> None:
    """0.2214 - 0.592 - 0.3496 - 0.3684 = -1.0886: 25.2 %. The most frequent intake: 1 / (1 + e^-0.2214) = 55.5 %."""
    model = intake_model()
    assert model.probability("Lower Than A Level", 1, 120) == pytest.approx(0.252, abs=5e-4)
    assert model.probability("A Level or Equivalent", 0, 60) == pytest.approx(0.555, abs=5e-4)


def test_an_unknown_education_is_the_mean_one_and_wild_numbers_stay_within_what_was_taught() -> None:
    model = intake_model()
    assert model.probability(None, 0, 60) == model.probability("a school of life", 0, 60)
    assert min(model.education.values()) < model.education["unknown"] < max(model.education.values())
    assert model.probability(None, 99, 1e9) == model.probability(None, 3, 960)
    assert model.probability(None, 0, 0) == model.probability(None, 0, 60)
    assert 0 < model.between < 0.05


def test_more_schooling_is_never_expected_to_pass_less_often() -> None:
    known = [intake_model().education[level] for level in EDUCATION[1:]]
    assert known == sorted(known)


def test_an_intake_model_without_an_education_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs exactly the educations"):
        intake.read(changed(INTAKE, education={"unknown": 0.0}))


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
