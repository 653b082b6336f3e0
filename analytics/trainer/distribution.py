"""Trainer student distribution (definition 9): how a trainer's learners are spread, and who is at risk."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from analytics.arithmetic import mean, quantile
from analytics.declare import DataQuality, Role, Scope, Withheld, WithheldReason, metric
from analytics.learner.attainment import PerformanceBand
from analytics.learner.pace import PaceStatus
from analytics.learner.participation import EngagementLevel
from analytics.prediction.interventions import AT_RISK, RiskLevel
from analytics.standings.values import CourseLearner, CourseStandings
from analytics.trainer.rates import FEWEST, at_risk, begun, quality_of
from datasources.declare import Count, Id, Score, Share, Text

UNKNOWN = "UNKNOWN"
MASTERED, DEVELOPING = 85, 60
"""The mastery, in points, from which the skills of a learner count as mastered; as developing."""
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class TrainerBin:
    """One bar of a histogram."""

    bin: Text
    """What these learners have in common; UNKNOWN for those of whom it is not known."""
    learners: Count
    """How many they are."""
    share: Share | None
    """The same as a share of all; null under ten learners in all."""


@dataclass(frozen=True, slots=True)
class TrainerQuartiles:
    """Where the known numbers of ten learners or more lie, by linear interpolation."""

    p25: Score
    """A quarter of them lies below."""
    p50: Score
    """Half of them lies below."""
    p75: Score
    """Three quarters of them lie below."""
    p90: Score
    """Nine tenths of them lie below."""
    known: Count
    """Of how many learners."""


@dataclass(frozen=True, slots=True)
class TrainerCourseSegment:
    """The learners of one course: counts always, means only of ten known ones or more."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    learners: Count
    """Who is in it; a learner of two courses counts in both."""
    at_risk: Count | None
    """Those of them at a high or critical risk in it; null while the risk of more than a tenth is not known."""
    mean_risk: Score | None
    """The mean risk of not passing; null where fewer than ten are known."""
    median_engagement: Score | None
    """The median engagement; null likewise."""
    median_attainment: Score | None
    """The median attainment; null likewise."""


@dataclass(frozen=True, slots=True)
class TrainerDistribution:
    """The same learners, spread seven ways; each histogram sums to all of them."""

    by_course: tuple[TrainerCourseSegment, ...]
    """Course by course, by start."""
    by_risk: tuple[TrainerBin, ...]
    """By the level of their risk of not passing."""
    by_engagement: tuple[TrainerBin, ...]
    """By the level of their engagement."""
    by_progress: tuple[TrainerBin, ...]
    """By the percent of the course's work that is done."""
    by_pace: tuple[TrainerBin, ...]
    """By where they stand against the plan."""
    by_attainment: tuple[TrainerBin, ...]
    """By the band of their attainment."""
    by_skill_level: tuple[TrainerBin, ...]
    """By the mastery of the skills required of them: mastered from 85 points, developing from 60, else novice."""


@dataclass(frozen=True, slots=True)
class TrainerAtRisk:
    """One learner at a high or critical risk, in the course where it is highest."""

    learner_id: Id
    """The learner."""
    course_id: Id
    """The course."""
    risk_score: Score
    """The risk of not passing it."""
    risk_level: RiskLevel
    """Its band."""


@dataclass(frozen=True, slots=True)
class TrainerStudentDistribution:
    """How a trainer's learners are spread, each counted once, in the course where their risk is highest."""

    total_students: Count
    """The learners: of the courses that run now, else of the course that ended last."""
    at_risk_students: Count | None
    """Those at a high or critical risk, 50 and above; null while the risk of more than a tenth is not known."""
    at_risk: tuple[TrainerAtRisk, ...]
    """Who they are as far as it is known, the highest risk first; only ever learners of the trainer's own courses."""
    distribution: TrainerDistribution
    """The histograms."""
    score_histogram: tuple[TrainerBin, ...]
    """The average scores over marked work, in ten bins of ten points."""
    attempts: tuple[TrainerBin, ...]
    """How often they took the course before."""
    box_plot: TrainerQuartiles | None
    """The average scores; null where fewer than ten are known."""
    risk_quartiles: TrainerQuartiles | None
    """The risk scores; null where fewer than ten are known."""
    engagement_quartiles: TrainerQuartiles | None
    """The engagement scores; null where fewer than ten are known."""
    quality: DataQuality
    """One observation for each enrolment, since the first of these courses began."""


