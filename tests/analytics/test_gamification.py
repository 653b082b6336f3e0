"""Points, levels, badges and milestones: cases worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from analytics.gamification.badges import BADGES, MILESTONES
from analytics.gamification.levels import begins_at, standing
from analytics.gamification.rewards import gamification
from analytics.gamification.values import BadgeTier, EarningKind, Gamification
from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.course import ActiveDay, Activity, CourseProgress, Module, Progress
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.directory import Logins
from datasources.skills import AcquiredSkill, SkillAcquisition

AT = datetime(2026, 3, 20, 12, tzinfo=UTC)
NOTHING: dict[str, Any] = {
    "progress": Progress(()),
    "activity": Activity(()),
    "assessments": Assessments(()),
    "scores": Scores(()),
    "acquired": SkillAcquisition(()),
    "practice": PracticeSessions(()),
    "logins": Logins(()),
    "user": None,
}


def day(number: int, hour: int = 12) -> datetime:
    """An instant in March 2026."""
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def told(at: datetime = AT, **facts: Any) -> Gamification:
    """What is said of a learner of whom nothing else is recorded."""
    return gamification(**{**NOTHING, **facts}, at=at)


def course(*completed: datetime | None, left: datetime | None = None) -> Progress:
    """One course of so many pieces of counted work, begun on the first of the month."""
    modules = tuple(Module(f"m{i}", "Work", 1.0, None, when) for i, when in enumerate(completed))
    return Progress((CourseProgress("c", "Course", day(1), day(31), day(1), modules, left),))


def task(name: str = "t", *, counts: bool = True, weight: float = 10.0) -> Assessment:
    return Assessment(name, "c", f"Task {name}", "assignment", weight, counts)


def marked(score: float | None, when: datetime, name: str = "t", **more: Any) -> ScoreRecord:
    return ScoreRecord(name, "c", when, score, **more)


def points_of(found: Gamification, kind: EarningKind) -> int:
    (part,) = [one for one in found.earned_by if one.kind is kind]
    return part.points


def test_a_learner_who_did_nothing_has_nothing_and_is_on_level_one() -> None:
    found = told()
    assert (found.total_points, found.level, found.level_progress, found.next_level_points) == (0, 1, 0.0, 100)
    assert (found.badges, found.recent_activity, found.milestones.reached) == ((), (), ())
    assert found.milestones.next is not None
    assert (found.milestones.next.points, found.milestones.next.remaining) == (100, 100)
    assert {one.key for one in found.achievements} == {badge.key for badge in BADGES}


def test_everything_together_adds_up() -> None:
    """By hand, on 20 March.

    course   both pieces of work done, the last on 10 March               100
    skill    acquired on 18 March                                          50
    scores   45 of 60 = 75 on 2 March; formative and banked: none          75
    practice one finished on 19 March; one not finished: none              10
    days     2 (hand-in), 18 (actions), 19 (practice) and 17 (not done)    40
    total                                                                 275

    level    100 <= 275 < 300: level 2, (275 - 100) / 200 = .875, next at 300
    week     14..20 March: skill 50 + practice 10 + days 17, 18, 19 30  =  90
    month    19 February..20 March: all                                   275
    """
    found = told(
        progress=course(day(5), day(10)),
        acquired=SkillAcquisition((AcquiredSkill("s", "SQL", day(18), 60.0),)),
        assessments=Assessments((task(), task("f", counts=False), task("b"))),
        scores=Scores(
            (marked(45, day(2), max_score=60.0), marked(90, day(2), "f"), marked(80, day(3), "b", banked=True))
        ),
        practice=PracticeSessions(
            (
                PracticeSession("p1", "joins", day(19), completed_at=day(19, 13)),
                PracticeSession("p2", "joins", day(17)),
            )
        ),
        activity=Activity((ActiveDay(date(2026, 3, 18), 4),)),
    )
    assert {one.kind.name: one.points for one in found.earned_by} == {
        "COURSE": 100,
        "SKILL": 50,
        "ASSESSMENT": 75,
        "PRACTICE": 10,
        "STREAK": 40,
    }
    assert found.total_points == found.points.all_time == 275
    assert (found.level, found.level_progress, found.next_level_points) == (2, 0.875, 300)
    assert (found.points.week, found.points.month) == (90, 275)
    assert [(one.kind.name, one.title, one.on.day, one.points) for one in found.recent_activity] == [
        ("PRACTICE", "joins", 19, 10),
        ("SKILL", "SQL", 18, 50),
        ("COURSE", "Course", 10, 100),
        ("ASSESSMENT", "Task t", 2, 75),
    ]
    assert [(one.points, one.reached_on.day) for one in found.milestones.reached] == [(100, 10)]
    assert found.milestones.next is not None
    assert found.milestones.next.remaining == 500 - 275
    assert found.quality.observations == 4 + 4


@pytest.mark.parametrize(("days_ago", "week", "month"), [(0, 50, 50), (6, 50, 50), (7, 0, 50), (29, 0, 50), (30, 0, 0)])
def test_a_week_is_seven_days_and_a_month_is_thirty_with_today(days_ago: int, week: int, month: int) -> None:
    skill = AcquiredSkill("s", "SQL", AT - timedelta(days=days_ago), 60.0)
    found = told(acquired=SkillAcquisition((skill,)))
    assert (found.points.week, found.points.month, found.points.all_time) == (week, month, 50)


def test_a_course_counts_when_the_last_of_its_work_is_done() -> None:
    assert points_of(told(progress=course(day(5), None)), EarningKind.COURSE) == 0
    assert points_of(told(progress=course()), EarningKind.COURSE) == 0
    assert points_of(told(progress=course(day(5), day(21))), EarningKind.COURSE) == 0
    assert points_of(told(progress=course(day(5), day(9))), EarningKind.COURSE) == 100


def test_a_course_that_was_done_stays_done_for_who_leaves() -> None:
    assert points_of(told(progress=course(day(5), day(9), left=day(12))), EarningKind.COURSE) == 100


def test_a_better_attempt_earns_the_difference_on_its_day() -> None:
    """60 on 2 March; 50 on 8 March adds nothing; 85 on 19 March adds 25: the week has 25, and a hand-in day's 10."""
    attempts = (marked(60, day(2)), marked(50, day(8), attempt=2), marked(85, day(19), attempt=3))
    found = told(assessments=Assessments((task(),)), scores=Scores(attempts))
    assert points_of(found, EarningKind.ASSESSMENT) == 85
    assert found.points.week == 25 + 10


