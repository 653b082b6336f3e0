"""Trainer teaching effectiveness (definition 10): what finished courses added beyond their intake. Never a rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import quantile, unique, weighted_mean
from analytics.declare import DataQuality, DataQualityLevel, Points, Role, Scope, Withheld, WithheldReason, metric
from analytics.models.intake import intake_model
from analytics.standings.values import CourseIntake, CourseStandings, Elapsed
from analytics.trainer.rates import FEWEST, active_share, begun, mean_of, over_courses, quality_of, retention
from analytics.trainer.runs import FEWEST_RESULTS, TrainerOwnHistory, TrainerPointsInterval, gain, own_history
from datasources.declare import Count, Id, Score, Share, Text

CAVEAT = (
    "Most of what differs between courses comes from the course and its learners: trainers explain about 1 to 14 % of "
    "it (American Statistical Association, 2014), and the same course differs from its intake in the same way year "
    "after year. This is no measure of a person: compare a course only with its own earlier runs, with its interval, "
    "and never rank by it."
)


@dataclass(frozen=True, slots=True)
class TrainerValueAdded:
    """One finished course beside what its intake let expect; null under 30 results."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    results: Count
    """Enrolments whose outcome is known; who left did not pass."""
    observed: Share | None
    """The share of them that passed."""
    expected: Share | None
    """The share expected from prior education, earlier attempts and credits alone."""
    raw: Points | None
    """Observed less expected."""
    value_added: Points | None
    """The same, shrunk towards 0 the more chance is in it."""
    interval: TrainerPointsInterval | None
    """Where the true value lies with 95 % confidence."""
    vs_own_history: TrainerOwnHistory | None
    """Beside earlier runs of the same course that this trainer also taught; null without one of 30 results or more."""


@dataclass(frozen=True, slots=True)
class TrainerFeedback:
    """How long learners waited for marks in one course."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    feedback_days: Elapsed | None
    """The median days from handing in to the mark; null under ten marks, and where the service does not tell."""
    marked: Count
    """How many marks have a date of their own."""


@dataclass(frozen=True, slots=True)
class TrainerEffectivenessMetrics:
    """What is so in the trainer's courses, whatever the reason."""

    learning_outcomes: Score | None
    """The credit-weighted mean attainment of those present, over courses of ten or more."""
    engagement_rate: Share | None
    """The share of those present in running courses who did anything in the last 30 days, credit-weighted."""
    retention_rate: Share | None
    """The share of everyone who ever enrolled that has not left, credit-weighted."""


@dataclass(frozen=True, slots=True)
class TrainerTeachingEffectiveness:
    """What a trainer's finished courses added beyond their intake, with its uncertainty; never a rank."""

    overall_effectiveness: Points | None
    """The mean value added over courses with 30 results or more, each weighing its results; null without one."""
    caveat: Text
    """How this may be read; it belongs beside every number of it."""
    courses: tuple[TrainerValueAdded, ...]
    """The finished courses, by start."""
    metrics: TrainerEffectivenessMetrics
    """What is so in the courses, whatever the reason."""
    feedback: tuple[TrainerFeedback, ...]
    """The wait for marks, course by course."""
    feedback_days: Elapsed | None
    """The median over the courses of their median waits; null where no course has one."""
    strengths: tuple[Text, ...]
    """Courses that passed more than expected, beyond chance: the interval lies above 0."""
    areas_for_improvement: tuple[Text, ...]
    """Courses that passed fewer than expected, beyond chance: the interval lies below 0."""
    model_version: Text
    """Which model expects, and when it was trained."""
    quality: DataQuality
    """One observation for each enrolment, since the first course began; low without a course of 30 results."""


@metric(
    Scope.TRAINER,
    key="trainer-teaching-effectiveness",
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="valueAdded = (observed - expected pass rate) x tau^2 / (tau^2 + se^2); expected from prior education, "
    "earlier attempts and credits",
    evidence="OULAD: what a course adds over its intake correlates .98 between two years of the same six courses, so "
    "it is mostly the course; intake alone orders learners of an unseen run with AUC .61. ASA statement (2014)",
)
def teaching_effectiveness(
    intakes: tuple[CourseIntake, ...], standings: tuple[CourseStandings, ...], *, at: datetime
) -> TrainerTeachingEffectiveness | Withheld:
    """How many more or fewer points of a finished course passed than its intake let expect, shrunk, with its interval.

    Only of courses with 30 results or more. It is mostly about the course, not the trainer: read the caveat, compare
    a course with its own earlier runs, and never rank by it. Runs are of the same course when their titles are equal
    once what names the run is left out.
    """
    courses = begun(standings, at)
    if not courses:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "No course of this trainer has begun.", needed=1)
    over = unique((run for run in intakes if run.ends <= at), lambda run: run.course)
    runs = sorted(over, key=lambda run: (run.starts, run.course))
    model = intake_model()
    shown = [value_added(run, runs, model.between) for run in runs]
    waits = [_feedback(course) for course in courses]
    basis = quality_of(courses, at)
    told = any(one.value_added is not None for one in shown)
    return TrainerTeachingEffectiveness(
        overall_effectiveness=weighted_mean((one.value_added, one.results) for one in shown),
        caveat=CAVEAT,
        courses=tuple(shown),
        metrics=TrainerEffectivenessMetrics(
            learning_outcomes=over_courses((one, mean_of(row.attainment for row in one.learners)) for one in courses),
            engagement_rate=over_courses((one, active_share(one)) for one in courses if not one.over(at)),
            retention_rate=over_courses((one, retention(one)) for one in courses),
        ),
        feedback=tuple(waits),
        feedback_days=quantile([one.feedback_days for one in waits if one.feedback_days is not None], 0.5),
        strengths=_beyond_chance(shown, more=True),
        areas_for_improvement=_beyond_chance(shown, more=False),
        model_version=f"{model.name} {model.version}, trained {model.trained_on.isoformat()}",
        quality=basis if told else DataQuality(basis.observations, basis.coverage_days, _at_most_low(basis.level)),
    )


def value_added(run: CourseIntake, runs: Sequence[CourseIntake], between: float) -> TrainerValueAdded:
    """One finished course; `between` is tau^2, the variance of true differences between courses."""
    enough = run.learners >= FEWEST_RESULTS
    found = gain(run, between) if enough else None
    return TrainerValueAdded(
        course_id=run.course,
        title=run.title,
        results=run.learners,
        observed=run.observed if enough else None,
        expected=run.expected if enough else None,
        raw=None if found is None else found.raw,
        value_added=None if found is None else found.shrunk,
        interval=None if found is None else found.interval,
        vs_own_history=own_history(run, runs, between),
    )


def _feedback(course: CourseStandings) -> TrainerFeedback:
    enough = course.marked >= FEWEST
    return TrainerFeedback(course.course, course.title, course.feedback_days if enough else None, course.marked)


def _beyond_chance(courses: Sequence[TrainerValueAdded], *, more: bool) -> tuple[str, ...]:
    """The courses whose interval leaves out 0, on one side of it, in the order of their start."""
    which = "more" if more else "fewer"
    return tuple(
        f"{one.title[:200]}: {abs(one.value_added or 0.0):.1f} points {which} passed than expected."
        for one in courses
        if one.interval is not None and (one.interval.low > 0 if more else one.interval.high < 0)
    )


def _at_most_low(level: DataQualityLevel) -> DataQualityLevel:
    return DataQualityLevel.LOW if level is DataQualityLevel.OK else level