@metric(
    Scope.TRAINER,
    key="trainer-student-distribution",
    roles={Role.TRAINER, Role.ORG_ADMIN},
    formula="counts of learners by band, with a bin for what is not known; quartiles by linear interpolation; "
    "at risk = high + critical",
    evidence="The bands are those of the metrics they come from.",
)
def student_distribution(
    standings: tuple[CourseStandings, ...], *, at: datetime
) -> TrainerStudentDistribution | Withheld:
    """How the learners present in a trainer's running courses are spread, and who of them is at risk.

    Where no course runs, those who stayed in the course that ended last. A learner of several courses counts once,
    in the one where the risk is highest. Every histogram sums to the learners, in counts. Shares, means and
    quartiles are only given of ten learners or more.
    """
    courses = _in_question(begun(standings, at), at)
    if not courses:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "No course of this trainer has begun.", needed=1)
    rows = _once(courses)
    learners = [one for _, one in rows]
    return TrainerStudentDistribution(
        total_students=len(rows),
        at_risk_students=at_risk(learners),
        at_risk=_named(rows),
        distribution=TrainerDistribution(
            by_course=tuple(_segment(course) for course in courses),
            by_risk=by_enum(RiskLevel, [one.risk_level for one in learners]),
            by_engagement=by_enum(EngagementLevel, [one.engagement_level for one in learners]),
            by_progress=by_steps([None if one.progress is None else 100 * one.progress for one in learners], 25),
            by_pace=by_enum(PaceStatus, [one.pace_status for one in learners]),
            by_attainment=by_enum(PerformanceBand, [one.band for one in learners]),
            by_skill_level=_bins(("NOVICE", "DEVELOPING", "MASTERED"), [_skill_level(one.mastery) for one in learners]),
        ),
        score_histogram=by_steps([one.average_score for one in learners], 10),
        attempts=_bins(("0", "1", "2", "3+"), [_attempts(one.previous_attempts) for one in learners]),
        box_plot=quartiles(one.average_score for one in learners),
        risk_quartiles=quartiles(one.risk for one in learners),
        engagement_quartiles=quartiles(one.engagement for one in learners),
        quality=quality_of(courses, at),
    )


def _in_question(courses: Sequence[CourseStandings], at: datetime) -> list[CourseStandings]:
    """The courses that run now, else the one that ended last."""
    running = [course for course in courses if not course.over(at)]
    return running or sorted(courses, key=lambda course: (course.ends, course.course))[-1:]


def _once(courses: Iterable[CourseStandings]) -> list[tuple[str, CourseLearner]]:
    """Each learner once, with the course where the risk is highest; by id."""
    rows: dict[str, tuple[str, CourseLearner]] = {}
    for course in courses:
        for one in course.learners:
            _, other = rows.get(one.learner, ("", None))
            if other is None or _risk(one) > _risk(other):
                rows[one.learner] = (course.course, one)
    return [row for _, row in sorted(rows.items())]


def _risk(one: CourseLearner) -> float:
    return -1.0 if one.risk is None else one.risk


def _named(rows: Iterable[tuple[str, CourseLearner]]) -> tuple[TrainerAtRisk, ...]:
    named = [
        TrainerAtRisk(one.learner, course, one.risk, one.risk_level)
        for course, one in rows
        if one.risk is not None and one.risk_level in AT_RISK and one.risk_level is not None
    ]
    return tuple(sorted(named, key=lambda one: (-one.risk_score, one.learner_id)))


def by_enum(levels: type[Enum], values: Sequence[Enum | None]) -> tuple[TrainerBin, ...]:
    """One bin for each level, and one for those of whom it is not known."""
    return _bins([level.name for level in levels], [None if value is None else value.name for value in values])


def by_steps(values: Sequence[float | None], step: int) -> tuple[TrainerBin, ...]:
    """Bins of so many points from 0 to 100, and one for what is not known; a bin holds its lower end, the last both."""
    names = [f"{low}-{low + step}" for low in range(0, 100, step)]
    return _bins(names, [None if v is None else names[min(int(v // step), len(names) - 1)] for v in values])


def _bins(names: Sequence[str], values: Sequence[str | None]) -> tuple[TrainerBin, ...]:
    enough = len(values) >= FEWEST
    counts = [(name, sum(value == name for value in values)) for name in names]
    counts.append((UNKNOWN, values.count(None)))
    return tuple(TrainerBin(name, count, count / len(values) if enough else None) for name, count in counts)


def _skill_level(mastery: float | None) -> str | None:
    if mastery is None:
        return None
    if mastery >= MASTERED:
        return "MASTERED"
    return "DEVELOPING" if mastery >= DEVELOPING else "NOVICE"


def _attempts(previous: int | None) -> str | None:
    if previous is None:
        return None
    return str(previous) if previous < MOST_ATTEMPTS else f"{MOST_ATTEMPTS}+"


def quartiles(values: Iterable[float | None]) -> TrainerQuartiles | None:
    """The quartiles of what is known of ten learners or more."""
    known = [value for value in values if value is not None]
    if len(known) < FEWEST:
        return None
    p25, p50, p75, p90 = (quantile(known, share) or 0.0 for share in (0.25, 0.5, 0.75, 0.9))
    return TrainerQuartiles(p25, p50, p75, p90, len(known))


def _segment(course: CourseStandings) -> TrainerCourseSegment:
    def known(number: Callable[[CourseLearner], float | None]) -> list[float]:
        """The known numbers, where they are of ten learners or more."""
        found = [value for one in course.learners if (value := number(one)) is not None]
        return found if len(found) >= FEWEST else []

    return TrainerCourseSegment(
        course_id=course.course,
        title=course.title,
        learners=len(course.learners),
        at_risk=at_risk(course.learners),
        mean_risk=mean(known(lambda one: one.risk)),
        median_engagement=quantile(known(lambda one: one.engagement), 0.5),
        median_attainment=quantile(known(lambda one: one.attainment), 0.5),
    )
