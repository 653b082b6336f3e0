import itertools
import math
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Everyone, Starters, Withheld
from analytics.learner.attainment import Performance, PerformanceBand, performance
from analytics.learner.pace import PaceStatus
from analytics.learner.participation import Engagement, EngagementLevel, engagement
from analytics.learner.velocities import LearningVelocity, velocity
from analytics.models.intake import intake_model
from analytics.prediction.risk import drop_off_risk
from analytics.prediction.values import DropOffRisk
from analytics.rolls import Place, Roll
from analytics.standings.course import course_standings
from analytics.standings.intake import course_intake
from analytics.standings.places import places_at, weeks_of
from analytics.standings.values import CourseIntake, CourseStandings, Weekday
from datasources.assessment import ScoreRecord
from datasources.course import ActiveDay, Activity, EnrollmentStatus, Module, Progress, Result
from datasources.directory import User
from tests.analytics.made import COURSE, LENGTH, START, done, handed_in, log, on, takes, taking, task, tasks

NOW = on(60)
OVER = on(LENGTH)
ACTIVE, COMPLETED, WITHDRAWN = EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.WITHDRAWN
SET = tasks(task("A", 20), task("B", 50), task("C", 80), task("draft", 10, counts=False))


def place(
    name: str,
    status: EnrollmentStatus = ACTIVE,
    *,
    enrolled: float = -10,
    left: float | None = None,
    result: Result | None = None,
) -> Place:
    return Place(name, on(enrolled), status, None if left is None else on(left), result)


def roll(*places: Place) -> Roll:
    return Roll(COURSE, "Python 2026", START, on(LENGTH), places)


def standings(made: Roll, day: float = 60, **said: Any) -> CourseStandings:
    names = ("progress", "activity", "assessments", "scores", "risks", "engagements", "velocities", "performances")
    given_ = [None if name not in said else Everyone(said[name]) for name in (*names, "masteries")]
    return course_standings(made, *given_, at=on(day))


def test_a_course_of_twelve_worked_by_hand() -> None:
    # Nine are in it, one has completed it, one left on day 30 and one on a day nobody told; two more are not yet in it.
    made = roll(
        *(place(f"in-{n}") for n in range(9)),
        place("done", COMPLETED),
        place("left", WITHDRAWN, left=30),
        place("gone", WITHDRAWN),
        place("later", enrolled=61),
    )
    value = standings(made)
    assert (value.active, value.completed, value.withdrawn, value.kept, value.enrolled) == (9, 1, 2, 10, 12)
    assert [one.learner for one in value.learners] == ["done", *(f"in-{n}" for n in range(9))]
    assert (value.course, value.title, value.results, value.quality.observations) == (COURSE, "Python 2026", None, 12)
    # On day 0 all twelve are on it; at the end of week 5 (day 35) one has left.
    weeks = {week.until: (week.enrolled, week.withdrawn) for week in value.weeks}
    assert weeks[on(0).date()] == (12, 0)
    assert weeks[on(28).date()] == (12, 0)
    assert weeks[on(35).date()] == (12, 1)
    # Eight whole weeks and their start, and today.
    assert list(weeks) == [on(7 * week).date() for week in range(9)] + [NOW.date()]


def test_who_leaves_tomorrow_has_not_left_today() -> None:
    made = roll(place("a", left=61), place("b", left=60), place("c", WITHDRAWN, left=61))
    value = standings(made)
    assert (value.active, value.withdrawn) == (2, 1)


def test_results_are_told_once_the_course_is_over() -> None:
    ended = roll(
        place("a", COMPLETED, result=Result.PASSED),
        place("b", COMPLETED, result=Result.DISTINCTION),
        place("c", COMPLETED, result=Result.FAILED),
        place("d", COMPLETED),
        place("e", WITHDRAWN, left=30, result=Result.PASSED),
    )
    assert standings(ended).results is None
    results = standings(ended, LENGTH).results
    assert results is not None
    assert (results.passed, results.failed) == (2, 1)


def test_due_work_is_counted_over_those_it_was_due_from() -> None:
    scores = {
        "a": handed_in(done("A", 19, 80), done("B", 55, 60), done("draft", 9, 90)),
        "b": handed_in(done("A", 20, 80), done("C", 55, 60)),
        "c": handed_in(done("A", -5, 70, banked=True)),
        "left": handed_in(done("A", 10, 70)),
    }
    made = roll(*(place(name) for name in "abcd"), place("left", WITHDRAWN, left=30))
    value = standings(made, assessments=dict.fromkeys(scores, SET), scores=scores)
    # A was due from a and b: c had it carried over; of d nothing is known. B from all three; C is not due yet.
    told = [(one.assessment, one.expected, one.handed_in, one.on_time) for one in value.assessments]
    assert told == [("A", 2, 2, 2), ("B", 3, 1, 0)]
    assert [one.submitted for one in value.learners] == [2, 2, 0, None]


