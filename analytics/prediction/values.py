"""What a prediction of risk says, and how."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.declare import DataQuality, Logit
from analytics.models.features import Factor
from analytics.prediction.interventions import Intervention, RiskLevel
from datasources.declare import Count, Id, Score, Share, Text, Unit

FeatureValue = Annotated[float, Ge(-100), Le(100), Unit("as the factor says", digits=3)]
Coefficient = Annotated[float, Ge(-100), Le(100), Unit("log-odds per unit of the factor", digits=4)]


class Confidence(StrEnum):
    """How much a prediction stands on."""

    LOW = "low"
    """The first four weeks, or nothing due yet, or the activity is not known."""
    MEDIUM = "medium"
    """Before day 60."""
    HIGH = "high"
    """Day 60 and later."""


class FactorStatus(StrEnum):
    """What a factor does to the risk, beside the mean learner of the training data."""

    RAISES = "raises"
    """It makes the risk higher."""
    NEUTRAL = "neutral"
    """It makes no difference, or is not known."""
    LOWERS = "lowers"
    """It makes the risk lower."""


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """One reason for the risk: contribution = weight x (value - reference)."""

    factor: Factor
    """What is looked at."""
    value: FeatureValue | None
    """The learner's value; null when it is not known and the reference stands in."""
    reference: FeatureValue
    """The mean learner of the training data."""
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
    calibration_group: CalibrationGroup
    """How it went for others at this level."""


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
class DropOffRisk:
    """The risk of not passing, with its reasons, in the course where it is highest."""

    risk_score: Score
    """The probability of not passing, in percent."""
    risk_level: RiskLevel
    """Its band."""
    drop_off_probability_30d: Share
    """The probability of withdrawing within 30 days."""
    confidence: Confidence
    """How much it stands on."""
    course_id: Id
    """The course with the highest risk, which all of this is about."""
    course_title: Text
    """Its title."""
    base: Logit
    """The log-odds of the mean learner of the training data."""
    logit: Logit
    """The log-odds of this learner: base and all contributions together."""
    risk_factors: tuple[RiskFactor, ...]
    """All factors, those that raise the risk first, the largest first."""
    predictions: RiskPredictions
    """The probabilities, and how such predictions turned out."""
    interventions: tuple[Intervention, ...]
    """What could be done about the factors that raise it; empty at a low risk."""
    by_course: tuple[CourseRisk, ...]
    """Every running course, the highest risk first."""
    model_version: Text
    """Which model, and when it was trained."""
    quality: DataQuality
    """The due work and the item-days of the last 30 days looked at; the days since the course began."""
