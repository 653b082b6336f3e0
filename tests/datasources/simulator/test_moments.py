from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import isnan

import pytest

from datasources.simulator.campus import Campus, CourseRun, Item, Registration, Submission, Task
from datasources.simulator.generated import generate
from datasources.simulator.moments import REAL, moments


@pytest.fixture(scope="module")
def usual() -> Campus:
    return generate()


def seen_by(campus: Campus) -> Campus:
    """The campus without anything that happens after its clock."""
    last = {course.id: (campus.as_of - course.start).days for course in campus.courses}
    return replace(
        campus,
        registrations=tuple(
            replace(
                one,
                left_day=one.left_day if one.left_day is not None and one.left_day <= last[one.course] else None,
                clicks=tuple(click for click in one.clicks if click[1] <= last[one.course]),
                submissions=tuple(piece for piece in one.submissions if piece.day <= last[one.course]),
            )
            for one in campus.registrations
        ),
    )


@pytest.mark.parametrize(("learners", "seed", "share"), [(600, 7, 1.0), (600, 8, 1.0), (600, 9, 1.0), (3000, 7, 0.5)])
def test_generated_learners_behave_like_real_ones(learners: int, seed: int, share: float) -> None:
    found = moments(generate(learners, seed))
    assert found.keys() == REAL.keys()
    off = {name: value for name, value in found.items() if abs(value - REAL[name].real) > share * REAL[name].within}
    assert off == {}
    assert not any(map(isnan, found.values()))


def test_what_comes_after_the_clock_does_not_count(usual: Campus) -> None:
    assert seen_by(usual) != usual
    assert moments(seen_by(usual)) == moments(usual)


def test_before_anything_has_happened_every_figure_is_unknown(usual: Campus) -> None:
    assert all(map(isnan, moments(replace(usual, as_of=usual.as_of - timedelta(days=2000))).values()))
    assert all(map(isnan, moments(replace(usual, registrations=())).values()))


def test_activity_fades_over_a_finished_course(usual: Campus) -> None:
    lengths = {one.id: one.length_days for one in usual.courses if usual.instant(one, one.length_days) <= usual.as_of}
    stayed = [one for one in usual.registrations if one.course in lengths and one.left_day is None]
    half = {course: length // 2 for course, length in lengths.items()}
    early = sum(len({day for _, day, _ in one.clicks if 0 <= day < half[one.course]}) for one in stayed)
    late = sum(len({day for _, day, _ in one.clicks if half[one.course] <= day}) for one in stayed)
    assert 0.4 < late / early < 0.8


def test_two_learners_worked_by_hand(usual: Campus) -> None:
    """One of two hands in, two days late, with 80; the other leaves on day 40, 33 days after the last click."""
    course = CourseRun(
        "c",
        "Course",
        usual.as_of - timedelta(days=56),
        56,
        (),
        (Task("t", "Task", "assignment", 100.0, counts=True, due_day=20, skills=()),),
        (Item("i", "Item", "page", "content"), Item("j", "Item", "page", "content")),
    )
    diligent = Registration(
        "a", "c", -5, None, 60.0, 0, (Submission("t", 22, 80.0),), ((0, 2, 3), (1, 3, 4), (0, 19, 5))
    )
    gone = Registration("b", "c", -5, 40, 60.0, 0, (), ((0, 7, 1),))
    found = moments(replace(usual, courses=(course,), registrations=(diligent, gone)))
    assert found["active_week_share"] == pytest.approx(3 / 13)
    assert (found["days_p95"], found["clicks_median"], found["items_p95"]) == (2, 5, 2)
    assert (found["submission_rate"], found["late_share"], found["score_mean"], found["score_sd"]) == (0.5, 1, 80, 0)
    assert (found["left_by_day_30"], found["left_by_end"]) == (0, 0.5)
    assert isnan(found["left_by_day_100"]), "the course is not that long"
    assert (found["silent_days_before_leaving"], found["missed_before_leaving"], found["non_pass"]) == (33, 1, 0.5)
