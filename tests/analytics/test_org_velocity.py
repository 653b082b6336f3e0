"""Organization velocity: a worked example, and what the definition says it may never do."""

from __future__ import annotations

import statistics

import pytest
from crowds import NOW, TODAY, everyone, named, organization, people, plan
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import CLOCK, of

from analytics.arithmetic import TrendDirection
from analytics.declare import Everyone, Withheld, WithheldReason
from analytics.learner import LearningVelocity, velocity
from analytics.organization.paces import change_interval, pace_at
from analytics.organization.velocity import OrgLearningVelocity, PaceBand, learning_velocity
from analytics.rolls import Membership
from datasources.course import ActiveDay, Activity, Progress

QUIET = Activity(())
BUSY = Activity((ActiveDay(TODAY, 1),))

quick = settings(max_examples=50, deadline=None)
DONE = st.lists(st.integers(0, 20), min_size=10, max_size=70)


def told(done: list[int], membership: Membership | None = None, *, late: int = 0, busy: int = 0) -> OrgLearningVelocity:
    plans = everyone(plan(each, late=late) for each in done)
    acts = everyone(BUSY if i < busy else QUIET for i in range(len(done)))
    answer = learning_velocity(membership or people(len(done)), plans, acts, at=NOW)
    assert isinstance(answer, OrgLearningVelocity)
    return answer


def test_the_worked_example_comes_out() -> None:
    # Twelve members, ten modules due each; the paces in order: 20 40 50 50 60 80 | 90 100 100 100 100 100.
    answer = told([2, 4, 5, 5, 6, 8, 9, 10, 10, 10, 10, 10], busy=9)
    # The median is halfway from the sixth to the seventh: 85. The quartiles, at 2.75 and 8.25 from 0: 50, 100.
    assert (answer.overall_velocity, answer.lower_quartile, answer.upper_quartile) == (85, 50, 100)
    # 5 of 12 reach 95: 41.7 percent, said as 40. 9 of 12 were active: 75 percent.
    assert (answer.share_on_track, answer.active_rate) == (0.40, 0.75)
    # Twelve persons are said as ten.
    assert (answer.members, answer.learners, answer.no_course) == (10, 10, 0)
    # Bands of 2, 5, 5 and 0: the first three come to twelve, the empty one joins them.
    assert answer.distribution == (PaceBand(0, 200, 1),)


def test_bands_of_ten_or_more_stand_alone() -> None:
    # 12 behind, 14 at the plan, 24 ahead: fifty persons, so to 1 percent; nobody between 50 and 95, who joins the next.
    answer = told([2] * 12 + [10] * 14 + [15] * 24)
    assert answer.distribution == (PaceBand(0, 50, 0.24), PaceBand(50, 105, 0.28), PaceBand(105, 200, 0.48))


def test_the_trend_is_this_months_median_less_last_months() -> None:
    # Everybody completed one module of ten in the last 30 days: 30 then, 40 now, in every draw of members.
    trend = told([4] * 20, late=1).trends
    assert (trend.velocity_before, trend.change, trend.direction) == (30, 10, TrendDirection.UP)
    assert (trend.change_from, trend.change_to) == (10, 10)
    assert trend.percentage == pytest.approx(100 * 10 / 30)
    still = told([4] * 20).trends
    assert (still.change, still.direction) == (0, TrendDirection.STABLE)


def test_departments_of_ten_are_shown_where_the_rest_is_ten_too() -> None:
    # Lab 12, desk 10, nobody's 10.
    parts = organization([*["lab"] * 12, *["desk"] * 10, *[None] * 10])
    answer = told([*[5] * 12, *[10] * 10, *[2] * 10], parts)
    assert [(one.department, one.velocity, one.learner_count) for one in answer.department_breakdown] == [
        ("desk", 100, 10),
        ("lab", 50, 10),
        (None, 20, 10),
    ]
    # 5 of 20 modules are done in the lab.
    assert answer.department_breakdown[1].average_progress == 0.25


def test_under_ten_paces_nothing_is_said() -> None:
    few = learning_velocity(people(40), everyone(plan(5) for _ in range(9)), Everyone({}), at=NOW)
    assert isinstance(few, Withheld)
    assert (few.reason, few.needed) == (WithheldReason.TOO_FEW_PEERS, 10)


@quick
@given(DONE)
def test_the_median_is_between_the_slowest_and_the_fastest(done: list[int]) -> None:
    answer = told(done)
    half = 2.5 if len(done) < 50 else 0.5
    ordered = [answer.lower_quartile, answer.overall_velocity, answer.upper_quartile]
    assert 10 * min(done) - half <= ordered[0] <= ordered[1] <= ordered[2] <= 10 * max(done) + half


@quick
@given(DONE, st.integers(1, 30))
def test_members_without_a_course_change_nothing_but_their_own_count(done: list[int], idle: int) -> None:
    alone, beside = told(done), told(done, people(len(done) + idle))
    assert abs(beside.no_course - idle) <= 2
    for name in ("overall_velocity", "lower_quartile", "upper_quartile", "share_on_track", "distribution", "trends"):
        assert getattr(beside, name) == getattr(alone, name)


@quick
@given(DONE)
def test_somebody_elses_learners_have_no_part_in_it(done: list[int]) -> None:
    plans = everyone(plan(each) for each in done)
    strangers = Everyone({**plans.by_learner, **{f"stranger-{i}": plan(20) for i in range(30)}})
    acts: Everyone[Activity] = Everyone({})
    members = people(len(done))
    assert learning_velocity(members, plans, acts, at=NOW) == learning_velocity(members, strangers, acts, at=NOW)


@settings(max_examples=100, deadline=None)
@given(of(Progress))
def test_a_members_pace_is_that_of_learner_velocity(progress: Progress) -> None:
    own, pace = velocity(progress, at=CLOCK), pace_at(progress, CLOCK)
    if isinstance(own, LearningVelocity):
        assert pace is not None
        assert pace.progress == pytest.approx(own.progress)
        assert pace.velocity == (None if own.pace_ratio is None else pytest.approx(100 * own.pace_ratio))
    else:
        assert pace is None


PAIRS = st.lists(st.tuples(st.none() | st.floats(0, 200), st.none() | st.floats(0, 200)), max_size=40)


@quick
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_interval_holds_the_change_in_whatever_order_the_members_come(
    pairs: list[tuple[float | None, float | None]], chance: object
) -> None:
    interval = change_interval(pairs)
    shuffled = list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis draws a Random
    assert change_interval(shuffled) == interval
    if interval is None:
        assert not any(now is not None for now, _ in pairs) or not any(then is not None for _, then in pairs)
    else:
        now, then = ([number for number in side if number is not None] for side in zip(*pairs, strict=True))
        change = statistics.median(now) - statistics.median(then)
        assert interval[0] - 1e-9 <= change <= interval[1] + 1e-9


def test_the_interval_narrows_as_members_grow_many() -> None:
    def width(members: int) -> float:
        found = change_interval([(float((i * 37) % 101), float((i * 53) % 101)) for i in range(members)])
        assert found is not None
        return found[1] - found[0]

    assert width(20) > width(200) > width(2000)


def test_the_members_are_known_by_their_ids_once() -> None:
    twice = Membership(people(12).members * 2, ())
    assert told([5] * 12, twice) == told([5] * 12)
    assert named(0) not in repr(told([5] * 12))
