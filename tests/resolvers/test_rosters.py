"""Rosters and lists in the graph: what a client may ask of them, and what is made of it."""

from typing import Any

import pytest
from school import COURSES, METRICS, Asking, lena, olga, tomas

from analytics.prediction.interventions import RiskLevel
from analytics.rosters import Choice, LearnerOrderField, OrderDirection
from resolvers.errors import present
from resolvers.ids import to_global
from resolvers.schema import build

SCHEMA = build(METRICS)


async def ask(source: str, who: Asking, **variables: Any) -> tuple[Any, list[dict[str, Any]]]:
    """The data and the presented errors of one question."""
    result = await SCHEMA.execute(source, context_value=who, variable_values=variables)
    return result.data, [present(error, "req-1") for error in result.errors or []]


async def data(source: str, who: Asking, **variables: Any) -> Any:
    found, errors = await ask(source, who, **variables)
    assert errors == []
    return found


async def test_a_roster_is_by_name_and_of_everybody_unless_said() -> None:
    who = olga()
    await data("{ organization { learners { edges { cursor } } } }", who)
    assert who.chosen == [(Choice(), False)]


async def test_a_filter_and_an_order_reach_the_roster_as_it_knows_them() -> None:
    who = olga()
    source = """query ($filter: LearnerFilter, $order: LearnerOrder) {
        organization { learners(filter: $filter, orderBy: $order) { edges { cursor } } } }"""
    chosen = {
        "department": "Sales",
        "course": to_global("Course", "algebra"),
        "riskLevel": ["HIGH", "CRITICAL"],
        "engagementLevel": [],
        "search": " ann  lee ",
    }
    await data(source, who, filter=chosen, order={"by": "RISK", "direction": "DESC"})
    await data(source, who, filter={"course": "algebra", "riskLevel": None}, order={"by": "VELOCITY"})
    assert [choice for choice, _ in who.chosen] == [
        Choice(
            department="Sales",
            course="algebra",
            risk=(RiskLevel.HIGH, RiskLevel.CRITICAL),
            engagement=(),
            words=("ann", "lee"),
            by=LearnerOrderField.RISK,
            direction=OrderDirection.DESC,
        ),
        Choice(course="algebra", by=LearnerOrderField.VELOCITY),
    ]


@pytest.mark.parametrize(
    ("selected", "counted"),
    [
        ("edges { cursor }", False),
        ("edges { cursor } pageInfo { hasNextPage }", False),
        ("edges { cursor } many: totalCount", True),
        ("...Counted", True),
        ("... { ... { totalCount } }", True),
        ("edges { node { courses { totalCount } } }", False),
    ],
)
async def test_a_list_is_counted_only_where_its_length_is_asked_for(selected: str, *, counted: bool) -> None:
    who = olga()
    spread = "fragment Counted on LearnerConnection { totalCount }" if "Counted" in selected else ""
    await data(f"{{ organization {{ learners {{ {selected} }} }} }} {spread}", who)
    assert [count for _, count in who.chosen] == [counted]


async def test_a_search_without_end_is_bad_input() -> None:
    source = "query ($s: String) { organization { learners(filter: {search: $s}) { totalCount } } }"
    await data(source, olga(), s="x" * 100)
    _, errors = await ask(source, olga(), s="x" * 101)
    assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]
    assert "100" in errors[0]["message"]


async def test_a_cursor_is_good_for_the_order_it_came_from_and_for_no_other() -> None:
    source = """query ($after: String, $order: LearnerOrder) {
        organization { learners(first: 1, after: $after, orderBy: $order) {
            edges { cursor node { displayName } } } } }"""
    first = (await data(source, olga()))["organization"]["learners"]["edges"][0]
    second = await data(source, olga(), after=first["cursor"])
    assert second["organization"]["learners"]["edges"][0]["node"] != first["node"]
    for order in ({"by": "RISK"}, {"direction": "DESC"}):
        _, errors = await ask(source, olga(), after=first["cursor"], order=order)
        assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]
        assert "another order" in errors[0]["message"]


async def test_a_learner_has_courses_with_what_became_of_them() -> None:
    source = """{ learner { courses { totalCount edges { node {
        course { courseId title learnerCount } leftAt status result } } } } }"""
    found = (await data(source, lena()))["learner"]["courses"]
    assert found == {
        "totalCount": 2,
        "edges": [
            {
                "node": {
                    "course": {"courseId": "algebra", "title": "Algebra", "learnerCount": None},
                    "leftAt": None,
                    "status": "ACTIVE",
                    "result": None,
                }
            },
            {
                "node": {
                    "course": {"courseId": "botany", "title": "Botany", "learnerCount": None},
                    "leftAt": "2026-03-04T00:00:00Z",
                    "status": "WITHDRAWN",
                    "result": "FAILED",
                }
            },
        ],
    }


async def test_courses_are_paged_from_both_ends() -> None:
    part = "totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor }"
    source = "query ($n: Int, $after: String, $last: Int, $before: String) { organization { courses(first: $n, "
    source += f"after: $after, last: $last, before: $before) {{ {part} }} }} }}"

    async def page(**variables: Any) -> Any:
        return (await data(source, olga(), **variables))["organization"]["courses"]

    first = await page(n=1)
    second = await page(n=1, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["id"] for one in (first, second) for edge in one["edges"]] == [
        to_global("Course", course.id) for course in COURSES
    ]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (
        2,
        True,
        False,
    )
    back = await page(last=1, before=second["edges"][0]["cursor"])
    assert back["edges"] == first["edges"]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, False)


async def test_a_trainer_has_the_courses_they_teach() -> None:
    found = await data("{ trainer { courses { edges { node { courseId } } } } }", tomas())
    assert found["trainer"]["courses"]["edges"] == [{"node": {"courseId": "algebra"}}]


@pytest.mark.parametrize(("who", "heads"), [(olga(), [0, 2]), (lena(), [None, None]), (tomas(), [None, None])])
async def test_heads_are_counted_for_who_runs_the_organization(who: Asking, heads: list[int | None]) -> None:
    source = "{ organization { departments { name learnerCount } branches { name learnerCount } } }"
    found = (await data(source, who))["organization"]
    assert [one["name"] for one in found["departments"]] == ["Research", "Sales"]
    assert [one["learnerCount"] for one in found["departments"]] == heads
    assert found["branches"] == [{"name": "Here", "learnerCount": 0 if heads[0] == 0 else None}]
