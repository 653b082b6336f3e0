from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from analytics.coursework import counted, coursework
from datasources.assessment import ScoreRecord
from tests.analytics.made import COURSE, done, on, task


def test_formative_work_is_left_out() -> None:
    work = [task("A", 20), task("quiz", 10, weight=0), task("draft", 5, counts=False), task("other", 7, course="x")]
    assert [a.id for a in counted(work, COURSE)] == ["A"]


def test_in_a_course_without_weights_everything_that_counts_is_counted() -> None:
    work = [task("B", 20, weight=0), task("A", 20, weight=0), task("exam", None, weight=0)]
    assert [a.id for a in counted(work, COURSE)] == ["A", "B", "exam"]


def test_work_is_due_on_the_instant_and_late_after_it() -> None:
    (work,) = coursework([task("A", 20)], [done("A", 20, 60)], course=COURSE, at=on(20))
    assert work.due(on(20))
    assert not work.due(on(19.9))
    assert not work.late
    (work,) = coursework([task("A", 20)], [done("A", 20.1, 60)], course=COURSE, at=on(21))
    assert work.late


def test_banked_work_has_a_score_and_was_never_due() -> None:
    (work,) = coursework([task("A", 20)], [done("A", -1, 60, banked=True)], course=COURSE, at=on(40))
    assert work.score == 60
    assert not work.due(on(40))


def test_the_best_attempt_in_time_stands_else_the_first() -> None:
    records = [done("A", 5, 40), done("A", 9, 70), done("A", 30, 95), done("B", 31, 20), done("B", 35, 90)]
    first, second = coursework([task("A", 10), task("B", 30)], records, course=COURSE, at=on(50))
    assert (first.score, first.handed_in) == (70, on(5))
    assert (second.score, second.handed_in) == (20, on(31))


def test_a_mark_is_not_known_before_it_is_given() -> None:
    record = replace(done("A", 5, 40), graded_at=on(12))
    before, after = (coursework([task("A", 10)], [record], course=COURSE, at=on(day))[0] for day in (11, 12))
    assert (before.handed_in, before.score) == (on(5), None)
    assert after.score == 40


def test_a_score_is_a_share_of_its_maximum_and_of_nothing_it_is_unknown() -> None:
    half = replace(done("A", 5, 10), max_score=20)
    more = replace(done("A", 5, 30), max_score=20)
    broken = replace(done("A", 5, 10), max_score=0)
    scores = [coursework([task("A", 9)], [r], course=COURSE, at=on(9))[0].score for r in (half, more, broken)]
    assert scores == [50, 100, None]


records = st.builds(
    done,
    st.sampled_from(["A", "B", "C"]),
    st.integers(-5, 60),
    st.one_of(st.none(), st.floats(0, 100)),
    banked=st.booleans(),
)


@given(st.lists(records, max_size=12), st.integers(0, 50), st.randoms())
def test_order_repeats_and_the_future_never_matter(made: list[ScoreRecord], day: int, random: Random) -> None:
    work = [task("A", 10), task("B", 10), task("C", None)]
    at = on(day)
    later = [replace(record, submitted_at=at + timedelta(days=1 + i)) for i, record in enumerate(made)]
    shuffled = [*made, *made, *later]
    random.shuffle(shuffled)
    assert coursework(work, made, course=COURSE, at=at) == coursework(work[::-1] * 2, shuffled, course=COURSE, at=at)
