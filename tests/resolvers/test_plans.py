"""What a plan asks for, what it makes of it, and what it leaves to the ordinary way."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import GraphQLObjectType, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st
from school import as_
from twoways import SCHEMA, Heard, Looking, Shelf, ordinary

from analytics.catalog import PUBLIC
from analytics.declare import Role, Scope
from analytics.learner.pace import Window as Span
from analytics.planned import MARKET, ORGANIZATION, Ask, Unplanned, Who
from analytics.policy import Viewer
from analytics.record import Tier
from analytics.rosters import Choice
from datasources.postgres.answers import Kept
from datasources.postgres.pages import Window
from resolvers.guard import guard
from resolvers.ids import to_global
from resolvers.permissions import PART
from resolvers.plan import compile_plan
from resolvers.plan.document import MOST, Document
from resolvers.plan.places import global_ids
from resolvers.schema import build, graphql_schema
from tests.cast import ACME, LENA, OLGA, OTHER, TOMAS

OPERATIONS = Path(__file__).parent.parent / "operations"
LEARNER, TRAINER, ADMIN = as_(LENA, Role.LEARNER), as_(TOMAS, Role.TRAINER), as_(OLGA, Role.ORG_ADMIN)
SHELF = Shelf(1, troubles=0)
PACE = "query ($id: ID) { learner(id: $id) { analytics { velocity { value { currentPace } } } } }"


def plan(text: str) -> Document:
    """The plan of a document."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    found = compile_plan(SCHEMA, document, None)
    assert found is not None
    return found


def ask(text: str, viewer: Viewer, **variables: Any) -> Ask:
    """What a document asks for."""
    return plan(text).turn(variables, viewer).ask


async def said(text: str, viewer: Viewer, **variables: Any) -> Any:
    """What a plan says, which is what the executor says."""
    turn = plan(text).turn(variables, viewer)
    planned = turn.render(await Looking(viewer, SHELF).found(turn.ask), Tier.DATABASE)
    result = await ordinary(parse(text), None, variables, Heard(viewer, shelf=SHELF))
    assert result.errors is None
    assert planned == orjson.dumps(result.data)
    return orjson.loads(planned)


@pytest.mark.parametrize(("name", "viewer"), [("learner", LEARNER), ("trainer", TRAINER), ("organization", ADMIN)])
async def test_a_whole_dashboard_is_planned(name: str, viewer: Viewer) -> None:
    found = await said((OPERATIONS / f"{name}-dashboard.graphql").read_text(), viewer)
    assert found


NAMING = """{ organization { trainers(first: 5) { edges { node { analytics { studentDistribution {
  value { totalStudents } } } } } } } }"""


def test_a_page_of_values_that_name_learners_is_left_to_who_knows_them() -> None:
    with pytest.raises(Unplanned):
        ask(NAMING, ADMIN)


MANY = """{ viewer { id learner { displayName courses { totalCount } analytics { engagement { value { level } } } } }
  organization { name departments { name learnerCount } learners(first: 3) { pageInfo { hasNextPage } edges { cursor
    node { userId organization { id } analytics { velocity { withheld { reason } } } } } } } }"""
TAKEN_OUT = (
    *("Query.viewer", "Viewer.id", "Viewer.learner", "Learner.displayName", "Learner.courses", "Learner.analytics"),
    *("LearnerAnalytics.engagement", "CourseEnrollmentConnection.totalCount", "Query.organization"),
    *("Organization.name", "Organization.departments", "Department.name", "Department.learnerCount"),
    *("Organization.learners", "LearnerConnection.pageInfo", "PageInfo.hasNextPage", "LearnerConnection.edges"),
    *("LearnerEdge.cursor", "LearnerEdge.node", "Learner.userId", "Learner.organization", "Organization.id"),
    "LearnerAnalytics.velocity",
)


@pytest.mark.parametrize("coordinate", TAKEN_OUT)
def test_what_the_table_does_not_grant_no_plan_speaks_for(coordinate: str) -> None:
    assert ask(MANY, LEARNER)
    kind, _, name = coordinate.partition(".")
    schema = graphql_schema(build(PUBLIC))
    narrowed = schema.type_map[kind]
    assert isinstance(narrowed, GraphQLObjectType)
    guard(narrowed, {f"{kind}.{one}": PART for one in narrowed.fields if one != name})
    found = compile_plan(schema, parse(MANY), None)
    assert found is not None
    with pytest.raises(Unplanned):
        found.turn({}, LEARNER)


def test_what_the_table_grants_to_other_roles_no_plan_speaks_for() -> None:
    text = "{ organization { analytics { performance { withheld { reason } } } } }"
    assert ask(text, ADMIN).points
    for viewer in (LEARNER, TRAINER):
        with pytest.raises(Unplanned):
            ask(text, viewer)


