"""A learner's last weeks, and what each scores: active days, actions and distinct items.

A week is a block of seven UTC days counted back from the day of `at`, that day included. Whoever is
enrolled for less than seven days has one shorter block, its counts scaled up to a week.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analytics.arithmetic import days_from, half_life, log_share, weighted_mean
from datasources.content import Interaction
from datasources.course import ActiveDay

FULL_DAYS, FULL_ACTIONS, FULL_ITEMS = 5, 150, 20
"""The week that scores 100; of the active weeks in OULAD one in twenty holds 7 days, 170 actions or 15 items."""
REGULARITY, INTENSITY, BREADTH = 0.5, 0.3, 0.2
WEEK_DAYS = 7
MOST_WEEKS = 8
HALF_LIFE_WEEKS = 2


@dataclass(frozen=True, slots=True)
class Block:
    """What happened in `length` days up to `last_day`; `items` is None when nobody knows."""

    last_day: date
    length: int
    days: tuple[ActiveDay, ...]
    items: frozenset[str] | None

    @property
    def actions(self) -> int:
        """Actions in the block."""
        return sum(day.actions for day in self.days)


@dataclass(frozen=True, slots=True)
class Parts:
    """The three parts of a score, each 0 to 1; `breadth` is None when nobody knows."""

    regularity: float
    intensity: float
    breadth: float | None

    @property
    def score(self) -> float:
        """100 (0.5 regularity + 0.3 intensity + 0.2 breadth); without breadth the other two fill its place."""
        without = REGULARITY * self.regularity + INTENSITY * self.intensity
        if self.breadth is None:
            return 100 * without / (REGULARITY + INTENSITY)
        return 100 * (without + BREADTH * self.breadth)


def block_spans(since: date, today: date) -> list[tuple[date, int]]:
    """The last day and length of each whole week since enrolment, newest first; one shorter block in the first week."""
    available = days_from(since, today) + 1
    if available < WEEK_DAYS:
        return [(today, available)]
    weeks = min(MOST_WEEKS, available // WEEK_DAYS)
    return [(today - timedelta(days=WEEK_DAYS * age), WEEK_DAYS) for age in range(weeks)]


def blocks(
    days: Iterable[ActiveDay], interactions: Iterable[Interaction] | None, spans: Sequence[tuple[date, int]]
) -> list[Block]:
    """What of the days and interactions falls into each of the blocks of `block_spans`."""
    # In one pass for all blocks: a log is long, and the most of it is older than any of them.
    (today, length), first = spans[0], spans[-1][0] - timedelta(days=spans[-1][1])
    active: list[list[ActiveDay]] = [[] for _ in spans]
    for day in days:
        if first < day.date <= today:
            active[(today - day.date).days // length].append(day)
    items: list[set[str]] = [set() for _ in spans]
    for each in interactions or ():
        if first < each.date <= today and each.actions > 0:
            items[(today - each.date).days // length].add(each.content_id)
    return [
        Block(last_day, length, tuple(within), None if interactions is None else frozenset(opened))
        for (last_day, _), within, opened in zip(spans, active, items, strict=True)
    ]


def parts(block: Block) -> Parts:
    """min(1, d/5), min(1, ln(1 + c)/ln 151) and min(1, i/20) for d active days, c actions, i items of a week."""
    scale = WEEK_DAYS / block.length
    return Parts(
        min(1.0, len(block.days) * scale / FULL_DAYS),
        log_share(block.actions * scale, FULL_ACTIONS),
        None if block.items is None else min(1.0, len(block.items) * scale / FULL_ITEMS),
    )


def recent_mean(newest_first: Sequence[float | None]) -> float | None:
    """The mean over weeks, each weighing half as much as the one two weeks after it."""
    return weighted_mean((value, half_life(age, HALF_LIFE_WEEKS)) for age, value in enumerate(newest_first))


def overall(newest_first: Sequence[Parts]) -> Parts:
    """The three parts over all weeks; their score is the mean of the weekly scores, weighed the same."""
    return Parts(
        recent_mean([week.regularity for week in newest_first]) or 0.0,
        recent_mean([week.intensity for week in newest_first]) or 0.0,
        recent_mean([week.breadth for week in newest_first]),
    )
