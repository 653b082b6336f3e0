"""What a forecast of performance says, and how."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.declare import DataQuality
from analytics.models.forecast import ForecastFactor
from analytics.prediction.values import Confidence, FactorStatus, FeatureValue
from datasources.declare import Id, Score, Share, Text, Unit

ForecastPoints = Annotated[float, Ge(-1000), Le(1000), Unit("points of the final score", digits=3)]
ForecastWeight = Annotated[float, Ge(-100), Le(100), Unit("points of open work per unit of the factor", digits=4)]


class ForecastMethod(StrEnum):
    """Where a forecast comes from."""

    MODEL = "model"
    """The model, from the learner's own scores and habits."""
    COURSE_MEAN = "course-mean"
    """The model; there is no score yet, and the mean score of the learners it was trained on stands in."""
    SECURED = "secured"
    """Nothing is open any more: what is secured is the result."""


@dataclass(frozen=True, slots=True)
class ForecastInterval:
    """Where the result lies in 8 of 10 cases."""

    low: Score
    """The lower end, never below what is secured."""
    high: Score
    """The upper end, never above what is still possible."""


@dataclass(frozen=True, slots=True)
class ForecastScenarios:
    """The same forecast as three numbers."""

    optimistic: Score
    """The upper end of the interval: 1 in 10 does better."""
    realistic: Score
    """The predicted score."""
    pessimistic: Score
    """The lower end of the interval: 1 in 10 does worse."""


@dataclass(frozen=True, slots=True)
class InfluencingFactor:
    """One reason for a forecast: contribution = open share x weight x (currentValue - reference)."""

    factor: ForecastFactor
    """What is looked at."""
    current_value: FeatureValue | None
    """The learner's value; null when it is not known and something usual stands in."""
    reference: FeatureValue
    """The mean learner of the training data."""
    weight: ForecastWeight
    """The model's coefficient."""
    contribution: ForecastPoints
    """What it adds to the predicted score; an association, not a cause."""
    status: FactorStatus
    """Whether that raises or lowers the predicted score."""
    description: Text
    """What is looked at, in words."""


@dataclass(frozen=True, slots=True)
class CompletionOutlook:
    """When the work of a course will be done at the pace of the last weeks, as learning velocity has it."""

    estimated_completion: datetime | None
    """When the rest is done at that pace; null when it never is."""
    earliest: datetime | None
    """The same at that pace plus one standard error; null when all is done or nothing was done lately."""
    latest: datetime | None
    """The same at that pace minus one standard error; null when that is none."""


@dataclass(frozen=True, slots=True)
class CourseForecast:
    """The forecast of one course."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    predicted_score: Score
    """What the coursework may come to: secured + open share x what the open work comes to."""
    interval: ForecastInterval
    """Where it lies in 8 of 10 cases."""
    secured: Score
    """The points of 100 that are earned for good: missing work counts as 0."""
    still_possible: Score
    """The points if all open work came to 100; overdue work counts as lost."""
    open_share: Share
    """The share of the coursework's weight that is not yet due, or waits for its mark."""
    pass_probability: Share | None
    """1 less the risk of not passing; null while that is withheld."""
    method: ForecastMethod
    """Where the forecast comes from."""
    confidence: Confidence
    """How much it stands on."""
    horizon: datetime
    """The end of the course, which the forecast is of."""
    baseline: ForecastPoints
    """Secured + open share x what the model says of the mean learner; with the contributions, the predicted score
    before it is kept within secured and still possible."""
    influencing_factors: tuple[InfluencingFactor, ...]
    """All factors, the largest first."""
    completion_timeline: CompletionOutlook | None
    """When the work will be done; null without planned work, and while learning velocity is not known."""


@dataclass(frozen=True, slots=True)
class PerformanceForecast:
    """What a learner's coursework may come to at the end of the courses that run now, as means weighed by credits."""

    predicted_score: Score
    """The predicted coursework score."""
    interval: ForecastInterval
    """Where it lies in 8 of 10 cases; of several courses the mean of the ends, which is rather too wide."""
    secured: Score
    """The points that are earned for good."""
    still_possible: Score
    """The points if all open work came to 100."""
    pass_probability: Share | None
    """1 less the risk of not passing, over the courses it is known of; null while it is withheld."""
    scenarios: ForecastScenarios
    """The ends of the interval and the predicted score."""
    method: ForecastMethod
    """Where it comes from; of several courses the one that stands on least."""
    confidence: Confidence
    """How much it stands on; of several courses the lowest."""
    horizon: datetime
    """The end of the last of the courses."""
    by_course: tuple[CourseForecast, ...]
    """Each running course with counted work, by id; factors and timeline are there."""
    model_version: Text
    """Which model, and when it was trained."""
    quality: DataQuality
    """The due work and the item-days of the last 30 days looked at; the days since the first course began."""
