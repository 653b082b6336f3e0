"""Fitting the risk model. With the OULAD tables at hand, the committed coefficients are fitted again."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.models.features import Factor
from analytics.models.risk import risk_model

np = pytest.importorskip("numpy", reason="training needs the `train` extra")
pytest.importorskip("scipy", reason="training needs the `train` extra")

from analytics.training.card import labels_of, matrix_of  # noqa: E402 - after the check for its libraries
from analytics.training.fit import auc, brier, fit, precision_at  # noqa: E402 - likewise
from analytics.training.tables import DAYS, TableError, load  # noqa: E402 - likewise

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GATEWAY_DEMO_DATA") or PROJECT.parent / "shared" / "data")
with_data = pytest.mark.skipif(
    not (DATA / "stage30_train.csv.gz").is_file(),
    reason=f"the OULAD tables are not part of the project, and not in {DATA.name}; set GATEWAY_DEMO_DATA",
)

TABLES = {
    "courses": "course_id,length_days\nX_2013J,200\n",
    "assessments": (
        "course_id,id_assessment,due_day,counts\n"
        "X_2013J,a,20,True\nX_2013J,b,50,True\nX_2013J,exam,,False\nX_2013J,quiz,10,False\n"
    ),
    "enrollments": (
        "course_id,id_student,num_of_prev_attempts,studied_credits,date_registration,date_unregistration,final_result\n"
        "X_2013J,ann,0,60,-10,,Pass\nX_2013J,bob,1,120,,70,Withdrawn\nX_2013J,cy,0,60,40,,Fail\nX_2013J,dee,0,60,-5,30,Withdrawn\n"
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
    training = load(tables)
    ann, bob = (row for row in training.rows if row.day == 34)
    assert training.medians["X_2013J", 34] == 14
    assert (ann.values[Factor.ACTIVITY], ann.values[Factor.SCORE]) == (
        pytest.approx(np.log(20 / 15)),
        pytest.approx(0.1),
    )
    assert (ann.fail_or_withdraw, ann.withdraw_30d) == (False, False)
    assert [bob.values[f] for f in (Factor.MISSED, Factor.LATE, Factor.REPEAT, Factor.CREDITS)] == [0, 0, 1, 1]
    assert bob.values[Factor.SCORE] == pytest.approx(-0.2)
    assert (bob.fail_or_withdraw, bob.withdraw_30d) == (True, False)


def test_work_handed_in_later_is_missed_today(tables: Path) -> None:
    ann, bob, cy = (row for row in load(tables).rows if row.day == 64)
    assert (ann.values[Factor.MISSED], ann.values[Factor.LATE]) == (0, 0.5)
    assert bob.withdraw_30d
    assert [cy.values[f] for f in (Factor.MISSED, Factor.LAST_MISSED, Factor.LATE, Factor.SCORE)] == [0.5, 1, 1, 0]


def test_other_courses_can_be_left_out_and_days_after_leaving_are(tables: Path) -> None:
    assert load(tables, frozenset({"Y"})).rows == ()
    assert [row.day for row in load(tables).rows].count(94) == 2
    assert {row.day for row in load(tables).rows} == set(DAYS)


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
    found = fit(matrix, labels)
    assert list(found.weights.values()) == pytest.approx(truth, abs=0.2)
    assert found == fit(matrix, labels)
    backwards = fit(-matrix, labels)
    assert (backwards.weights[Factor.ACTIVITY], backwards.weights[Factor.MISSED]) == (0, 0)


def test_measures_worked_by_hand() -> None:
    probabilities, labels = np.array([0.9, 0.8, 0.8, 0.1]), np.array([1.0, 1.0, 0.0, 0.0])
    assert auc(probabilities, labels) == 3.5 / 4
    assert brier(probabilities, labels) == pytest.approx((0.01 + 0.04 + 0.64 + 0.01) / 4)
    assert precision_at(probabilities, labels, 0.5) == 1


@with_data
def test_the_committed_coefficients_are_those_of_the_data() -> None:
    rows = load(DATA).rows
    model = risk_model()
    assert len(rows) == model.card["rows"]
    for label, committed in (("fail_or_withdraw", model.fail_or_withdraw), ("withdraw_30d", model.withdraw_30d)):
        found = fit(matrix_of(rows), labels_of(rows, label))
        assert found.intercept == pytest.approx(committed.intercept, abs=0.002)
        assert found.weights == pytest.approx(dict(committed.weights), abs=0.002)


@with_data
def test_a_presentation_the_model_never_saw_is_ranked_as_the_card_says() -> None:
    unseen = "FFF_2014B"
    rows = load(DATA).rows
    seen, held = ([row for row in rows if (row.course == unseen) is is_held] for is_held in (False, True))
    probabilities = fit(matrix_of(seen), labels_of(seen, "fail_or_withdraw")).probability(matrix_of(held))
    found = auc(probabilities, labels_of(held, "fail_or_withdraw"))
    card = risk_model().card["leaveOnePresentationOut"]["failOrWithdrawAucByPresentation"]
    assert found == pytest.approx(card[unseen], abs=0.002)


def test_the_card_is_whole_after_a_round_trip() -> None:
    card = risk_model().card
    assert json.loads(json.dumps(card)) == card
