"""The real sample, which is not part of the project: these tests run where it is."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from datasources.catalog import SERVICES
from datasources.simulator.oulad import import_oulad
from datasources.simulator.records import records_of
from datasources.simulator.services import services

if TYPE_CHECKING:
    from datasources.simulator.campus import Campus
    from datasources.simulator.records import Records

DATA = Path(os.environ.get("GATEWAY_DEMO_DATA") or Path(__file__).parents[3].parent / "shared" / "data")
pytestmark = pytest.mark.skipif(
    not (DATA / "enrollments.csv.gz").is_file(), reason="the sample of real learners is not here (GATEWAY_DEMO_DATA)"
)


@pytest.fixture(scope="module")
def campus() -> Campus:
    return import_oulad(DATA)


@pytest.fixture(scope="module")
def records(campus: Campus) -> Records:
    return records_of(campus)


def test_the_totals_are_those_of_the_data_sheet(campus: Campus) -> None:
    clicks = [click for one in campus.registrations for click in one.clicks]
    assert len(campus.registrations) == 3315
    assert sum("learner" in person.roles for person in campus.people) == 3271
    assert sum(len(one.submissions) for one in campus.registrations) == 20_157
    assert sum(work.score is None for one in campus.registrations for work in one.submissions) == 20
    assert len(clicks) == 534_911
    assert sum(actions for _, _, actions in clicks) == 2_426_657
    assert sum(len(course.items) for course in campus.courses) == 847
    assert len(campus.organizations) == 13


def test_what_counts_is_what_the_data_sheet_counts(campus: Campus) -> None:
    with gzip.open(DATA / "assessments.csv.gz", "rt") as file:
        said = {row["id_assessment"]: row["counts"] == "True" for row in csv.DictReader(file)}
    assert {task.id: task.counts for course in campus.courses for task in course.tasks} == said


def test_activity_by_kind_is_that_of_the_daily_table(campus: Campus) -> None:
    kinds = {course.id: [item.kind for item in course.items] for course in campus.courses}
    ours = dict.fromkeys(("content", "forum", "quiz", "other"), 0)
    for one in campus.registrations:
        for place, _, actions in one.clicks:
            ours[kinds[one.course][place]] += actions
    theirs = dict.fromkeys(ours, 0)
    with gzip.open(DATA / "activity_daily.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            for kind, column in (("content", "content"), ("forum", "forum"), ("quiz", "quiz"), ("other", "home")):
                theirs[kind] += int(row[f"clicks_{column}"])
    assert ours == theirs


def test_the_cast_is_a_learner_with_their_own_team_and_admin_and_a_stranger(campus: Campus, records: Records) -> None:
    cast = {role: records.people[key] for role, key in campus.cast.items()}
    learner = cast["learner"]
    [registration] = [one for one in records.of_person[learner.id] if one.course == "BBB_2013J"]
    assert records.left_at(registration) is None
    assert len([work for work in records.handed(registration) if not work.banked]) >= 5
    assert cast["trainer"].id in records.courses["BBB_2013J"].trainers
    assert cast["trainer"].organization == cast["org-admin"].organization == learner.organization
    assert cast["stranger"].organization != learner.organization
    assert cast["org-admin"].roles == ("org-admin",)


def test_the_services_hide_what_had_not_happened(records: Records) -> None:
    handed = [work for mine in records.of_person.values() for one in mine for work in records.handed(one)]
    assert len(handed) < 20_157
    assert max(work.at for work in handed) <= records.campus.as_of
    course = records.courses["BBB_2013J"]
    assert max(day for one in records.of_course[course.id] for _, day, _ in records.clicks(one)) <= 132


def test_every_answer_about_every_person_and_course_is_a_valid_fact(campus: Campus) -> None:
    exact = ConfigDict(alias_generator=to_camel, allow_inf_nan=False, extra="forbid")
    ids = {
        "organization": [one.id for one in campus.organizations],
        "course": [one.id for one in campus.courses],
        "content": [item.id for course in campus.courses for item in course.items],
        "market": [""],
    }
    people = [person.id for person in campus.people][::20]
    reads = services(campus, {"keys": []})
    for service in (one for one in SERVICES if one.name in reads):
        for endpoint, read in zip(service.endpoints, reads[service.name], strict=True):
            answers: dict[str, Any] = {key: read.answer(key) for key in ids.get(read.subject, people)}
            fact: Any = endpoint.fact
            assert TypeAdapter(dict[str, fact], config=exact).validate_python(answers)


def test_results_are_those_of_the_table(campus: Campus) -> None:
    with gzip.open(DATA / "enrollments.csv.gz", "rt") as file:
        said = Counter(row["final_result"] for row in csv.DictReader(file))
    names = {"distinction": "Distinction", "passed": "Pass", "failed": "Fail", None: "Withdrawn"}
    assert Counter(names[one.result] for one in campus.registrations) == said