def test_a_document_asks_for_each_answer_it_shows() -> None:
    text = """query ($span: Window! = MONTH) {
        viewer { learner { analytics {
            velocity(window: $span) { value { status currentPace } }
            again: velocity(window: WEEK) { quality { level } }
        } } }
        market { skillDemand { freshness { state tier } } }
    }"""
    asked = ask(text, LEARNER)
    assert asked.people == (Who(Scope.LEARNER, LENA),)
    assert [point.about for point in asked.points] == [0, 0, MARKET]
    month, week, market = (point.term for point in asked.points)
    assert (month.key, month.text, month.arguments) == (
        "learner-velocity@1",
        '{"window":"MONTH"}',
        {"window": Span.MONTH},
    )
    assert (month.members, month.bare) == (("status", "currentPace"), True)
    assert (week.text, week.members, week.bare) == ('{"window":"WEEK"}', (), False)
    assert (market.members, market.bare) == ((), True)
    assert ask(text, LEARNER, span="QUARTER").points[0].term.text == '{"window":"QUARTER"}'


def test_a_roster_asks_for_a_page_and_the_same_of_everybody_on_it() -> None:
    text = """query ($n: Int) { organization { learners(first: $n, filter: {search: "ann lee"}) {
        totalCount edges { node { userId analytics { engagement { value { level } } } } } } } }"""
    (listing,) = ask(text, ADMIN, n=7).listings
    assert (listing.about, listing.window, listing.counted) == (ORGANIZATION, Window(7), True)
    assert listing.choice == Choice(words=("ann", "lee"))
    assert [term.members for term in listing.terms] == [("level",)]
    assert ask(text, ADMIN).listings[0].window == Window(20)


@pytest.mark.parametrize("ident", [LENA, LENA.upper(), to_global("Learner", LENA)])
def test_a_learner_is_known_by_both_ids(ident: str) -> None:
    assert ask(PACE, TRAINER, id=ident).people == (Who(Scope.LEARNER, LENA),)


def test_who_gives_no_id_means_themselves() -> None:
    assert ask(PACE, LEARNER).people == ask(PACE, LEARNER, id=None).people == (Who(Scope.LEARNER, LENA),)


async def test_a_viewer_is_no_learner_in_another_role() -> None:
    text = "{ viewer { id roles activeRole learner { userId } trainer { userId organization { name } } } }"
    assert (await said(text, LEARNER))["viewer"]["trainer"] is None
    assert (await said(text, TRAINER))["viewer"]["learner"] is None


async def test_a_node_is_what_its_id_says() -> None:
    text = "query ($id: ID!) { node(id: $id) { __typename id ... on Learner { displayName } } }"
    for kind, ident in (("Learner", LENA), ("Organization", ACME)):
        found = await said(text, LEARNER, id=to_global(kind, ident))
        assert found["node"]["__typename"] == kind
    assert await said(text, LEARNER, id=to_global("Job", LENA)) == {"node": None}


async def test_names_in_the_response_are_the_clients() -> None:
    text = """{ me: viewer { learner { who: displayName analytics { pace: velocity {
        kind: __typename is: value { __typename now: currentPace same: currentPace } } } } } }"""
    found = await said(text, LEARNER)
    assert found["me"]["learner"]["analytics"]["pace"]["kind"] == "LearningVelocityAnswer"


def test_of_several_operations_the_one_that_is_named_is_planned() -> None:
    document = parse("query One { viewer { id } } query Other { market { __typename } } mutation Third { __typename }")
    plans = {name: compile_plan(SCHEMA, document, name) for name in ("One", "Third", "Fourth", None)}
    assert [name for name, found in plans.items() if found is not None] == ["One"]


def test_ids_of_things_that_are_no_nodes_are_one_and_the_same_way() -> None:
    document = plan("query ($id: ID!) { node(id: $id) { id } }")
    for number in range(2 * MOST):
        document.turn({"id": to_global(f"Thing{number}", LENA)}, LEARNER)
    assert document.turn({"id": to_global("Learner", LENA)}, LEARNER).ask.people == (Who(Scope.LEARNER, LENA),)


async def test_what_is_skipped_is_not_asked_for() -> None:
    text = """query ($x: Boolean!) { viewer { learner { displayName
        analytics @include(if: $x) { velocity { withheld { reason } } } } } }"""
    assert len(ask(text, LEARNER, x=True).points) == 1
    assert ask(text, LEARNER, x=False).points == ()
    for x in (True, False):
        await said(text, LEARNER, x=x)


async def test_lists_of_courses_and_of_people_are_planned() -> None:
    await said(
        "{ learner { courses(last: 1) { totalCount pageInfo { startCursor } edges { node { status } } } } }", LEARNER
    )
    text = """{ organization { departments { name learnerCount } branches { name __typename }
        courses { edges { cursor node { id title startsAt learnerCount } } }
        trainers(first: 1) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { displayName } } }
        learners { unknownCount edges { node { department organization { name } } } } } }"""
    await said(text, ADMIN)
    await said(text, LEARNER)


