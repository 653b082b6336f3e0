"""A course as a plan: its weighted pieces of work, what of them is due, and what is done.

Formative modules (weight 0) are no part of the plan, unless no module has a weight: then all weigh the
same. A completion counts from the course's start when it came earlier; one after `at` has not
happened. A module without a due date falls due evenly over the course.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from analytics.arithmetic import clamp, known, unique
from datasources.course import CourseProgress, Module


def planned(course: CourseProgress, at: datetime) -> list[Module]:
    """The work that counts, each piece once, with the completions known at `at`."""
    modules = unique((_as_known(module, course.start_date, at) for module in course.modules), lambda module: module.id)
    weighted = [module for module in modules if module.weight > 0]
    return weighted or [replace(module, weight=1.0) for module in modules]


def _as_known(module: Module, start: datetime, at: datetime) -> Module:
    """The module with the completion that counts; most are right as they are, and copying one is dear."""
    seen = known(module.completed_at, at)
    counted = None if seen is None else max(seen, start)
    return module if counted == module.completed_at else replace(module, completed_at=counted)


def weight(modules: Sequence[Module]) -> float:
    """W: the weight of all modules together."""
    return math.fsum(module.weight for module in modules)


def done(modules: Sequence[Module]) -> list[Module]:
    """The completed modules."""
    return [module for module in modules if module.completed_at is not None]


def open_work(modules: Sequence[Module]) -> list[Module]:
    """The modules that are not completed."""
    return [module for module in modules if module.completed_at is None]


def elapsed_share(start: datetime, end: datetime, at: datetime) -> float:
    """How much of the course is over, 0 to 1."""
    if end <= start:
        return float(at >= start)
    return clamp((at - start) / (end - start), 0, 1)


def due(course: CourseProgress, modules: Sequence[Module], at: datetime) -> float:
    """D: the weight due by `at`."""
    elapsed = elapsed_share(course.start_date, course.end_date, at)
    shares = [elapsed if module.due_at is None else float(module.due_at <= at) for module in modules]
    return math.fsum(module.weight * share for module, share in zip(modules, shares, strict=True))


def ratio(completed: float, due_weight: float) -> float | None:
    """C / D, clamped to 0 to 2: `pace_ratio`; None while nothing is due."""
    return clamp(completed / due_weight, 0, 2) if due_weight > 0 else None


def completed_within(modules: Sequence[Module], since: datetime, until: datetime) -> list[Module]:
    """The modules completed after `since`, up to and with `until`."""
    return [m for m in modules if m.completed_at is not None and since < m.completed_at <= until]


def last_completion(modules: Sequence[Module]) -> datetime | None:
    """When the latest of the completed modules was completed."""
    return max((m.completed_at for m in modules if m.completed_at is not None), default=None)
