"""What the models of risk and forecast look at: numbers about one learner in one course on one day.

Training and serving call the same functions, so a model is asked about what it was taught. Who the
learner is (age, sex, region, education) is not among them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analytics.arithmetic import clamp, mean

USUAL_SCORE = 70.0
USUAL_CREDITS = 60.0
FEWEST_CREDITS, MOST_CREDITS = 15.0, 960.0


class Factor(StrEnum):
    """What the risk of not passing is read from."""

    ACTIVITY = "activity"
    """Item-days of the last 30 days beside the course's median, both as ln(1 + n); between -4 and 2."""
    MISSED = "missed"
    """The share of due work that was not handed in."""
    LAST_MISSED = "lastMissed"
    """1 when nothing was handed in of what was due last, else 0."""
    SCORE = "score"
    """The mean score less 70, over 100; 0 without a score."""
    LATE = "late"
    """The share of handed-in due work that came late."""
    REPEAT = "repeat"
    """1 when the learner takes the course again, else 0."""
    CREDITS = "credits"
    """The studied credits in doublings of 60; between -2 and 4."""
    ELAPSED = "t"
    """The share of the course that is over."""


SIGNS: dict[Factor, int] = {
    Factor.ACTIVITY: -1,
    Factor.MISSED: 1,
    Factor.LAST_MISSED: 1,
    Factor.SCORE: -1,
    Factor.LATE: 1,
    Factor.REPEAT: 1,
    Factor.CREDITS: 1,
    Factor.ELAPSED: 0,
}
"""The direction each coefficient may have (0: either), so that doing more never looks worse."""


@dataclass(frozen=True, slots=True)
class Due:
    """One piece of due work: when it was due, and when it was handed in (None: not yet), on any one clock."""

    due: float
    handed_in: float | None


NEWEST = 0.6
"""The weight of the newest score in `recent_score`; all earlier ones share the rest in the same way."""


def recent_score(scores: Sequence[float]) -> float | None:
    """The exponentially weighted mean of scores from the oldest to the newest; None over nothing."""
    recent: float | None = None
    for score in scores:
        recent = score if recent is None else NEWEST * score + (1 - NEWEST) * recent
    return recent


def activity(item_days: int, usual: float) -> float:
    """How active somebody is beside the usual number of item-days."""
    return clamp(math.log1p(item_days) - math.log1p(usual), -4.0, 2.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one learner stands in one course on one day, before it is turned into numbers."""

    activity: float
    """From `activity`."""
    due: Sequence[Due]
    """Counted work that was due by now; banked work is left out."""
    scores: Sequence[float]
    """Points of 100 of all counted work that is marked by now; the order matters to `recent_score` alone."""
    repeats: int
    """How often the learner took the course before."""
    credits: float
    """The credits studied at the same time; taken as 60 when it is not above 0."""
    elapsed: float
    """The share of the course that is over."""


def features(standing: Standing) -> dict[Factor, float]:
    """The eight numbers; the order of work and scores never matters."""
    due = standing.due
    done = [work for work in due if work.handed_in is not None]
    latest = max((work.due for work in due), default=None)
    last = [work for work in due if work.due == latest]
    average = mean(standing.scores)
    credits_ = standing.credits if standing.credits > 0 else USUAL_CREDITS
    return {
        Factor.ACTIVITY: standing.activity,
        Factor.MISSED: 1 - len(done) / len(due) if due else 0.0,
        Factor.LAST_MISSED: float(bool(last) and all(work.handed_in is None for work in last)),
        Factor.SCORE: 0.0 if average is None else (average - USUAL_SCORE) / 100,
        Factor.LATE: sum(w.handed_in is not None and w.handed_in > w.due for w in done) / len(done) if done else 0.0,
        Factor.REPEAT: float(standing.repeats > 0),
        Factor.CREDITS: math.log2(clamp(credits_, FEWEST_CREDITS, MOST_CREDITS) / USUAL_CREDITS),
        Factor.ELAPSED: clamp(standing.elapsed, 0.0, 1.0),
    }
