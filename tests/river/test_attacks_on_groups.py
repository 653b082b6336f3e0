"""Attacks from outside on lists, groups and places: what they must not tell of one person, and that it is noted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from analytics.catalog import METRICS
from analytics.declare import Role, Scope
from analytics.keeping import question
from analytics.policy import Subject
from datasources.postgres import answers
from datasources.postgres.session import system
from resolvers.ids import to_global
from resolvers.pages import cursor
from tests.campus import LEARNERS, PYTHON, STATS, small_campus
from tests.cast import ACME, LARS, LENA, OLGA, SAM, TARA, TOMAS
from tests.river.banks import Services, running
from tests.river.bearers import token
from tests.river.test_audit import audit
from tests.river.test_choices import SHOW, board, shows
from tests.river.test_differencing_from_outside import MARKET, TEN, campus_of
from tests.river.test_short_way import ways

if TYPE_CHECKING:
    from tests.conftest import Clone
    from tests.river.banks import Clock, Gateway

ROSTER = """query ($filter: LearnerFilter, $order: LearnerOrder, $first: Int, $after: String) {
  organization { learners(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount unknownCount edges { node { userId displayName } } } } }"""
COUNTED = """query ($filter: LearnerFilter, $after: String) {
  organization { learners(filter: $filter, first: 1, after: $after) { totalCount } } }"""
AT_RISK = """query ($id: ID) { trainer(id: $id) { analytics { studentDistribution {
  value { atRiskStudents atRisk { learnerId } } freshness { state tier } } } } }"""
COUNTS = """{ organization { departments { name learnerCount } branches { learnerCount }
  courses { edges { node { courseId learnerCount } } } trainers { totalCount edges { node { displayName } } } } }"""
LEVELS = ("LOW", "MODERATE", "HIGH", "CRITICAL")
IDLE = LEARNERS[12]
"""Of Tomas' learners the one at risk."""


async def at_risk(gateway: Gateway, who: str, trainer: str | None = None) -> list[str]:
    answer = (await gateway.ask(AT_RISK, who, id=trainer)).data["trainer"]["analytics"]["studentDistribution"]
    return [one["learnerId"] for one in (answer["value"] or {"atRisk": []})["atRisk"]]


async def test_whoever_hears_who_is_at_risk_is_written_down(gateway: Gateway) -> None:
    assert await at_risk(gateway, "tomas") == [IDLE]
    assert await at_risk(gateway, "olga", TOMAS) == [IDLE], "from memory as well"
    assert sorted(await audit(gateway), key=str) == [
        (TOMAS, "trainer", "answers.heard", IDLE, {"answers": 1}),
        (OLGA, "org-admin", "answers.heard", TOMAS, {"answers": 1}),
        (OLGA, "org-admin", "answers.heard", IDLE, {"answers": 1}),
    ]


async def test_a_trainer_is_not_told_of_learners_who_are_no_longer_theirs(
    gateway: Gateway, services: Services, clone: Clone, clock: Clock
) -> None:
    for _ in range(4):
        assert await at_risk(gateway, "tomas") == [IDLE]
        await gateway.settled()
    assert ways(gateway).kept > 0, "as the short way keeps it as well"
    campus = small_campus()
    moved = replace(campus, courses=tuple(replace(one, trainers=(TARA,)) for one in campus.courses))
    clock.pass_by(timedelta(minutes=20))
    async with running(clone.app_url, Services(moved), clock) as other:
        await other.ask("{ organization { name } }", "olga")
        await other.settled()
        for time in (timedelta(0), timedelta(days=2)):
            clock.pass_by(time)
            assert await at_risk(other, "tomas") == [], "kept, fresh or stale"
        assert IDLE in await at_risk(other, "olga", TARA)
    # Its own services still say that he teaches: they must not be copied from meanwhile.
    await services.turn("course", "failing")
    assert await at_risk(gateway, "tomas") == [], "in the memory of the process that told of them"


async def test_whoever_is_named_later_is_looked_up_and_noted_though_nobody_was_named_before(
    clone: Clone, services: Services, clock: Clock
) -> None:
    async with running(clone.app_url, services, clock, responses_mib=0, memory_mib=0, memory_answers=0) as gateway:
        assert await at_risk(gateway, "tomas") == [IDLE]
        await gateway.settled()
        asked = question(METRICS["trainer-student-distribution"], Subject(Scope.TRAINER, ACME, TOMAS), {})
        database = gateway.world.database
        (worked_out,) = (await answers.read(database, system(ACME), [asked])).values()
        said = json.loads(worked_out.value or "")

        async def kept_are(*named: str) -> None:
            rows = [{**said["atRisk"][0], "learnerId": one} for one in named]
            value = json.dumps({**said, "atRisk": rows})
            later = worked_out.calculated_at + timedelta(seconds=len(kept))
            kept.append(replace(worked_out, value=value, calculated_at=later))
            await answers.keep(database, ACME, {asked: kept[-1]})

        kept = [worked_out]
        await kept_are()
        for _ in range(4):
            assert await at_risk(gateway, "tomas") == []
        planned = ways(gateway).planned
        assert planned > 0
        before = len(await audit(gateway))
        await kept_are(IDLE)
        assert await at_risk(gateway, "tomas") == [IDLE]
        assert ways(gateway).planned == planned + 1
        assert (TOMAS, "trainer", "answers.heard", IDLE, {"answers": 1}) in (await audit(gateway))[before:]
        await kept_are(IDLE, SAM)
        assert await at_risk(gateway, "tomas") == [IDLE], "Sam is somewhere else"


