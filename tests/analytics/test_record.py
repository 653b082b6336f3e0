from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.catalog import METRICS
from analytics.declare import DataQuality, DataQualityLevel, Scope, Withheld, WithheldReason
from analytics.keeping import from_kept, question, to_kept
from analytics.policy import Subject
from analytics.record import NO_QUALITY, Answer, Source, Tier, refusal, worst
from datasources.declare import Origin
from tests.cast import ACME, LENA

AT = datetime(2026, 3, 2, tzinfo=UTC)
VELOCITY = METRICS["learner-velocity"]

sources_ = st.lists(
    st.builds(
        Source,
        st.sampled_from(["course", "content", "skills"]),
        st.sampled_from([Origin.LIVE, Origin.LAST_KNOWN, Origin.MOCK, None]),
        st.none() | st.integers(0, 9).map(lambda hours: AT - timedelta(hours=hours)),
    ),
    max_size=8,
)


def answer(sources: tuple[Source, ...] = (), withheld: Withheld | None = None) -> Answer:
    value = None if withheld else '{"paceRatio":0.5}'
    quality = DataQuality(3, 9, DataQualityLevel.OK)
    return Answer(VELOCITY, value, withheld, quality, sources, 50.0, "BEHIND", AT, AT, AT + timedelta(hours=6))


@given(sources_)
def test_an_answer_is_only_as_good_as_the_worst_it_stands_on(sources: list[Source]) -> None:
    told = answer(worst(sources))
    assert [source.service for source in told.sources] == sorted({source.service for source in sources})
    given_ = {Origin.PARTIAL if source.origin is None else source.origin for source in sources}
    assert told.origin is max(given_, key=lambda origin: origin.value, default=Origin.LIVE)
    assert told.whole == (given_ <= {Origin.LIVE})
    assert told.complete == (given_ <= {Origin.LIVE, Origin.LAST_KNOWN})


def test_an_answer_made_without_one_of_its_services_never_looks_live() -> None:
    told = answer((Source("content", None, None), Source("course", Origin.LIVE, AT)))
    assert told.wire(Tier.SOURCE, "FRESH")["freshness"]["origin"] == "PARTIAL"


@given(sources_)
def test_the_worst_of_sources_does_not_depend_on_their_order(sources: list[Source]) -> None:
    assert worst(sources) == worst(reversed(sources)) == worst(worst(sources))


def test_a_service_that_was_mocked_is_worse_than_one_that_gave_nothing() -> None:
    """The risk of a learner is mocked while the course's pulse is only missing: the value is not real."""
    (one,) = worst([Source("course", None, None), Source("course", Origin.MOCK, None)])
    assert one.origin is Origin.MOCK
    assert answer((one,)).origin is Origin.MOCK


@given(sources_, st.booleans())
def test_what_is_kept_comes_back_as_it_was(sources: list[Source], refused: bool) -> None:  # noqa: FBT001 - drawn
    withheld = Withheld(WithheldReason.NOT_ENOUGH_DATA, "Too little.", 3, timedelta(seconds=30)) if refused else None
    before = answer(worst(sources), withheld)
    assert from_kept(VELOCITY, to_kept(before)) == before


def test_a_kept_value_that_is_no_json_is_no_answer() -> None:
    with pytest.raises(ValueError, match="unexpected end"):
        from_kept(VELOCITY, replace(to_kept(answer()), value="{"))


def test_an_answer_takes_the_room_of_its_text() -> None:
    shorter, longer = (replace(answer(), value=f'"{"." * length}"') for length in (10, 1_010))
    assert longer.size - shorter.size == 1_000


def test_arguments_left_out_and_arguments_spelled_out_are_the_same_question() -> None:
    subject = Subject(Scope.LEARNER, ACME, LENA)
    window = VELOCITY.arguments[0]
    assert question(VELOCITY, subject, {}) == question(VELOCITY, subject, {"window": window.default})
    others = [choice for choice in window.type if choice is not window.default]
    asked = {question(VELOCITY, subject, {"window": choice}) for choice in window.type}
    assert len(asked) == len(others) + 1


def test_a_refused_answer_stands_on_nothing_and_was_never_calculated() -> None:
    wire = refusal(VELOCITY, Withheld(WithheldReason.NOT_FOR_YOUR_ROLE, "Not yours."), AT)
    assert wire["value"] is None
    assert wire["withheld"]["reason"] == "NOT_FOR_YOUR_ROLE"
    assert (wire["freshness"]["calculatedAt"], wire["freshness"]["sources"]) == (None, [])
    assert wire["quality"]["level"] == NO_QUALITY.level.name


def test_the_wire_shape_says_tier_and_state() -> None:
    freshness = answer((Source("course", None, None),)).wire(Tier.DATABASE, "STALE")["freshness"]
    assert (freshness["tier"], freshness["state"]) == ("DATABASE", "STALE")
    assert freshness["sources"] == [{"service": "course", "origin": None, "seenAt": None}]
