"""Answers to rows and back: what is kept of an answer, and under which question."""

from __future__ import annotations

import typing
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson

from analytics.codec import decode, encode
from analytics.declare import DataQuality, Metric, Withheld, WithheldReason
from analytics.record import Answer, Source
from datasources.declare import Origin
from datasources.packed import pack, unpack
from datasources.postgres.answers import Kept, Question

if typing.TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.policy import Subject


def question(metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Question:
    """What an answer is kept under: the metric's key and version, and its arguments spelled out, defaults as well.

    Raises:
        TypeError: an argument that the metric does not declare.
    """
    if unknown := arguments.keys() - {argument.name for argument in metric.arguments}:
        msg = f"{metric} takes no argument {', '.join(sorted(unknown))}"
        raise TypeError(msg)
    chosen = {a.name: _plain(arguments.get(a.name, a.default)) for a in metric.arguments}
    return Question(
        scope=subject.scope.value,
        subject=subject.id,
        metric=f"{metric.key}@{metric.version}",
        arguments=orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS).decode() if chosen else "",
    )


def chosen(metric: Metric, arguments: str) -> dict[str, Any]:
    """The arguments in a question of this metric, as its formula takes them.

    Raises:
        KeyError, ValueError: another release spelled them.
    """
    told = orjson.loads(arguments) if arguments else {}
    if told.keys() != (known := {a.name: a for a in metric.arguments}).keys():
        raise ValueError(arguments)
    return {
        name: known[name].type[value] if issubclass(known[name].type, Enum) else value for name, value in told.items()
    }


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Enum) else value


def to_kept(answer: Answer) -> Kept:
    """The row of an answer: its value as the text that GraphQL sends."""
    withheld = answer.withheld
    about = {
        "quality": encode(answer.quality),
        "sources": [[s.service, s.origin.name if s.origin else None, s.seen_at] for s in answer.sources],
    }
    return Kept(
        value=answer.value,
        withheld=None
        if withheld is None
        else orjson.dumps([withheld.reason.name, withheld.message, withheld.needed, _seconds(withheld)]).decode(),
        about=orjson.dumps(about).decode(),
        score=answer.score,
        level=answer.level,
        origin=answer.origin.name,
        as_of=answer.as_of,
        calculated_at=answer.calculated_at,
        expires_at=answer.expires_at,
    )


def from_kept(metric: Metric, kept: Kept) -> Answer:
    """The answer a row was made of.

    Raises:
        KeyError, ValueError, TypeError: another release made it, or none.
    """
    about = orjson.loads(kept.about)
    if kept.value is not None:
        # Whoever looks into it relies on its being JSON.
        orjson.loads(kept.value)
    withheld = None
    if kept.withheld is not None:
        reason, message, needed, seconds = orjson.loads(kept.withheld)
        retry_after = None if seconds is None else timedelta(seconds=seconds)
        withheld = Withheld(WithheldReason[reason], message, needed, retry_after)
    return Answer(
        metric=metric,
        value=kept.value,
        withheld=withheld,
        quality=_quality(about["quality"]),
        sources=tuple(
            Source(name, Origin[origin] if origin else None, datetime.fromisoformat(seen) if seen else None)
            for name, origin, seen in about["sources"]
        ),
        score=kept.score,
        level=kept.level,
        as_of=kept.as_of,
        calculated_at=kept.calculated_at,
        expires_at=kept.expires_at,
    )


def value_of(answer: Answer) -> Any:
    """The value itself, for a formula that reads it; None where it is withheld."""
    return None if answer.value is None else decode(answer.metric.value_type, answer.said, answer.quality)


def packed_value(answer: Answer) -> bytes:
    """The value of an answer that has one, as it is held where thousands are (`datasources.packed`)."""
    return pack(orjson.dumps({**(answer.said or {}), "quality": encode(answer.quality)}))


def reader_of(metric: Metric) -> typing.Callable[[bytes], Any]:
    """What makes a packed value of this metric the value that `value_of` gives."""
    return lambda packed: decode(metric.value_type, orjson.loads(unpack(packed)))


def _seconds(withheld: Withheld) -> float | None:
    return None if withheld.retry_after is None else withheld.retry_after.total_seconds()


def _quality(wire: Mapping[str, Any]) -> DataQuality:
    return typing.cast("DataQuality", decode(DataQuality, wire))
