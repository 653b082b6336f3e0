"""Values to their wire shape and back: camelCase keys, enum names, ISO instants, rounded once.

The wire shape is what GraphQL sends, what Postgres keeps and what the memory tier holds, so a value
is shaped once and only ever projected afterwards. `quality` is not in it: an answer carries that
beside its value.
"""

from __future__ import annotations

import base64
import functools
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import orjson

from datasources.declare import Unit

if typing.TYPE_CHECKING:
    from analytics.declare import DataQuality

Shape = Callable[[Any], Any]


def camel(name: str) -> str:
    """`pace_ratio` becomes `paceRatio`."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


def named(key: str) -> str:
    """How a key is called in an enum: `learner-velocity` becomes `LEARNER_VELOCITY`."""
    return key.upper().replace("-", "_")


def encode(value: Any) -> dict[str, Any]:
    """The wire shape of a value; its `quality` is left out."""
    kind: Any = type(value)
    shaped = _encoder(kind)(value)
    return typing.cast("dict[str, Any]", shaped)


def text_of(value: Any) -> str:
    """The JSON text of the wire shape of a value."""
    return orjson.dumps(encode(value)).decode()


def decode(kind: Any, wire: Mapping[str, Any], quality: DataQuality | None = None) -> Any:
    """The value a wire shape came from, as far as rounding lets it; `quality` where the value has one."""
    return _decoder(kind)(wire if quality is None else {**wire, "quality": encode(quality)})


def instant(moment: datetime) -> str:
    """An aware instant as RFC 3339 in UTC: `2026-03-02T00:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def global_id(kind: str, ident: str) -> str:
    """The id of a thing as clients hold it: opaque to them, `Type:id` inside."""
    return base64.urlsafe_b64encode(f"{kind}:{ident}".encode()).decode().rstrip("=")


def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A hint without its annotations, and the annotations."""
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
        return bare, tuple(notes)
    return hint, ()


def _optional(bare: Any) -> Any | None:
    """X for `X | None`, else None."""
    if get_origin(bare) in (Union, typing.get_origin(int | str)):
        inner = [m for m in get_args(bare) if m is not type(None)]
        if len(inner) == 1 and len(inner) < len(get_args(bare)):
            return inner[0]
    return None


@functools.cache
def _encoder(hint: Any) -> Shape:  # noqa: PLR0911 - one return for each kind of part
    bare, notes = _parts(hint)
    if (inner := _optional(bare)) is not None:
        shape = _encoder(inner)
        return lambda value: None if value is None else shape(value)
    if get_origin(bare) is tuple:
        shape = _encoder(get_args(bare)[0])
        return lambda value: [shape(item) for item in value]
    if isinstance(bare, type):
        if is_dataclass(bare):
            hints = _hints(bare)
            parts = [(f.name, camel(f.name), _encoder(hints[f.name])) for f in fields(bare) if f.name != "quality"]
            return lambda value: {wire: shape(getattr(value, name)) for name, wire, shape in parts}
        if issubclass(bare, Enum):
            return lambda value: value.name
        if issubclass(bare, datetime):
            return instant
        if issubclass(bare, date):
            return lambda value: value.isoformat()
        if bare is float:
            digits = next((n.digits for n in notes if isinstance(n, Unit)), None)
            # Adding 0.0 turns a rounded -0.0 into 0.0: nobody wants to read "-0".
            return lambda value: round(float(value), digits) + 0.0 if digits is not None else float(value)
        if issubclass(bare, int | str | bool):
            return lambda value: value
    msg = f"a value cannot hold a {hint}"
    raise TypeError(msg)


@functools.cache
def _decoder(hint: Any) -> Shape:  # noqa: PLR0911 - likewise
    bare, _ = _parts(hint)
    if (inner := _optional(bare)) is not None:
        shape = _decoder(inner)
        return lambda wire: None if wire is None else shape(wire)
    if get_origin(bare) is tuple:
        shape = _decoder(get_args(bare)[0])
        return lambda wire: tuple(shape(item) for item in wire)
    if is_dataclass(bare):
        hints = _hints(typing.cast("type[Any]", bare))
        parts = [(f.name, camel(f.name), _decoder(hints[f.name])) for f in fields(bare)]
        make = typing.cast("Callable[..., Any]", bare)
        return lambda wire: make(**{name: shape(wire[key]) for name, key, shape in parts})
    if issubclass(bare, Enum):
        return lambda wire: bare[wire]
    if issubclass(bare, datetime | date):
        return typing.cast("Shape", bare.fromisoformat)
    if bare is float:
        return float
    return lambda wire: wire
