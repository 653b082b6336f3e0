"""The risk beside what came of it: written down of groups each night, set right by an organization's own outcomes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from analytics.arithmetic import unique
from analytics.declare import (
    DataQuality,
    DataQualityLevel,
    Everyone,
    Family,
    Role,
    Scope,
    Withheld,
    WithheldReason,
    metric,
)
from analytics.models.recalibration import Shift, Told, deviation_of, log_odds, shift
from analytics.models.risk import logistic, risk_model
from analytics.outcomes import CourseOutcome, Outcomes, RiskGroup
from analytics.prediction.values import DropOffRisk
from analytics.privacy import DAILY, K
from datasources.declare import Count, Id, Share

LEAST_OUTCOMES = 200
"""The fewest outcomes that an intercept is moved by (definition 17)."""

MOST_GROUPS = 5
"""Into how many groups the learners of a course are divided at most."""

LATELY = timedelta(days=2 * 365)
"""How long ago a course may have ended that still tells of learners now."""

OFF_AT_MOST = 0.1
"""The share of those who were told a risk, or took the course then, that may be missing from what is compared."""


@dataclass(frozen=True, slots=True)
class RiskStanding:
    """At what risk the learners of a course are together, as the trained model has it."""

    course: Id
    """The course."""
    model: Count
    """The version of the model."""
    learners: Count
    """How many learners have a risk in this course."""
    groups: tuple[RiskGroup, ...]
    """They in order of their risk, in groups of 10 or more."""
    quality: DataQuality
    """One observation for each of these learners."""


@metric(
    Scope.COURSE,
    key="course-risk-standing",
    family=Family.INTERNAL,
    roles={Role.ORG_ADMIN},
    fresh_for=DAILY,
    k=K,
    formula="the learners in order of their risk without recalibration, in up to 5 groups of 10 or more: mean of each",
)
def risk_standing(risks: Everyone[DropOffRisk], *, course: str) -> RiskStanding | Withheld:
    """At what risk of not passing the learners of a course are, in groups, by the trained model alone.

    Any recalibration is taken out again, so that what is learned from outcomes is never learned twice. Withheld
    under 10 learners with a risk in this course.
    """
    found = sorted(risk for value in risks.by_learner.values() for risk in _as_trained(value, course))
    if len(found) < K:
        message = "Fewer than 10 learners have a risk in this course."
        return Withheld(WithheldReason.TOO_FEW_PEERS, message, needed=K)
    parts = min(MOST_GROUPS, len(found) // K)
    cuts = [len(found) * part // parts for part in range(parts + 1)]
    groups = [found[low:high] for low, high in pairwise(cuts)]
    return RiskStanding(
        course=course,
        model=risk_model().version,
        learners=len(found),
        groups=tuple(RiskGroup(len(group), math.fsum(group) / len(group)) for group in groups),
        quality=DataQuality(len(found), 1, DataQualityLevel.OK),
    )


def _as_trained(value: DropOffRisk, course: str) -> list[float]:
    """The risk (0 to 1) of one learner in the course as it was before recalibration; none where there is none."""
    by = value.recalibration.shift if value.recalibration else 0.0
    risks = [one.risk_score / 100 for one in value.by_course if one.course_id == course]
    return [logistic(log_odds(risk) - by) if by else risk for risk in risks[:1]]


@dataclass(frozen=True, slots=True)
class RiskCalibration:
    """By how much the trained risk was off in an organization's own courses that are over."""

    outcomes: Count
    """How many learners' outcomes are known, each of one course counted once."""
    failed: Share
    """The share of them that did not pass."""
    expected: Share
    """The mean risk they had been told by the trained model."""
    shift: Shift
    """What is added to the log-odds, rounded to hundredths; above 0 where more fail than the model was trained on."""
    quality: DataQuality
    """The outcomes; the days are not counted."""


@metric(
    Scope.ORGANIZATION,
    key="org-risk-calibration",
    family=Family.INTERNAL,
    roles={Role.ORG_ADMIN},
    fresh_for=DAILY,
    k=K,
    formula=(
        "b: failed = sum of learners x sigmoid(logit(risk) + b) + b / 0.46^2, over 200 outcomes or more of the last "
        "two years; -2 to 2"
    ),
    evidence=(
        "The intercept alone, shrunk by a normal prior as wide as courses differ in the training data: Steyerberg and "
        "others 2004, doi:10.1002/sim.1844."
    ),
)
def risk_calibration(outcomes: Outcomes, *, at: datetime) -> RiskCalibration | Withheld:
    """By how much the log-odds of not passing are moved, so that as many are expected to fail as did.

    Courses count that are over, ended within two years, and were told of by the model that is served now; and of them
    those where as many learners had a risk as it is known of how it ended, but for a tenth. Each learner
    is counted on one day, the nearest to the middle of the course that is known. Withheld under 200 outcomes.
    """
    model = risk_model()
    told: list[Told] = []
    numbers: list[tuple[int, float]] = []
    for course in unique(outcomes.courses, lambda one: one.course):
        if at - LATELY < course.ends_at <= at and course.model == model.version and _is_comparable(course):
            known = course.passed + course.failed
            # Who has a risk but no known outcome, or the other way round, is taken to be like the others.
            each = known / _with_risk(course)
            told += [Told(group.learners * each, group.risk) for group in course.groups]
            numbers.append((known, float(course.failed)))
    known, failed = sum(known for known, _ in numbers), math.fsum(failed for _, failed in numbers)
    if known < LEAST_OUTCOMES:
        message = f"The risk is set right by {LEAST_OUTCOMES} outcomes or more of courses that are over."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=LEAST_OUTCOMES)
    return RiskCalibration(
        outcomes=known,
        failed=failed / known,
        expected=_mean(told),
        shift=round(shift(told, failed, deviation_of(model.spread)), 2) + 0.0,
        quality=DataQuality(known, 0, DataQualityLevel.OK),
    )


def _with_risk(course: CourseOutcome) -> int:
    return sum(group.learners for group in course.groups)


def _is_comparable(course: CourseOutcome) -> bool:
    """Whether as many were told a risk as it is known of how it ended, but for a tenth."""
    told, known = _with_risk(course), course.passed + course.failed
    return (
        min(told, known) >= K
        and abs(told - known) <= OFF_AT_MOST * max(told, known)
        and course.taking - known <= OFF_AT_MOST * course.taking
    )


def _mean(told: Iterable[Told]) -> float:
    """The mean risk of all who were told one."""
    told = list(told)
    return min(1.0, math.fsum(one.learners * one.risk for one in told) / math.fsum(one.learners for one in told))
