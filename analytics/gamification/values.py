"""What gamification says, and how."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le

from analytics.declare import DataQuality, Days
from datasources.declare import MOST, Count, Id, Share, Text, Unit

Earned = Annotated[int, Ge(0), Le(MOST), Unit("points")]
Level = Annotated[int, Ge(1), Le(10_000), Unit("level")]
MeanDays = Annotated[float, Ge(0), Le(100_000), Unit("days", digits=1)]


class EarningKind(StrEnum):
    """What points are earned by."""

    COURSE = "course"
    """A course with all its counted work done: 100."""
    SKILL = "skill"
    """A skill acquired: 50."""
    ASSESSMENT = "assessment"
    """A counted assessment: its best score of 100; a better attempt earns the difference."""
    PRACTICE = "practice"
    """A practice session brought to its end: 10."""
    STREAK = "streak"
    """An active day, which is a day of a streak: 10."""


class BadgeTier(StrEnum):
    """How far a badge goes."""

    BRONZE = "bronze"
    """The first step."""
    SILVER = "silver"
    """The second step."""
    GOLD = "gold"
    """The last step."""


@dataclass(frozen=True, slots=True)
class PointsByWindow:
    """Points by when they were earned."""

    week: Earned
    """Earned on the last 7 days of the learner's calendar, today included."""
    month: Earned
    """Earned on the last 30 days of the learner's calendar, today included."""
    all_time: Earned
    """Earned ever."""


@dataclass(frozen=True, slots=True)
class PointsByKind:
    """Points by what they were earned by."""

    kind: EarningKind
    """What they were earned by."""
    events: Count
    """How often."""
    points: Earned
    """The points of all of these together."""


@dataclass(frozen=True, slots=True)
class EarnedBadge:
    """The highest tier of one badge that is reached."""

    key: Id
    """The badge's stable key."""
    name: Text
    """The badge's name."""
    description: Text
    """What it is given for."""
    tier: BadgeTier
    """The highest tier reached."""
    threshold: Count
    """What that tier asks for."""
    earned_on: date
    """The learner's day on which that tier was reached."""


@dataclass(frozen=True, slots=True)
class Achievement:
    """The way to the next tier of one badge."""

    key: Id
    """The badge's stable key."""
    name: Text
    """The badge's name."""
    tier: BadgeTier
    """The tier that is next; the last one where all are reached."""
    progress: Share
    """current / target, at most 1."""
    target: Count
    """What that tier asks for."""
    current: Count
    """What is there now."""


@dataclass(frozen=True, slots=True)
class StreakRun:
    """Active days in a row."""

    first_day: date
    """The first of them, on the learner's calendar."""
    last_day: date
    """The last of them."""
    days: Days
    """How many they are."""


@dataclass(frozen=True, slots=True)
class Streaks:
    """Active days in a row, on the learner's own calendar.

    A day is active with an action, a login, a hand-in or a practice session on it. Actions are told by the day
    alone and taken as they are told; all else is put on the day it was where the learner lives.
    """

    current: Days
    """Days in a row up to today, or up to yesterday while today is not active yet; 0 where the row is broken."""
    longest: Days
    """The longest row ever."""
    average: MeanDays | None
    """The mean length of all rows; null when there never was one."""
    active_days: Days
    """All active days together."""
    active_today: bool
    """Whether today is active already."""
    history: tuple[StreakRun, ...]
    """The rows, the latest first, ten at most; a single day is one."""
    time_zone: Text
    """The IANA time zone that says when a day begins; UTC where the learner's is not known."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A total of points worth a word, and when it was reached."""

    points: Earned
    """The total."""
    reached_on: date
    """The learner's day on which it was reached."""


@dataclass(frozen=True, slots=True)
class NextMilestone:
    """The next total of points worth a word."""

    points: Earned
    """The total."""
    remaining: Earned
    """Points that are left to earn."""


@dataclass(frozen=True, slots=True)
class Milestones:
    """Totals of points worth a word."""

    reached: tuple[Milestone, ...]
    """Those that are reached, the latest first."""
    next: NextMilestone | None
    """The one that is next; null when all are reached."""


@dataclass(frozen=True, slots=True)
class PointsEvent:
    """One thing that earned points."""

    kind: EarningKind
    """What it was."""
    title: Text
    """Which one: the course, the skill, the assessment or the exercise."""
    on: date
    """The learner's day it was on."""
    points: Earned
    """What it earned."""


@dataclass(frozen=True, slots=True)
class Gamification:
    """Points, level, badges and streaks of one learner."""

    total_points: Earned
    """All points ever earned."""
    level: Level
    """The level these points make: level n begins at 50 n (n - 1) points."""
    level_progress: Share
    """How far the level is done."""
    next_level_points: Earned
    """The total at which the next level begins."""
    points: PointsByWindow
    """The points by when they were earned."""
    earned_by: tuple[PointsByKind, ...]
    """The points by what they were earned by, every kind once."""
    badges: tuple[EarnedBadge, ...]
    """The badges that are earned, each with its highest tier."""
    achievements: tuple[Achievement, ...]
    """Every badge there is, and how far its next tier is."""
    streaks: Streaks
    """Active days in a row."""
    milestones: Milestones
    """Totals of points worth a word."""
    recent_activity: tuple[PointsEvent, ...]
    """What earned points last, other than streak days; the latest first, ten at most."""
    quality: DataQuality
    """The events that earned points, and the days from the first to the last."""
