"""The laws that hold for whatever is declared: they walk the metrics and make their inputs from the annotations."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import typing
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Le, MaxLen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime
from strategies import CLOCK, as_known_at, asked_of, rebuilt

from analytics.catalog import METRICS
from analytics.codec import decode, encode
from analytics.declare import Metric, Withheld
from datasources.catalog import SOURCES

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)


def wire(answer: Any) -> Any:
    """What a client sees of an answer; its quality too, which travels beside the value."""
    return answer if isinstance(answer, Withheld) else (encode(answer), answer.quality)


def out_of_bounds(value: Any, hint: Any, path: str) -> list[str]:
    """Where a value breaks the promise of an annotation."""
    bare, notes = hint, ()
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
    if get_origin(bare) is Union or isinstance(bare, type(int | str)):
        parts = [part for part in get_args(bare) if part is not type(None)]
        return [] if value is None else out_of_bounds(value, parts[0], path)
    if isinstance(value, tuple):
        return [each for i, item in enumerate(value) for each in out_of_bounds(item, get_args(bare)[0], f"{path}[{i}]")]
    if is_dataclass(value):
        hints = typing.get_type_hints(type(value), include_extras=True)
        return [
            each
            for part in fields(value)
            for each in out_of_bounds(getattr(value, part.name), hints[part.name], f"{path}.{part.name}")
        ]
    kinds = {float: (float, int), AwareDatetime: dt.datetime}.get(bare, bare)
    broken = not isinstance(value, kinds) or (isinstance(value, dt.datetime) and value.tzinfo is None)
    if isinstance(value, float):
        broken |= not math.isfinite(value)
    for note in notes:
        broken |= isinstance(note, Ge) and not value >= note.ge
        broken |= isinstance(note, Le) and not value <= note.le
        broken |= isinstance(note, MaxLen) and len(value) > note.max_length
    return [f"{path} = {value!r} breaks {hint}"] if broken else []


@every_metric
@quick
@given(data=st.data())
def test_every_metric_answers_within_the_bounds_it_promises(metric: Metric, data: st.DataObject) -> None:
    inputs, arguments = data.draw(asked_of(metric))
    answer = metric.compute(*inputs, **arguments)
    if isinstance(answer, Withheld):
        assert answer.message
    else:
        assert isinstance(answer, metric.value_type)
        assert out_of_bounds(answer, metric.value_type, metric.value_type.__name__) == []


def facts_changed(metric: Metric, inputs: tuple[Any, ...], change: Any) -> list[Any]:
    """The inputs with the records of their facts changed; a value is what a formula made it, and stays."""
    return [
        rebuilt(given, change) if each.type in SOURCES else given
        for each, given in zip(metric.inputs, inputs, strict=True)
    ]


@every_metric
@quick
@given(data=st.data(), seed=st.integers(0, 99))
def test_every_metric_is_deaf_to_order(metric: Metric, data: st.DataObject, seed: int) -> None:
    inputs, arguments = data.draw(asked_of(metric))
    chance = random.Random(seed)
    shuffled = facts_changed(metric, inputs, lambda records: chance.sample(records, len(records)))
    assert wire(metric.compute(*inputs, **arguments)) == wire(metric.compute(*shuffled, **arguments))


@every_metric
@quick
@given(data=st.data())
def test_no_metric_counts_a_duplicate_twice(metric: Metric, data: st.DataObject) -> None:
    inputs, arguments = data.draw(asked_of(metric))
    doubled = facts_changed(metric, inputs, lambda records: records + records)
    assert wire(metric.compute(*inputs, **arguments)) == wire(metric.compute(*doubled, **arguments))


@every_metric
@quick
@given(data=st.data())
def test_no_metric_sees_the_future(metric: Metric, data: st.DataObject) -> None:
    inputs, arguments = data.draw(asked_of(metric))
    known = [as_known_at(each, CLOCK) for each in inputs]
    assert wire(metric.compute(*inputs, **arguments)) == wire(metric.compute(*known, **arguments))


@every_metric
@quick
@given(data=st.data())
def test_every_value_can_be_kept_and_survives_the_wire(metric: Metric, data: st.DataObject) -> None:
    inputs, arguments = data.draw(asked_of(metric))
    answer = metric.compute(*inputs, **arguments)
    if not isinstance(answer, Withheld):
        sent = encode(answer)
        received = decode(metric.value_type, json.loads(json.dumps(sent, allow_nan=False)), answer.quality)
        assert encode(received) == sent
        score, level = metric.score(answer), metric.level(answer)
        assert score is None or 0 <= score <= 200
        assert level is None or level == level.upper()