def marked(name: str, day: float, waited: float) -> ScoreRecord:
    return replace(done(name, day, 60), graded_at=on(day + waited))


def test_the_wait_for_marks_is_the_median_of_those_that_have_come() -> None:
    scores = {
        # Waits of 2, 4 and 9 days; the mark of day 62 has not come, banked work was marked elsewhere.
        "a": handed_in(marked("A", 10, 2), marked("B", 40, 9), marked("C", 55, 7)),
        "b": handed_in(marked("A", 12, 4), replace(marked("B", 1, 30), banked=True), done("C", 50, 60)),
    }
    value = standings(roll(place("a"), place("b")), assessments=dict.fromkeys(scores, SET), scores=scores)
    assert (value.feedback_days, value.marked) == (4, 3)


def test_marks_dated_as_the_work_tell_nothing_about_the_wait() -> None:
    scores = {"a": handed_in(marked("A", 10, 0), marked("B", 40, 0))}
    value = standings(roll(place("a")), assessments={"a": SET}, scores=scores)
    assert (value.feedback_days, value.marked) == (None, 0)


def test_the_days_of_the_week_are_those_of_the_last_four_weeks() -> None:
    # Day 60 is Friday, 6 March 2026; day 33 is the Saturday 27 days before, day 32 is too old.
    assert on(60).date() == date(2026, 3, 6)
    days = tuple(ActiveDay(on(day).date(), actions) for day, actions in ((60, 3), (53, 1), (52, 0), (33, 1), (32, 1)))
    value = standings(roll(place("a")), activity={"a": Activity(days), "stranger": Activity(days)})
    shown = {one.weekday: one.active_days for one in value.weekdays if one.active_days}
    assert shown == {Weekday.FRIDAY: 2, Weekday.SATURDAY: 1}
    assert standings(roll(place("a"))).weekdays == ()


def of_one(course: Progress, *, day: float = 60) -> CourseStandings:
    """The standings of one learner, all values worked out by their own formulas."""
    scores, activity = handed_in(done("A", 19, 80), done("B", 49, 90)), Activity((ActiveDay(on(55).date(), 5),))
    risk = drop_off_risk(course, scores, SET, log(), (), None, at=on(day))
    engaged = engagement(activity, course, log(), at=on(day))
    pace, worked = velocity(course, at=on(day)), performance(scores, SET, course, at=on(day))
    assert isinstance(risk, DropOffRisk)
    assert isinstance(engaged, Engagement)
    assert isinstance(pace, LearningVelocity)
    assert isinstance(worked, Performance)
    said = {"progress": course, "risks": risk, "engagements": engaged, "velocities": pace, "performances": worked}
    return standings(roll(place("a", enrolled=10)), day, **{name: {"a": value} for name, value in said.items()})


def test_a_row_says_what_each_metric_says_of_this_course() -> None:
    modules = tuple(Module(name, name, 1.0, on(due), on(done_)) for name, due, done_ in (("A", 20, 19), ("B", 50, 49)))
    here = replace(taking(credits_=30, attempts=1), modules=modules)
    value = of_one(takes(here, replace(taking("other"), modules=modules)))
    (row,) = value.learners
    assert (row.attainment, row.average_score, row.band) == (85, 85, PerformanceBand.DISTINCTION)
    assert row.risk is not None
    assert row.risk_level is not None
    assert (row.pace, row.progress, row.pace_status) == (1, 1, PaceStatus.COMPLETED)
    # Enrolled on day 10, the last work done on day 49.
    assert row.days_to_complete == 39
    # One active day in eight weeks, five days ago.
    assert (row.engagement_level, row.active) == (EngagementLevel.DISENGAGED, True)
    assert (row.previous_attempts, row.mastery, value.credits) == (1, None, 30)


def test_who_did_nothing_for_thirty_days_is_not_active() -> None:
    rows = {day: of_one(takes(replace(taking(), modules=(Module("A", "A"),))), day=day) for day in (84, 85)}
    assert [value.learners[0].active for value in rows.values()] == [True, False]


