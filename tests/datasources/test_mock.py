"""Mocks are believable: inside their bounds, around their day, and the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import given
from hypothesis import strategies as st

from datasources.course import Activity, Courses, Progress
from datasources.directory import User
from datasources.mock import DAYS, mock
from datasources.wire import wire_of

AT = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
DAY = AT.replace(hour=0, minute=0)


class Colour(Enum):
    """Three of them."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Odd:
    """Every kind of annotation there is, with bounds that are easy to miss."""

    whole: Annotated[int, Ge(3), Le(3)]
    above: Annotated[int, Gt(0), Lt(2)]
    narrow: Annotated[float, Gt(0.001), Lt(0.002)]
    negative: Annotated[float, Ge(-5), Le(-4)]
    free: int
    short: Annotated[str, MaxLen(3)]
    said: Literal["yes", "no"]
    colour: Colour
    on: bool
    few: Annotated[tuple[int, ...], MaxLen(2)]
    many: Annotated[tuple[int, ...], MinLen(9), MaxLen(9)]
    perhaps: Annotated[int, Ge(1), Le(5)] | None


@dataclass(frozen=True, slots=True)
class Unheard:
    """What no mock can hold."""

    what: complex


def values(fact: Any) -> list[tuple[str, Any]]:
    """Every (field name, plain value) in a fact, however deep."""
    found = []
    for name, value in ((f.name, getattr(fact, f.name)) for f in fields(fact)):
        for item in value if isinstance(value, tuple) else (value,):
            found += values(item) if is_dataclass(item) else [(name, item)]
    return found


@given(st.text(min_size=1, max_size=40))
def test_every_bound_is_kept(key: str) -> None:
    odd = mock(Odd, "some", key, AT)
    assert wire_of(Odd).one(wire_of(Odd).text(odd)) == odd
    assert (odd.whole, odd.above, len(odd.many)) == (3, 1, 9)
    assert len(odd.few) <= 2


@given(st.text(min_size=1, max_size=40))
def test_moments_lie_in_the_last_months_unless_their_name_says_otherwise(key: str) -> None:
    for name, value in values(mock(Progress, "course", key, AT)) + values(mock(Activity, "course", key, AT)):
        if not isinstance(value, date):
            continue
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        if name == "end_date":
            assert moment >= DAY
        elif name == "due_at":
            assert abs(moment - DAY) <= timedelta(days=DAYS // 2)
        else:
            assert DAY - timedelta(days=DAYS) <= moment < DAY


@given(st.text(min_size=1, max_size=40))
def test_moments_come_in_the_order_of_their_fields_and_days_never_twice(key: str) -> None:
    for course in mock(Progress, "course", key, AT).courses:
        assert course.start_date <= course.enrolled_at <= course.end_date
        assert course.left_at is None or course.enrolled_at <= course.left_at
    days = [day.date for day in mock(Activity, "course", key, AT).days]
    assert days == sorted(set(days))


def test_a_mock_changes_with_service_type_and_key_and_not_with_the_hour() -> None:
    facts = [
        mock(Courses, "course", "a", AT),
        mock(Courses, "course", "b", AT),
        mock(Courses, "other", "a", AT),
    ]
    assert len({repr(fact) for fact in facts}) == 3
    assert mock(Courses, "course", "a", AT + timedelta(hours=8)) == facts[0]


def test_another_process_makes_the_same_mock() -> None:
    code = (
        "from datetime import datetime, UTC; from datasources.mock import mock;"
        "from datasources.course import Progress;"
        "print(mock(Progress, 'course', 'someone', datetime(2026, 11, 21, 15, 30, tzinfo=UTC)))"
    )
    said = subprocess.run(  # noqa: S603  # our own code, in our own interpreter
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "123"},
    )
    assert said.stdout.strip() == str(mock(Progress, "course", "someone", AT))


def test_the_mock_of_a_person_is_that_person_and_belongs_to_no_real_organization() -> None:
    user = mock(User, "directory", "someone", AT)
    assert user.id == "someone"
    assert user.organization_id.startswith("mock-")


def test_what_cannot_be_mocked_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        mock(Unheard, "some", "key", AT)


def test_a_mock_is_cheap() -> None:
    mock(Progress, "course", "warm", AT)
    began = time.process_time()
    for number in range(50):
        mock(Progress, "course", str(number), AT)
    assert (time.process_time() - began) / 50 < 0.005
