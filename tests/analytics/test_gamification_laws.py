"""Whatever is earned: the parts are the whole, and one more earning never lowers anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import CLOCK, of

from analytics.gamification.badges import MILESTONES
from analytics.gamification.levels import begins_at, standing
from analytics.gamification.rewards import gamification
from analytics.gamification.values import EarningKind
from datasources.assessment import Assessment, Assessments, ScoreRecord, Scores
from datasources.course import ActiveDay, Activity, CourseProgress, Module, Progress
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.directory import Login, Logins, User
from datasources.skills import AcquiredSkill, SkillAcquisition

quick = settings(max_examples=50, deadline=None)
FACTS = {
    "progress": of(Progress),
    "activity": of(Activity),
    "assessments": of(Assessments),
    "scores": of(Scores),
    "acquired": of(SkillAcquisition),
    "practice": of(PracticeSessions),
    "logins": of(Logins),
    "user": st.none() | of(User),
}
PAST = st.integers(0, 300 * 24).map(lambda hours: CLOCK - timedelta(hours=hours))


def one_more(facts: dict[str, Any], draw: Any) -> dict[str, Any]:
    """The facts with one earning more."""
    when, score = draw(PAST), float(draw(st.integers(0, 100)))
    more = draw(st.sampled_from(["skill", "score", "practice", "login", "day", "course"]))
    match more:
        case "skill":
            skills = (*facts["acquired"].skills, AcquiredSkill("new", "New", when, 50.0))
            return {**facts, "acquired": SkillAcquisition(skills)}
        case "score":
            scores = (*facts["scores"].scores, ScoreRecord("set", "new", when, score, attempt=7))
            return {**facts, "scores": Scores(scores)}
        case "practice":
            session = PracticeSession("new", "x", when - timedelta(hours=1), completed_at=when)
            return {**facts, "practice": PracticeSessions((*facts["practice"].sessions, session))}
        case "login":
            return {**facts, "logins": Logins((*facts["logins"].logins, Login(when, 60)))}
        case "day":
            return {**facts, "activity": Activity((*facts["activity"].days, ActiveDay(when.date(), 3)))}
    done = CourseProgress("new", "New", when, when, when, (Module("m", "M", completed_at=when),))
    return {**facts, "progress": Progress((*facts["progress"].courses, done))}


@quick
@given(facts=st.fixed_dictionaries(FACTS), data=st.data())
def test_one_more_earning_never_lowers_anything(facts: dict[str, Any], data: st.DataObject) -> None:
    set_for_all = Assessment("set", "new", "Set", "assignment", 10.0)
    facts["assessments"] = Assessments((*facts["assessments"].assessments, set_for_all))
    before = gamification(**facts, at=CLOCK)
    after = gamification(**one_more(facts, data.draw), at=CLOCK)
    assert after.total_points >= before.total_points
    assert after.level >= before.level
    assert after.streaks.longest >= before.streaks.longest
    assert after.streaks.active_days >= before.streaks.active_days
    assert {one.key for one in before.badges} <= {one.key for one in after.badges}
    assert len(after.milestones.reached) >= len(before.milestones.reached)
    for was, now in zip(before.achievements, after.achievements, strict=True):
        assert now.current >= was.current


@quick
@given(facts=st.fixed_dictionaries(FACTS))
def test_the_parts_are_the_whole(facts: dict[str, Any]) -> None:
    found = gamification(**facts, at=CLOCK)
    assert sum(one.points for one in found.earned_by) == found.total_points == found.points.all_time
    assert found.points.week <= found.points.month <= found.points.all_time
    assert begins_at(found.level) <= found.total_points < found.next_level_points
    (days,) = [one.points for one in found.earned_by if one.kind is EarningKind.STREAK]
    assert days == 10 * found.streaks.active_days
    for badge in found.badges:
        (way,) = [one for one in found.achievements if one.key == badge.key]
        assert badge.threshold <= way.current
    reached = {one.points for one in found.milestones.reached}
    assert reached == {points for points in MILESTONES if points <= found.total_points}


@quick
@given(st.integers(0, 2**31 - 1))
def test_a_level_holds_the_points_that_make_it(points: int) -> None:
    found = standing(points)
    assert begins_at(found.level) <= points < found.next_at == begins_at(found.level + 1)
    assert 0 <= found.progress < 1
    assert found.level <= standing(points + 1).level
