"""Facts and values for any declared type, from its annotations, and changes to them that change no answer.

Ids come from a small pool, so that the records of different facts meet; instants lie mostly within
months of `CLOCK`, so that windows, due dates and ends of courses fall on both sides of it.
"""

from __future__ import annotations

import datetime as dt
import functools
import types
import typing
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import AwareDatetime

from analytics.declare import Cohort, Everyone, Input, Items, Many, Metric, Starters, Withheld, WithheldReason
from analytics.rolls import Member
from datasources.course import EnrollmentStatus

CLOCK = dt.datetime(2014, 2, 10, 9, 30, tzinfo=dt.UTC)
EVENTS = ("completed_at", "left_at", "graded_at")
"""Fields that tell of something that may not have happened yet; the record is there before it."""
BIRTHS = ("date", "submitted_at", "started_at", "enrolled_at", "assessed_at", "acquired_at", "decided_at", "at")
"""Fields that date a whole record; one dated after the clock does not exist yet."""
TOLD_BY = {"graded_at": "score", "completed_at": "score"}
"""What is not known either while such an event has not happened."""

IDS = st.sampled_from(["a", "b"]) | st.sampled_from(["a", "b", "c", "d", "e"])
HOURS = st.integers(-200 * 24, 200 * 24) | st.integers(-20 * 24, 20 * 24) | st.sampled_from([-24 * 7, -24 * 28, 0])
INSTANTS = st.builds(lambda hours: CLOCK + dt.timedelta(hours=hours), HOURS) | st.datetimes(
    dt.datetime(1950, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone itself
    dt.datetime(2090, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.just(dt.UTC),
)
DATES = st.builds(lambda days: CLOCK.date() + dt.timedelta(days=days), st.integers(-70, 10)) | st.dates(
    dt.date(1950, 1, 1), dt.date(2090, 1, 1)
)


PAST = st.builds(lambda hours: CLOCK - dt.timedelta(hours=hours), st.integers(0, 150 * 24))
COMING = st.builds(lambda hours: CLOCK + dt.timedelta(hours=hours), st.integers(1, 150 * 24))
MOSTLY: dict[str, st.SearchStrategy[Any]] = {
    "start_date": st.one_of(PAST, PAST, INSTANTS),
    "end_date": st.one_of(COMING, COMING, INSTANTS),
    "enrolled_at": st.one_of(PAST, PAST, INSTANTS),
    "left_at": st.one_of(st.none(), st.none(), st.none(), INSTANTS),
    "submitted_at": st.one_of(PAST, PAST, INSTANTS),
    "counts": st.sampled_from([True, True, True, False]),
    "banked": st.sampled_from([False, False, False, True]),
    "members": st.lists(st.sampled_from(["east", "west", None]), min_size=1, max_size=4).map(
        lambda parts: tuple(Member(name, parts[i % len(parts)]) for i, name in enumerate(a_dozen([None])))
    ),
}
"""What fields of these names usually hold: learners who are somewhere in the middle of something."""

REASONS = [Withheld(reason, "It is not there.", 10) for reason in WithheldReason]
"""Why an input that may be absent is absent."""


def numbers(kind: type[Any], notes: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Numbers within the bounds of an annotation: round ones, ordinary ones and the extremes."""
    low = max((note.ge for note in notes if isinstance(note, Ge)), default=-1000)
    high = min((note.le for note in notes if isinstance(note, Le)), default=1000)
    if kind is int:
        return st.integers(low, min(high, low + 40)) | st.integers(low, high)
    low, high = float(low), float(high)
    middle = [low + (min(high, low + 100) - low) * step / 20 for step in range(21)]
    return st.sampled_from(middle) | st.floats(low, high) | st.sampled_from([low, high])


def texts(notes: tuple[Any, ...]) -> st.SearchStrategy[str]:
    """Ids where something must be said, short texts where not."""
    if any(isinstance(note, MinLen) for note in notes):
        return IDS
    longest = min((note.max_length for note in notes if isinstance(note, MaxLen)), default=20)
    return st.text(max_size=min(longest, 8))


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    AwareDatetime: INSTANTS,
    dt.datetime: INSTANTS,
    dt.date: DATES,
    dt.timedelta: st.timedeltas(dt.timedelta(), dt.timedelta(days=30)),
    bool: st.booleans(),
}


@functools.cache
def of(hint: Any) -> st.SearchStrategy[Any]:
    """Everything that an annotation allows."""
    bare, notes = hint, ()
    if get_origin(hint) is Annotated:
        bare, *rest = get_args(hint)
        notes = tuple(rest)
    if get_origin(bare) in (Union, types.UnionType):
        found = st.one_of(*(st.none() if part is type(None) else of(part) for part in get_args(bare)))
    elif get_origin(bare) is tuple:
        one = of(get_args(bare)[0])
        found = (st.lists(one, min_size=2, max_size=6) | st.lists(one, max_size=3)).map(tuple)
    elif is_dataclass(bare):
        found = record(typing.cast("type[Any]", bare))
    elif issubclass(bare, Enum):
        found = st.sampled_from(list(bare))
    elif bare in SCALARS:
        found = SCALARS[bare]
    else:
        found = texts(notes) if bare is str else numbers(bare, notes)
    return found


@functools.cache
def record(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a dataclass."""
    hints = typing.get_type_hints(kind, include_extras=True)
    given = {part.name: MOSTLY[part.name] if part.name in MOSTLY else of(hints[part.name]) for part in fields(kind)}
    return st.builds(kind, **given)


def a_dozen(few: list[Any]) -> dict[str, Any]:
    """Twelve, who share a few different facts between them; five of them have ids that are met elsewhere too."""
    return {"abcde"[i] if i < 5 else f"another-{i}": few[i % len(few)] for i in range(12)}


def given_to(needed: Input, *, k: int) -> st.SearchStrategy[Any]:
    """Whatever may be handed to one parameter of a formula."""
    one = of(needed.type)
    dozens = st.lists(one, min_size=1, max_size=3).map(a_dozen)
    many = {
        Many.ONE: one,
        Many.COURSES: st.lists(one, max_size=3).map(tuple),
        Many.EVERYONE: dozens.map(Everyone),
        Many.STARTERS: dozens.map(Starters),
        Many.ITEMS: dozens.map(Items),
        Many.COHORT: st.builds(
            Cohort,
            rung=of(typing.get_type_hints(Cohort)["rung"]),
            taken_on=DATES,
            values=st.lists(st.floats(0, 100), min_size=k, max_size=k + 5).map(tuple),
        ),
    }[needed.many]
    if needed.reasons:
        return st.sampled_from(REASONS) | many
    return st.none() | many if needed.optional else many


def asked_of(metric: Metric) -> st.SearchStrategy[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Inputs and arguments of a metric, the clock and the course it is about among them."""
    inputs = st.tuples(*(given_to(each, k=metric.k) for each in metric.inputs))
    arguments: dict[str, st.SearchStrategy[Any]] = {each.name: of(each.type) for each in metric.arguments}
    if metric.wants_clock:
        arguments["at"] = st.just(CLOCK)
    if metric.wants_subject:
        arguments["course"] = IDS
    return st.tuples(inputs, st.fixed_dictionaries(arguments))


def rebuilt(thing: Any, change: Any) -> Any:
    """The same thing, with each tuple in it, from the innermost out, replaced by what `change` makes of it."""
    if isinstance(thing, Everyone):
        return Everyone({name: rebuilt(fact, change) for name, fact in thing.by_learner.items()})
    if isinstance(thing, Starters):
        return Starters({name: rebuilt(fact, change) for name, fact in thing.by_learner.items()})
    if isinstance(thing, Items):
        return Items({name: rebuilt(fact, change) for name, fact in thing.by_item.items()})
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{part.name: rebuilt(getattr(thing, part.name), change) for part in fields(thing)})
    if isinstance(thing, tuple):
        return tuple(change([rebuilt(each, change) for each in thing]))
    return thing


def as_known_at(thing: Any, at: dt.datetime) -> Any:
    """The same thing without what happens after `at`: later records gone, later events not yet told."""

    def happened(moment: Any) -> bool:
        if isinstance(moment, dt.datetime):
            return moment <= at
        return not isinstance(moment, dt.date) or moment <= at.date()

    def earlier(records: list[Any]) -> list[Any]:
        return [
            _told(each, happened) for each in records if all(happened(getattr(each, name, None)) for name in BIRTHS)
        ]

    return rebuilt(thing, earlier)


def _told(each: Any, happened: Any) -> Any:
    untold: dict[str, Any] = {}
    for name in EVENTS:
        if not happened(getattr(each, name, None)):
            untold[name] = None
            if hasattr(each, TOLD_BY.get(name, "")):
                untold[TOLD_BY[name]] = None
    if "left_at" in untold and getattr(each, "status", None) is EnrollmentStatus.WITHDRAWN:
        untold["status"] = EnrollmentStatus.ACTIVE
    return replace(each, **untold) if untold else each
