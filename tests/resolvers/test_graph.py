"""What the graph answers, through the schema, with made-up metrics and the fixed cast."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from school import (
    METRICS,
    PROGRESS,
    WITHHELD,
    Asking,
    Span,
    answer,
    lena,
    olga,
    someone,
    stranger,
    tomas,
)

from analytics.declare import Metric
from analytics.policy import Subject
from resolvers.errors import present
from resolvers.ids import to_global
from resolvers.schema import build
from tests.cast import ACME, LARS, LENA, TARA, TOMAS

SCHEMA = build(METRICS)


async def ask(source: str, who: Asking, **variables: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The data and the presented errors of one question."""
    result = await SCHEMA.execute(source, context_value=who, variable_values=variables)
    return result.data, [present(error, "req-1") for error in result.errors or []]


async def data(source: str, who: Asking, **variables: Any) -> Any:
    found, errors = await ask(source, who, **variables)
    assert errors == []
    return found


def codes(errors: list[dict[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


async def test_the_viewer_is_told_who_they_are() -> None:
    found = await data("{ viewer { id name roles activeRole organization { name } learner { userId } } }", lena())
    assert found["viewer"] == {
        "id": LENA,
        "name": "Lena",
        "roles": ["LEARNER"],
        "activeRole": "LEARNER",
        "organization": {"name": "Acme"},
        "learner": {"userId": LENA},
    }


async def test_a_viewer_who_is_no_learner_has_no_learner() -> None:
    found = await data("{ viewer { learner { id } trainer { displayName } } }", tomas())
    assert found == {"viewer": {"learner": None, "trainer": {"displayName": "Tomas"}}}


async def test_a_metric_answers_in_its_group_with_its_age_and_its_sources() -> None:
    source = """{ learner { analytics { progress {
        __typename value { progress mood bestStep { title } grid }
        freshness { state origin tier sources { service origin } } quality { level } withheld { reason }
        definition { key unit roles fields { name unit } }
    } } } }"""
    said = (await data(source, lena()))["learner"]["analytics"]["progress"]
    assert said["__typename"] == "ProgressAnswer"
    assert said["value"] == {
        "progress": 0.25,
        "mood": "VERY_GOOD",
        "bestStep": {"title": "Essay"},
        "grid": PROGRESS["grid"],
    }
    assert said["freshness"]["sources"][1] == {"service": "content", "origin": None}
    assert said["withheld"] is None
    assert said["definition"]["unit"] == "share of 1"


async def test_arguments_reach_the_metric_as_it_knows_them() -> None:
    who = lena()
    source = """query($span: Span!) { learner { analytics {
        a: progress { quality { level } }  b: progress(span: WEEK, atLeast: 9) { quality { level } }
        c: progress(span: $span) { quality { level } } } } }"""
    await data(source, who, span="WEEK")
    assert [arguments for _, _, arguments in who.answers.asked] == [
        {"span": Span.MONTH, "at_least": 3},
        {"span": Span.WEEK, "at_least": 9},
        {"span": Span.WEEK, "at_least": 3},
    ]


async def test_a_metric_is_asked_of_the_subject_it_hangs_on() -> None:
    who = olga()
    await data(f'{{ learner(id: "{LENA}") {{ comparison {{ standing {{ quality {{ level }} }} }} }} }}', who)
    ((key, subject, _),) = who.answers.asked
    assert (key, subject.id, subject.organization) == ("made-up-standing", LENA, ACME)
    assert subject.trainers == frozenset({TOMAS})


async def test_an_answer_that_takes_time_is_waited_for() -> None:
    async def later(metric: Metric) -> Mapping[str, Any]:
        await asyncio.sleep(0)
        return answer(metric, withheld=WITHHELD)

    who = lena(lambda metric, _subject, _arguments: later(metric))
    said = await data("{ learner { comparison { standing { value { percentile } withheld { needed } } } } }", who)
    assert said["learner"]["comparison"]["standing"] == {"value": None, "withheld": {"needed": 10}}


async def test_an_answer_at_hand_makes_no_task() -> None:
    before = asyncio.all_tasks()
    seen: list[set[asyncio.Task[Any]]] = []

    def at_hand(metric: Metric, _subject: Subject, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(asyncio.all_tasks() - before)
        return answer(metric)

    source = "{ learner { analytics { a: progress { quality { level } } b: progress { quality { level } } } } }"
    await data(source, lena(at_hand))
    assert seen == [set(), set()]


async def test_null_is_no_choice_of_an_argument() -> None:
    _, errors = await ask("{ learner { analytics { progress(span: null) { quality { level } } } } }", lena())
    assert codes(errors) == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("ident", [LENA, LENA.upper(), to_global("Learner", LENA)])
async def test_a_learner_is_found_by_global_id_and_by_uuid(ident: str) -> None:
    found = await data("query($id: ID) { learner(id: $id) { userId } }", tomas(), id=ident)
    assert found == {"learner": {"userId": LENA}}


@pytest.mark.parametrize("who", [lena(), tomas(), stranger()])
async def test_a_learner_who_is_not_yours_is_not_found(who: Asking) -> None:
    found, errors = await ask("query($id: ID) { learner(id: $id) { displayName } }", who, id=LARS)
    assert found == {"learner": None}
    assert codes(errors) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "ident", ["", "nonsense", "TGVhcm5lcjo", to_global("Trainer", TOMAS), to_global("Learner", "1"), "é"]
)
async def test_an_id_of_nothing_is_bad_input(ident: str) -> None:
    found, errors = await ask("query($id: ID) { learner(id: $id) { displayName } }", olga(), id=ident)
    assert found == {"learner": None}
    assert codes(errors) == ["BAD_USER_INPUT"]


async def test_a_node_is_any_subject() -> None:
    source = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Organization { name } } }"
    ids = [to_global("Learner", LENA), to_global("Trainer", TOMAS), to_global("Organization", ACME)]
    found = await data(source, olga(), ids=ids)
    assert found["nodes"] == [
        {"__typename": "Learner", "id": ids[0]},
        {"__typename": "Trainer", "id": ids[1]},
        {"__typename": "Organization", "id": ids[2], "name": "Acme"},
    ]


async def test_a_stranger_sees_no_node_and_hears_nothing() -> None:
    who = stranger()
    ids = [to_global(kind, ident) for kind, ident in (("Learner", LENA), ("Trainer", TOMAS), ("Organization", ACME))]
    found = await data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", who, ids=ids)
    assert found == {"nodes": [None, None, None]}
    source = "query($id: ID!) { node(id: $id) { ... on Learner { analytics { progress { value { progress } } } } } }"
    assert await data(source, who, id=ids[0]) == {"node": None}
    assert who.answers.asked == []


async def test_an_unknown_type_is_no_node_and_a_malformed_id_is_bad_input() -> None:
    assert await data("query($id: ID!) { node(id: $id) { id } }", olga(), id=to_global("Job", LENA)) == {"node": None}
    _, errors = await ask('{ node(id: "***") { id } }', olga())
    assert codes(errors) == ["BAD_USER_INPUT"]


async def test_nodes_are_bounded() -> None:
    _, errors = await ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", olga(), ids=["x"] * 101)
    assert codes(errors) == ["BAD_USER_INPUT"]
    assert errors[0]["message"] == "ids must be at most 100; they were 101."


PAGE = """query($first: Int, $after: String, $last: Int, $before: String) { organization {
    learners(first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { displayName } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


def crowd(size: int) -> Asking:
    who = olga()
    who.crowd = tuple(
        someone(f"{n:08d}-0000-4000-8000-000000000000", f"Ada {n // 2:03}", "learner") for n in range(size)
    )
    return who


def names(found: Any) -> list[str]:
    return [edge["node"]["displayName"] for edge in found["edges"]]


async def test_pages_put_together_are_the_whole_list_forwards_and_backwards() -> None:
    who, forwards, backwards = crowd(7), [], []
    after = before = None
    for _ in range(3):
        page = (await data(PAGE, who, first=3, after=after))["organization"]["learners"]
        assert page["totalCount"] == 7
        forwards += [edge["cursor"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    for _ in range(3):
        page = (await data(PAGE, who, last=3, before=before))["organization"]["learners"]
        backwards = [edge["cursor"] for edge in page["edges"]] + backwards
        before = page["pageInfo"]["startCursor"]
    assert page["pageInfo"]["hasPreviousPage"] is False
    assert forwards == backwards
    assert len(set(forwards)) == 7


async def test_a_page_has_twenty_unless_said() -> None:
    assert len((await data(PAGE, crowd(50)))["organization"]["learners"]["edges"]) == 20


async def test_an_empty_page_has_no_cursors() -> None:
    page = (await data(PAGE, crowd(0)))["organization"]["learners"]
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"first": 201}, "first must be from 1 to 200; it was 201."),
        ({"first": 0}, "first must be from 1 to 200; it was 0."),
        ({"last": -1}, "last must be from 1 to 200; it was -1."),
        ({"first": 1, "last": 1}, "Both first and last"),
        ({"first": 1, "before": "x"}, "before goes with last"),
        ({"last": 1, "after": "x"}, "after goes with first"),
        ({"after": "nonsense"}, "after is not a cursor"),
        ({"after": "WzEsMl0"}, "after is not a cursor"),
        ({"last": 2, "before": "é" * 5000}, "before is not a cursor"),
    ],
)
async def test_a_part_of_a_list_that_cannot_be_meant_is_refused_and_says_what_could(part: Any, says: str) -> None:
    _, errors = await ask(PAGE, crowd(3), **part)
    assert codes(errors) == ["BAD_USER_INPUT"]
    assert says in errors[0]["message"]


async def test_a_trainer_has_the_learners_of_their_courses() -> None:
    found = await data("{ trainer { learners { totalCount edges { node { displayName } } } } }", tomas())
    assert names(found["trainer"]["learners"]) == ["Lena"]
    assert found["trainer"]["learners"]["totalCount"] == 1


async def test_an_organization_has_its_trainers() -> None:
    found = await data("{ organization { trainers { edges { node { displayName userId } } } } }", olga())
    assert [edge["node"]["userId"] for edge in found["organization"]["trainers"]["edges"]] == [TARA, TOMAS]


async def test_definitions_say_what_the_metrics_mean() -> None:
    found = await data(
        "{ all: metricDefinitions { key } some: metricDefinitions(scope: ORGANIZATION) { key k freshFor roles } }",
        lena(),
    )
    assert [one["key"] for one in found["all"]] == list(METRICS)
    assert found["some"] == [{"key": "made-up-health", "k": 0, "freshFor": 21600, "roles": ["ORG_ADMIN"]}]


async def test_services_say_how_they_do() -> None:
    source = """{ services { name configured state probesAt calls errors { cause count } lastKnown mocks
        latencyP50 latencyP95 lastError } }"""
    assert await data(source, lena()) == {
        "services": [
            {
                "name": "course",
                "configured": True,
                "state": "HALF_OPEN",
                "probesAt": "2026-03-02T09:30:00Z",
                "calls": 7,
                "errors": [{"cause": "TIMEOUT", "count": 5}],
                "lastKnown": 2,
                "mocks": 1,
                "latencyP50": 12.3,
                "latencyP95": None,
                "lastError": "TIMEOUT",
            }
        ]
    }
