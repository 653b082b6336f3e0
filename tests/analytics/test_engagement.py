"""Learner engagement: worked examples, and what an action may never do."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.arithmetic import TrendDirection
from analytics.declare import DataQualityLevel, Withheld
from analytics.learner import Engagement, engagement
from analytics.learner.participation import EngagementLevel, level_of, trend_of
from analytics.learner.weeks import Parts, block_spans
from datasources.content import Interaction, Interactions
from datasources.course import ActionsByType, ActiveDay, Activity, CourseProgress, Progress

AT = datetime(2014, 2, 10, 12, tzinfo=UTC)
TODAY = AT.date()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def active(days_ago: int, actions: int, **kinds: int) -> ActiveDay:
    return ActiveDay(ago(days_ago), actions, ActionsByType(**kinds))


def enrolled(days_ago: int, *, name: str = "c", end: int = 70) -> CourseProgress:
    since = AT - timedelta(days=days_ago)
    return CourseProgress(name, name, since, AT + timedelta(days=end), since, ())


def opened(days_ago: int, *items: str) -> list[Interaction]:
    return [Interaction(item, "c", "page", ago(days_ago), 1) for item in items]


def told(days: list[ActiveDay], items: list[Interaction] | None, *courses: CourseProgress) -> Engagement:
    interactions = None if items is None else Interactions(tuple(items))
    answer = engagement(Activity(tuple(days)), Progress(courses), interactions, at=AT)
    assert isinstance(answer, Engagement)
    return answer


def test_the_worked_example_comes_out() -> None:
    # Enrolled 14 days ago, today included: two whole weeks.
    days = [active(0, 20, content=10, forum=5), active(3, 10, quiz=10), active(8, 5, content=5)]
    answer = told(days, opened(0, "a", "b") + opened(3, "b", "c", "d"), enrolled(13))
    # This week: 2 of 5 days, 30 actions, 4 of 20 items; last week: 1 day, 5 actions, no items.
    this = 100 * (0.5 * 2 / 5 + 0.3 * math.log(31) / math.log(151) + 0.2 * 4 / 20)
    last = 100 * (0.5 * 1 / 5 + 0.3 * math.log(6) / math.log(151))
    assert [week.score for week in answer.weekly_engagement] == pytest.approx([last, this])
    # A week ago weighs 2 ** -0.5.
    weight = 2**-0.5
    assert answer.overall_score == pytest.approx((this + weight * last) / (1 + weight))
    assert answer.level is EngagementLevel.LOW
    assert answer.factors.regularity == pytest.approx((2 / 5 + weight / 5) / (1 + weight))
    # 35 actions: content 15, forum 5, quiz 10, and 5 of no named kind.
    breakdown = answer.activity_breakdown
    shares = (breakdown.content, breakdown.forum, breakdown.quiz, breakdown.other)
    assert shares == pytest.approx((15 / 35, 5 / 35, 10 / 35, 5 / 35))
    assert answer.trends.direction is TrendDirection.INSUFFICIENT_DATA
    assert answer.days_since_last_activity == 0
    assert (answer.quality.observations, answer.quality.coverage_days) == (3, 14)
    assert answer.quality.level is DataQualityLevel.LOW


def test_a_full_week_scores_a_hundred() -> None:
    days = [active(i, 30) for i in range(5)]
    answer = told(days, opened(0, *map(str, range(20))), enrolled(6))
    assert answer.overall_score == pytest.approx(100)
    assert answer.level is EngagementLevel.HIGH


def test_the_first_days_are_scaled_up_to_a_week() -> None:
    # Two days enrolled, active on one with 10 actions and 1 item: 3.5 days, 35 actions, 3.5 items a week.
    answer = told([active(1, 10)], opened(1, "a"), enrolled(1))
    expected = 100 * (0.5 * 3.5 / 5 + 0.3 * math.log(36) / math.log(151) + 0.2 * 3.5 / 20)
    assert answer.overall_score == pytest.approx(expected)
    assert len(answer.weekly_engagement) == 1


def test_weeks_are_whole_and_eight_at_most_and_none_before_enrolment() -> None:
    assert block_spans(ago(9), TODAY) == [(TODAY, 7)]
    assert block_spans(ago(13), TODAY) == [(TODAY, 7), (ago(7), 7)]
    assert len(block_spans(ago(400), TODAY)) == 8
    before = told([active(20, 100)], [], enrolled(13))
    assert before.overall_score == 0
    assert before.days_since_last_activity == 20


def test_silence_is_a_true_zero() -> None:
    answer = told([], [], enrolled(100))
    assert answer.overall_score == 0
    assert answer.level is EngagementLevel.DISENGAGED
    assert answer.activity_breakdown.content == answer.activity_breakdown.other == 0
    assert answer.days_since_last_activity is None
    # Eight weeks were looked at, so the zero is known.
    assert answer.quality.level is DataQualityLevel.OK


def test_without_the_content_service_the_other_two_parts_fill_the_score() -> None:
    answer = told([active(0, 150)], None, enrolled(6))
    assert answer.overall_score == pytest.approx(100 * (0.5 * 1 / 5 + 0.3 * 1) / 0.8)
    assert answer.factors.breadth is None
    assert answer.weekly_engagement[0].items is None


def test_without_a_course_there_is_nothing_to_say() -> None:
    assert isinstance(engagement(Activity(()), Progress(()), None, at=AT), Withheld)


def test_weeks_count_from_the_course_that_still_runs() -> None:
    ended, running = enrolled(300, name="a", end=-60), enrolled(13)
    assert len(told([], [], ended, running).weekly_engagement) == 2
    assert len(told([], [], ended).weekly_engagement) == 8


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (19.9, EngagementLevel.DISENGAGED),
        (19.97, EngagementLevel.LOW),  # shown as 20.0
        (20, EngagementLevel.LOW),
        (40, EngagementLevel.MODERATE),
        (60, EngagementLevel.HIGH),
    ],
)
def test_the_bands_are_those_of_the_definition(score: float, level: EngagementLevel) -> None:
    assert level_of(score) is level


@pytest.mark.parametrize(
    ("newest_first", "direction", "change"),
    [
        ([50, 50], TrendDirection.INSUFFICIENT_DATA, None),
        ([50, 40, 30], TrendDirection.UP, 15),
        ([30, 30, 40, 40, 40, 40], TrendDirection.STABLE, -10),
        ([10, 10, 40, 40, 40, 40, 90, 90], TrendDirection.DOWN, -30),
    ],
)
def test_a_trend_is_more_than_ten_points(
    newest_first: list[float], direction: TrendDirection, change: float | None
) -> None:
    trend = trend_of(newest_first)
    assert (trend.direction, trend.change) == (direction, change)


def test_the_parts_of_a_score_weigh_five_three_and_two() -> None:
    assert Parts(1, 0, 0.0).score == 50
    assert Parts(0, 1, 0.0).score == 30
    assert Parts(0, 0, 1.0).score == 20


DAYS = st.dictionaries(st.integers(0, 70), st.integers(1, 300), max_size=20)
ITEMS = st.none() | st.lists(st.tuples(st.integers(0, 70), st.sampled_from("abcdefgh")), max_size=20)


def test_a_course_was_last_accessed_on_the_last_day_something_of_it_was_opened() -> None:
    other = [Interaction("z", "d", "page", ago(30), 1), Interaction("z", "d", "page", ago(2), 0)]
    left = replace(enrolled(40, name="left"), left_at=AT - timedelta(days=1))
    courses = (enrolled(40, name="d"), enrolled(40), enrolled(40, name="e"), left)
    answer = told([], opened(9, "a") + opened(5, "b") + opened(-1, "c") + other, *courses)
    assert [(each.course_id, each.last_accessed) for each in answer.by_course] == [
        ("c", ago(5)),
        ("d", ago(30)),
        ("e", None),
    ]
    assert {each.last_accessed for each in told([], None, *courses).by_course} == {None}


@settings(max_examples=200, deadline=None)
@given(DAYS, ITEMS, st.integers(0, 90), st.integers(0, 70), st.integers(1, 50))
def test_an_action_never_lowers_the_score(
    days: dict[int, int], items: list[tuple[int, str]] | None, since: int, when: int, more: int
) -> None:
    content = None if items is None else [each for offset, item in items for each in opened(offset, item)]
    before = told([active(offset, actions) for offset, actions in days.items()], content, enrolled(since))
    added = {**days, when: days.get(when, 0) + more}
    content = None if content is None else content + opened(when, "new")
    after = told([active(offset, actions) for offset, actions in added.items()], content, enrolled(since))
    assert after.overall_score >= before.overall_score - 1e-9
    assert 0 <= after.overall_score <= 100


@settings(deadline=None)
@given(DAYS, ITEMS, st.integers(0, 90))
def test_the_score_is_made_of_its_factors_and_of_its_weeks(
    days: dict[int, int], items: list[tuple[int, str]] | None, since: int
) -> None:
    content = None if items is None else [each for offset, item in items for each in opened(offset, item)]
    answer = told([active(offset, actions) for offset, actions in days.items()], content, enrolled(since))
    factors = answer.factors
    assert Parts(factors.regularity, factors.intensity, factors.breadth).score == pytest.approx(answer.overall_score)
    weeks = [week.score for week in answer.weekly_engagement]
    assert min(weeks) - 1e-9 <= answer.overall_score <= max(weeks) + 1e-9
    breakdown = answer.activity_breakdown
    total = breakdown.content + breakdown.forum + breakdown.quiz + breakdown.other
    assert total == pytest.approx(1 if any(week.actions for week in answer.weekly_engagement) else 0)
