from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lena import Lena, effects, every, gaps, item, named, shelf

from analytics.codec import decode, encode
from analytics.decisions import Decision, DecisionKind, Decisions
from analytics.prediction.recommendations_ranking import first_and_further, ranked, score_of
from analytics.prediction.recommendations_values import RecommendationKind, Recommendations
from analytics.shelf import ShelfExercise
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.learner_ai import Suggestion, Suggestions
from tests.analytics.made import done, handed_in, log, on, opened, task, tasks

NAMES = "abcdefgh"
ITEMS = st.lists(
    st.builds(item, st.sampled_from(NAMES), st.sampled_from([0, 0.05, 0.3, 0.6, 1]), kind=st.sampled_from("pvq")),
    max_size=8,
    unique_by=lambda one: one.id,
)
EXERCISES = st.lists(
    st.builds(
        ShelfExercise,
        st.sampled_from(["x1", "x2", "x3"]),
        st.lists(st.sampled_from(["python", "sql"]), max_size=2, unique=True).map(tuple),
        st.sampled_from([0, 0.2, 0.7]),
    ),
    max_size=3,
    unique_by=lambda one: one.id,
)
WORK = st.lists(
    st.builds(task, st.sampled_from(["t1", "t2", "t3", "t4"]), st.integers(40, 90)),
    max_size=4,
    unique_by=lambda t: t.id,
)
LENAS = st.builds(
    lambda items, exercises, work, seen, points, suggested, required: Lena(
        assessments=tasks(*work),
        interactions=log(*(opened(name, 50) for name in seen)),
        shelves=(shelf(*items, exercises=tuple(exercises)),),
        effects=(effects(**points),),
        gap=gaps(**required),
        suggestions=Suggestions(tuple(Suggestion(name, "talk", name) for name in suggested)),
    ),
    ITEMS,
    EXERCISES,
    WORK,
    st.lists(st.sampled_from(NAMES), max_size=3),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from([-20, 0, 5, 30]), max_size=4),
    st.lists(st.sampled_from([*NAMES, "t1", "y", "z"]), max_size=3),
    st.dictionaries(st.sampled_from(["python", "sql"]), st.sampled_from([10, 80]), max_size=2),
)
laws = settings(max_examples=60, deadline=None)


@laws
@given(LENAS)
def test_a_recommendation_is_never_there_twice_and_never_opened(lena: Lena) -> None:
    value = lena.hears()
    assert lena.interactions is not None
    ids = [one.id for one in every(value)]
    assert len(ids) == len(set(ids))
    assert not {one.content_id for one in lena.interactions.interactions} & set(named(value))


@laws
@given(LENAS)
def test_the_first_five_hold_two_of_a_type_and_each_has_a_reason_and_terms_that_add_up(lena: Lena) -> None:
    value = lena.hears()
    assert max(Counter(one.type for one in value.recommendations).values(), default=0) <= 2
    assert len(value.recommendations) <= 5
    for one in every(value):
        terms = one.terms
        assert one.reason
        assert one.score == pytest.approx(terms.urgency + terms.gap + terms.peer_trend + terms.effect)
        assert min(terms.urgency, terms.gap, terms.peer_trend, terms.effect) >= 0
        assert (terms.urgency <= 0.4) & (terms.gap <= 0.3) & (terms.peer_trend <= 0.2)


@laws
@given(LENAS)
def test_both_lists_are_in_order_of_score_and_id(lena: Lena) -> None:
    value = lena.hears()
    for part in (value.recommendations, value.further):
        keys = [(-one.score, one.id) for one in part]
        assert keys == sorted(keys)


@laws
@given(LENAS)
def test_completing_one_thing_removes_it_and_keeps_the_order_of_the_rest(lena: Lena) -> None:
    before = ranked(every(lena.hears()))
    for gone in before:
        assert lena.interactions is not None
        match gone.kind:
            case RecommendationKind.CONTENT:
                lived = replace(lena, interactions=log(lena.interactions.interactions, opened(gone.item_id, 59)))
            case RecommendationKind.ASSESSMENT:
                lived = replace(lena, scores=handed_in(done(gone.item_id, 59, 80)))
            case RecommendationKind.EXERCISE:
                sitting = PracticeSession("1", gone.item_id, on(58), (), on(58) + timedelta(hours=1), 1.0)
                lived = replace(lena, practice=PracticeSessions((sitting,)))
            case RecommendationKind.SUGGESTION:
                lived = replace(lena, decisions=Decisions((Decision(gone.id, DecisionKind.DONE, on(59)),)))
        after = ranked(every(lived.hears()))
        assert [one.id for one in after] == [one.id for one in before if one.id != gone.id]


@laws
@given(LENAS)
def test_the_same_facts_say_the_same_and_survive_the_wire(lena: Lena) -> None:
    value = lena.hears()
    assert lena.hears() == value
    assert encode(decode(Recommendations, encode(value), value.quality)) == encode(value)


@laws
@given(LENAS)
def test_the_cap_only_moves_what_is_ranked(lena: Lena) -> None:
    ranking = ranked(every(lena.hears()))
    first, further = first_and_further(ranking)
    assert ranked([*first, *further]) == ranking
    assert [score_of(one.terms) for one in ranking] == sorted((one.score for one in ranking), reverse=True)
