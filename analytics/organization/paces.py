"""The pace of many learners at one instant, and by how much its median has moved since another."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.arithmetic import quantile
from analytics.learner.courses import enrolled, in_question, mean_over
from analytics.learner.schedule import done, due, planned, ratio, weight
from datasources.course import Progress

RESAMPLES = 200
MOST_DRAWN = 1000
LOW, HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Pace:
    """A learner's pace (100 is as planned, at most 200; None while nothing is due) and progress, 0 to 1."""

    velocity: float | None
    progress: float


def pace_at(progress: Progress, at: datetime) -> Pace | None:
    """The pace ratio and progress that learner-velocity gives at this instant; None without planned work."""
    plans = {course.course_id: (course, planned(course, at)) for course in enrolled(progress, at)}
    asked = in_question([course for course, modules in plans.values() if modules], at)
    weighed = [(plans[course.course_id], course.credits) for course in asked]
    share_done = mean_over(weighed, lambda plan: weight(done(plan[1])) / weight(plan[1]))
    if share_done is None:
        return None
    pace = mean_over(weighed, lambda plan: ratio(weight(done(plan[1])), due(plan[0], plan[1], at)))
    return Pace(None if pace is None else 100 * pace, share_done)


def change_interval(pairs: Sequence[tuple[float | None, float | None]]) -> tuple[float, float] | None:
    """A 95 % bootstrap interval for the change of the median, from each person's (now, then).

    Persons are drawn with replacement, the same draws for the same numbers in whatever order they come.
    From 1,000 persons on, 1,000 are drawn at a time and the spread is scaled to all (m out of n). The
    observed change is always inside. None where nobody has a number now, or had one then.
    """
    ordered = sorted(pairs, key=lambda pair: tuple((number is None, number or 0.0) for number in pair))
    observed = _change(ordered)
    if observed is None:
        return None
    chance = random.Random(0)  # the draws must be the same every time
    size = min(len(ordered), MOST_DRAWN)
    scale = (size / len(ordered)) ** 0.5
    drawn = [_change(chance.choices(ordered, k=size)) for _ in range(RESAMPLES)]
    spread = [(change - observed) * scale for change in drawn if change is not None]
    low, high = quantile(spread, LOW) or 0.0, quantile(spread, HIGH) or 0.0
    return observed + min(low, 0.0), observed + max(high, 0.0)


def _change(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    now = quantile([now for now, _ in pairs if now is not None], 0.5)
    then = quantile([then for _, then in pairs if then is not None], 0.5)
    return None if now is None or then is None else now - then
