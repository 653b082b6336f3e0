"""Refreshing: asked for by hand and by whoever meets what is stale, done once, counted, refused and cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from analytics.learner.pace import Window
from datasources.postgres.jobs import Status
from gateway import queue
from resolvers.ids import to_global
from tests.campus import LEARNERS
from tests.cast import ACME, LARS, LENA, OTHER, SAM, TOMAS
from tests.river.banks import FIELDS, HOURS, running
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from datasources.postgres.jobs import Job
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services
    from tests.river.bearers import Who
    from tests.river.workers import Worker

JOB = "id kind status progress createdAt startedAt finishedAt attempts error result { __typename ...R }"
RESULT = "fragment R on RefreshResult { answers alreadyFresh withheld unanswered }"
REFRESH = f"""mutation ($subject: ID, $metrics: [MetricName!]) {{
  refreshAnalytics(input: {{ subject: $subject, metrics: $metrics }}) {{
    ... on RefreshQueued {{ job {{ {JOB} }} }}
    ... on RefreshRefused {{ reason message retryAfter }}
  }}
}} {RESULT}"""
FIND = f"query ($id: ID!) {{ job(id: $id) {{ {JOB} }} }} {RESULT}"
LIST = f"""query ($first: Int, $after: String, $kind: JobKind, $status: JobStatus) {{
  jobs(first: $first, after: $after, kind: $kind, status: $status) {{
    totalCount pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {JOB} }} }}
  }}
}} {RESULT}"""
CANCEL = """mutation ($job: ID!) { cancelJob(input: { job: $job }) {
  ... on JobCancelled { job { status } }
  ... on CancelRefused { reason message }
} }"""

ME, COLLEAGUE, TEACHER = to_global("Learner", LENA), to_global("Learner", LARS), to_global("Trainer", TOMAS)
STRANGER, FIRM, ABROAD = to_global("Learner", SAM), to_global("Organization", ACME), to_global("Organization", OTHER)


async def refresh(gateway: Gateway, who: Who = "lena", **chosen: Any) -> Any:
    return (await gateway.ask(REFRESH, who, **chosen)).data["refreshAnalytics"]


def asked_for(done: list[Job]) -> list[Job]:
    """Those jobs that somebody asked for by hand."""
    return [job for job in done if job.details["inputs"]]


async def found(gateway: Gateway, job: str, who: Who = "lena") -> Any:
    return (await gateway.ask(FIND, who, id=job)).data["job"]


async def test_what_is_refreshed_by_hand_is_worked_out_whatever_is_kept(
    gateway: Gateway, worker: Worker, services: Services, clock: Clock
) -> None:
    await gateway.dashboard()
    clock.pass_by(HOURS)
    services.forget()
    made = (await refresh(gateway, metrics=["LEARNER_VELOCITY"]))["job"]
    assert (made["kind"], made["status"], made["progress"], made["result"]) == ("REFRESH", "QUEUED", 0, None)
    await worker.works_off()
    done = await found(gateway, made["id"])
    assert (done["status"], done["progress"], done["attempts"], done["error"]) == ("COMPLETED", 100, 1, None)
    assert done["result"] == {
        "__typename": "RefreshResult",
        "answers": 1,
        "alreadyFresh": 0,
        "withheld": 0,
        "unanswered": 0,
    }
    assert done["createdAt"] <= done["startedAt"] <= done["finishedAt"]
    heard = (await gateway.dashboard()).answers
    now = clock.now().isoformat().replace("+00:00", "Z")
    assert heard["velocity"]["freshness"]["calculatedAt"] == now
    assert heard["engagement"]["freshness"]["calculatedAt"] != now


async def test_all_that_is_said_of_a_learner_and_what_it_is_made_of_is_refreshed(
    gateway: Gateway, worker: Worker, clock: Clock
) -> None:
    await gateway.dashboard()
    clock.pass_by(HOURS)
    await refresh(gateway)
    (job,) = asked_for(await worker.works_off())
    assert job.result is not None
    assert job.result["answers"] == len(FIELDS)
    now = clock.now().isoformat().replace("+00:00", "Z")
    heard = (await gateway.dashboard()).answers
    assert {answer["freshness"]["calculatedAt"] for answer in heard.values()} == {now}


@pytest.mark.parametrize(
    ("who", "chosen", "reason"),
    [
        ("lena", {"subject": COLLEAGUE}, "NOT_YOURS"),
        ("lena", {"subject": STRANGER}, "NOT_YOURS"),
        ("lena", {"subject": TEACHER}, "NOT_YOURS"),
        ("lena", {"subject": FIRM}, "NOT_YOURS"),
        ("lena", {"subject": ABROAD}, "NOT_YOURS"),
        ("tara", {"subject": ME}, "NOT_YOURS"),
        ("olga", {"subject": STRANGER}, "NOT_YOURS"),
        ("lena", {"metrics": []}, "NO_METRICS"),
        ("lena", {"metrics": ["TRAINER_COURSE_HEALTH"]}, "NOT_OF_THIS_SUBJECT"),
    ],
)
async def test_what_is_not_yours_or_makes_no_sense_is_refused_with_a_reason(
    gateway: Gateway, who: Who, chosen: dict[str, Any], reason: str
) -> None:
    refused = await refresh(gateway, who, **chosen)
    assert refused["reason"] == reason
    assert refused["message"]
    assert refused["retryAfter"] is None


async def test_an_unknown_metric_and_an_id_that_is_none_are_bad_input(gateway: Gateway) -> None:
    unknown = await gateway.ask(REFRESH, "lena", metrics=["LEARNER_LUCK"])
    assert unknown.codes == {"BAD_USER_INPUT"}
    for malformed in ("", "x", LENA, to_global("Course", "python-2026"), to_global("Job", LENA)):
        assert (await gateway.ask(REFRESH, "lena", subject=malformed)).codes == {"BAD_USER_INPUT"}


@pytest.mark.parametrize(
    ("who", "subject", "about"),
    [
        ("tomas", None, ("trainer", TOMAS)),
        ("tomas", ME, ("learner", LENA)),
        ("olga", None, ("organization", ACME)),
        ("olga", COLLEAGUE, ("learner", LARS)),
        ("olga", TEACHER, ("trainer", TOMAS)),
    ],
)
async def test_trainers_refresh_whom_they_teach_and_admins_their_organization(
    gateway: Gateway, worker: Worker, who: Who, subject: str | None, about: tuple[str, str]
) -> None:
    await refresh(gateway, who, subject=subject)
    (job,) = asked_for(await worker.works_off())
    assert (job.scope, job.subject, job.status) == (*about, Status.COMPLETED)
    assert job.result is not None
    assert job.result["answers"] > 0
    assert job.result["unanswered"] == 0


async def test_the_fourth_refresh_of_an_hour_is_refused_whichever_process_is_asked(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock) as one, running(clone.app_url, services, clock) as other:
        names = ["LEARNER_VELOCITY", "LEARNER_ENGAGEMENT", "COMPARISON_PEER", "COMPARISON_SKILLS", "LEARNER_TIME_SPENT"]
        both = [(one, other)[n % 2] for n in range(len(names))]
        told = await asyncio.gather(*(refresh(g, metrics=[name]) for g, name in zip(both, names, strict=True)))
        queued = [said for said in told if "job" in said]
        refused = [said for said in told if "reason" in said]
        assert len(queued) == 3
        assert [said["reason"] for said in refused] == ["TOO_MANY", "TOO_MANY"]
        assert all(3500 < said["retryAfter"] <= 3600 for said in refused)
        again = await refresh(one, metrics=[names[told.index(queued[0])]])
        assert again["job"]["id"] == queued[0]["job"]["id"], "what is on its way already costs nothing"
        assert "job" in await refresh(one, "lars"), "and everybody has their own three"


async def test_jobs_are_listed_newest_first_and_only_to_whom_they_concern(gateway: Gateway, worker: Worker) -> None:
    # Whoever comes has what is stale refreshed: those jobs are made before ours.
    for who in ("lena", "lars", "olga", "sam"):
        await gateway.ask(LIST, who)
    await worker.works_off()
    before = {who: (await gateway.ask(LIST, who)).data["jobs"]["totalCount"] for who in ("lena", "olga", "sam")}
    mine = [(await refresh(gateway, metrics=[name]))["job"]["id"] for name in ("LEARNER_VELOCITY", "COMPARISON_PEER")]
    await refresh(gateway, "lars")
    page = (await gateway.ask(LIST, "lena", first=1)).data["jobs"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (before["lena"] + 2, True)
    assert [edge["node"]["id"] for edge in page["edges"]] == mine[1:]
    rest = (await gateway.ask(LIST, "lena", first=200, after=page["pageInfo"]["endCursor"])).data["jobs"]
    assert rest["edges"][0]["node"]["id"] == mine[0]
    assert len(rest["edges"]) == before["lena"] + 1
    assert not rest["pageInfo"]["hasNextPage"]
    assert (await gateway.ask(LIST, "olga")).data["jobs"]["totalCount"] == before["olga"] + 3
    assert (await gateway.ask(LIST, "sam")).data["jobs"]["totalCount"] == before["sam"]
    assert (await gateway.ask(FIND, "lars", id=mine[0])).codes == {"NOT_FOUND"}
    assert (await gateway.ask(FIND, "sam", id=mine[0])).codes == {"NOT_FOUND"}
    await worker.works_off()
    assert (await gateway.ask(LIST, "lena", status="QUEUED")).data["jobs"]["totalCount"] == 0
    done = {"kind": "REFRESH", "status": "COMPLETED"}
    assert (await gateway.ask(LIST, "lena", **done)).data["jobs"]["totalCount"] == before["lena"] + 2
    assert (await gateway.ask(LIST, "lena", kind="EXPORT")).data["jobs"]["edges"] == []
    for wrong in ({"first": 0}, {"first": 201}, {"after": "x"}, {"after": page["edges"][0]["node"]["id"]}):
        assert (await gateway.ask(LIST, "lena", **wrong)).codes == {"BAD_USER_INPUT"}


async def test_a_job_is_cancelled_by_whom_it_was_made_for_and_by_nobody_else(gateway: Gateway, worker: Worker) -> None:
    job = (await refresh(gateway))["job"]["id"]
    for who, reason in (("lars", "NOT_FOUND"), ("sam", "NOT_FOUND"), ("olga", "NOT_ALLOWED")):
        assert (await gateway.ask(CANCEL, who, job=job)).data["cancelJob"]["reason"] == reason
    for _ in range(2):
        assert (await gateway.ask(CANCEL, "lena", job=job)).data["cancelJob"] == {"job": {"status": "CANCELLED"}}
    assert [one.status for one in asked_for(await worker.works_off())] == [Status.CANCELLED]
    done = (await refresh(gateway))["job"]["id"]
    assert done != job
    await worker.works_off()
    assert (await gateway.ask(CANCEL, "lena", job=done)).data["cancelJob"]["reason"] == "NOT_ALLOWED"


async def test_whoever_may_not_know_of_the_job_hears_that_a_newer_answer_is_on_its_way(
    gateway: Gateway, worker: Worker, clock: Clock
) -> None:
    asked = "{ market { skillDemand { freshness { state refreshJob { id status } } } } }"

    async def heard(who: Who) -> Any:
        return (await gateway.ask(asked, who)).data["market"]["skillDemand"]["freshness"]

    await heard("lena")
    clock.pass_by(25 * HOURS)
    hers, his = await heard("lena"), await heard("lars")
    assert hers["state"] == his["state"] == "REFRESHING"
    assert hers["refreshJob"]["status"] == "QUEUED"
    assert his["refreshJob"] is None
    assert await heard("olga") == hers, "who runs the organization knows of every job in it"
    await worker.works_off()
    assert await heard("lars") == {"state": "FRESH", "refreshJob": None}


WINDOWS = [f"{name.lower()}: velocity(window: {name})" for name in Window.__members__]
QUESTIONS = ("engagement", "mastery", "performance", "timeSpent", "learningPath", *WINDOWS)
"""What is worked out of nothing but facts, so that each is worked out for itself."""
FIELDS_OF_MANY = " ".join(f"{one} {{ ...F }}" for one in QUESTIONS)
FIELDS_OF_FEW = " ".join(f"{one} {{ ...F }}" for one in QUESTIONS[:4])
CROWDED = f"""query ($many: [ID!]!, $few: [ID!]!) {{
  many: nodes(ids: $many) {{ ... on Learner {{ analytics {{ {FIELDS_OF_MANY} }} }} }}
  few: nodes(ids: $few) {{ ... on Learner {{ analytics {{ {FIELDS_OF_FEW} }} }} }}
}} fragment F on Answer {{ freshness {{ state calculatedAt }} }}"""
MANY = [to_global("Learner", one) for one in (LENA, *LEARNERS[:11])]


async def heard_by_olga(gateway: Gateway) -> list[dict[str, Any]]:
    """A hundred answers: eight of each of twelve learners, and four of one more."""
    heard = (await gateway.ask(CROWDED, "olga", many=MANY, few=[COLLEAGUE])).data
    return [one["freshness"] for node in (*heard["many"], *heard["few"]) for one in node["analytics"].values()]


async def test_a_thousand_who_ask_two_processes_for_a_hundred_stale_answers_have_each_worked_out_once(
    clone: Clone, services: Services, clock: Clock
) -> None:
    """The workers work while others still ask: who asks late meets a new answer, or the job of the stale one."""
    async with (
        running(clone.app_url, services, clock) as one,
        running(clone.app_url, services, clock) as other,
        a_worker(clone.app_url, services, clock) as first,
        a_worker(clone.app_url, services, clock) as second,
    ):
        assert len(await heard_by_olga(one)) == 100
        clock.pass_by(7 * HOURS)
        services.forget()
        stopped = asyncio.Event()
        serving = [
            asyncio.create_task(queue.serve(clone.app_url, worker.hands.work, schedule={}, hands=8, stopped=stopped))
            for worker in (first, second)
        ]
        told = await asyncio.gather(*(heard_by_olga(gateway) for gateway in (one, other) for _ in range(5)))
        assert sum(len(each) for each in told) == 1000
        done = await first.all_over()
        stopped.set()
        await asyncio.gather(*serving)
        assert {job.status for job in done} == {Status.COMPLETED}
        about = [job for job in done if job.scope == "learner"]
        assert sum((job.result or {})["answers"] for job in about) == 100
        assert len({(job.subject, *job.details["asked"][0]) for job in about}) == 100
        now = clock.now().isoformat().replace("+00:00", "Z")
        assert {(each["state"], each["calculatedAt"]) for each in await heard_by_olga(one)} == {("FRESH", now)}
