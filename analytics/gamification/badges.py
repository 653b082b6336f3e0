"""The badges, one declaration each, and the milestones; what is measured for them, and how far it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

from analytics.gamification.earnings import Earning
from analytics.gamification.values import (
    Achievement,
    BadgeTier,
    EarnedBadge,
    EarningKind,
    Milestone,
    Milestones,
    NextMilestone,
    StreakRun,
)
from datasources.declare import MOST

EXCELLENT = 90


class Measure(Enum):
    """What a badge counts; none of them ever falls."""

    COURSES = auto()
    SKILLS = auto()
    ASSESSMENTS = auto()
    EXCELLENT_SCORES = auto()
    PRACTICE = auto()
    LONGEST_STREAK = auto()


@dataclass(frozen=True, slots=True)
class Badge:
    """One badge: what it counts, and how much of it each tier asks for, bronze first."""

    key: str
    name: str
    description: str
    measure: Measure
    tiers: tuple[int, int, int]


BADGES = (
    Badge("finisher", "Finisher", "Complete the counted work of 1, 3 or 10 courses.", Measure.COURSES, (1, 3, 10)),
    Badge("skilled", "Skilled", "Acquire 1, 5 or 20 skills.", Measure.SKILLS, (1, 5, 20)),
    Badge("assessed", "Assessed", "Have 1, 10 or 50 counted assessments marked.", Measure.ASSESSMENTS, (1, 10, 50)),
    Badge(
        "excellent",
        "Excellent",
        f"Reach {EXCELLENT} of 100 in 1, 5 or 20 counted assessments.",
        Measure.EXCELLENT_SCORES,
        (1, 5, 20),
    ),
    Badge("practised", "Practised", "Finish 5, 25 or 100 practice sessions.", Measure.PRACTICE, (5, 25, 100)),
    Badge("steady", "Steady", "Be active 3, 7 or 30 days in a row.", Measure.LONGEST_STREAK, (3, 7, 30)),
)

MILESTONES = (100, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000)
"""Totals of points worth a word."""

COUNTED = {
    EarningKind.COURSE: Measure.COURSES,
    EarningKind.SKILL: Measure.SKILLS,
    EarningKind.ASSESSMENT: Measure.ASSESSMENTS,
    EarningKind.PRACTICE: Measure.PRACTICE,
}

Steps = list[tuple[date, int]]
"""How something grew: days in order, and how much it was from then on."""


def measured(earnings: Sequence[Earning], runs: Iterable[StreakRun], days: Iterable[date]) -> dict[Measure, Steps]:
    """How each measure grew, from earnings and active days in order."""
    grown: dict[Measure, Steps] = {measure: [] for measure in Measure}
    so_far: Counter[tuple[EarningKind, str]] = Counter()
    for one in earnings:
        name, before = (one.kind, one.id), so_far[one.kind, one.id]
        if name not in so_far and one.kind in COUNTED:
            _add(grown[COUNTED[one.kind]], one.on)
        so_far[name] = before + one.points
        if one.kind is EarningKind.ASSESSMENT and before < EXCELLENT <= so_far[name]:
            _add(grown[Measure.EXCELLENT_SCORES], one.on)
    grown[Measure.LONGEST_STREAK] = _longest(runs, days)
    return grown


def _add(steps: Steps, on: date) -> None:
    steps.append((on, (steps[-1][1] if steps else 0) + 1))


def _longest(runs: Iterable[StreakRun], days: Iterable[date]) -> Steps:
    firsts = {run.first_day for run in runs}
    steps: Steps = []
    row = longest = 0
    for day in days:
        row = 1 if day in firsts else row + 1
        if row > longest:
            longest = row
            steps.append((day, longest))
    return steps


def reached_on(steps: Steps, target: int) -> date | None:
    """The day on which something was as much as `target` first."""
    return next((on for on, value in steps if value >= target), None)


def earned(grown: dict[Measure, Steps]) -> tuple[EarnedBadge, ...]:
    """The highest reached tier of each badge, in the order of the declarations."""
    found = []
    for badge in BADGES:
        tiers = [
            EarnedBadge(badge.key, badge.name, badge.description, tier, target, on)
            for tier, target in zip(BadgeTier, badge.tiers, strict=True)
            if (on := reached_on(grown[badge.measure], target)) is not None
        ]
        found += tiers[-1:]
    return tuple(found)


def achievements(grown: dict[Measure, Steps]) -> tuple[Achievement, ...]:
    """The way to the next tier of each badge, in the order of the declarations."""
    return tuple(_way(badge, grown[badge.measure][-1][1] if grown[badge.measure] else 0) for badge in BADGES)


def _way(badge: Badge, current: int) -> Achievement:
    tiers = list(zip(BadgeTier, badge.tiers, strict=True))
    tier, target = next(((tier, target) for tier, target in tiers if target > current), tiers[-1])
    return Achievement(badge.key, badge.name, tier, min(1.0, current / target), target, min(current, MOST))


def milestones(earnings: Sequence[Earning]) -> Milestones:
    """The totals reached by earnings in order, and the one that is next."""
    steps: Steps = []
    total = 0
    for one in earnings:
        total += one.points
        steps.append((one.on, total))
    dated = [(points, reached_on(steps, points)) for points in MILESTONES]
    following = next((points for points, on in dated if on is None), None)
    return Milestones(
        reached=tuple(Milestone(points, on) for points, on in reversed(dated) if on is not None),
        next=None if following is None else NextMilestone(following, following - total),
    )
