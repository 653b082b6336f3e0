from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from datasources import catalog
from datasources.declare import About, Endpoint, Service
from datasources.simulator.accounts import key_set
from datasources.simulator.record import samples
from datasources.simulator.server import create_simulator
from datasources.simulator.services import services
from tests.campus import LEARNERS, PYTHON, SQL, STATS, small_campus
from tests.cast import ACME, LARS, LENA, OLGA, OTHER, SAM, TARA, TOMAS

NINE = {"directory", "course", "content", "assessment", "skills", "learner-ai", "devlab", "rag", "auth"}
"""What the simulator is; a service that is declared later may be simulated later."""
SERVICES = [service for service in catalog.SERVICES if service.name in NINE]

if TYPE_CHECKING:
    from starlette.applications import Starlette

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE_KEYS = key_set(Ed25519PrivateKey.from_private_bytes(bytes(32)))
EVERY = [
    pytest.param(service, endpoint, id=endpoint.fact.__name__) for service in SERVICES for endpoint in service.endpoints
]
BATCHED = [each for each in EVERY if each.values[1].batched]
IDS = {
    About.USER: (LENA, LARS, SAM, TOMAS, OLGA, *LEARNERS),
    About.ORGANIZATION: (ACME, OTHER),
    About.COURSE: (PYTHON, SQL, STATS),
    About.CONTENT: tuple(item.id for course in small_campus().courses for item in course.items),
    About.MARKET: ("",),
}


def facts(endpoint: Endpoint) -> TypeAdapter[Any]:
    exact = ConfigDict(alias_generator=to_camel, allow_inf_nan=False, extra="forbid")
    return TypeAdapter(dict[str, endpoint.fact], config=exact)


def path_of(service: Service, endpoint: Endpoint, key: str) -> str:
    return f"/{service.name}{endpoint.path.replace('{id}', key)}"


async def single(client: httpx.AsyncClient, service: Service, endpoint: Endpoint, key: str) -> Any:
    answer = await client.get(path_of(service, endpoint, key))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def batch(client: httpx.AsyncClient, service: Service, endpoint: Endpoint, ids: list[str]) -> Any:
    answer = await client.post(f"/{service.name}{endpoint.batch_path}", json={"ids": ids})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(("service", "endpoint"), EVERY)
async def test_every_declared_endpoint_answers_with_its_fact(
    client: httpx.AsyncClient, service: Service, endpoint: Endpoint
) -> None:
    answers = {key: await single(client, service, endpoint, key) for key in IDS[endpoint.about]}
    assert len(facts(endpoint).validate_python(answers)) == len(answers)


@pytest.mark.parametrize(("service", "endpoint"), BATCHED)
async def test_a_batch_says_what_single_reads_say(
    client: httpx.AsyncClient, service: Service, endpoint: Endpoint
) -> None:
    ids = list(IDS[endpoint.about])
    together = await batch(client, service, endpoint, ids)
    assert together["missing"] == []
    assert together["items"] == {key: await single(client, service, endpoint, key) for key in ids}


@pytest.mark.parametrize(("service", "endpoint"), BATCHED)
async def test_an_unknown_id_is_missing_once_and_a_duplicate_is_answered_once(
    client: httpx.AsyncClient, service: Service, endpoint: Endpoint
) -> None:
    known = IDS[endpoint.about][0]
    answer = await batch(client, service, endpoint, ["nobody", known, known, "nobody", "nothing"])
    assert list(answer["items"]) == [known]
    assert answer["missing"] == ["nobody", "nothing"]
    assert (await client.get(path_of(service, endpoint, "nobody"))).status_code == 404


@pytest.mark.parametrize(("service", "endpoint"), EVERY)
async def test_without_the_service_token_only_the_public_keys_are_told(
    app: Starlette, service: Service, endpoint: Endpoint
) -> None:
    path = path_of(service, endpoint, IDS[endpoint.about][0])
    expected = 200 if service.name == "auth" else 401
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://simulator") as stranger:
        assert (await stranger.get(path)).status_code == expected
        assert (await stranger.get(path, headers={"Authorization": "Bearer another"})).status_code == expected
        if endpoint.batched:
            twin = await stranger.post(f"/{service.name}{endpoint.batch_path}", json={"ids": []})
            assert twin.status_code == 401


