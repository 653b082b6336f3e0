"""Performance forecast (definition 18): what is secured, and what the open work may add to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from analytics.arithmetic import clamp
from analytics.course import CoursePulse
from analytics.coursework import Work
from analytics.declare import DataQuality, DataQualityLevel, Family, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.courses import enrolled, mean_over, runs
from analytics.learner.velocities import CourseVelocity, LearningVelocity
from analytics.models.forecast import (
    ForecastFactor,
    ForecastModel,
    Outlook,
    Piece,
    forecast_features,
    forecast_model,
    outlook,
)
from analytics.models.risk import risk_model
from analytics.prediction.forecast_values import (
    CompletionOutlook,
    CourseForecast,
    ForecastInterval,
    ForecastMethod,
    ForecastScenarios,
    InfluencingFactor,
    PerformanceForecast,
)
from analytics.prediction.looks import Look, Sight
from analytics.prediction.values import Confidence, DropOffRisk, FactorStatus
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Progress

DESCRIPTIONS: dict[ForecastFactor, str] = {
    ForecastFactor.RECENT_SCORE: "The mean of the scores, the newest counting most.",
    ForecastFactor.MISSED: "The share of due work that was not handed in.",
    ForecastFactor.LATE: "The share of handed-in work that came late.",
    ForecastFactor.ACTIVITY: "Items opened in the last 30 days, beside what is usual in the course.",
    ForecastFactor.REPEAT: "Whether the course is being repeated.",
    ForecastFactor.CREDITS: "The study load, in doublings of 60 credits.",
}

LEAST_FIRST = (ForecastMethod.COURSE_MEAN, ForecastMethod.MODEL, ForecastMethod.SECURED)
LOWEST_FIRST = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


@metric(
    Scope.LEARNER,
    key="predictive-performance-forecast",
    family=Family.PREDICTION,
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula=(
        "secured + open share x clip(15.23 + 0.637 recentScore - 34.1 missed - 10.0 late + 7.86 activity "
        "- 4.95 repeat - 1.39 credits, 0, 100)"
    ),
    evidence=(
        "OULAD, each presentation predicted from the 14 others, off by 13.2, 11.1, 8.3 points on day 64, 94, 124; the "
        "plain average is off by 16.3, 15.3, 13.9. The 80 % interval held 80 % of the results."
    ),
    score=lambda value: value.predicted_score,
)
def performance_forecast(  # noqa: PLR0913, PLR0917 - one parameter for each fact it stands on
    progress: Progress,
    scores: Scores,
    assessments: Assessments,
    interactions: Interactions | None,
    pulses: tuple[CoursePulse, ...] | None,
    velocity: LearningVelocity | None,
    risk: DropOffRisk | Withheld,
    *,
    at: datetime,
) -> PerformanceForecast | Withheld:
    """What a learner's coursework may come to (0 to 100) if they stay to the end, and between what limits.

    Earned points are certain; only what is open is predicted, so a forecast is never below what is secured nor
    above what is still possible. A trend of scores is never drawn on: that is worse than the plain average. It says
    nothing about exams, and nothing about how skills or the pace will develop, which no model was fitted to.
    """
    running = [course for course in enrolled(progress, at) if runs(course, at)]
    model = forecast_model()
    medians = {pulse.course: pulse.item_days for pulse in pulses or ()}
    sight = Sight(scores, assessments, interactions, medians, risk_model().usual)
    looks = [look for look in (sight.of(course, at) for course in running) if look.work]
    if not looks:
        message = "No course with work that counts is running now."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1, certain=True)
    passing = {} if isinstance(risk, Withheld) else {c.course_id: 1 - c.risk_score / 100 for c in risk.by_course}
    paces = {} if velocity is None else {course.course_id: course for course in velocity.by_course}
    found = [
        _forecast(look, model, passing.get(look.course.course_id), paces.get(look.course.course_id), at)
        for look in looks
    ]
    return _together(looks, found, model)


def _pieces(work: Sequence[Work], at: datetime) -> Outlook:
    """Work is open while it is not due, and while it waits for its mark; banked work was settled before."""
    return outlook(
        Piece(piece.weight, piece.score, piece.handed_in is not None or piece.due_at is None or piece.due_at > at)
        for piece in work
    )


def _forecast(
    look: Look, model: ForecastModel, passing: float | None, pace: CourseVelocity | None, at: datetime
) -> CourseForecast:
    """One course. An activity that is not known stands at the reference, where it adds nothing."""
    secured, is_open = _pieces(look.work, at)
    values = forecast_features(look.standing, model.mean_score)
    missing = set() if look.standing.scores else {ForecastFactor.RECENT_SCORE}
    if look.item_days is None:
        values[ForecastFactor.ACTIVITY] = model.reference[ForecastFactor.ACTIVITY]
        missing.add(ForecastFactor.ACTIVITY)
    rest = model.rest(values)
    spread = model.spread(look.day) if look.standing.scores else model.widest
    most = min(100.0, secured + 100 * is_open)
    low, middle, high = (
        clamp(secured + is_open * clamp(rest + offset, 0.0, 100.0), secured, most)
        for offset in (spread.low, 0.0, spread.high)
    )
    factors = [
        _factor(factor, values[factor], is_open, model, known=factor not in missing) for factor in ForecastFactor
    ]
    return CourseForecast(
        course_id=look.course.course_id,
        title=look.course.title,
        predicted_score=middle,
        interval=ForecastInterval(low, high),
        secured=secured,
        still_possible=most,
        open_share=is_open,
        pass_probability=passing,
        method=_method(look, is_open),
        confidence=_confidence(look, is_open),
        horizon=look.course.end_date,
        baseline=secured + is_open * model.line(model.reference),
        influencing_factors=tuple(sorted(factors, key=lambda one: (-abs(one.contribution), one.factor))),
        completion_timeline=None if pace is None else _timeline(pace),
    )


def _factor(
    factor: ForecastFactor, value: float, is_open: float, model: ForecastModel, *, known: bool
) -> InfluencingFactor:
    weight, reference = model.weights[factor], model.reference[factor]
    contribution = is_open * weight * (value - reference)
    return InfluencingFactor(
        factor=factor,
        current_value=value if known else None,
        reference=reference,
        weight=weight,
        contribution=contribution,
        status=FactorStatus.of(contribution),
        description=DESCRIPTIONS[factor],
    )


def _timeline(pace: CourseVelocity) -> CompletionOutlook:
    between = pace.estimated_range
    return CompletionOutlook(
        estimated_completion=pace.estimated_completion,
        earliest=None if between is None else between.earliest,
        latest=None if between is None else between.latest,
    )


def _method(look: Look, is_open: float) -> ForecastMethod:
    if not is_open:
        return ForecastMethod.SECURED
    return ForecastMethod.MODEL if look.standing.scores else ForecastMethod.COURSE_MEAN


def _confidence(look: Look, is_open: float) -> Confidence:
    if not is_open:
        return Confidence.HIGH
    if look.day < 28 or not look.standing.scores or look.item_days is None:  # noqa: PLR2004 - as the risk has it
        return Confidence.LOW
    return Confidence.MEDIUM if look.day < 60 else Confidence.HIGH  # noqa: PLR2004 - likewise


def _together(looks: Sequence[Look], found: Sequence[CourseForecast], model: ForecastModel) -> PerformanceForecast:
    weighed = [(forecast, look.course.credits) for look, forecast in zip(looks, found, strict=True)]
    numbers: Mapping[str, float] = {
        name: mean_over(weighed, number) or 0.0
        for name, number in {
            "predicted": lambda one: one.predicted_score,
            "low": lambda one: one.interval.low,
            "high": lambda one: one.interval.high,
            "secured": lambda one: one.secured,
            "possible": lambda one: one.still_possible,
        }.items()
    }
    confidence = min((one.confidence for one in found), key=LOWEST_FIRST.index)
    level = DataQualityLevel.LOW if confidence is Confidence.LOW else DataQualityLevel.OK
    records = sum(look.records for look in looks)
    return PerformanceForecast(
        predicted_score=numbers["predicted"],
        interval=ForecastInterval(numbers["low"], numbers["high"]),
        secured=numbers["secured"],
        still_possible=numbers["possible"],
        pass_probability=mean_over(weighed, lambda one: one.pass_probability),
        scenarios=ForecastScenarios(numbers["high"], numbers["predicted"], numbers["low"]),
        method=min((one.method for one in found), key=LEAST_FIRST.index),
        confidence=confidence,
        horizon=max(one.horizon for one in found),
        by_course=tuple(found),
        model_version=f"{model.name} {model.version}, trained {model.trained_on.isoformat()}",
        quality=DataQuality(records, max(look.day for look in looks), level if records else DataQualityLevel.NONE),
    )
