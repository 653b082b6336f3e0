"""A believable fact for any key, the same every time, made from the fact's annotations alone.

Numbers keep their bounds, text says that it is made up, moments lie in the 120 days before the day
of `at` in the order their fields are declared, and names of fields say which lie ahead (`due_at`,
`end_date`). References share a few ids (`mock-course-1` ...), so that facts of one subject fit together.
"""

from __future__ import annotations

import functools
import math
import random
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AwareDatetime

F = TypeVar("F")

DAYS = 120
"""How far back a mock's moments reach, in days before the day of `at`."""

_SHORTEST, _LONGEST = 3, 6
_WIDEST = 100
_AHEAD = {"end": (0, DAYS), "due": (-DAYS // 2, DAYS // 2)}
_UNLIKELY = {"left"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is made: its dice, its day, its kind and field, and which of how many siblings its fact is."""

    dice: random.Random
    day: datetime
    kind: str
    field: str = ""
    index: int = 0
    count: int = 1

    def moment(self) -> datetime:
        """A moment in the sibling's own slice of the past (whole days, so siblings never share one), or ahead."""
        ahead = _AHEAD.get(self.field.partition("_")[0])
        if ahead is not None:
            return self.day + timedelta(seconds=self.dice.randrange(ahead[0] * 86_400, ahead[1] * 86_400))
        days = max(1, DAYS // self.count)
        back = DAYS - days * self.index % DAYS
        return self.day - timedelta(seconds=self.dice.randrange((back - days) * 86_400, back * 86_400) + 1)


_Make = Callable[[_Place], Any]


def mock(fact_type: type[F], service: str, key: str, at: datetime) -> F:
    """A fact of this type for this key: a pure function of the arguments, of `at` only by its day in UTC.

    It validates against its own type. A field called `id` of the fact itself is the key.

    Raises:
        TypeError: the type holds something that is not a number, text, moment, enum, or fact of such.
    """
    seed = blake2b(
        f"{service}\0{fact_type.__qualname__}\0{key}".encode("utf-8", "surrogatepass"), digest_size=16
    ).digest()
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    place = _Place(random.Random(int.from_bytes(seed, "big")), day, fact_type.__name__)
    fact = _maker(cast("Any", fact_type))(place)
    if any(f.name == "id" for f in fields(fact)):
        fact = replace(fact, id=key)
    return cast("F", fact)


@functools.cache
def _maker(hint: Any) -> _Make:
    bare, notes = hint, ()
    if get_origin(hint) is Annotated:
        bare, *rest = get_args(hint)
        notes = tuple(rest)
    origin, parts = get_origin(bare), get_args(bare)
    if origin in (Union, get_origin(int | str)) and type(None) in parts:
        return _maybe(_maker(next(part for part in parts if part is not type(None))))
    if origin is tuple:
        return _several(_maker(parts[0]), notes)
    if origin is Literal:
        return _one_of(parts)
    return _plain(bare, notes)


def _plain(bare: Any, notes: Sequence[Any]) -> _Make:
    if bare in (int, float):
        return _number(bare, notes)
    if bare is str:
        return _identity if MinLen(1) in notes else _words(notes)
    if is_dataclass(bare):
        return _whole(cast("type[Any]", bare))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return _one_of(tuple(bare))
    if bare in _SIMPLE:
        return _SIMPLE[bare]
    msg = f"a mock cannot hold a {bare}"
    raise TypeError(msg)


def _whole(kind: type[Any]) -> _Make:
    """A fact: defaults that say something are kept, moments come in the order of their fields."""
    hints = typing.get_type_hints(kind, include_extras=True)
    drawn = [
        (f.name, _maker(hints[f.name]))
        for f in fields(kind)
        if f.default is MISSING or f.default is None or f.default == ()
    ]
    past = [name for name, _ in drawn if name.partition("_")[0] not in _AHEAD]

    def make(place: _Place) -> Any:
        place = replace(place, kind=kind.__name__)
        values = {name: maker(replace(place, field=name)) for name, maker in drawn}
        moments = [name for name in past if isinstance(values[name], datetime)]
        values.update(zip(moments, sorted(values[name] for name in moments), strict=True))
        return kind(**values)

    return make


def _several(item: _Make, notes: Sequence[Any]) -> _Make:
    low = max([_SHORTEST, *_said(notes, MinLen, "min_length")])
    high = min([max(_LONGEST, low), *_said(notes, MaxLen, "max_length")])

    def make(place: _Place) -> tuple[Any, ...]:
        count = place.dice.randint(min(low, high), high)
        return tuple(item(replace(place, index=index, count=count)) for index in range(count))

    return make


def _maybe(maker: _Make) -> _Make:
    def make(place: _Place) -> Any:
        absent = 0.95 if place.field.partition("_")[0] in _UNLIKELY else 0.25
        return None if place.dice.random() < absent else maker(place)

    return make


def _one_of(choices: Sequence[Any]) -> _Make:
    return lambda place: place.dice.choice(choices)


def _number(kind: type[Any], notes: Sequence[Any]) -> _Make:
    """A number inside its bounds; of a wide range only the part next to zero is believable."""
    step = 1 if kind is int else 0
    low: float = max([-math.inf, *_said(notes, Ge, "ge"), *(bound + step for bound in _said(notes, Gt, "gt"))])
    high: float = min([math.inf, *_said(notes, Le, "le"), *(bound - step for bound in _said(notes, Lt, "lt"))])
    if low < 0:
        low = max(low, high - _WIDEST) if high <= 0 else 0
    high = min(high, low + _WIDEST)
    if kind is int:
        return lambda place: place.dice.randint(math.ceil(low), math.floor(high))
    digits = 3 if high - low >= 1 else None

    def make(place: _Place) -> float:
        value = low + (high - low) * place.dice.uniform(0.2, 0.95)
        return value if digits is None else round(value, digits)

    return make


def _said(notes: Sequence[Any], kind: type[Any], name: str) -> list[Any]:
    """What the notes of one kind say; annotated_types promises no more of a bound than that it compares."""
    return [getattr(note, name) for note in notes if isinstance(note, kind)]


def _identity(place: _Place) -> str:
    """An id: numbered for the fact's own, shared for a reference. `skill_ids` refers to what `skill_id` does."""
    noun = place.kind.lower() if place.field == "id" else place.field.removesuffix("s").removesuffix("_id")
    return f"mock-{noun}-{place.index + 1}"


def _words(notes: Sequence[Any]) -> _Make:
    longest = min(_said(notes, MaxLen, "max_length"), default=None)
    return lambda place: f"Mock {place.field.replace('_', ' ')} {place.index + 1}"[:longest]


_SIMPLE: dict[Any, _Make] = {
    bool: _one_of((False, True)),
    datetime: _Place.moment,
    AwareDatetime: _Place.moment,
    date: lambda place: place.moment().date(),
}
