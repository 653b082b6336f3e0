"""Learner engagement (definition 3): how regularly, how much and how widely a learner works."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from analytics.arithmetic import TrendDirection, day_of, days_from, mean, percent_change, unique
from analytics.declare import (
    Change,
    DataQuality,
    DataQualityLevel,
    Days,
    Points,
    Role,
    Scope,
    Withheld,
    WithheldReason,
    metric,
)
from analytics.learner.courses import enrolled
from analytics.learner.weeks import Block, block_spans, blocks, overall, parts
from datasources.content import Interaction, Interactions
from datasources.course import ActiveDay, Activity, CourseProgress, Progress
from datasources.declare import MOST, Count, Id, Score, Share, Text

RECENT_WEEKS, EARLIER_WEEKS = 2, 4
NOTABLE = 10
"""Points by which recent weeks must differ from earlier ones to be called a trend."""
ENOUGH_DAYS = 21


class EngagementLevel(StrEnum):
    """The band of an engagement score."""

    DISENGAGED = "disengaged"
    """Below 20."""
    LOW = "low"
    """20 to 40."""
    MODERATE = "moderate"
    """40 to 60."""
    HIGH = "high"
    """60 and above."""


@dataclass(frozen=True, slots=True)
class EngagementFactors:
    """The three parts of the score, each weighed over the weeks as the score is."""

    regularity: Share
    """Active days, against five a week; half of the score."""
    intensity: Share
    """Actions on a logarithmic scale, against 150 a week; three tenths of the score."""
    breadth: Share | None
    """Distinct content items, against twenty a week; a fifth of the score. Null without the content service."""


@dataclass(frozen=True, slots=True)
class EngagementWeek:
    """One block of seven days."""

    last_day: date
    """The last day of the block."""
    score: Score
    """The score of the block alone."""
    active_days: Count
    """Days with at least one action."""
    actions: Count
    """Actions on these days."""
    items: Count | None
    """Distinct content items opened; null without the content service."""


@dataclass(frozen=True, slots=True)
class ActivityBreakdown:
    """What the actions were for, as shares that sum to 1 up to rounding; all 0 without any."""

    content: Share
    """Reading, watching, downloading."""
    forum: Share
    """Discussing."""
    quiz: Share
    """Practising and testing."""
    other: Share
    """Everything else."""


@dataclass(frozen=True, slots=True)
class EngagementTrend:
    """The last two weeks against the up to four before them."""

    direction: TrendDirection
    """Up or down beyond 10 points, else stable; insufficient data under three weeks."""
    change: Points | None
    """The difference of the mean weekly scores; null under three weeks."""
    percentage: Change | None
    """The same in percent of the earlier mean; null when that is 0 or unknown."""


@dataclass(frozen=True, slots=True)
class CourseAccess:
    """When a learner was last at work in one course."""

    course_id: Id
    """The course."""
    title: Text
    """Its title."""
    last_accessed: date | None
    """The last day on which something of it was opened; null when nothing was, or without the content service."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """How regularly, how much and how widely a learner has worked in the last eight weeks."""

    overall_score: Score
    """The mean of the weekly scores, recent weeks counting more."""
    level: EngagementLevel
    """The band of the score."""
    factors: EngagementFactors
    """What the score is made of."""
    weekly_engagement: tuple[EngagementWeek, ...]
    """The weeks since enrolment, eight at most, oldest first."""
    activity_breakdown: ActivityBreakdown
    """What the actions of these weeks were for."""
    trends: EngagementTrend
    """Which way the weekly score goes; a description, no forecast."""
    days_since_last_activity: Days | None
    """Days since the last action; null when there never was one."""
    by_course: tuple[CourseAccess, ...]
    """Every course begun and not left, by id."""
    quality: DataQuality
    """The active days in these weeks, and the days looked at: a day without action is an observation too."""


def level_of(score: float) -> EngagementLevel:
    """The band of a score as it is shown, rounded to one decimal: below 20, 40 and 60."""
    shown = round(score, 1)
    bands = ((20, EngagementLevel.DISENGAGED), (40, EngagementLevel.LOW), (60, EngagementLevel.MODERATE))
    return next((level for limit, level in bands if shown < limit), EngagementLevel.HIGH)


def looked_at_since(progress: Progress, at: datetime) -> date | None:
    """The first enrolment among courses that have not ended, or among all when all have; None without any."""
    courses = enrolled(progress, at)
    open_courses = [course for course in courses if at < course.end_date]
    return min((day_of(course.enrolled_at) for course in open_courses or courses), default=None)


def trend_of(newest_first: Sequence[float]) -> EngagementTrend:
    """The mean of the last two weekly scores minus the mean of the up to four before."""
    now = mean(newest_first[:RECENT_WEEKS])
    before = mean(newest_first[RECENT_WEEKS : RECENT_WEEKS + EARLIER_WEEKS])
    if now is None or before is None:
        return EngagementTrend(TrendDirection.INSUFFICIENT_DATA, None, None)
    change = now - before
    direction = TrendDirection.UP if change > 0 else TrendDirection.DOWN
    if abs(change) <= NOTABLE:
        direction = TrendDirection.STABLE
    return EngagementTrend(direction, change, percent_change(now, before))


def breakdown(days: Iterable[ActiveDay]) -> ActivityBreakdown:
    """The shares of all actions by what they were for; those of no named kind are other."""
    content = forum = quiz = other = 0
    for day in days:
        by = day.by_type
        content, forum, quiz, other = content + by.content, forum + by.forum, quiz + by.quiz, other + by.other
        other += max(0, day.actions - (by.content + by.forum + by.quiz + by.other))
    total = max(1, content + forum + quiz + other)
    return ActivityBreakdown(content / total, forum / total, quiz / total, other / total)


def last_access(courses: Iterable[CourseProgress], opened: Iterable[Interaction], today: date) -> list[CourseAccess]:
    """The last day something of each course was opened, as it is known today."""
    seen = [one for one in opened if one.actions > 0 and one.date <= today]
    return [
        CourseAccess(
            course_id=course.course_id,
            title=course.title,
            last_accessed=max((one.date for one in seen if one.course_id == course.course_id), default=None),
        )
        for course in courses
    ]


def week_of(block: Block) -> EngagementWeek:
    """One block as it is shown."""
    return EngagementWeek(
        last_day=block.last_day,
        score=parts(block).score,
        active_days=len(block.days),
        actions=min(block.actions, MOST),
        items=None if block.items is None else len(block.items),
    )


@metric(
    Scope.LEARNER,
    key="learner-engagement",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula=(
        "weekly E = 100 (0.5 min(1, activeDays/5) + 0.3 min(1, ln(1 + actions)/ln 151) + 0.2 min(1, items/20)); "
        "overallScore = sum E 2^(-age/2) / sum 2^(-age/2) over the last 8 weeks"
    ),
    evidence=(
        "OULAD, three presentations at four dates each: mean AUC .745 for passing; at day 90 of one of them 44 % of "
        "the disengaged passed, 78 % of the low, 89 % of the moderate, 84 % of the high (n = 888)"
    ),
    version=2,
    score=lambda value: value.overall_score,
    level=lambda value: value.level.name,
)
def engagement(
    activity: Activity, progress: Progress, interactions: Interactions | None, *, at: datetime
) -> Engagement | Withheld:
    """How regularly, how much and how widely a learner has worked in the last eight weeks.

    Counted since the first enrolment in a course that has not ended (in any, when all have). A learner without
    any action scores 0, and that is known. Adding an action never lowers the score. Quality is OK from
    21 days looked at.
    """
    since, today = looked_at_since(progress, at), day_of(at)
    if since is None:
        message = "There is no course, begun and not left, to be active in."
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, message, needed=1, certain=True)
    active = [d for d in unique(activity.days, lambda d: d.date) if d.actions > 0 and d.date <= today]
    opened = None if interactions is None else interactions.interactions
    weekly = blocks(active, opened, block_spans(since, today))
    weeks = [parts(each) for each in weekly]
    total = overall(weeks)
    used = [day for each in weekly for day in each.days]
    looked_at = sum(each.length for each in weekly)
    return Engagement(
        overall_score=total.score,
        level=level_of(total.score),
        factors=EngagementFactors(total.regularity, total.intensity, total.breadth),
        weekly_engagement=tuple(week_of(each) for each in reversed(weekly)),
        activity_breakdown=breakdown(used),
        trends=trend_of([week.score for week in weeks]),
        days_since_last_activity=days_from(max(day.date for day in active), today) if active else None,
        by_course=tuple(last_access(enrolled(progress, at), opened or (), today)),
        quality=DataQuality(
            len(used), looked_at, DataQualityLevel.OK if looked_at >= ENOUGH_DAYS else DataQualityLevel.LOW
        ),
    )
