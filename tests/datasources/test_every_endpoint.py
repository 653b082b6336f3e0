"""What holds for every endpoint of the catalog, whatever it is about."""

from __future__ import annotations

import math
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime

from datasources.catalog import SERVICES, SOURCES
from datasources.declare import Endpoint, Origin, Service
from datasources.mock import mock
from datasources.wire import NonsenseError, wire_of
from tests.datasources.outer_world import AT, World, asked, knows_everything, payload

SAMPLES = Path(__file__).parent / "samples"

st.register_type_strategy(AwareDatetime, st.datetimes(timezones=st.just(UTC)))

every_endpoint = pytest.mark.parametrize(
    ("service", "endpoint"),
    [
        pytest.param(service, endpoint, id=f"{service.name}/{endpoint.fact.__name__}")
        for service, endpoint in SOURCES.values()
    ],
)
is_about_one = [entry for entry in SOURCES.values() if "{id}" in entry[1].path]
every_endpoint_with_an_id = pytest.mark.parametrize(
    ("service", "endpoint"),
    [
        pytest.param(service, endpoint, id=f"{service.name}/{endpoint.fact.__name__}")
        for service, endpoint in is_about_one
    ],
)


def sample(service: Service, endpoint: Endpoint) -> Path:
    """Samples are called after their fact: `course/course-progress.json` for a fact CourseProgress."""
    return SAMPLES / service.name / f"{re.sub('(?<=[a-z])(?=[A-Z])', '-', endpoint.fact.__name__).lower()}.json"


def test_no_two_endpoints_share_a_fact() -> None:
    assert len(SOURCES) == sum(len(service.endpoints) for service in SERVICES)


@every_endpoint
def test_its_mock_is_valid_and_the_same_every_time(service: Service, endpoint: Endpoint) -> None:
    wire = wire_of(endpoint.fact)
    for number in range(20):
        fact = mock(endpoint.fact, service.name, f"key {number}", AT)
        assert wire.one(wire.text(fact)) == fact
        assert mock(endpoint.fact, service.name, f"key {number}", AT) == fact


@every_endpoint
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_fact_survives_the_wire(service: Service, endpoint: Endpoint, data: st.DataObject) -> None:
    assert service.name
    fact = data.draw(st.from_type(endpoint.fact))
    wire = wire_of(endpoint.fact)
    assert wire.one(wire.text(fact)) == fact


@every_endpoint
def test_its_payload_is_in_camel_case(service: Service, endpoint: Endpoint) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for inner in value.values() for key in keys(inner)}
        return {key for inner in value for key in keys(inner)} if isinstance(value, list) else set()

    assert service.name
    assert not [key for key in keys(payload(endpoint, "someone")) if "_" in key]


@every_endpoint
def test_it_refuses_what_is_not_its_fact(service: Service, endpoint: Endpoint) -> None:
    assert service.name
    for nonsense in ("", "null", "[]", '"yes"', "{", "{}", "[" * 10_000, "\ud800".encode("utf-8", "surrogatepass")):
        with pytest.raises(NonsenseError):
            wire_of(endpoint.fact).one(nonsense)


@every_endpoint_with_an_id
async def test_keys_keep_their_order_and_duplicates_are_asked_once(service: Service, endpoint: Endpoint) -> None:
    world = World(knows_everything(endpoint))
    keys = [f"id{number * 7 % 11}" for number in range(11)]
    fetched = await world.facts().load_many(endpoint.fact, keys + keys[:5])
    assert list(fetched) == keys
    assert all(one.origin is Origin.LIVE and one.service == service.name for one in fetched.values())
    sent = [key for request in world.requests for key in asked(request)]
    assert sent == keys
    assert len(world.requests) == math.ceil(len(keys) / endpoint.at_most)


@every_endpoint
async def test_it_answers_one_id(service: Service, endpoint: Endpoint) -> None:
    world = World(knows_everything(endpoint))
    fetched = await world.facts().load(endpoint.fact, "someone")
    assert fetched.origin is Origin.LIVE
    assert fetched.fact is not None
    (request,) = world.requests
    assert request.url.host == f"{service.name}.test"
    assert request.headers["authorization"] == "Bearer service-token"


@every_endpoint
async def test_a_service_that_is_down_is_replaced_by_its_mock(service: Service, endpoint: Endpoint) -> None:
    world = World(lambda _: httpx.Response(500))
    fetched = await world.facts().load(endpoint.fact, "someone")
    assert fetched.origin is Origin.MOCK
    assert fetched.fact == mock(endpoint.fact, service.name, "someone", AT)
    assert fetched.seen_at is None


@every_endpoint
def test_it_has_a_recorded_sample_that_parses(service: Service, endpoint: Endpoint) -> None:
    text = sample(service, endpoint).read_text(encoding="utf-8")
    assert wire_of(endpoint.fact).one(text) is not None


def test_no_sample_is_of_an_endpoint_that_is_gone() -> None:
    known = {sample(service, endpoint) for service, endpoint in SOURCES.values()}
    assert set(SAMPLES.glob("*/*.json")) <= known
