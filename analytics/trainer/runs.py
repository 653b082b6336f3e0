"""A run of a course beside what its intake let expect, and beside the earlier runs of the same course."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import TrendDirection, clamp
from analytics.declare import Points
from analytics.standings.values import CourseIntake
from analytics.trainer.rates import Z95
from datasources.declare import Count

FEWEST_RESULTS = 30
"""Below so many results nothing is said about the value a course added."""
_GAP = r"[\s,;:([\u2013\u2014-]*"
_END = r"[\s)\]]*$"
_RUN = re.compile(
    _GAP + r"\b(?:presentation|run|cohort|edition|intake)\b[\s:#]*(?:[a-z]{0,2}\d[\w/-]{0,8}|[ivx]{1,5}|[a-z])" + _END
)
_YEAR = re.compile(
    _GAP + r"\b(?:(?:spring|summer|autumn|fall|winter|q[1-4])[\s,]*)?((?:19|20)\d\d)"
    r"(?:[a-z]|\s?[/\u2013-]\s?\d{2,4}|[\s-]?q[1-4])?" + _END
)
"""How the end of a title names a run: by a word for it, or by a year with its season, quarter or letter."""


@dataclass(frozen=True, slots=True)
class TrainerPointsInterval:
    """Where the true difference lies with 95 % confidence."""

    low: Points
    """The lower end."""
    high: Points
    """The upper end."""


@dataclass(frozen=True, slots=True)
class TrainerOwnHistory:
    """A run beside the earlier runs of the same course."""

    difference: Points
    """Its value added (before shrinkage) less the mean of theirs, each weighing its learners."""
    interval: TrainerPointsInterval
    """How sure that is, as far as chance in the results goes."""
    direction: TrendDirection
    """Up or down when the interval leaves out 0, else stable."""
    earlier_runs: Count
    """How many earlier runs with 30 results or more that is."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a course added beyond its intake, in points: as it was seen, and drawn to 0 where that is noisy."""

    raw: float
    error: float
    shrunk: float
    interval: TrainerPointsInterval


def course_name(title: str, starts: datetime, ends: datetime) -> str:
    """What the titles of all runs of one course have in common, in lower case.

    There is no id of a course beyond its runs, so two runs are taken for the same course when their titles are equal
    once the end that names the run is left out: a word for a run with what follows it (`presentation 2013J`,
    `cohort B`), then a year, with or without its season, quarter or letter, in which the run starts or ends. A
    year of another time is part of the name ("Europe since 1945"), and so is any other number ("Python 3").
    """
    name = " ".join(title.lower().split())
    shorter = _RUN.sub("", name)
    found = _YEAR.search(shorter)
    if found and starts.year <= int(found[1]) <= ends.year:
        shorter = shorter[: found.start()]
    return shorter or name


def gain(run: CourseIntake, between: float) -> Gain:
    """Observed less expected pass rate, shrunk by tau^2 / (tau^2 + se^2), tau^2 being the variance between runs.

    The interval is that of the posterior, with variance tau^2 se^2 / (tau^2 + se^2).
    """
    raw, noise = run.observed - run.expected, run.error**2
    kept = between / (between + noise) if between > 0 else 0.0
    return Gain(100 * raw, 100 * run.error, 100 * raw * kept, around(100 * raw * kept, 100 * math.sqrt(kept * noise)))


def around(points: float, error: float) -> TrainerPointsInterval:
    """The 95 % interval of a normal error, within -100 to 100 points."""
    margin = Z95 * error
    return TrainerPointsInterval(clamp(points - margin, -100.0, 100.0), clamp(points + margin, -100.0, 100.0))


def direction(interval: TrainerPointsInterval) -> TrendDirection:
    """Up or down when the interval leaves out 0, else stable."""
    if interval.low > 0:
        return TrendDirection.UP
    return TrendDirection.DOWN if interval.high < 0 else TrendDirection.STABLE


def own_history(run: CourseIntake, runs: Iterable[CourseIntake], between: float) -> TrainerOwnHistory | None:
    """A run beside the runs of the same course that started before it; None without one, and below 30 results."""
    name = course_name(run.title, run.starts, run.ends)
    earlier = [
        one
        for one in runs
        if one.course != run.course
        and one.starts < run.starts
        and one.learners >= FEWEST_RESULTS
        and course_name(one.title, one.starts, one.ends) == name
    ]
    if not earlier or run.learners < FEWEST_RESULTS:
        return None
    before, error = _pooled(earlier, between)
    now = gain(run, between)
    difference = clamp(now.raw - before, -100.0, 100.0)
    interval = around(difference, math.hypot(now.error, error))
    return TrainerOwnHistory(difference, interval, direction(interval), len(earlier))


def _pooled(runs: Sequence[CourseIntake], between: float) -> tuple[float, float]:
    """The mean value added of several runs, each weighing its learners, and its standard error; in points."""
    gains = [(run.learners, gain(run, between)) for run in runs]
    total = sum(learners for learners, _ in gains)
    centre = math.fsum(learners * one.raw for learners, one in gains) / total
    return centre, math.sqrt(math.fsum((learners * one.error) ** 2 for learners, one in gains)) / total
