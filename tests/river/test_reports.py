"""Reports: one's own numbers, made by a worker, read by their owner alone, and gone when their time is up."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from analytics.exporting import COLUMNS, written
from datasources.postgres import jobs
from datasources.postgres.reports import ReportFormat
from resolvers.ids import from_global
from tests.campus import AS_OF
from tests.cast import ACME
from tests.river.banks import FIELDS
from tests.river.workers import a_worker

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway, Services

EXPORT = """mutation ($format: ReportFormat!) { exportReport(input: {format: $format}) {
  __typename ... on ReportQueued { job { id kind status } } } }"""
JOB = "query ($id: ID!) { job(id: $id) { status result { ... on ReportResult { report } } } }"
REPORT = "query ($id: ID!) { report(id: $id) { id format createdAt content } }"
REPORTS = "{ reports(first: 1) { totalCount edges { node { id content } } pageInfo { hasNextPage endCursor } } }"


async def exported(  # noqa: PLR0913, PLR0917 - two processes over one database, who, and how
    clone: Clone, services: Services, clock: Clock, gateway: Gateway, who: str, form: str
) -> Any:
    """The report that somebody has made."""
    asked = (await gateway.ask(EXPORT, who, format=form)).data["exportReport"]
    async with a_worker(clone.app_url, services, clock) as worker:
        await worker.works_off()
    job = (await gateway.ask(JOB, who, id=asked["job"]["id"])).data["job"]
    assert job["status"] == "COMPLETED"
    return (await gateway.ask(REPORT, who, id=job["result"]["report"])).data["report"]


async def test_a_table_has_the_numbers_of_the_dashboard(
    clone: Clone, services: Services, clock: Clock, gateway: Gateway
) -> None:
    report = await exported(clone, services, clock, gateway, "lena", "CSV")
    rows = list(csv.DictReader(io.StringIO(report["content"])))
    assert tuple(rows[0]) == COLUMNS
    shown = (await gateway.dashboard()).answers
    values, withheld = (
        {FIELDS[name] for name, answer in shown.items() if (answer["withheld"] is not None) is so}
        for so in (False, True)
    )
    assert values
    assert withheld
    assert {row["metric"] for row in rows if row["withheld"]} == withheld
    assert {row["metric"] for row in rows if row["field"]} == values


async def test_json_has_the_answers_as_the_graph_gives_them(
    clone: Clone, services: Services, clock: Clock, gateway: Gateway
) -> None:
    report = await exported(clone, services, clock, gateway, "tomas", "JSON")
    answers = json.loads(report["content"])["answers"]
    assert answers
    assert all({"value", "freshness", "quality", "withheld"} == answer.keys() for answer in answers.values())


async def test_nobody_else_reads_a_report(clone: Clone, services: Services, clock: Clock, gateway: Gateway) -> None:
    report = await exported(clone, services, clock, gateway, "lena", "CSV")
    for other in ("lars", "tomas", "olga", "sam"):
        assert (await gateway.ask(REPORT, other, id=report["id"])).codes == {"NOT_FOUND"}
        assert (await gateway.ask(REPORTS, other)).data["reports"]["totalCount"] == 0


async def test_reports_are_listed_page_by_page(
    clone: Clone, services: Services, clock: Clock, gateway: Gateway
) -> None:
    for form in ("CSV", "JSON"):
        await exported(clone, services, clock, gateway, "lena", form)
    first = (await gateway.ask(REPORTS, "lena")).data["reports"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    later = (
        "query ($after: String) { reports(first: 5, after: $after) { edges { node { id } } pageInfo { hasNextPage } } }"
    )
    rest = (await gateway.ask(later, "lena", after=first["pageInfo"]["endCursor"])).data["reports"]
    (one,), (other,) = first["edges"], rest["edges"]
    assert one["node"]["id"] != other["node"]["id"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert one["node"]["content"] is None


async def test_who_asks_twice_gets_the_same_job(gateway: Gateway) -> None:
    asked = [(await gateway.ask(EXPORT, "lena", format="CSV")).data["exportReport"]["job"]["id"] for _ in range(3)]
    assert len(set(asked)) == 1


async def test_who_had_ten_made_within_the_hour_waits(gateway: Gateway) -> None:
    refused = "mutation ($format: ReportFormat!) { exportReport(input: {format: $format}) { ... on ReportQueued "
    refused += "{ job { id } } ... on ReportRefused { reason retryAfter } } }"
    for _ in range(10):
        (job,) = (await gateway.ask(refused, "lena", format="CSV")).data["exportReport"].values()
        done = await jobs.claim(gateway.world.database, ACME, from_global(job["id"]).uuid)
        assert done is not None
        await jobs.report(gateway.world.database, done, jobs.Status.COMPLETED, 100)
    told = (await gateway.ask(refused, "lena", format="CSV")).data["exportReport"]
    assert told["reason"] == "TOO_MANY"
    assert 0 < told["retryAfter"] <= 3_601


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    freshness = {"state": "FRESH", "origin": "LIVE", "asOf": "2026-03-02T00:00:00Z"}
    answer = {"value": {"title": text, "points": -3}, "freshness": freshness, "withheld": None}
    rows = list(csv.DictReader(io.StringIO(written({"m": answer}, ReportFormat.CSV, AS_OF))))
    assert [(row["field"], row["value"]) for row in rows] == [("title", f"'{text}"), ("points", "-3")]
