"""The evaluation: its measures worked by hand and held to their laws, and its document. With the data, its figures."""

import math
import os
from dataclasses import astuple, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.models.forecast import forecast_model
from analytics.models.risk import risk_model

np = pytest.importorskip("numpy", reason="the evaluation needs the `train` extra")
pytest.importorskip("scipy", reason="the evaluation needs the `train` extra")

from analytics.evaluation import engagement, peers, recommendations, velocity  # noqa: E402 - after the check
from analytics.evaluation.__main__ import main  # noqa: E402 - likewise
from analytics.evaluation.document import Section, Table, document, figure, interval, share  # noqa: E402 - likewise
from analytics.evaluation.measures import (  # noqa: E402 - likewise
    Area,
    area,
    calibration_error,
    mean_error,
    pearson,
    spearman,
    spearman_brown,
)
from analytics.evaluation.risk import due_share  # noqa: E402 - likewise
from analytics.evaluation.risk_served import served  # noqa: E402 - likewise
from analytics.evaluation.sample import Presentation, presentations  # noqa: E402 - likewise
from analytics.training import tables  # noqa: E402 - likewise
from analytics.training.measures import auc  # noqa: E402 - likewise
from datasources.simulator.oulad import import_oulad  # noqa: E402 - likewise

PROJECT = Path(__file__).parents[2]
EVIDENCE = PROJECT / "docs" / "evidence.md"
DATA = Path(os.environ.get("GATEWAY_DEMO_DATA") or PROJECT.parent / "shared" / "data")
with_data = pytest.mark.skipif(
    not (DATA / "interactions.csv.gz").is_file(),
    reason=f"the OULAD sample is not part of the project, and not in {DATA.name}; set GATEWAY_DEMO_DATA",
)

LAW = settings(max_examples=60, deadline=None)
cases = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: len({happened for _, happened in pairs}) == 2
)


def test_an_area_worked_by_hand() -> None:
    """It happened to 3 and 2, not to 2 and 1. Pairs: 3>2, 3>1, 2=2 (half), 2>1: 3.5 of 4.

    Of the two it happened to, the first is above 1, the second above .75 of the others: variance .03125 (n - 1).
    Of the two others, one is below .75 of them, one below 1: the same. Error: 1.96 x sqrt(.03125/2 + .03125/2).
    """
    found = area([3, 2, 2, 1], [True, True, False, False])
    assert found is not None
    assert found.value == 3.5 / 4
    assert found.low == pytest.approx(0.875 - 1.959964 * math.sqrt(0.03125))
    assert (found.high, found.n) == (1, 4)


def test_an_area_needs_somebody_on_either_side() -> None:
    assert area([1, 2], [True, True]) is None
    assert area([], []) is None
    single = area([2, 1], [True, False])
    assert single == Area(1, 1, 1, 2)


@LAW
@given(cases)
def test_an_area_is_the_one_that_training_reports_and_lies_in_its_interval(pairs: list[tuple[int, bool]]) -> None:
    scores, happened = np.array([float(s) for s, _ in pairs]), np.array([h for _, h in pairs])
    found = area(scores, happened)
    assert found is not None
    assert found.value == pytest.approx(auc(scores, happened.astype(float)))
    assert 0 <= found.low <= found.value <= found.high <= 1


@LAW
@given(cases, st.randoms())
def test_an_area_knows_no_order_no_scale_and_turns_with_the_outcome(
    pairs: list[tuple[int, bool]], random: Random
) -> None:
    found = area([s for s, _ in pairs], [h for _, h in pairs])
    assert found is not None
    mixed = pairs.copy()
    random.shuffle(mixed)
    again = area([math.exp(s) for s, _ in mixed], [h for _, h in mixed])
    assert again is not None
    assert astuple(again) == pytest.approx(astuple(found))
    turned = area([s for s, _ in pairs], [not h for _, h in pairs])
    assert turned is not None
    assert turned.value == pytest.approx(1 - found.value)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    """Two normal scores one standard deviation apart: the true area is Phi(1 / sqrt 2) = .7602."""
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(400):
        scores = np.concatenate([random.normal(1, 1, 60), random.normal(0, 1, 90)])
        found = area(scores, [True] * 60 + [False] * 90)
        assert found is not None
        inside += found.low <= 0.7602 <= found.high
    assert 0.92 < inside / 400 < 0.98


def test_rank_correlations_worked_by_hand() -> None:
    """Ranks 1 2 3 against 1 3 2: 1 - 6 (0 + 1 + 1) / (3 x 8) = .5. Equal values share a rank."""
    assert spearman([10, 20, 30], [1, 9, 4]) == pytest.approx(0.5)
    assert spearman([1, 1, 2], [5, 5, 9]) == pytest.approx(1)
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1], [1]) is None
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert pearson([1, 2], [3, 3]) is None


