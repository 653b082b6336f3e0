"""What stands out in a running course, and what could be done about it: by rule, never by taste."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby, pairwise

from analytics.declare import Points
from analytics.standings.values import CourseAssessment
from analytics.trainer.rates import FEWEST
from datasources.declare import Id, Share, Text

NOTABLE_DROP, STEEP_DROP = 10, 25
"""Points of submission rate, below what was due before, from which an assessment is a bottleneck; a steep one."""
SETTLED = timedelta(days=7)
"""How long after its due date an assessment is judged: until then late work, and word of work in time, still comes."""


class TrainerIssueType(StrEnum):
    """What stands out."""

    LOW_RETENTION = "low-retention"
    """Many have left: fewer than 80 % of those enrolled are still there; high below 60 %."""
    HIGH_RISK = "high-risk"
    """Those present are likely not to pass: the mean risk is above 40 %; high above 60 %."""
    INACTIVE_LEARNERS = "inactive-learners"
    """Fewer than 70 % of those present did anything in the last 30 days; high below 50 %."""
    MISSING_WORK = "missing-work"
    """Less than 70 % of the due work was handed in; high below 50 %."""
    BOTTLENECK = "bottleneck"
    """An assessment, a week after it was due, has over 10 points less than what was due before; high over 25."""


class TrainerSeverity(StrEnum):
    """How far something stands out."""

    MEDIUM = "medium"
    """Worth watching."""
    HIGH = "high"
    """Worth acting on now."""


@dataclass(frozen=True, slots=True)
class TrainerIssue:
    """One thing that stands out in a course."""

    type: TrainerIssueType
    """What it is."""
    severity: TrainerSeverity
    """How far."""
    description: Text
    """The same with its number."""


@dataclass(frozen=True, slots=True)
class TrainerRecommendation:
    """One thing that could be done."""

    action: Text
    """What to do."""
    priority: TrainerSeverity
    """That of the issue it answers."""


@dataclass(frozen=True, slots=True)
class TrainerBottleneck:
    """An assessment that clearly fewer handed in than what was due before."""

    course_id: Id
    """The course."""
    assessment_id: Id
    """The assessment."""
    title: Text
    """Its title."""
    submission_rate: Share
    """Handed in, of the learners it was due from."""
    drop: Points
    """By how many points that is below what was due before, more than 10."""


ACTIONS: dict[TrainerIssueType, str] = {
    TrainerIssueType.LOW_RETENTION: "Ask those who left for their reasons, and write to those who fall silent.",
    TrainerIssueType.HIGH_RISK: "Look at the learners at risk, the highest risk first, and offer each a talk.",
    TrainerIssueType.INACTIVE_LEARNERS: "Write to those who did nothing for 30 days.",
    TrainerIssueType.MISSING_WORK: "Remind of the open work, and say until when it is still taken.",
    TrainerIssueType.BOTTLENECK: "Look at the task, its date and its length; something about it keeps learners away.",
}
"""What each issue is answered with."""


def bottlenecks(course: str, assessments: Iterable[CourseAssessment], at: datetime) -> tuple[TrainerBottleneck, ...]:
    """The assessments with a submission rate more than 10 points below the one due before, the lowest rate first.

    Only assessments that were due from ten learners or more, a week ago or earlier, are compared. Those due at one
    time are each compared with what was due before, taken together.
    """
    known = [one for one in assessments if one.expected >= FEWEST and one.due + SETTLED <= at]
    known.sort(key=lambda one: (one.due, one.assessment))
    due = [tuple(together) for _, together in groupby(known, key=lambda one: one.due)]
    rates = [(one, _rate((one,)), _rate(before)) for before, now in pairwise(due) for one in now]
    # Rounded, so that ten points of a share are ten and not a hair more.
    drops = [(one, now, round(100 * (before - now), 9)) for one, now, before in rates]
    found = [
        TrainerBottleneck(course, one.assessment, one.title, now, drop)
        for one, now, drop in drops
        if drop > NOTABLE_DROP
    ]
    return tuple(sorted(found, key=lambda one: (one.submission_rate, one.assessment_id)))


def _rate(assessments: Iterable[CourseAssessment]) -> float:
    """Handed in, of what was due: of one assessment or more."""
    counts = [(one.handed_in, one.expected) for one in assessments]
    return min(1.0, sum(handed_in for handed_in, _ in counts) / sum(expected for _, expected in counts))


def below(kind: TrainerIssueType, share: float | None, watch: float, act: float, says: str) -> Iterable[TrainerIssue]:
    """The issue of a share that is below what is usual; `says` has a place for it in percent."""
    if share is not None and share < watch:
        severity = TrainerSeverity.HIGH if share < act else TrainerSeverity.MEDIUM
        yield TrainerIssue(kind, severity, says.format(100 * share))


def issues(
    *,
    retention: float | None,
    mean_risk: float | None,
    active_share: float | None,
    submission_rate: float | None,
    found: Iterable[TrainerBottleneck],
) -> tuple[TrainerIssue, ...]:
    """What stands out in a course, the most severe first."""
    safe = None if mean_risk is None else 1 - mean_risk
    every = [
        *below(TrainerIssueType.LOW_RETENTION, retention, 0.8, 0.6, "{:.0f} % of those enrolled are still there."),
        *below(TrainerIssueType.HIGH_RISK, safe, 0.6, 0.4, "{:.0f} % of those present are expected to pass."),
        *below(
            TrainerIssueType.INACTIVE_LEARNERS, active_share, 0.7, 0.5, "{:.0f} % did anything in the last 30 days."
        ),
        *below(TrainerIssueType.MISSING_WORK, submission_rate, 0.7, 0.5, "{:.0f} % of the due work was handed in."),
        *(_of_bottleneck(one) for one in found),
    ]
    return tuple(sorted(every, key=lambda issue: issue.severity is not TrainerSeverity.HIGH))


def _of_bottleneck(one: TrainerBottleneck) -> TrainerIssue:
    severity = TrainerSeverity.HIGH if one.drop > STEEP_DROP else TrainerSeverity.MEDIUM
    says = f"{one.title[:200]}: {100 * one.submission_rate:.0f} % handed in, {one.drop:.0f} points fewer than before."
    return TrainerIssue(TrainerIssueType.BOTTLENECK, severity, says)


def recommendations(found: Iterable[TrainerIssue]) -> tuple[TrainerRecommendation, ...]:
    """The answer to each kind of issue, once, at the highest severity it has; the order is that of the issues."""
    worst: dict[TrainerIssueType, TrainerSeverity] = {}
    for issue in found:
        worst.setdefault(issue.type, issue.severity)
    return tuple(TrainerRecommendation(ACTIONS[kind], severity) for kind, severity in worst.items())
