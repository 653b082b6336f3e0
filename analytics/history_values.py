"""What is said of groups over time; in wire shape through `analytics.codec`, like the values of metrics."""

from dataclasses import dataclass
from datetime import date
from enum import Enum

from analytics.declare import Points
from datasources.declare import Count, Id, Score, Text


class Granularity(Enum):
    """How finely a stretch of time is cut."""

    DAY = "day"
    """By day."""
    WEEK = "week"
    """By week, from Monday on."""
    MONTH = "month"
    """By month, from the first on."""


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """Some days of a series, added up."""

    begins_on: date
    """The first day: a Monday, or the first of a month, where it is cut by those; at the start of the range later."""
    ends_on: date
    """The last day, which is within the range."""
    days: Count
    """On how many of these days something could be said."""
    mean: Score
    """The mean over those who have a number, rounded to 5 points under 50 of them, else to 1."""
    spread: Score
    """The standard deviation over them, rounded likewise."""
    learners: Count
    """How many have a number, on the day with the fewest, in fives."""
    version: Count
    """The version of the formula; of two in one point the newer one is told."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one group over time, from days of 10 people or more."""

    metric: Id
    """The key of the metric."""
    points: tuple[SeriesPoint, ...]
    """By time; what nothing could be said of is left out."""
    mean: Score | None
    """The mean over the whole range; null where nothing could be said."""
    mean_before: Score | None
    """The mean over the range of the same length just before; null likewise, or where the formula was another one."""
    change: Points | None
    """mean minus meanBefore, in points; null where one of them is."""


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """One department or course beside the others, over the last seven days."""

    name: Text
    """The department, or the id of the course."""
    learners: Count
    """How many have a number, in fives; 10 or more."""
    mean: Score
    """The mean over them, rounded to 5 points under 50 of them, else to 1."""
    mean_before: Score | None
    """The mean over the seven days before; null where fewer than 10 had a number."""
    change: Points | None
    """mean minus meanBefore, in points; null where that is."""
