"""Organization performance: a worked example, and what the definition says it may never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from crowds import NOW, everyone, organization, people, roll
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import of

from analytics.declare import Everyone, Withheld, WithheldReason
from analytics.learner import Performance
from analytics.learner import performance as learner_performance
from analytics.organization import OrgPerformance, performance
from analytics.organization.results import PerformanceMetrics
from analytics.organization.targets import attainment_of, indicators, score_of
from analytics.prediction.interventions import RiskLevel
from analytics.prediction.values import DropOffRisk
from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.course import Result
from datasources.directory import Kpi, Kpis
from datasources.skills import AcquiredSkill, SkillAcquisition

PASSED, FAILED = Result.PASSED, Result.FAILED

quick = settings(max_examples=60, deadline=None)


def attained(score: float | None) -> Performance:
    """Of one piece of work, handed in; None: it is not marked yet."""
    work = Assessments((Assessment("t", "c", "", "TMA", 10),))
    answer = learner_performance(Scores((ScoreRecord("t", "c", NOW, score),)), work, None, at=NOW)
    assert isinstance(answer, Performance)
    return answer


def reached(*days_ago: int) -> SkillAcquisition:
    return SkillAcquisition(
        tuple(AcquiredSkill(f"s{i}", "", NOW - timedelta(days=ago), 60) for i, ago in enumerate(days_ago))
    )


def figure(name: str, value: float | None, target: float, baseline: float, weight: float = 1) -> Kpi:
    return Kpi(name, name, value, target, baseline, weight)


def test_the_worked_example_comes_out() -> None:
    kpis = Kpis(
        (
            figure("days", 40, target=30, baseline=60, weight=2),  # down by 20 of 30: two thirds
            figure("share", 95, target=90, baseline=70, weight=1),  # beyond the target: 1
            figure("unknown", None, target=90, baseline=70, weight=1),
        )
    )
    # Twelve in a course that is over: seven passed, four failed, one left.
    over = roll("c", [PASSED] * 7 + [FAILED] * 4 + [None], left=[11])
    # Lab and desk are twelve and ten; the lab has 80 points, the desk 50, and two skills to the desk's one.
    members = organization(["lab"] * 12 + ["desk"] * 10, over)
    answer = performance(
        members,
        kpis,
        everyone([attained(80)] * 12 + [attained(50)] * 10),
        None,
        everyone([reached(3, 80, 91)] * 12 + [reached(5)] * 10),
        at=NOW,
    )
    assert isinstance(answer, OrgPerformance)
    # (2 x 2/3 + 1 x 1) / 3 = 0.7778; three of four parts of the weight have a value.
    assert answer.overall_performance == pytest.approx(77.78, abs=0.01)
    assert answer.kpi_coverage == 0.75
    assert [one.attainment for one in answer.key_performance_indicators] == [pytest.approx(2 / 3), 1, None]
    # 7 of 12 passed: 58.3; 11 of 12 stayed to the end: 91.7; (12 x 80 + 10 x 50) / 22 = 66.4.
    assert answer.performance_metrics == PerformanceMetrics(0.60, 0.90, 65, None)
    desk, lab = answer.department_performance
    assert (desk.department, desk.performance, desk.skill_development_rate, desk.retention_rate) == (
        "desk",
        50,
        1,
        None,
    )
    # The skill of 91 days ago is too old. Eleven of the twelve places of the lab were kept.
    assert (lab.department, lab.performance, lab.skill_development_rate, lab.retention_rate) == ("lab", 80, 2, 0.9)


def test_nine_members_are_too_few() -> None:
    answer = performance(people(9), Kpis((figure("a", 1, 1, 0),)), None, None, None, at=NOW)
    assert isinstance(answer, Withheld)
    assert (answer.reason, answer.needed) == (WithheldReason.TOO_FEW_PEERS, 10)


def test_a_result_that_nobody_knows_yet_is_no_failure() -> None:
    unknown = people(12, roll("c", [None] * 12))
    running = people(12, roll("c", [PASSED] * 12, over=False))
    for members in (unknown, running):
        answer = performance(members, Kpis(()), None, None, None, at=NOW)
        assert isinstance(answer, OrgPerformance)
        assert answer.performance_metrics.pass_rate is None
        assert (answer.overall_performance, answer.kpi_coverage) == (None, None)


def test_a_pass_rate_needs_nine_tenths_of_the_outcomes() -> None:
    # Of twenty, two left. 16 results make 18 of 20 outcomes, 8 of them passed: 44.4 percent. 15 results make 17.
    for results, rate in (([PASSED] * 8 + [FAILED] * 8, 0.45), ([PASSED] * 8 + [FAILED] * 7, None)):
        outcomes = [None, None, *results, *[None] * (18 - len(results))]
        answer = performance(people(20, roll("c", outcomes, left=[0, 1])), Kpis(()), None, None, None, at=NOW)
        assert isinstance(answer, OrgPerformance)
        assert answer.performance_metrics.pass_rate == rate


def test_who_left_on_a_day_that_nobody_told_has_left_and_who_leaves_tomorrow_has_not() -> None:
    # Of twenty who were to stay, one left on a day that is not known, one leaves tomorrow: 19 of 20 stayed.
    told = roll("c", [None] * 20, over=False, left=[0, 1])
    undated, later = replace(told.places[0], left_at=None), replace(told.places[1], left_at=NOW + timedelta(days=1))
    members = organization(["lab"] * 20, replace(told, places=(undated, later, *told.places[2:])))
    answer = performance(members, Kpis(()), None, None, None, at=NOW)
    assert isinstance(answer, OrgPerformance)
    assert [one.retention_rate for one in answer.department_performance] == [0.95]


@settings(max_examples=30, deadline=None)
@given(of(DropOffRisk), st.integers(10, 60), st.integers(0, 12))
def test_the_share_at_risk_is_that_of_high_and_critical_levels(risk: DropOffRisk, n: int, others: int) -> None:
    high, low = replace(risk, risk_level=RiskLevel.HIGH), replace(risk, risk_level=RiskLevel.MODERATE)
    answer = performance(people(n + others), Kpis(()), None, everyone([high] * n + [low] * others), None, at=NOW)
    assert isinstance(answer, OrgPerformance)
    assert answer.performance_metrics.at_risk_share == pytest.approx(n / (n + others), abs=0.026)


def test_nine_attainments_of_many_members_are_not_told() -> None:
    answer = performance(people(30), Kpis(()), everyone([attained(50)] * 9 + [attained(None)] * 21), None, None, at=NOW)
    assert isinstance(answer, OrgPerformance)
    assert answer.performance_metrics.attainment is None
    assert answer.department_performance == ()


FIGURES = st.lists(of(Kpi), max_size=5, unique_by=lambda kpi: kpi.id)


@quick
@given(FIGURES)
def test_a_figure_without_a_value_never_counts(kpis: list[Kpi]) -> None:
    known = [kpi for kpi in kpis if kpi.value is not None]
    assert score_of(indicators(kpis)) == score_of(indicators(known))


@quick
@given(FIGURES)
def test_meeting_every_target_is_a_hundred(kpis: list[Kpi]) -> None:
    met = [replace(kpi, value=kpi.target) for kpi in kpis]
    assert score_of(indicators(met)) == (pytest.approx(100) if met else None)


@quick
@given(of(Kpi), st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_coming_nearer_to_the_target_never_lowers_the_attainment(kpi: Kpi, one: float, other: float) -> None:
    near, far = sorted((one, other), reverse=kpi.target >= kpi.baseline)
    better, worse = attainment_of(replace(kpi, value=near)), attainment_of(replace(kpi, value=far))
    assert better is not None
    assert worse is not None
    assert 0 <= worse <= better <= 1


def test_a_target_at_the_baseline_is_met_from_there_up() -> None:
    assert [attainment_of(figure("a", value, 5, 5)) for value in (4, 5, 6)] == [0, 1, 1]


def test_figures_of_no_weight_weigh_alike() -> None:
    kpis = [figure("a", 1, 1, 0, weight=0), figure("b", 0, 1, 0, weight=0), figure("c", None, 1, 0, weight=0)]
    answer = performance(people(10), Kpis(tuple(kpis)), None, Everyone({}), None, at=NOW)
    assert isinstance(answer, OrgPerformance)
    assert answer.overall_performance == 50
    assert answer.kpi_coverage == pytest.approx(2 / 3)
