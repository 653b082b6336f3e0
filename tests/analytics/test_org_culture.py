"""Organization learning culture: a worked example, and what the definition says it may never do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from crowds import NOW, TODAY, everyone, people, roll
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.arithmetic import TrendDirection
from analytics.declare import Withheld, WithheldReason
from analytics.learner.participation import ActivityBreakdown
from analytics.organization import OrgLearningCulture, learning_culture
from analytics.organization.culture import (
    CultureDimensions,
    broad,
    culture_score,
    regular,
)
from datasources.content import Interaction, Interactions
from datasources.course import ActionsByType, ActiveDay, Activity
from datasources.directory import Login, Logins

quick = settings(max_examples=60, deadline=None)
SHARES = st.lists(st.floats(0, 1), min_size=5, max_size=5)


def active(*days_ago: int, forum: int = 0) -> Activity:
    return Activity(
        tuple(
            ActiveDay(TODAY - timedelta(days=ago), 4, ActionsByType(content=4 - forum, forum=forum)) for ago in days_ago
        )
    )


def opened(*pairs: tuple[str, str]) -> Interactions:
    """Items by their course and type, opened yesterday."""
    when = TODAY - timedelta(days=1)
    return Interactions(tuple(Interaction(f"i{i}", course, kind, when, 1) for i, (course, kind) in enumerate(pairs)))


def told(
    activity: list[Activity], content: list[Interactions] | None, logins: list[Logins] | None = None
) -> OrgLearningCulture:
    answer = learning_culture(
        people(len(activity), roll("c", [None] * 10, over=False, left=[0])),
        everyone(activity),
        None if content is None else everyone(content),
        None if logins is None else everyone(logins),
        at=NOW,
    )
    assert isinstance(answer, OrgLearningCulture)
    return answer


WEEKLY, ONCE, SILENT = active(1, 8, 15, forum=1), active(2), Activity(())


def test_the_worked_example_comes_out() -> None:
    # Of twenty members ten are active in three weeks, with a forum action; six on one day; four never.
    activity = [WEEKLY] * 10 + [ONCE] * 6 + [SILENT] * 4
    # Eight of the sixteen open pages and a quiz, the others pages alone.
    content = [opened(("c", "page"), ("c", "quiz"))] * 8 + [opened(("c", "page"), ("c", "page"))] * 12
    answer = told(
        activity, content, [Logins((Login(NOW - timedelta(hours=1), 1200), Login(NOW - timedelta(days=1), 600)))] * 20
    )
    assert answer.culture_dimensions == CultureDimensions(
        participation=0.80,  # 16 of 20
        regularity=0.65,  # 10 of 16 are 62.5 percent
        social=0.65,
        persistence=0.90,  # one of ten left
        breadth=0.50,  # 8 of 16
    )
    # 0.8 x 0.65 x 0.65 x 0.9 x 0.5 = 0.1521, and its fifth root is 0.6861.
    assert answer.overall_culture == pytest.approx(68.61, abs=0.01)
    behaviors = answer.learning_behaviors
    # (10 members x 3 days + 6 x 1) / 16 members / 4 weeks = 0.5625 days a week. 15 minutes a session.
    assert (behaviors.frequency, behaviors.average_session_length) == (0.5, 15)
    # 10 x 3 x 4 + 6 x 4 = 144 actions, 30 of them in the forum: 20.8 percent.
    assert behaviors.preferred_methods == ActivityBreakdown(content=0.80, forum=0.20, quiz=0, other=0)
    assert (answer.members, answer.active) == (20, 15)


def test_participation_is_set_beside_that_of_a_month_before() -> None:
    trend = told([active(1, 40)] * 12 + [active(1)] * 8, None).trends
    assert (trend.participation_before, trend.change, trend.direction) == (0.60, 40, TrendDirection.UP)


def test_a_session_that_still_runs_counts_up_to_now() -> None:
    # Begun ten minutes ago, and an hour long in the end.
    answer = told([WEEKLY] * 12, None, [Logins((Login(NOW - timedelta(minutes=10), 3600),))] * 12)
    assert answer.learning_behaviors.average_session_length == 10


def test_without_the_content_service_there_is_no_breadth_and_no_score() -> None:
    answer = told([WEEKLY] * 12, None)
    assert (answer.culture_dimensions.breadth, answer.overall_culture) == (None, None)
    assert answer.culture_dimensions.regularity == 1


def test_nine_active_members_of_many_are_too_few() -> None:
    answer = learning_culture(people(40), everyone([WEEKLY] * 9 + [SILENT] * 31), None, None, at=NOW)
    assert isinstance(answer, Withheld)
    assert answer.reason is WithheldReason.TOO_FEW_PEERS


def test_nine_places_are_too_few_for_persistence() -> None:
    members = people(12, roll("c", [None] * 9, over=False))
    answer = learning_culture(members, everyone([WEEKLY] * 12), None, None, at=NOW)
    assert isinstance(answer, OrgLearningCulture)
    assert answer.culture_dimensions.persistence is None


def test_three_of_four_weeks_are_regular_and_two_kinds_are_broad() -> None:
    assert regular(active(0, 7, 27).days, TODAY)
    assert not regular(active(0, 7, 28).days, TODAY), "the fifth week is too long ago"
    assert not regular(active(0, 1, 2, 7, 8).days, TODAY)
    assert broad(opened(("a", "page"), ("b", "page")), TODAY)
    assert broad(opened(("a", "page"), ("a", "quiz")), TODAY)
    assert not broad(opened(("a", "page"), ("a", "page")), TODAY)


@quick
@given(SHARES)
def test_the_score_is_between_the_lowest_and_the_highest_component(shares: list[float]) -> None:
    floored = [max(0.01, share) for share in shares]
    assert min(floored) - 1e-9 <= culture_score(shares) / 100 <= max(floored) + 1e-9


@quick
@given(SHARES, st.integers(0, 4), st.floats(0.001, 0.5))
def test_raising_a_component_above_its_floor_raises_the_score(shares: list[float], which: int, more: float) -> None:
    shares[which] = 0.01 + shares[which] * 0.4
    raised = [share + more * (i == which) for i, share in enumerate(shares)]
    assert culture_score(raised) > culture_score(shares)


@quick
@given(st.integers(10, 80), st.integers(0, 60))
def test_one_more_who_takes_part_never_lowers_participation(active_now: int, silent: int) -> None:
    before = told([WEEKLY] * active_now + [SILENT] * silent, None)
    after = told([WEEKLY] * (active_now + 1) + [SILENT] * (silent - 1 if silent else 0), None)
    size = active_now + silent
    if silent:
        assert after.culture_dimensions.participation >= before.culture_dimensions.participation
    assert before.culture_dimensions.participation == pytest.approx(active_now / size, abs=0.026)
