from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.codec import decode, encode
from analytics.declare import Everyone, Items, Withheld, WithheldReason
from analytics.shelf import CourseShelf, course_shelf
from datasources.assessment import ScoreRecord
from datasources.content import Content, Interactions
from datasources.course import Progress
from datasources.devlab import PracticeSession, PracticeSessions
from tests.analytics.made import COURSE, handed_in, log, on, opened, takes, taking

TODAY = 60


def shelf_of(
    logs: dict[str, Interactions],
    *,
    stays: dict[str, Progress] | None = None,
    contents: tuple[Content, ...] | None = None,
    **others: Any,
) -> CourseShelf | Withheld:
    given_by: dict[str, Any] = {"practice": None, "scores": None, **others}
    return course_shelf(
        Everyone(logs),
        Everyone(stays or dict.fromkeys(logs, takes(taking()))),
        *(facts and Everyone(facts) for facts in given_by.values()),
        None if contents is None else Items({one.id: one for one in contents}),
        course=COURSE,
        at=on(TODAY),
    )


def said(*args: Any, **kwargs: Any) -> CourseShelf:
    shelf = shelf_of(*args, **kwargs)
    assert isinstance(shelf, CourseShelf)
    return shelf


def people(many: int, *made: Any) -> dict[str, Interactions]:
    return {f"learner-{i:02}": log(*made) for i in range(many)}


def test_an_item_is_on_the_shelf_from_ten_openers_with_the_share_of_the_last_fourteen_days() -> None:
    """20 learners: 10 opened `page` on day 46, which is 14 days ago; 6 of them again on day 47; 9 opened `rare`.

    Day 46 is not within the last 14 days (47 to 60), so 6 of 20 = 30 %.
    """
    logs = people(20)
    for i, learner in enumerate(sorted(logs)[:10]):
        again = opened("page", 47) if i < 6 else ()
        logs[learner] = log(opened("page", 46), again, opened("rare", 59) if i < 9 else ())
    shelf = said(logs)
    assert [(item.id, item.type, item.openers, item.recent_share) for item in shelf.items] == [
        ("page", "page", 10, 0.3)
    ]
    assert (shelf.course, shelf.learners, shelf.quality.observations) == (COURSE, 20, 10)


def test_shares_of_fewer_than_fifty_are_rounded_to_five_percent_and_heads_to_five() -> None:
    """12 of 13 opened it: 92.3 % is shown as 90 %, 13 learners as 15, 12 openers as 10."""
    logs = people(12, opened("page", 55)) | {"another": log()}
    (item,) = said(logs).items
    assert (said(logs).learners, item.openers, item.recent_share) == (15, 10, 0.9)


def test_shares_of_fifty_or_more_are_exact() -> None:
    """17 of 51 is 0.333; the 17 themselves are fewer than 50, so they are told as 15."""
    logs = people(17, opened("page", 55)) | {f"another-{i}": log() for i in range(34)}
    shelf = said(logs)
    assert (shelf.learners, shelf.items[0].openers, shelf.items[0].recent_share) == (51, 15, 0.333)


def test_the_content_service_says_title_and_duration_where_it_knows_the_item() -> None:
    logs = people(10, opened("a", 55), opened("b", 55, kind="video"))
    about = (Content("b", "Loops", "video", COURSE, 300, "uploaded"),)
    assert [(item.title, item.duration, item.type, item.creation) for item in said(logs, contents=about).items] == [
        (None, None, "page", None),
        ("Loops", 300, "video", "uploaded"),
    ]


def test_a_course_of_nine_has_no_shelf_and_who_left_is_not_counted() -> None:
    nine = shelf_of(people(9, opened("page", 55)))
    assert isinstance(nine, Withheld)
    assert (nine.reason, nine.needed) == (WithheldReason.TOO_FEW_PEERS, 10)
    ten = people(10, opened("page", 55))
    stays = dict.fromkeys(ten, takes(taking())) | {"learner-00": takes(taking(left=50))}
    assert isinstance(shelf_of(ten, stays=stays), Withheld)


def test_items_of_another_course_and_what_has_not_happened_are_not_there() -> None:
    assert said(people(10, opened("page", 55, course="other"), opened("page", 61))).items == ()


def sat(learner: str, exercise: str, day: float, *skills: str) -> PracticeSession:
    return PracticeSession(f"{learner}-{exercise}-{day}", exercise, on(day), skills, on(day) + timedelta(hours=1), 0.9)


def test_an_exercise_is_on_the_shelf_with_the_skills_that_ten_learners_practised_in_it() -> None:
    """10 learners practised `loops`, 5 of them lately; only 9 of them in the skill `testing`."""
    logs = people(10)
    practice = {
        learner: PracticeSessions((sat(learner, "loops", 58 if i < 5 else 40, "python", *["testing"][: 9 - i]),))
        for i, learner in enumerate(sorted(logs))
    }
    (exercise,) = said(logs, practice=practice).exercises
    assert (exercise.id, exercise.skill_ids, exercise.recent_share) == ("loops", ("python",), 0.5)
    practice["learner-00"] = PracticeSessions((sat("learner-00", "loops", 61, "python"),))
    assert said(logs, practice=practice).exercises == ()


def test_an_assessment_shows_the_skills_that_ten_results_name() -> None:
    logs = people(10)
    record = ScoreRecord("TMA1", COURSE, on(30), 70.0, skill_ids=("sql", "python"))
    scores = {learner: handed_in(record) for learner in logs}
    (assessed,) = said(logs, scores=scores).assessed
    assert (assessed.assessment_id, assessed.skill_ids) == ("TMA1", ("python", "sql"))
    scores["learner-00"] = handed_in()
    assert said(logs, scores=scores).assessed == ()


@settings(max_examples=40, deadline=None)
@given(days=st.lists(st.lists(st.integers(30, 70), max_size=4), min_size=10, max_size=30))
def test_nothing_is_said_about_fewer_than_ten_and_every_share_is_one(days: list[list[int]]) -> None:
    logs = {f"learner-{i}": log(opened("page", *each), opened("video", *each[:1])) for i, each in enumerate(days)}
    shelf = said(logs)
    for item in shelf.items:
        openers = [
            each for each in (days if item.id == "page" else [d[:1] for d in days]) if min(each, default=99) <= 60
        ]
        assert len(openers) >= 10
        assert 0 <= item.recent_share <= 1
    renamed = {f"someone-{name}": fact for name, fact in reversed(logs.items())}
    assert said(renamed) == shelf
    assert decode(CourseShelf, encode(shelf), shelf.quality) == shelf
