"""The risk of not passing: a trained model, told factor by factor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from analytics.arithmetic import LONGEST, clamp, day_of
from analytics.course import CoursePulse
from analytics.coursework import Work, coursework
from analytics.declare import DataQuality, DataQualityLevel, Family, Role, Scope, Withheld, WithheldReason, metric
from analytics.item_days import item_days
from analytics.learner.courses import enrolled, runs
from analytics.models.features import Due, Factor, Standing, activity, features
from analytics.models.risk import RISK_LEVELS, RiskModel, risk_model
from analytics.prediction.interventions import RiskLevel, interventions
from analytics.prediction.values import (
    CalibrationGroup,
    Confidence,
    CourseRisk,
    DropOffRisk,
    FactorStatus,
    RiskFactor,
    RiskPredictions,
)
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import CourseProgress, Progress

WINDOW = timedelta(days=30)
DAY = timedelta(days=1)

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
    formula="100 / (1 + e^-logit); logit = base + sum of weight x (value - reference)",
    evidence="OULAD, each presentation predicted from the 14 others: AUC .77, .82, .86, .89 on day 34, 64, 94, 124.",
    score=lambda value: value.risk_score,
    level=lambda value: value.risk_level.name,
)
def drop_off_risk(  # noqa: PLR0913 - one parameter for each fact it stands on
    progress: Progress,
    scores: Scores,
    assessments: Assessments,
    interactions: Interactions | None,
    pulses: tuple[CoursePulse, ...] | None,
    *,
    at: datetime,
) -> DropOffRisk | Withheld:
    """How likely a learner is not to pass, why, and what could be done; in the course where that is likeliest.

    A logistic model of eight behaviours, trained on real learners. Who the learner is (age, sex, region,
    education) is not looked at. A prediction is not a verdict, and its factors are not shown to be causes.
    """
    running = [course for course in enrolled(progress, at) if runs(course, at)]
    if not running:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "No course of this learner is running now.", needed=1)
    model = risk_model()
    usual = {pulse.course: pulse.item_days for pulse in pulses or ()}
    looks = [
        _look(
            course,
            coursework(assessments.assessments, scores.scores, course=course.course_id, at=at),
            _recent(interactions, course.course_id, day_of(at)),
            usual.get(course.course_id, model.usual.of(course.course_id)),
            at,
        )
        for course in running
    ]
    assessed = sorted((_assess(look, model) for look in looks), key=lambda a: (-a.logit, a.look.course.course_id))
    return _say(assessed, model)


@dataclass(frozen=True, slots=True)
class _Look:
    """One course as the model sees it; `item_days` is None when the activity is not known."""

    course: CourseProgress
    day: int
    due: int
    scored: bool
    item_days: int | None
    values: Mapping[Factor, float]


@dataclass(frozen=True, slots=True)
class _Assessed:
    """One course, what the models say of it, and why."""

    look: _Look
    base: float
    logit: float
    factors: tuple[RiskFactor, ...]
    risk: CourseRisk


def _recent(interactions: Interactions | None, course: str, today: date) -> int | None:
    """Item-days of the last 30 days."""
    return None if interactions is None else len(item_days(interactions, course, after=today - WINDOW, until=today))


def _look(course: CourseProgress, work: Sequence[Work], recent: int | None, usual: float, at: datetime) -> _Look:
    due = [
        Due(piece.due_at.timestamp(), None if piece.handed_in is None else piece.handed_in.timestamp())
        for piece in work
        if piece.due_at is not None and piece.due(at)
    ]
    standing = Standing(
        activity=0.0 if recent is None else activity(recent, usual),
        due=due,
        scores=[piece.score for piece in work if piece.score is not None],
        repeats=course.previous_attempts,
        credits=course.credits,
        elapsed=(at - course.start_date) / (course.end_date - course.start_date),
    )
    return _Look(
        course=course,
        day=min((at - course.start_date) // DAY, LONGEST),
        due=len(due),
        scored=bool(standing.scores),
        item_days=recent,
        values=features(standing),
    )


def _assess(look: _Look, model: RiskModel) -> _Assessed:
    """An activity that is not known stands at the reference, where it adds nothing."""
    unknown = {Factor.ACTIVITY: model.reference[Factor.ACTIVITY]} if look.item_days is None else {}
    values = {**look.values, **unknown}
    logit = model.fail_or_withdraw.logit(values)
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
    ordered = tuple(sorted(factors, key=lambda factor: (-factor.contribution, factor.factor)))
    return _Assessed(look, model.fail_or_withdraw.logit(model.reference), logit, ordered, risk)


def _factor(factor: Factor, value: float, model: RiskModel, *, known: bool) -> RiskFactor:
    weight, reference = model.fail_or_withdraw.weights[factor], model.reference[factor]
    contribution = weight * (value - reference)
    status = FactorStatus.NEUTRAL
    if contribution:
        status = FactorStatus.RAISES if contribution > 0 else FactorStatus.LOWERS
    return RiskFactor(
        factor=factor,
        value=value if known else None,
        reference=reference,
        weight=weight,
        contribution=contribution,
        status=status,
        description=DESCRIPTIONS[factor],
    )


def risk_level(score: float) -> RiskLevel:
    """The band of a score as it is shown, rounded to one decimal."""
    shown = round(clamp(score, 0.0, 100.0), 1)
    return next(RiskLevel(name) for name, low, high in RISK_LEVELS if low <= shown < high)


def _confidence(look: _Look) -> Confidence:
    if look.day < 28 or not look.due or look.item_days is None:  # noqa: PLR2004 - the definition's days
        return Confidence.LOW
    return Confidence.MEDIUM if look.day < 60 else Confidence.HIGH  # noqa: PLR2004 - likewise


def _say(assessed: Sequence[_Assessed], model: RiskModel) -> DropOffRisk:
    worst = assessed[0]
    look, risk = worst.look, worst.risk
    group = next(group for group in model.groups if group.level == risk.risk_level)
    raising = [
        factor.factor
        for factor in worst.factors
        if factor.status is FactorStatus.RAISES and (look.scored or factor.factor is not Factor.SCORE)
    ]
    level = DataQualityLevel.LOW if risk.confidence is Confidence.LOW else DataQualityLevel.OK
    return DropOffRisk(
        risk_score=risk.risk_score,
        risk_level=risk.risk_level,
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
            calibration_group=CalibrationGroup(risk.risk_level, group.observed, group.cases),
        ),
        interventions=interventions(risk.risk_level, raising),
        by_course=tuple(a.risk for a in assessed),
        model_version=f"{model.name} {model.version}, trained {model.trained_on.isoformat()}",
        quality=DataQuality(look.due + (look.item_days or 0), look.day, level),
    )