@LAW
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30))
def test_a_rank_correlation_is_symmetric_and_turns_with_its_sides(pairs: list[tuple[int, int]]) -> None:
    left, right = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    found = spearman(left, right)
    assert spearman(right, left) == (None if found is None else pytest.approx(found))
    if found is not None:
        assert -1.0000001 <= found <= 1.0000001
        assert spearman([-a for a in left], right) == pytest.approx(-found)


def test_reliability_and_errors_worked_by_hand() -> None:
    assert spearman_brown(0.5) == pytest.approx(2 / 3)
    assert spearman_brown(-1) == -1
    assert mean_error([1, 2], [2, 4]) == 1.5
    # Two are told .1 and one of them fails: .2 said, 1 came. One is told 1 and fails: nothing is off. Of 3 persons.
    assert calibration_error([0.1, 0.1, 1.0], [1, 0, 1]) == pytest.approx(0.8 / 3)


def test_half_of_the_weight_is_due_and_work_without_weights_counts_alike() -> None:
    def presentation(*tasks: tuple[float | None, float]) -> tables.Presentation:
        work = {str(place): tables.Task(due, weight) for place, (due, weight) in enumerate(tasks)}
        return tables.Presentation("X", 200.0, work, ())

    assert due_share(presentation((20, 30), (50, 20), (60, 50)), 50) == 0.5
    assert due_share(presentation((20, 0), (None, 0)), 50) == 0.5
    assert due_share(presentation(), 50) == 0


def test_a_document_is_its_sections_and_joins_the_lines_of_a_paragraph() -> None:
    section = Section("Two", ["a\n   b", Table(["x", "n"], [["y", "1"]])])
    assert document("One", ["i\nj"], [section]) == (
        "# One\n\ni j\n\n## Two\n\na b\n\n| x | n |\n| :-- | --: |\n| y | 1 |\n"
    )


def test_nothing_is_said_of_fewer_than_ten() -> None:
    assert share([True] * 9) == "fewer than 10"
    assert share([True] * 5 + [False] * 5) == "0.50 (10)"
    assert interval(Area(0.7, 0.6, 0.8, 9)) == "-"
    assert interval(Area(0.7, 0.6, 0.8, 10)) == "0.700 [0.600, 0.800]"
    assert (figure(None), figure(math.nan), figure(1.25, 1)) == ("-", "-", "1.2")


def test_data_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--to", str(tmp_path / "evidence.md")]) == 1
    assert "does not hold readable stage30_" in capsys.readouterr().err
    assert not (tmp_path / "evidence.md").exists()


def test_the_evidence_is_about_the_models_that_are_served() -> None:
    text = EVIDENCE.read_text("utf-8")
    for model in (risk_model(), forecast_model()):
        assert f"Model: {model.name} {model.version}, trained {model.trained_on.isoformat()}." in text
    assert "CC BY 4.0" in text
    assert "Kuzilek" in text


@pytest.fixture(scope="module")
def logged() -> tuple[Presentation, ...]:
    return tuple(presentations(DATA))


@with_data
def test_the_groups_of_peers_are_those_of_the_definitions(logged: tuple[Presentation, ...]) -> None:
    text = peers.section(import_oulad(DATA), logged).markdown()
    assert "**89**, of which **19** have fewer than 10 learners (2.2 % of 3,315 registrations)" in text


@with_data
def test_one_small_presentation_goes_through_the_served_formulas(logged: tuple[Presentation, ...]) -> None:
    small = next(run for run in logged if run.run.id == "AAA_2013J")
    assert len(small.learners) == 383
    said = served(small, 64)
    found = area([value.risk_score for _, value in said], [not small.passed(learner) for learner, _ in said])
    assert found is not None
    assert 0.75 < found.value < 0.85
    assert "| AAA_2013J | 64 |" in engagement.section([small]).markdown()
    assert "| AAA_2013J | 64 |" in recommendations.section([small]).markdown()
    assert velocity.section([small]).markdown() == velocity.section([small]).markdown()


@with_data
def test_how_a_course_ended_reaches_no_formula(logged: tuple[Presentation, ...]) -> None:
    small = next(run for run in logged if run.run.id == "AAA_2013J")
    others = frozenset(learner.id for learner in small.learners) - small.passes
    assert served(replace(small, passes=others), 64) == served(small, 64)


@with_data
def test_no_learner_of_the_sample_is_named_in_the_evidence(logged: tuple[Presentation, ...]) -> None:
    text = EVIDENCE.read_text("utf-8")
    assert not [learner.id for run in logged for learner in run.learners if learner.id in text]
