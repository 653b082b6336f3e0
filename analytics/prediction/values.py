"""What a prediction of risk says, and how."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from annotated_types import Ge, Le

from analytics.declare import DataQuality, Logit
from analytics.models.features import Factor
from analytics.models.recalibration import Shift
from analytics.prediction.interventions import Intervention, RiskLevel
from analytics.prediction.what_if import RiskChange
from datasources.declare import Count, Id, Score, Share, Text, Unit

FeatureValue = Annotated[float, Ge(-100), Le(100), Unit("as the factor says", digits=3)]
Coefficient = Annotated[float, Ge(-100), Le(100), Unit("log-odds per unit of the factor", digits=4)]


class Confidence(StrEnum):
    """How much a prediction stands on."""

    LOW = "low"
    """The first four weeks, or nothing due (a forecast: nothing marked) yet, or the activity is not known."""
    MEDIUM = "medium"
    """Before day 60."""
    HIGH = "high"
    """Day 60 and later, and a forecast of which nothing is open any more."""


class FactorStatus(StrEnum):
    """What a factor does to the number it is told with, beside the mean learner of the training data."""

    RAISES = "raises"
    """It makes the number higher."""
    NEUTRAL = "neutral"
    """It makes no difference, or is not known."""
    LOWERS = "lowers"
    """It makes the number lower."""

    @classmethod
    def of(cls, contribution: float) -> Self:
        """What the sign of a contribution says."""
        if not contribution:
            return cls.NEUTRAL
        return cls.RAISES if contribution > 0 else cls.LOWERS


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """One reason for the risk: contribution = weight x (currentValue - threshold)."""

    factor: Factor
    """What is looked at."""
    current_value: FeatureValue | None
    """The learner's value; null when it is not known and the threshold stands in."""
    threshold: FeatureValue
    """The mean learner of the training data; from here the factor raises or lowers the risk."""
    weight: Coefficient
    """The model's coefficient."""
    contribution: Logit
    """What it adds to the log-odds."""
    status: FactorStatus
    """Whether that raises or lowers the risk."""
    description: Text
    """What is looked at, in words."""


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """How it went for learners at the same level of risk, in courses the model had not seen."""

    level: RiskLevel
    """The level."""
    predicted: Share
    """The mean risk they had been told."""
    observed: Share
    """The share of them that failed or withdrew."""
    cases: Count
    """How many that was, each learner counted on up to four days."""


@dataclass(frozen=True, slots=True)
class RiskPredictions:
    """The probabilities, and how such predictions turned out."""

    fail_or_withdraw: Share
    """The probability of not passing."""
    withdraw_30d: Share
    """The probability of withdrawing within 30 days; hard to predict, so read it beside the other."""
    next_month: Share
    """The same probability under the name that dashboards read. Next week, and a trend, are not predicted."""
    calibration_group: CalibrationGroup
    """How it went for others at this level."""


@dataclass(frozen=True, slots=True)
class RiskInterval:
    """Where the share that does not pass lies among such learners of one more course, in 8 of 10 cases."""

    low: Score
    """The lower end."""
    high: Score
    """The upper end."""


@dataclass(frozen=True, slots=True)
class RiskScenario:
    """What the model says of a learner who is alike, but for one change; the change is not shown to cause it."""

    change: RiskChange
    """What is different."""
    risk_score: Score
    """The risk of not passing then; never higher than it is now."""
    risk_level: RiskLevel
    """Its band."""


@dataclass(frozen=True, slots=True)
class CourseRisk:
    """The risk in one course."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    risk_score: Score
    """The risk of not passing."""
    risk_level: RiskLevel
    """Its band."""
    confidence: Confidence
    """How much it stands on."""
    withdraw_30d: Share
    """The probability of withdrawing within 30 days."""


@dataclass(frozen=True, slots=True)
class RiskRecalibration:
    """How the risk was set right by what became of learners of the same organization; the order of learners stays."""

    outcomes: Count
    """How many outcomes of courses that are over it was learned from; 200 or more."""
    shift: Shift
    """What was added to the log-odds, within `base`; below 0 where more pass than among the training data."""


@dataclass(frozen=True, slots=True)
class DropOffRisk:
    """The risk of not passing, with its reasons, in the course where it is highest."""

    risk_score: Score
    """The probability of not passing, in percent."""
    risk_level: RiskLevel
    """Its band."""
    interval: RiskInterval
    """How far the risk of such learners differed between courses the model had not seen: 80 % of cases."""
    drop_off_probability_30d: Share
    """The probability of withdrawing within 30 days."""
    confidence: Confidence
    """How much it stands on."""
    course_id: Id
    """The course with the highest risk, which all of this is about."""
    course_title: Text
    """Its title."""
    base: Logit
    """The log-odds of the mean learner of the training data, the shift of the recalibration in it."""
    logit: Logit
    """The log-odds of this learner: base and all contributions together."""
    risk_factors: tuple[RiskFactor, ...]
    """All factors, those that raise the risk first, the largest first."""
    predictions: RiskPredictions
    """The probabilities, and how such predictions turned out."""
    interventions: tuple[Intervention, ...]
    """What could be done about the factors that raise it; empty at a low risk."""
    scenarios: tuple[RiskScenario, ...]
    """What the risk would be if missing work were handed in, if activity rose to the usual, and both: where lower."""
    by_course: tuple[CourseRisk, ...]
    """Every running course that enough is known of, the highest risk first."""
    recalibration: RiskRecalibration | None
    """How it was set right by the organization's own outcomes; null while fewer than 200 are known."""
    model_version: Text
    """Which model, when it was trained, and by how many own outcomes it was recalibrated."""
    quality: DataQuality
    """The due work and the item-days of the last 30 days looked at; the days since the course began."""