def test_only_what_tells_its_tier_depends_on_it() -> None:
    for text, tells in (("tier", True), ("state", False)):
        turn = plan(f"{{ learner {{ analytics {{ velocity {{ freshness {{ {text} }} }} }} }} }}").turn({}, LEARNER)
        assert turn.tells_tier is tells


@pytest.mark.parametrize(
    "text",
    [
        "mutation { refreshAnalytics { __typename } }",
        "{ viewer { id @live } }",
        "query @live { viewer { id } }",
    ],
)
def test_what_is_no_plain_query_has_no_plan(text: str) -> None:
    assert compile_plan(SCHEMA, parse(text), None) is None


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ services { name } }", {}),
        ("{ organization { comparison(metric: LEARNER_VELOCITY) { name } } }", {}),
        ("{ organization { learners { edges { node { courses { totalCount } } } } } }", {}),
        ("{ organization { learners(first: 1, last: 1) { totalCount } } }", {}),
        ("query ($id: ID) { organization(id: $id) { name } }", {"id": OTHER}),
        ("query ($id: ID) { learner(id: $id) { userId } }", {"id": "odd"}),
        ("query ($id: ID) { learner(id: $id) { userId } }", {"id": to_global("Trainer", LENA)}),
        ("query ($id: ID!) { learner(id: $id) { userId } }", {}),
        ("query ($id: ID!) { node(id: $id) { id } }", {"id": LENA}),
        ("query ($x: Boolean = true) { viewer { id name @skip(if: $x) } }", {"x": None}),
        ("query ($x: Boolean = true) { viewer @skip(if: $x) { id } }", {"x": None}),
        ("query ($n: Int) { learner { courses(first: $n) { totalCount } } }", {"n": "odd"}),
    ],
)
def test_what_only_the_ordinary_way_knows_is_left_to_it(text: str, variables: dict[str, Any]) -> None:
    with pytest.raises(Unplanned):
        ask(text, LEARNER, **variables)


def test_who_is_no_trainer_must_say_which_one_they_mean() -> None:
    with pytest.raises(Unplanned):
        ask("{ trainer { userId } }", LEARNER)


async def test_a_kept_answer_that_is_not_as_declared_is_not_said() -> None:
    text = """{ learner { analytics { velocity {
        value { currentPace } quality { level } freshness { sources { seenAt } } withheld { message } } } } }"""
    turn = plan(text).turn({}, LEARNER)
    found = await Looking(LEARNER, SHELF).found(turn.ask)
    (row,) = found.answers
    assert isinstance(row, Kept)
    assert turn.render(found, Tier.DATABASE)
    for broken in (
        {"value": '{"currentPace": "odd"}'},
        {"value": "{}"},
        {"value": '{"currentPace": 1e16}'},
        {"value": "["},
        {"about": "{}"},
        {"about": row.about.replace('"level"', '"rank"')},
        {"withheld": '["ODD", "", null, null]'},
    ):
        with pytest.raises(Unplanned):
            turn.render(replace(found, answers=[replace(row, **broken)]), Tier.DATABASE)  # type: ignore[arg-type]  # all of it is text


async def test_a_column_that_is_shorter_than_its_page_is_not_said() -> None:
    text = "{ organization { learners { edges { node { userId analytics { velocity { value { status } } } } } } } }"
    turn = plan(text).turn({}, ADMIN)
    found = await Looking(ADMIN, SHELF).found(turn.ask)
    assert turn.render(found, Tier.DATABASE)
    shorter = replace(found, pages=[replace(found.pages[0], answers=["[null]"])])
    with pytest.raises(Unplanned):
        turn.render(shorter, Tier.DATABASE)


def test_one_document_is_compiled_in_so_many_ways_and_no_more() -> None:
    names = [f"v{n}" for n in range(7)]
    fields = " ".join(f"a{n}: displayName @skip(if: ${name})" for n, name in enumerate(names))
    document = plan(f"query({' '.join(f'${n}: Boolean!' for n in names)}) {{ learner {{ {fields} userId }} }}")
    compiled = 0
    for number in range(2 ** len(names)):
        try:
            document.turn({name: bool(number >> n & 1) for n, name in enumerate(names)}, LEARNER)
        except Unplanned:
            continue
        compiled += 1
    assert compiled == MOST


@settings(max_examples=60, deadline=None)
@given(st.uuids() | st.text(max_size=40))
def test_a_page_spells_global_ids_as_everything_else_does(ident: UUID | str) -> None:
    assert global_ids("Learner")(str(ident)) == orjson.dumps(to_global("Learner", str(ident)))
