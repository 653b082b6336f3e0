import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.codec import camel, decode, encode, instant
from analytics.declare import DataQuality, DataQualityLevel, Logit, Points
from datasources.declare import Score, Share


class Mood(StrEnum):
    GOOD = "good-as-gold"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Part:
    part_share: Share
    mood: Mood | None


@dataclass(frozen=True, slots=True)
class Whole:
    the_score: Score
    bare: float
    log_odds: Logit
    change: Points | None
    day: date
    moment: datetime
    parts: tuple[Part, ...]
    flags: tuple[bool, ...]
    quality: DataQuality


QUALITY = DataQuality(3, 9, DataQualityLevel.LOW)
AT = datetime(2026, 3, 2, tzinfo=UTC)


def whole(score: float = 12.34567, change: float | None = -0.04, moment: datetime = AT) -> Whole:
    parts = (Part(1 / 3, Mood.GOOD), Part(0, None))
    return Whole(score, 1 / 3, 1 / 3, change, date(2026, 3, 2), moment, parts, (True, False), QUALITY)


def test_the_wire_shape_is_what_graphql_sends() -> None:
    assert encode(whole()) == {
        "theScore": 12.3,
        "bare": 1 / 3,
        "logOdds": 0.333333333,
        "change": 0.0,
        "day": "2026-03-02",
        "moment": "2026-03-02T00:00:00Z",
        "parts": [{"partShare": 0.333, "mood": "GOOD"}, {"partShare": 0.0, "mood": None}],
        "flags": [True, False],
    }


def test_nobody_reads_minus_nothing() -> None:
    assert json.dumps(encode(whole())["change"]) == "0.0"


def test_an_instant_is_said_in_utc_wherever_it_was_measured() -> None:
    assert instant(datetime(2026, 3, 2, 5, tzinfo=timezone(timedelta(hours=5)))) == "2026-03-02T00:00:00Z"


@given(
    st.floats(0, 100),
    st.none() | st.floats(-100, 100),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds have no zone
)
def test_what_comes_back_says_the_same_and_is_rounded_only_once(
    score: float, change: float | None, moment: datetime
) -> None:
    wire = encode(whole(score, change, moment))
    back = decode(Whole, json.loads(json.dumps(wire)), QUALITY)
    assert encode(back) == wire
    assert back.quality == QUALITY
    assert abs(back.the_score - score) <= 0.05 + 1e-9


def test_what_graphql_has_no_word_for_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        held: complex

    with pytest.raises(TypeError, match="cannot hold"):
        encode(Odd(1j))


@given(st.lists(st.from_regex(r"[a-z][a-z0-9]*", fullmatch=True), min_size=1, max_size=4))
def test_names_are_told_apart_in_camel_case(words: list[str]) -> None:
    assert "_" not in camel("_".join(words))
    assert camel("_".join(words)).lower() == "".join(words)
