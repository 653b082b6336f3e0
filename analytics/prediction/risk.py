"""The risk of not passing: a trained model, told factor by factor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from analytics.arithmetic import clamp
from analytics.course import CoursePulse
from analytics.declare import DataQuality, DataQualityLevel, Family, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.courses import enrolled, runs
from analytics.models.features import Factor, features
from analytics.models.risk import RISK_LEVELS, RiskModel, logistic, risk_model
from analytics.prediction.calibration import RiskCalibration
from analytics.prediction.interventions import RiskLevel, interventions
from analytics.prediction.looks import Look, Sight
from analytics.prediction.values import (
    CalibrationGroup,
    Confidence,
    CourseRisk,
    DropOffRisk,
    FactorStatus,
    RiskFactor,
    RiskInterval,
    RiskPredictions,
    RiskRecalibration,
    RiskScenario,
)
from analytics.prediction.what_if import what_if
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Progress

DESCRIPTIONS: dict[Factor, str] = {
    Factor.ACTIVITY: "Items opened in the last 30 days, beside what is usual in the course.",
    Factor.MISSED: "The share of due work that was not handed in.",
    Factor.LAST_MISSED: "Whether nothing was handed in of what was due last.",
    Factor.SCORE: "The mean score, beside 70 of 100, which also stands in while there is none.",
    Factor.LATE: "The share of handed-in work that came late.",
    Factor.REPEAT: "Whether the course is being repeated.",
    Factor.CREDITS: "The study load, in doublings of 60 credits.",
    Factor.ELAPSED: "How much of the course is over.",
}


@metric(
    Scope.LEARNER,
    key="predictive-drop-off-risk",
    family=Family.PREDICTION,
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    version=3,
    formula="100 / (1 + e^-logit); logit = base + sum of weight x (currentValue - threshold)",
    evidence=(
        "OULAD, each presentation predicted from the 14 others: AUC .67 on day 4, then .77, .82, .86, .89 on day 34, "
        "64, 94, 124; the 80 % interval held what came of groups with 78 % of the learners."
    ),
    score=lambda value: value.risk_score,
    level=lambda value: value.risk_level.name,
)
def drop_off_risk(  # noqa: PLR0913, PLR0917 - one parameter for each fact it stands on
    progress: Progress,
    scores: Scores,
    assessments: Assessments,
    interactions: Interactions | None,
    pulses: tuple[CoursePulse, ...] | None,
    calibration: RiskCalibration | None,
    *,
    at: datetime,
) -> DropOffRisk | Withheld:
    """How likely a learner is not to pass, why, and what could be done; in the course where that is likeliest.

    A logistic model of eight factors, trained on real learners. Who the learner is (age, sex, region,
    education) is not looked at. Once 200 outcomes of the organization's own are known its base is set right by them.
    A prediction is not a verdict, and its factors are not shown to be causes.
    Withheld until day 4 of a course, and while neither due work nor activity is known.
    """
    running = [course for course in enrolled(progress, at) if runs(course, at)]
    if not running:
        message = "No course of this learner is running now."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1, certain=True)
    model = _recalibrated(risk_model(), calibration)
    medians = {pulse.course: pulse.item_days for pulse in pulses or ()}
    sight = Sight(scores, assessments, interactions, medians, model.usual)
    looks = [look for look in (sight.of(course, at) for course in running) if look.day >= model.floor]
    if not looks:
        message = f"Before day {model.floor} of a course the model is not known to say more than the base rate."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=model.floor)
    told = [look for look in looks if look.item_days is not None or look.standing.due]
    if not told:
        message = "Nothing is due yet and the activity is not known: one of the two is needed."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1)
    assessed = sorted((_assess(look, model) for look in told), key=lambda a: (-a.logit, a.look.course.course_id))
    return _say(assessed, model, calibration)


def _recalibrated(model: RiskModel, calibration: RiskCalibration | None) -> RiskModel:
    """The model with an intercept set right by outcomes; withdrawing within 30 days stays as it was trained."""
    if calibration is None:
        return model
    return replace(model, fail_or_withdraw=model.fail_or_withdraw.shifted(calibration.shift))


@dataclass(frozen=True, slots=True)
class _Assessed:
    """One course, what the models say of it, and why."""

    look: Look
    base: float
    logit: float
    values: Mapping[Factor, float]
    factors: tuple[RiskFactor, ...]
    risk: CourseRisk


def _assess(look: Look, model: RiskModel) -> _Assessed:
    """An activity that is not known stands at the reference, where it adds nothing."""
    unknown = {Factor.ACTIVITY: model.reference[Factor.ACTIVITY]} if look.item_days is None else {}
    values = {**features(look.standing), **unknown}
    score = 100 * model.fail_or_withdraw.probability(values)
    factors = [_factor(factor, values[factor], model, known=factor not in unknown) for factor in Factor]
    risk = CourseRisk(
        course_id=look.course.course_id,
        title=look.course.title,
        risk_score=score,
        risk_level=risk_level(score),
        confidence=_confidence(look),
        withdraw_30d=model.withdraw_30d.probability(values),
    )
    return _Assessed(
        look=look,
        base=model.fail_or_withdraw.logit(model.reference),
        logit=model.fail_or_withdraw.logit(values),
        values=values,
        factors=tuple(sorted(factors, key=lambda factor: (-factor.contribution, factor.factor))),
        risk=risk,
    )


def _factor(factor: Factor, value: float, model: RiskModel, *, known: bool) -> RiskFactor:
    weight, reference = model.fail_or_withdraw.weights[factor], model.reference[factor]
    contribution = weight * (value - reference)
    return RiskFactor(
        factor=factor,
        current_value=value if known else None,
        threshold=reference,
        weight=weight,
        contribution=contribution,
        status=FactorStatus.of(contribution),
        description=DESCRIPTIONS[factor],
    )


def risk_level(score: float) -> RiskLevel:
    """The band of a score as it is shown, rounded to one decimal."""
    shown = round(clamp(score, 0.0, 100.0), 1)
    return next(RiskLevel(name) for name, low, high in RISK_LEVELS if low <= shown < high)


def _confidence(look: Look) -> Confidence:
    if look.day < 28 or not look.standing.due or look.item_days is None:  # noqa: PLR2004 - the definition's days
        return Confidence.LOW
    return Confidence.MEDIUM if look.day < 60 else Confidence.HIGH  # noqa: PLR2004 - likewise


def _say(assessed: Sequence[_Assessed], model: RiskModel, calibration: RiskCalibration | None) -> DropOffRisk:
    worst = assessed[0]
    look, risk = worst.look, worst.risk
    group = next(group for group in model.groups if group.level == risk.risk_level)
    raising = [
        factor.factor
        for factor in worst.factors
        if factor.status is FactorStatus.RAISES and (look.standing.scores or factor.factor is not Factor.SCORE)
    ]
    level = DataQualityLevel.LOW if risk.confidence is Confidence.LOW else DataQualityLevel.OK
    return DropOffRisk(
        risk_score=risk.risk_score,
        risk_level=risk.risk_level,
        interval=RiskInterval(
            low=100 * logistic(worst.logit + model.spread.low), high=100 * logistic(worst.logit + model.spread.high)
        ),
        drop_off_probability_30d=risk.withdraw_30d,
        confidence=risk.confidence,
        course_id=risk.course_id,
        course_title=risk.title,
        base=worst.base,
        logit=worst.logit,
        risk_factors=worst.factors,
        predictions=RiskPredictions(
            fail_or_withdraw=risk.risk_score / 100,
            withdraw_30d=risk.withdraw_30d,
            next_month=risk.withdraw_30d,
            calibration_group=CalibrationGroup(risk.risk_level, group.predicted, group.observed, group.cases),
        ),
        interventions=interventions(risk.risk_level, raising),
        scenarios=_scenarios(worst, model),
        by_course=tuple(a.risk for a in assessed),
        recalibration=None if calibration is None else RiskRecalibration(calibration.outcomes, calibration.shift),
        model_version=_version(model, calibration),
        quality=DataQuality(look.records, look.day, level),
    )


def _version(model: RiskModel, calibration: RiskCalibration | None) -> str:
    trained = f"{model.name} {model.version}, trained {model.trained_on.isoformat()}"
    return trained if calibration is None else f"{trained}, recalibrated on {calibration.outcomes} outcomes"


def _scenarios(assessed: _Assessed, model: RiskModel) -> tuple[RiskScenario, ...]:
    known = assessed.look.item_days is not None
    outcomes = what_if(assessed.values, model.fail_or_withdraw, activity_known=known)
    scores = [(outcome.change, 100 * outcome.probability) for outcome in outcomes]
    return tuple(RiskScenario(change, score, risk_level(score)) for change, score in scores)
