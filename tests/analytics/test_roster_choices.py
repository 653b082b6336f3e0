"""What a roster stands on, and that nobody orders others by what is not theirs to hear."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from analytics.declare import Metric, Role, Scope
from analytics.learner.participation import EngagementLevel
from analytics.policy import NotAllowed, Subject, Viewer
from analytics.prediction.interventions import RiskLevel
from analytics.rosters import ENGAGEMENT, RISK, VELOCITY, Choice, LearnerOrderField, Rosters, measure
from datasources.postgres.pages import Window
from tests.cast import ACME, TOMAS


def test_a_roster_stands_on_each_metric_once_and_on_none_by_name() -> None:
    assert Choice(department="Sales", words=("ann",)).metrics == ()
    assert Choice(by=LearnerOrderField.RISK, risk=(RiskLevel.HIGH,)).metrics == (RISK,)
    every = Choice(by=LearnerOrderField.VELOCITY, risk=(), engagement=(EngagementLevel.LOW,)).metrics
    assert every == (VELOCITY, RISK, ENGAGEMENT)


def test_a_measure_is_what_an_answer_without_arguments_is_kept_under() -> None:
    assert measure(RISK).metric == f"predictive-drop-off-risk@{RISK.version}"
    assert measure(VELOCITY).arguments == '{"window":"MONTH"}'


@dataclass(frozen=True)
class Secret:
    """A choice by a metric that only admins may hear."""

    metrics: tuple[Metric, ...] = (replace(RISK, roles=frozenset({Role.ORG_ADMIN})),)


async def test_nobody_orders_by_what_is_not_theirs_to_hear() -> None:
    viewer = Viewer(TOMAS, ACME, frozenset({Role.TRAINER}), Role.TRAINER)
    rosters = Rosters(cast("Any", None), viewer)
    with pytest.raises(NotAllowed, match="not yours"):
        await rosters.learners(
            Subject(Scope.TRAINER, ACME, TOMAS), cast("Choice", Secret()), Window(first=1), counted=False
        )