@pytest.mark.parametrize("who", ["olga", "tomas"])
async def test_a_level_is_not_found_out_by_totals_alone_without_a_trace(gateway: Gateway, who: str) -> None:
    beyond = cursor("NAME ASC", (None, "~", "~"))
    for level in LEVELS:
        for after in (None, beyond):
            asked = {"search": "Lena", "riskLevel": [level]}
            before = len(await audit(gateway))
            await gateway.ask(COUNTED, who, filter=asked, after=after)
            noted = (await audit(gateway))[before:]
            assert [subject for *_, subject, _ in noted] in ([LENA], [ACME])


async def test_what_a_learner_filters_of_themselves_is_not_written_down(gateway: Gateway) -> None:
    for level in LEVELS:
        await gateway.ask(COUNTED, "lena", filter={"riskLevel": [level]})
    assert await audit(gateway) == []


@pytest.mark.parametrize("search", ["%", "_", "L_na", "\\", "' OR true --", "$1", "\u200b", "🙂", "Lars Lena"])
async def test_no_character_of_a_search_means_anything_but_itself(gateway: Gateway, search: str) -> None:
    found = (await gateway.ask(ROSTER, "olga", filter={"search": search})).data["organization"]["learners"]
    assert (found["totalCount"], found["edges"]) == (0, [])


@pytest.mark.parametrize(
    "chosen",
    [
        {"search": "Lena\0"},
        {"department": "Engineering\0", "search": "lena"},
        {"department": "\0"},
        {"course": "\0"},
        {"course": f"{PYTHON}\0"},
        {"course": to_global("Course", "\0")},
        {"search": "l" * 100, "department": "'; DROP TABLE people; --"},
        {"riskLevel": list(LEVELS) * 100},
    ],
)
async def test_no_filter_breaks_a_list(gateway: Gateway, chosen: dict[str, Any]) -> None:
    found = (await gateway.ask(ROSTER, "olga", filter=chosen)).data["organization"]["learners"]
    assert found["totalCount"] == len(found["edges"]) <= len(LEARNERS) + 1


@pytest.mark.parametrize(("who", "seen"), [("tomas", 14), ("tara", 12), ("lars", 1), ("lena", 1), ("sam", 1)])
async def test_no_cursor_shows_what_the_list_without_it_does_not(gateway: Gateway, who: str, seen: int) -> None:
    order = {"by": "RISK", "direction": "DESC"}
    theirs = (await gateway.ask(ROSTER, who, order=order, first=50)).data["organization"]["learners"]
    allowed = {edge["node"]["userId"] for edge in theirs["edges"]}
    assert len(allowed) == theirs["totalCount"] == seen
    forged = [
        cursor("RISK DESC", (rank, name, one))
        for rank in (None, -100.0, -1e308, 1e308, 0.0)
        for name, one in (("", ""), ("Lena", LENA), ("Lars\0", LARS), ("\uffff", "\uffff"))
    ]
    for after in forged:
        page = (await gateway.ask(ROSTER, who, order=order, first=50, after=after)).data["organization"]["learners"]
        assert {edge["node"]["userId"] for edge in page["edges"]} <= allowed
        assert (page["totalCount"], page["unknownCount"]) == (theirs["totalCount"], theirs["unknownCount"])


async def test_a_cursor_that_is_no_row_of_its_order_is_refused(gateway: Gateway) -> None:
    other = cursor("ENGAGEMENT ASC", (5.0, "Lena", LENA))
    for after in (other, other[:-2], "", "\0", "W10", cursor("RISK ASC", (True, "Lena", LENA)), "x" * 10_000):
        reply = await gateway.ask(ROSTER, "olga", order={"by": "RISK"}, after=after)
        assert reply.codes == {"BAD_USER_INPUT"}


async def test_a_list_works_nothing_out_of_people_that_its_viewer_may_not_see(gateway: Gateway) -> None:
    for who, theirs in (("lars", {LARS}), ("tara", set(LEARNERS[:13]) - {LEARNERS[7]})):
        for order in ("RISK", "ENGAGEMENT", "VELOCITY"):
            await gateway.ask(ROSTER, who, order={"by": order}, filter={"course": PYTHON})
            await gateway.ask(ROSTER, who, order={"by": order}, filter={"riskLevel": list(LEVELS), "search": "Lena"})
        kept = {row.subject for row in await gateway.kept() if row.scope == "learner"}
        assert LENA not in kept
        assert kept <= theirs | {LARS}


