"""What the measurements measure with: made-up values are values, and the documents are questions of our graph."""

import json
from datetime import UTC, datetime

import pytest
from graphql import GraphQLSchema, parse, validate

from analytics.catalog import METRICS
from analytics.codec import decode, encode
from bench.made.school import School
from bench.made.values import KEPT, QUALITY, answers
from bench.side_by_side.asked import DOCUMENTS, QUERIES, cut, learner_of, leaves
from gateway.app import SCHEMA

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SCHOOL = School(3, 20)


def kept(number: int) -> dict[str, object]:
    rows = answers(SCHOOL.id, SCHOOL.learner(number), number, KEPT, NOW)
    return {asked.metric.partition("@")[0]: json.loads(row.value or "null") for asked, row in rows.items()}


@pytest.mark.parametrize("query", QUERIES)
def test_a_document_is_a_question_of_our_graph(query: str) -> None:
    schema = SCHEMA._schema
    assert isinstance(schema, GraphQLSchema)
    assert validate(schema, parse(DOCUMENTS[query])) == []


def test_a_dashboard_has_as_many_leaves_as_that_of_the_peers() -> None:
    for number in range(SCHOOL.learners):
        told = {"learner": learner_of(SCHOOL, SCHOOL.learner(number), kept(number))}
        assert leaves(cut(DOCUMENTS["q1"], told)) == 131


@pytest.mark.parametrize("key", KEPT)
def test_a_made_up_value_is_one_of_its_metric(key: str) -> None:
    said = kept(7)[key]
    assert isinstance(said, dict)
    assert encode(decode(METRICS[key].value_type, said, QUALITY)) == said


def test_no_two_learners_say_the_same() -> None:
    said = [json.dumps(kept(number)["learner-velocity"]) for number in range(0, 3_000, 100)]
    assert len(set(said)) == len(said)


def test_everybody_has_an_id_of_their_own() -> None:
    ids = [*SCHOOL.learner_ids, *SCHOOL.trainer_ids, *SCHOOL.admin_ids, SCHOOL.id, School(4, 1).id]
    assert len(set(ids)) == len(ids)
