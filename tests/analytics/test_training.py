"""Fitting the models. With the OULAD tables at hand, the committed coefficients are fitted again."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.models.features import SIGNS, Factor
from analytics.models.forecast import ForecastFactor, forecast_model
from analytics.models.intake import intake_model
from analytics.models.risk import risk_model

np = pytest.importorskip("numpy", reason="training needs the `train` extra")
pytest.importorskip("scipy", reason="training needs the `train` extra")

from analytics.training.__main__ import dated  # noqa: E402 - after the check for its libraries
from analytics.training.fit import linear, logistic, unseen  # noqa: E402 - likewise
from analytics.training.forecast_card import Table  # noqa: E402 - likewise
from analytics.training.intake_card import COLUMNS  # noqa: E402 - likewise
from analytics.training.intake_card import matrix_of as intake_matrix_of  # noqa: E402 - likewise
from analytics.training.measures import auc, brier, off_by, precision_at, weighted_quantile  # noqa: E402 - likewise
from analytics.training.rows import DAYS, forecast_rows, labels_of, matrix_of, risk_rows, usual  # noqa: E402 - likewise
from analytics.training.tables import TableError, load  # noqa: E402 - likewise

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GATEWAY_DEMO_DATA") or PROJECT.parent / "shared" / "data")
with_data = pytest.mark.skipif(
    not (DATA / "stage30_train.csv.gz").is_file(),
    reason=f"the OULAD tables are not part of the project, and not in {DATA.name}; set GATEWAY_DEMO_DATA",
)

TABLES = {
    "courses": "course_id,length_days\nX_2013J,200\n",
    "assessments": (
        "course_id,id_assessment,due_day,counts,weight\n"
        "X_2013J,a,20,True,40\nX_2013J,b,50,True,60\nX_2013J,exam,,False,100\nX_2013J,quiz,10,False,0\n"
    ),
    "enrollments": (
        "course_id,id_student,region,highest_education,age_band,num_of_prev_attempts,studied_credits,date_registration,"
        "date_unregistration,final_result\n"
        "X_2013J,ann,North,HE Qualification,0-35,0,60,-10,,Pass\n"
        "X_2013J,bob,North,Lower Than A Level,35-55,1,120,,70,Withdrawn\n"
        "X_2013J,cy,South,A Level or Equivalent,0-35,0,60,40,,Fail\n"
        "X_2013J,dee,South,No Formal quals,0-35,0,60,-5,30,Withdrawn\n"
    ),
    "submissions": (
        "course_id,id_student,id_assessment,date_submitted,is_banked,score\n"
        "X_2013J,ann,a,20,0,80\nX_2013J,ann,b,60,0,90\nX_2013J,bob,a,-1,1,50\nX_2013J,bob,quiz,5,0,0\nX_2013J,cy,a,41,0,\n"
    ),
    "": "course_id,id_student,day,visits\nX_2013J,ann,4,5\nX_2013J,ann,34,24\nX_2013J,ann,64,30\nX_2013J,bob,34,9\n",
}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    for name, text in TABLES.items():
        path = tmp_path / f"stage30_{name + '_' if name else ''}train.csv.gz"
        path.write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_a_row_is_what_was_known_on_the_day(tables: Path) -> None:
    """Day 34: ann 19 item-days, a on time; bob 9, his one due piece banked; the median is 14. cy and dee are absent."""
    (course,) = load(tables)
    ann, bob = risk_rows([course], (34,))
    assert usual(course, 34) == 14
    assert (ann.values[Factor.ACTIVITY], ann.values[Factor.SCORE]) == (
        pytest.approx(np.log(20 / 15)),
        pytest.approx(0.1),
    )
    assert (ann.fail_or_withdraw, ann.withdraw_30d) == (False, False)
    assert [bob.values[f] for f in (Factor.MISSED, Factor.LATE, Factor.REPEAT, Factor.CREDITS)] == [0, 0, 1, 1]
    assert bob.values[Factor.SCORE] == pytest.approx(-0.2)
    assert (bob.fail_or_withdraw, bob.withdraw_30d) == (True, False)


def test_work_handed_in_later_is_missed_today(tables: Path) -> None:
    ann, bob, cy = risk_rows(load(tables), (64,))
    assert (ann.values[Factor.MISSED], ann.values[Factor.LATE]) == (0, 0.5)
    assert bob.withdraw_30d
    assert [cy.values[f] for f in (Factor.MISSED, Factor.LAST_MISSED, Factor.LATE, Factor.SCORE)] == [0.5, 1, 1, 0]


def test_days_after_leaving_are_left_out(tables: Path) -> None:
    days = [row.day for row in risk_rows(load(tables))]
    assert days.count(94) == 2
    assert set(days) == set(DAYS)


def test_a_forecast_row_is_what_was_secured_and_what_it_came_to(tables: Path) -> None:
    """Day 34: ann has 80 in a (40 of 100): 32 secured, b is open; it came to 0.4 x 80 + 0.6 x 90 = 86, b to 90.
    cy, who came on day 40, handed in a without a mark and never b: all of a is open on day 64, and came to 0.
    """
    ann = next(forecast_rows(load(tables), (34,)))
    assert (ann.secured, ann.open, ann.own_average, ann.last, ann.final) == pytest.approx((32, 0.6, 80, 80, 86))
    assert ann.rest == pytest.approx(90)
    assert ann.values[ForecastFactor.RECENT_SCORE] == 80
    later, cy = forecast_rows(load(tables), (64,))
    assert (later.open, later.rest, later.final) == pytest.approx((0, 0, 86))
    assert (cy.scored, cy.secured, cy.open, cy.final) == (False, 0, 0.4, 0)
    assert cy.values[ForecastFactor.MISSED] == 0.5


def test_who_withdraws_is_in_no_forecast_row_and_in_the_intake(tables: Path) -> None:
    (course,) = load(tables)
    assert len(list(forecast_rows([course], (34,)))) == 1
    assert [person.passed for person in course.people] == [True, False, False, False]
    assert intake_matrix_of(course.people)[1].tolist() == [0, 1, 0, 0, 1, 1]
    assert list(COLUMNS)[-2:] == ["attempts", "credits"]


def test_a_missing_table_and_a_missing_column_are_named(tables: Path) -> None:
    path = tables / "stage30_courses_train.csv.gz"
    path.write_bytes(gzip.compress(b"course\nX_2013J\n"))
    with pytest.raises(TableError, match="course_id"):
        load(tables)
    path.unlink()
    with pytest.raises(TableError, match="stage30_courses_train"):
        load(tables)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    run = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "analytics.training", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    assert run.returncode == 1
    assert "does not hold readable stage30_" in run.stderr


def test_known_coefficients_are_found_again_and_signs_are_kept() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(40_000, len(Factor)))
    truth = np.array([-0.6, 1.9, 0.4, -5.4, 0.5, 0.4, 0.2, -2.0])
    labels = (random.random(40_000) < 1 / (1 + np.exp(0.1 - matrix @ truth))).astype(float)
    found = logistic(matrix, labels, SIGNS)
    assert list(found.weights.values()) == pytest.approx(truth, abs=0.2)
    assert found == logistic(matrix, labels, SIGNS)
    backwards = logistic(-matrix, labels, SIGNS)
    assert (backwards.weights[Factor.ACTIVITY], backwards.weights[Factor.MISSED]) == (0, 0)


def test_a_line_is_found_again_and_signs_are_kept() -> None:
    matrix = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
    found = linear(matrix, 5 + matrix @ np.array([2.0, -3.0]), {"up": 1, "free": 0})
    assert (found.intercept, found.weights) == (pytest.approx(5), pytest.approx({"up": 2, "free": -3}))
    assert linear(matrix, -matrix[:, 0], {"up": 1, "free": 0}).weights["up"] == 0


def test_the_unseen_are_told_by_what_saw_none_of_them() -> None:
    values = np.array([1.0, 3.0, 10.0])
    told = unseen(["a", "a", "b"], lambda seen, new: np.full(new.sum(), values[seen].mean()))
    assert told.tolist() == [10, 10, 2]


def test_measures_worked_by_hand() -> None:
    probabilities, labels = np.array([0.9, 0.8, 0.8, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(probabilities, labels) == 3.5 / 4
    assert brier(probabilities, labels) == pytest.approx((0.01 + 0.04 + 0.64 + 0.01) / 4)
    assert precision_at(probabilities, labels, 0.5) == 1
    assert off_by({"way": np.array([1.0, 4.0])}, np.array([2.0, 2.0])) == {"way": 1.5}


def test_a_weighted_quantile_worked_by_hand() -> None:
    """Weights 1, 2, 1 reach 1/8, 4/8, 7/8 of the whole at the middle of each; 0.3125 is half way from 1/8 to 4/8."""
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert weighted_quantile(values, weights, 0.5) == 2
    assert weighted_quantile(values, weights, 0.3125) == pytest.approx(1.5)


def test_a_model_that_came_out_the_same_keeps_its_file_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(dated({"trained_on": "2026-01-01", "intercept": 1.5}, path), "utf-8")
    assert dated({"trained_on": "2026-02-02", "intercept": 1.5}, path) == path.read_text("utf-8")
    assert json.loads(dated({"trained_on": "2026-02-02", "intercept": 1.6}, path))["trained_on"] == "2026-02-02"


@with_data
def test_the_committed_coefficients_are_those_of_the_data() -> None:
    rows = list(risk_rows(load(DATA)))
    model = risk_model()
    assert len(rows) == model.card["rows"]
    for label, committed in (("fail_or_withdraw", model.fail_or_withdraw), ("withdraw_30d", model.withdraw_30d)):
        found = logistic(matrix_of(rows), labels_of(rows, label), SIGNS)
        assert found.intercept == pytest.approx(committed.intercept, abs=0.002)
        assert found.weights == pytest.approx(dict(committed.weights), abs=0.002)


@with_data
def test_the_committed_forecast_and_intake_are_those_of_the_data() -> None:
    courses = load(DATA)
    table = Table(list(forecast_rows(courses)))
    found, mean_score = table.fit(np.ones(len(table.final), dtype=bool))
    assert mean_score == forecast_model().mean_score
    assert found.weights == pytest.approx(dict(forecast_model().weights), abs=0.002)
    people = [person for course in courses for person in course.people]
    passed = np.array([float(person.passed) for person in people])
    intake = logistic(intake_matrix_of(people), passed, COLUMNS)
    assert intake.intercept == pytest.approx(intake_model().intercept, abs=0.002)
    assert intake.weights["credits"] == pytest.approx(intake_model().credits, abs=0.002)


@with_data
def test_a_presentation_the_model_never_saw_is_ranked_as_the_card_says() -> None:
    name = "FFF_2014B"
    rows = list(risk_rows(load(DATA)))
    seen, held = ([row for row in rows if (row.course == name) is is_held] for is_held in (False, True))
    model = logistic(matrix_of(seen), labels_of(seen, "fail_or_withdraw"), SIGNS)
    found = auc(model.probability(matrix_of(held)), labels_of(held, "fail_or_withdraw"))
    card = risk_model().card["leaveOnePresentationOut"]["failOrWithdrawByPresentation"]
    assert found == pytest.approx(card[name]["auc"], abs=0.002)


def test_the_cards_are_whole_after_a_round_trip() -> None:
    for model in (risk_model(), forecast_model(), intake_model()):
        assert json.loads(json.dumps(model.card)) == model.card
