"""What the risk is served with: its interval, what could be done, and when nothing is said."""

from dataclasses import replace

import pytest

from analytics.declare import Withheld, WithheldReason
from analytics.models.risk import risk_model
from analytics.prediction import DropOffRisk, drop_off_risk
from analytics.prediction.interventions import RiskLevel
from analytics.prediction.what_if import RiskChange
from tests.analytics.made import COURSE, done, handed_in, log, on, opened, takes, taking, tasks
from tests.analytics.test_risk import Facts, risk


def test_the_interval_worked_by_hand() -> None:
    """Log-odds -1.2805, less 0.6983 and plus 0.4874: 100 / (1 + e^1.9788) = 12.14, 100 / (1 + e^0.7931) = 31.15."""
    spread, value = risk_model().spread, risk()
    assert (spread.low, spread.high) == pytest.approx((-0.6983, 0.4874), abs=1e-4)
    assert (value.interval.low, value.interval.high) == pytest.approx((12.14, 31.15), abs=0.01)


def test_what_could_be_done_worked_by_hand() -> None:
    """Day 60, on time with A, B missed, 9 item-days of 19: log-odds -0.1392 + 0.5788 x 0.6931 + 1.7637 x 0.5 + 0.5391
    - 5.415 x 0.1 - 1.9994 x 0.3 = 0.5416, risk 63.2. B handed in late: - 1.7637 x 0.5 - 0.5391 + 0.5205 x 0.5
    = -0.6192, risk 35.0. As active as is usual: - 0.5788 x 0.6931 = 0.1404, risk 53.5. Both: -1.0204, risk 26.5.
    """
    value = risk(scores=handed_in(done("A", 20, 80)), interactions=log(*(opened(f"item-{n}", 55) for n in range(9))))
    assert value.risk_score == pytest.approx(63.2, abs=0.05)
    told = {scenario.change: (round(scenario.risk_score, 1), scenario.risk_level) for scenario in value.scenarios}
    assert told == {
        RiskChange.CATCH_UP: (35.0, RiskLevel.MODERATE),
        RiskChange.BE_ACTIVE: (53.5, RiskLevel.HIGH),
        RiskChange.BOTH: (26.5, RiskLevel.MODERATE),
    }


def test_who_missed_nothing_and_is_active_is_told_of_no_change() -> None:
    assert risk().scenarios == ()


def test_an_unknown_activity_is_not_told_to_rise() -> None:
    value = risk(interactions=None, scores=handed_in(done("A", 20, 80)))
    assert [scenario.change for scenario in value.scenarios] == [RiskChange.CATCH_UP]


@pytest.mark.parametrize(("day", "told"), [(0, False), (3.9, False), (4, True)])
def test_before_the_fourth_day_nothing_is_said(day: float, *, told: bool) -> None:
    value = drop_off_risk(*Facts(), at=on(day))
    assert isinstance(value, DropOffRisk) is told
    if isinstance(value, Withheld):
        assert (value.reason, value.needed) == (WithheldReason.NOT_ENOUGH_DATA, risk_model().floor)
        assert "day 4" in value.message


def test_without_due_work_and_activity_nothing_is_said() -> None:
    value = drop_off_risk(*Facts(assessments=tasks(), interactions=None), at=on(60))
    assert isinstance(value, Withheld)
    assert "Nothing is due yet and the activity is not known" in value.message


def test_a_course_of_which_too_little_is_known_is_left_out() -> None:
    late = replace(taking("late"), start_date=on(58))
    assert [course.course_id for course in risk(progress=takes(taking(), late)).by_course] == [COURSE]