STATUS = st.sampled_from(list(EnrollmentStatus))
PLACES = st.lists(
    st.builds(
        place,
        st.sampled_from("abcdefghij"),
        STATUS,
        enrolled=st.integers(-30, 90),
        left=st.none() | st.integers(-20, 90),
        result=st.none() | st.sampled_from(list(Result)),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(PLACES, st.randoms(use_true_random=False))
def test_counts_add_up_whatever_the_order_and_however_often_it_is_told(places: list[Place], chance: Any) -> None:
    value = standings(roll(*places))
    begun = {one.learner for one in places if one.enrolled_at <= NOW}
    assert value.active + value.completed + value.withdrawn == value.enrolled == len(begun)
    assert value.kept == len(value.learners)
    twice = [*places, *places]
    chance.shuffle(twice)
    assert standings(roll(*twice)) == value


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_what_comes_later_changes_nothing(places: list[Place]) -> None:
    known = [
        replace(one, left_at=None, status=ACTIVE if one.status is WITHDRAWN else one.status)
        if one.left_at is not None and one.left_at > NOW
        else one
        for one in places
        if one.enrolled_at <= NOW
    ]
    assert standings(roll(*known)) == standings(roll(*places))


@settings(max_examples=60, deadline=None)
@given(PLACES, st.floats(-10, 800))
def test_the_roll_over_time_never_shrinks_and_ends_now(places: list[Place], day: float) -> None:
    made = roll(*places)
    weeks = weeks_of(made, places_at(made, on(day)), on(day))
    assert len(weeks) <= 53
    assert weeks[-1].until == on(min(day, LENGTH)).date()
    for earlier, later in itertools.pairwise(weeks):
        assert timedelta(0) < later.until - earlier.until <= timedelta(days=7)
        assert earlier.enrolled <= later.enrolled
        assert earlier.withdrawn <= later.withdrawn


def person(name: str, education: str | None) -> User:
    return User(name, name, "acme", ("learner",), education=education)


def intake_of(*places: Place, day: float = LENGTH, known: int | None = None) -> CourseIntake | Withheld:
    """The intake of a course of people with A levels, without earlier attempts, who study 60 credits."""
    names = [one.learner for one in places]
    people = {name: person(name, "A Level or Equivalent") for name in names}
    progress = {name: takes(taking(left=30)) for name in names[:known]}
    return course_intake(roll(*places), Starters(people), Starters(progress), at=on(day))


def ended(passed: int, failed: int, left: int, unknown: int = 0) -> list[Place]:
    outcomes = [Result.PASSED] * passed + [Result.FAILED] * failed + [None] * unknown
    stayed = [place(f"in-{n}", COMPLETED, result=result) for n, result in enumerate(outcomes)]
    return stayed + [place(f"left-{n}", WITHDRAWN, left=30) for n in range(left)]


def test_observed_and_expected_worked_by_hand() -> None:
    value = intake_of(*ended(passed=6, failed=2, left=4))
    assert isinstance(value, CourseIntake)
    p = intake_model().probability("A Level or Equivalent", 0, 60)
    # 6 of 12 passed; all twelve are alike, so the expected share is that of one, its error sqrt(12 p (1 - p)) / 12.
    assert (value.learners, value.observed, value.expected) == (12, 0.5, pytest.approx(p))
    assert value.error == pytest.approx(math.sqrt(p * (1 - p) / 12))


def test_the_intake_of_a_course_is_told_once_it_is_over_and_nine_tenths_are_known() -> None:
    assert isinstance(intake_of(*ended(6, 2, 4), day=LENGTH - 1), Withheld)
    assert isinstance(intake_of(*ended(6, 2, 1, unknown=1)), CourseIntake)
    assert isinstance(intake_of(*ended(6, 1, 1, unknown=1)), Withheld)
    assert isinstance(intake_of(*ended(6, 2, 2), known=9), CourseIntake)
    assert isinstance(intake_of(*ended(6, 2, 2), known=8), Withheld)
    assert isinstance(intake_of(), Withheld)


def test_an_education_that_is_not_known_is_no_reason_to_say_nothing() -> None:
    places = ended(6, 2, 2)
    progress = Starters({one.learner: takes(taking()) for one in places})
    value = course_intake(roll(*places), Starters({}), progress, at=OVER)
    assert isinstance(value, CourseIntake)
    assert value.expected == pytest.approx(intake_model().probability(None, 0, 60))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_observed_is_between_zero_and_one_and_the_error_shrinks_as_n_grows(passed: int, failed: int, left: int) -> None:
    value = intake_of(*ended(passed, failed, left))
    if passed + failed + left == 0:
        assert isinstance(value, Withheld)
        return
    more = intake_of(*ended(2 * passed, 2 * failed, 2 * left))
    assert isinstance(value, CourseIntake)
    assert isinstance(more, CourseIntake)
    assert 0 <= value.observed <= 1
    assert value.observed == pytest.approx(more.observed)
    assert more.error < value.error


def test_of_whom_nothing_is_known_nothing_is_said() -> None:
    (row,) = standings(roll(place("a")), assessments={"a": SET}, scores={}).learners
    assert {getattr(row, part.name) for part in fields(row)} == {"a", None}
