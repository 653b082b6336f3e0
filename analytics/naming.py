"""Learners whom a value about others names: who hears it is told only of those whom they may know of now."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from analytics.catalog import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from analytics.declare import Metric

LEARNER = "learnerId"
"""What a row of a list is about, where a value names learners."""


def _names(metric: Metric) -> bool:
    """Whether a value has a list, not inside of another, whose rows name learners."""
    parts = (part for hint in get_type_hints(metric.value_type).values() for part in get_args(hint))
    return any(is_dataclass(part) and "learner_id" in get_type_hints(part) for part in parts)


NAMING = frozenset(metric.key for metric in PUBLIC.values() if _names(metric))
"""The metrics whose values name learners: whom the viewer may know of is looked up each time they are told."""


def named(value: Mapping[str, Any] | None) -> set[str]:
    """The learners whom a value in wire shape names."""
    return {row[LEARNER] for rows in _lists(value).values() for row in rows}


def only(value: Mapping[str, Any], learners: Collection[str]) -> Mapping[str, Any]:
    """The value without the rows that name other learners than these."""
    kept = {name: [row for row in rows if row[LEARNER] in learners] for name, rows in _lists(value).items()}
    return {**value, **kept}


def _lists(value: Mapping[str, Any] | None) -> dict[str, list[Mapping[str, Any]]]:
    """The lists in a value, by name, whose rows name learners."""
    return {
        name: rows
        for name, rows in (value or {}).items()
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and LEARNER in rows[0]
    }