def test_a_mark_earns_from_the_day_it_is_given() -> None:
    waiting = marked(80, day(2), graded_at=day(21))
    assert points_of(told(assessments=Assessments((task(),)), scores=Scores((waiting,))), EarningKind.ASSESSMENT) == 0
    given_late = Scores((marked(80, day(2), graded_at=day(19)),))
    found = told(assessments=Assessments((task(),)), scores=given_late)
    assert found.points.week == 80


def test_work_that_nobody_set_earns_nothing() -> None:
    assert points_of(told(scores=Scores((marked(80, day(2)),))), EarningKind.ASSESSMENT) == 0


def test_a_skill_is_acquired_once_and_on_its_first_day() -> None:
    twice = (AcquiredSkill("s", "SQL", day(19), 80.0), AcquiredSkill("s", "SQL", day(2), 60.0))
    found = told(acquired=SkillAcquisition(twice))
    assert (found.points.week, found.points.all_time) == (0, 50)


def test_levels_begin_where_the_curve_says() -> None:
    """50 n (n - 1): 0, 100, 300, 600, 1000; in the middle of level 3, 450 of 300 to 600, half is done."""
    assert [begins_at(level) for level in range(1, 6)] == [0, 100, 300, 600, 1000]
    assert [standing(points).level for points in (0, 99, 100, 299, 300, 599, 600, 999, 1000)] == [
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
        5,
    ]
    assert standing(450) == standing(450).__class__(3, 0.5, 600)


def test_badges_are_given_on_the_day_their_tier_is_reached() -> None:
    """Skills on 1, 2, ... 6 March: bronze asks for 1, silver for 5 and is reached on the 5th, gold for 20: 6 of 20."""
    skills = SkillAcquisition(tuple(AcquiredSkill(f"s{n}", "S", day(n), 50.0) for n in range(1, 7)))
    found = told(acquired=skills)
    (badge,) = found.badges
    assert (badge.key, badge.tier, badge.threshold, badge.earned_on) == (
        "skilled",
        BadgeTier.SILVER,
        5,
        date(2026, 3, 5),
    )
    (way,) = [one for one in found.achievements if one.key == "skilled"]
    assert (way.tier, way.target, way.current, way.progress) == (BadgeTier.GOLD, 20, 6, 0.3)


def test_an_excellent_score_is_counted_once_for_each_assessment_on_the_day_it_became_so() -> None:
    """Task a: 70, then 92 (excellent on the 9th), then 95: still one. Task b: 89: none."""
    attempts = (
        marked(70, day(2), "a"),
        marked(92, day(9), "a", attempt=2),
        marked(95, day(11), "a", attempt=3),
        marked(89, day(3), "b"),
    )
    found = told(assessments=Assessments((task("a"), task("b"))), scores=Scores(attempts))
    earned = {one.key: one for one in found.badges}
    assert (earned["excellent"].tier, earned["excellent"].earned_on.day) == (BadgeTier.BRONZE, 9)
    assert next(one for one in found.achievements if one.key == "excellent").current == 1
    assert next(one for one in found.achievements if one.key == "assessed").current == 2


def test_the_badge_for_a_streak_is_given_on_the_day_the_row_is_long_enough() -> None:
    """Active on 1, 2, 4, 5, 6 March: the first row of three ends on the 6th."""
    days = Activity(tuple(ActiveDay(date(2026, 3, n), 1) for n in (1, 2, 4, 5, 6)))
    (badge,) = [one for one in told(activity=days).badges if one.key == "steady"]
    assert (badge.tier, badge.earned_on) == (BadgeTier.BRONZE, date(2026, 3, 6))


def test_every_badge_and_milestone_is_declared_in_rising_steps() -> None:
    assert len({badge.key for badge in BADGES}) == len(BADGES)
    for badge in BADGES:
        assert 0 < badge.tiers[0] < badge.tiers[1] < badge.tiers[2]
        assert all(str(tier) in badge.description for tier in badge.tiers if tier > 1)
    assert all(low < high for low, high in pairwise((0, *MILESTONES)))


def test_an_hour_later_everything_earned_before_is_still_there() -> None:
    skills = SkillAcquisition((AcquiredSkill("s", "SQL", day(2), 60.0),))
    assert told(AT + timedelta(hours=1), acquired=skills) == told(acquired=skills)