@pytest.mark.parametrize("who", ["lena", "tomas", "sam"])
async def test_how_many_belong_where_is_for_the_admin(gateway: Gateway, who: str) -> None:
    told = (await gateway.ask(COUNTS, who)).data["organization"]
    assert {part["learnerCount"] for part in told["departments"] + told["branches"]} <= {None}
    counts = {edge["node"]["courseId"]: edge["node"]["learnerCount"] for edge in told["courses"]["edges"]}
    assert STATS not in counts
    assert (counts.get(PYTHON) is not None) == (who == "tomas")
    assert told["trainers"]["totalCount"] == (1 if who == "tomas" else 0)


async def test_the_admin_of_another_organization_meets_only_their_own_in_a_course_that_both_take(
    gateway: Gateway,
) -> None:
    await at_risk(gateway, "tomas")
    shown = token("sam", gateway.clock.now(), roles=(Role.ORG_ADMIN,))
    told = {}
    for chosen in ({"course": PYTHON}, {"course": STATS}, {"search": "Lena"}, {"department": "Sales"}):
        asked = {"filter": chosen, "order": {"by": "RISK"}, "first": 50}
        reply = await gateway.send(ROSTER, asked, {"authorization": f"Bearer {shown}"})
        listed = reply.data["organization"]["learners"]
        told[next(iter(chosen.values()))] = {edge["node"]["userId"] for edge in listed["edges"]}
        assert listed["totalCount"] == len(listed["edges"])
    assert told == {PYTHON: {SAM, LEARNERS[13]}, STATS: set(), "Lena": set(), "Sales": set()}
    counted = await gateway.send(COUNTS, {}, {"authorization": f"Bearer {shown}"})
    courses = counted.data["organization"]["courses"]["edges"]
    assert [(one["node"]["courseId"], one["node"]["learnerCount"]) for one in courses] == [(PYTHON, 2)]
    refused = await gateway.send(AT_RISK, {"id": TOMAS}, {"authorization": f"Bearer {shown}"})
    assert refused.codes == {"NOT_FOUND"}
    assert IDLE not in refused.text


async def test_a_supply_is_not_told_to_one_of_ten(clone: Clone, clock: Clock) -> None:
    for several, told in ((TEN, False), ([*TEN, LEARNERS[9]], True)):
        async with running(clone.app_url, Services(campus_of(several)), clock) as gateway:
            await gateway.ask("{ organization { name } }", "olga")
            await gateway.settled()
            demand = (await gateway.ask(MARKET, "lena")).data["market"]["skillDemand"]["value"]["skillDemand"]
        assert any(one["supply"] is not None for one in demand) is told
        clock.pass_by(timedelta(days=8))


async def test_to_hide_and_to_show_oneself_tells_nothing_of_the_others(gateway: Gateway) -> None:
    people = {one.id: one for one in small_campus().people}
    for hidden in (None, *LEARNERS[:4]):
        if hidden:
            await gateway.ask(SHOW, people[hidden], visible=False)
        seen = await board(gateway, "lena")
        await shows(gateway, "lena", visible=False)
        alone = await board(gateway, "lena")
        await shows(gateway, "lena", visible=True)
        assert alone["entries"] == seen["entries"]
        assert alone["you"] | {"visible": True} == seen["you"]
        assert {alone["total"] % 5, seen["total"] % 5, seen["you"]["percentile"] % 5} == {0}


@pytest.mark.parametrize("field", ["organizationPoints", "courseShelf", "courseSkills", "coursePulse", "standings"])
async def test_what_others_numbers_are_made_of_is_not_in_the_graph(gateway: Gateway, field: str) -> None:
    for place in ("organization", "trainer", "learner", "market"):
        for way in (field, f"analytics {{ {field} }}", f"comparison {{ {field} }}", f"prediction {{ {field} }}"):
            reply = await gateway.ask(f"{{ {place} {{ {way} }} }}", "olga")
            assert reply.codes == {"GRAPHQL_VALIDATION_FAILED"}
            assert "data" not in reply.body


async def test_a_choice_names_nobody_and_is_not_made_by_get_nor_in_a_batch(gateway: Gateway) -> None:
    chosen = "mutation { setLeaderboardVisibility(input: {visible: false%s}) { __typename } }"
    for more in (f', person: "{LARS}"', f', learner: "{LARS}"', f', id: "{LARS}"'):
        assert (await gateway.ask(chosen % more, "lena")).body["errors"]
    who = {"authorization": f"Bearer {token('lena', gateway.clock.now())}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway.app), base_url="http://gateway") as client:
        by_get = await client.get("/graphql", params={"query": chosen % ""}, headers=who)
        batch = await client.post("/graphql", json=[{"query": chosen % ""}] * 50, headers=who)
    assert by_get.status_code == 405
    assert batch.status_code >= 400
    assert await audit(gateway) == []
