"""Places: ties share one, the viewer's is the same by every way, and small numbers are said roughly."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import CLOCK, of

from analytics.catalog import METRICS, PUBLIC
from analytics.choosing import DECIDED
from analytics.declare import Everyone, Family, Scope
from analytics.gamification.ranking import percentile, points_table, rank_among, ranked
from analytics.gamification.values import Gamification
from analytics.leaderboard import in_tens

quick = settings(max_examples=60, deadline=None)
POINTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 20), max_size=30)


@quick
@given(st.integers(0, 10_000), st.integers(0, 9))
def test_others_hear_points_in_tens_that_are_never_far_off(tens: int, rest: int) -> None:
    said = in_tens(10 * tens + rest)
    assert said % 10 == 0
    assert (said == 0) == (tens == rest == 0)
    assert abs(said - (10 * tens + rest)) <= (5 if tens else 9)


def test_who_has_as_many_points_shares_a_place_and_the_next_is_left_out() -> None:
    places = ranked({"a": 50, "b": 70, "c": 50, "d": 10, "e": 70, "f": 5}, 6)
    assert [(one.rank, one.learner, one.points) for one in places] == [
        (1, "b", 70),
        (1, "e", 70),
        (3, "a", 50),
        (3, "c", 50),
        (5, "d", 10),
        (6, "f", 5),
    ]


def test_a_percentile_by_hand() -> None:
    """Own 30 among 10, 20, 30, 40: two below and half of one equal of four = 62.5; of so few it is said as 65."""
    assert percentile(30, {"a": 10, "b": 20, "c": 30, "d": 40}) == 65
    assert percentile(30, {}) is None


@quick
@given(POINTS, st.integers(0, 20))
def test_the_own_place_is_the_one_in_the_list(others: dict[str, int], own: int) -> None:
    (listed,) = [one for one in ranked({**others, "me!": own}, 40) if one.learner == "me!"]
    assert listed.rank == rank_among(own, others)


@quick
@given(POINTS)
def test_places_go_by_points_alone(points: dict[str, int]) -> None:
    places = ranked(points, 30)
    assert {one.learner: one.points for one in places} == points
    for one in places:
        assert one.rank == 1 + sum(other > one.points for other in points.values())
    assert ranked(dict(reversed(points.items())), 30) == places
    assert ranked(points, 3) == places[:3]


@quick
@given(POINTS, st.integers(0, 20), st.integers(1, 5))
def test_more_points_never_cost_a_place(others: dict[str, int], own: int, more: int) -> None:
    assert rank_among(own + more, others) <= rank_among(own, others)
    was, now = percentile(own, others), percentile(own + more, others)
    assert (was is None) == (now is None)
    assert was is None or now is None or now >= was


@quick
@given(st.dictionaries(st.text("abc", min_size=1), of(Gamification), max_size=5))
def test_the_table_has_everybodys_points_in_columns(values: dict[str, Gamification]) -> None:
    table = points_table(Everyone(values), at=CLOCK)
    columns = zip(table.learners, table.week, table.month, table.all_time, strict=True)
    assert {who: rest for who, *rest in columns} == {
        who: [value.points.week, value.points.month, value.points.all_time] for who, value in values.items()
    }


def test_the_table_is_nobodys_to_ask_for() -> None:
    (table,) = [metric for metric in METRICS.values() if metric.value_type.__name__ == "PointsTable"]
    assert (table.scope, table.family, table.roles) == (Scope.ORGANIZATION, Family.INTERNAL, frozenset())
    assert table.key not in PUBLIC


def test_what_stands_on_decisions_is_known_and_kept_under_one_question() -> None:
    assert {metric.key for metric in DECIDED} >= {"predictive-recommendations"}
    assert not [metric for metric in DECIDED if metric.arguments]