@pytest.mark.parametrize(("service", "endpoint"), EVERY)
def test_the_committed_sample_is_what_the_small_campus_answers(service: Service, endpoint: Endpoint) -> None:
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", endpoint.fact.__name__).lower()
    name = f"{service.name}/{kebab}.json"
    assert (SAMPLES / name).read_bytes() == samples(small_campus(), SAMPLE_KEYS)[name]


def test_there_is_no_sample_of_what_is_not_declared() -> None:
    there = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.json")}
    assert there == set(samples(small_campus(), SAMPLE_KEYS))
    assert len(there) == len(EVERY)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b"{}", 400), (b'{"ids": [1]}', 400), (b'{"ids": "a"}', 400)],
)
async def test_a_malformed_batch_is_refused_with_a_reason(client: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await client.post("/course/api/v1/progress/batch", content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_more_than_five_hundred_ids_are_too_many(client: httpx.AsyncClient) -> None:
    ids = [str(number) for number in range(501)]
    too_many = await client.post("/course/api/v1/progress/batch", json={"ids": ids})
    assert too_many.status_code == 413
    assert "500" in too_many.json()["detail"]
    assert (await client.post("/course/api/v1/progress/batch", json={"ids": ids[1:]})).status_code == 200


async def test_calls_are_counted_by_endpoint_and_can_be_forgotten(client: httpx.AsyncClient) -> None:
    await client.get(f"/course/api/v1/progress/{LENA}")
    await client.get("/course/api/v1/progress/nobody")
    await client.post("/course/api/v1/progress/batch", json={"ids": [LENA, LARS]})
    calls = (await client.get("/calls")).json()
    assert calls["course"] == {"GET /api/v1/progress/{id}": 2, "POST /api/v1/progress/batch": 1}
    assert set(calls) == {service.name for service in SERVICES}
    assert (await client.delete("/calls")).status_code == 204
    assert (await client.get("/calls")).json()["course"] == {}


async def test_a_service_without_data_is_unavailable(client: httpx.AsyncClient) -> None:
    bare = replace(small_campus(), unavailable=frozenset({"learner-ai"}))
    transport = httpx.ASGITransport(create_simulator(bare, token="t"))
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator") as asking:
        headers = {"Authorization": "Bearer t"}
        assert (await asking.get(f"/learner-ai/api/v1/risk/{LENA}", headers=headers)).status_code == 503
        assert (await asking.get(f"/course/api/v1/progress/{LENA}", headers=headers)).status_code == 200
    assert (await client.get(f"/learner-ai/api/v1/risk/{LENA}")).json() == {"risk": None}


async def test_the_server_says_whose_data_it_serves_and_as_of_when(client: httpx.AsyncClient) -> None:
    health = (await client.get("/healthz")).json()
    cast = health.pop("cast")
    assert health == {"status": "ok", "campus": "made by hand for the tests", "asOf": "2026-03-02T00:00:00+00:00"}
    assert {name: (one["id"], one["organization"]) for name, one in cast.items()} == {
        "learner": (LENA, ACME),
        "trainer": (TOMAS, ACME),
        "org-admin": (OLGA, ACME),
        "stranger": (SAM, OTHER),
    }
    assert cast["learner"] == {
        "id": LENA,
        "name": "Lena",
        "email": "lena@acme.example",
        "roles": ["learner"],
        "organization": ACME,
    }


async def test_the_assistant_says_that_it_is_a_simulator(client: httpx.AsyncClient) -> None:
    path = "/rag/api/v1/chat/send-message"
    answer = await client.post(path, json={"userId": LENA, "message": "How am I doing?"})
    assert answer.json()["role"] == "assistant"
    assert "simulator" in answer.json()["text"]
    assert (await client.post(path, json={"userId": "nobody", "message": ""})).status_code == 404
    assert (await client.post(path, json={"userId": LENA})).status_code == 400


def payload(service: str, name: str, key: str) -> Any:
    reads = {read.name: read for read in services(small_campus(), {})[service]}
    return reads[name].answer(key)


def test_staff_learn_nothing_and_only_trainers_teach() -> None:
    for person in (TOMAS, OLGA):
        assert payload("course", "progress", person) == {"courses": []}
        assert payload("content", "interactions", person) == {"interactions": []}
    assert [course["id"] for course in payload("course", "teaching", TOMAS)["courses"]] == [PYTHON, SQL]
    assert [course["id"] for course in payload("course", "teaching", TARA)["courses"]] == [STATS]
    assert payload("course", "teaching", LENA) == {"courses": []}


def test_enrolments_tell_who_left_who_finished_and_who_is_at_work() -> None:
    status = {
        course: {one["userId"]: one["status"] for one in payload("course", "enrollments", course)["enrollments"]}
        for course in (PYTHON, SQL)
    }
    assert status[PYTHON][LENA] == "active"
    assert status[SQL][LENA] == "completed"
    assert status[PYTHON][LEARNERS[7]] == "withdrawn"
    assert status[PYTHON][LEARNERS[8]] == "active", "leaves on day 90, which has not come"
    assert status[PYTHON][SAM] == "active"


def test_a_result_is_told_of_those_who_finished_and_of_nobody_else() -> None:
    told = [one for course in (PYTHON, SQL) for one in payload("course", "enrollments", course)["enrollments"]]
    assert {one["status"] for one in told if one["result"]} == {"completed"}
    assert all(one["result"] for one in told if one["status"] == "completed")


def test_the_directory_tells_where_somebody_s_days_begin() -> None:
    assert payload("directory", "user", LENA)["timeZone"] == "Europe/Oslo"
    assert payload("directory", "user", SAM)["timeZone"] is None


def test_work_carried_over_is_scored_but_not_assigned_again() -> None:
    [course] = [one for one in payload("course", "progress", LEARNERS[9])["courses"] if one["courseId"] == PYTHON]
    assert [module["id"] for module in course["modules"]] == [f"{PYTHON}-t{number}" for number in range(2, 6)]
    banked = [one for one in payload("assessment", "scores", LEARNERS[9])["scores"] if one["banked"]]
    assert f"{PYTHON}-t1" in {one["assessmentId"] for one in banked}


def test_activity_and_interactions_add_up_to_the_same_actions() -> None:
    days = payload("course", "activity", LENA)["days"]
    interactions = payload("content", "interactions", LENA)["interactions"]
    assert sum(day["actions"] for day in days) == sum(one["actions"] for one in interactions) > 0
    assert all(day["actions"] == sum(day["byType"].values()) > 0 for day in days)
    assert len({(one["contentId"], one["date"]) for one in interactions}) == len(interactions)
    assert [day["date"] for day in days] == sorted({one["date"] for one in interactions})


def test_usage_counts_everyone_who_opened_an_item() -> None:
    everyone = [person.id for person in small_campus().people]
    opened = [one for key in everyone for one in payload("content", "interactions", key)["interactions"]]
    for item in small_campus().courses[0].items:
        usage = payload("content", "usage", item.id)
        assert usage["views"] == sum(one["actions"] for one in opened if one["contentId"] == item.id)
        assert usage["views"] == sum(day["views"] for day in usage["byDate"])
        assert 0 < usage["uniqueViewers"] <= len(everyone)


def test_a_level_is_the_latest_known_score_and_acquired_is_what_reached_the_requirement() -> None:
    scores = payload("assessment", "scores", LENA)["scores"]
    required = {one["skillId"]: one["requiredLevel"] for one in payload("skills", "required-skills", LENA)["skills"]}
    for skill in payload("skills", "user-skills", LENA)["skills"]:
        marked = [one for one in scores if skill["skillId"] in one["skillIds"] and one["score"] is not None]
        assert skill["assessedAt"] == max(one["submittedAt"] for one in marked)
        assert skill["level"] in {one["score"] for one in marked if one["submittedAt"] == skill["assessedAt"]}
    for skill in payload("skills", "skill-acquisition", LENA)["skills"]:
        reached = [
            one for one in scores if skill["skillId"] in one["skillIds"] and one["score"] >= required[skill["skillId"]]
        ]
        assert skill["acquiredAt"] == min(one["submittedAt"] for one in reached)


def test_sessions_that_nobody_recorded_are_not_made_up() -> None:
    assert payload("directory", "logins", LENA) == {"logins": []}
