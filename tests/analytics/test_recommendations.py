from collections import Counter
from dataclasses import replace

import pytest
from lena import Lena, effects, every, gaps, item, named, shelf

from analytics.decisions import Decision, DecisionKind, Decisions
from analytics.declare import DataQualityLevel, Withheld
from analytics.prediction.recommendations_values import RecommendationKind, RecommendationPriority
from analytics.shelf import AssessedSkills, ShelfExercise
from datasources.devlab import PracticeSession, PracticeSessions
from datasources.learner_ai import Suggestion, Suggestions
from tests.analytics.made import COURSE, done, handed_in, log, on, opened, takes, taking, task, tasks


def test_the_score_is_the_four_terms_worked_by_hand() -> None:
    """Everything at once.

    TMA2 is due in 7 days: urgency 1 - 7/14 = 0.5, term 0.4 x 0.5 = 0.2; it shows Python, of which 80 points are
    missing, priority 80 x 1 x 0.5 = 40, term 0.3 x 40/100 = 0.12; together 0.32.
    `trending` was opened by 30 %, the busiest item by 60 %: 0.2 x 0.5 = 0.1; like openers scored 4 points more:
    0.1 x 4/10 = 0.04; together 0.14. `busiest` is 0.2, and -3 points count as 0. `quiet` has 0.1 x 12/10 = 0.12.
    The exercise practises Python: 0.12, and 15 % did it lately: 0.2 x 15/60 = 0.05; together 0.17.
    """
    lena = Lena(
        assessments=tasks(task("TMA2", 67)),
        shelves=(
            shelf(
                item("trending", 0.3),
                item("busiest", 0.6, kind="video"),
                item("quiet", 0.0, kind="url"),
                exercises=(ShelfExercise("loops", ("python",), 0.15),),
                assessed=(AssessedSkills("TMA2", ("python",)),),
            ),
        ),
        effects=(effects(trending=4, busiest=-3, quiet=12),),
        gap=gaps(python=80, sql=20),
    )
    value = lena.hears()
    assert [(one.item_id, one.kind, round(one.score, 9)) for one in value.recommendations] == [
        ("TMA2", RecommendationKind.ASSESSMENT, 0.32),
        ("busiest", RecommendationKind.CONTENT, 0.2),
        ("loops", RecommendationKind.EXERCISE, 0.17),
        ("trending", RecommendationKind.CONTENT, 0.14),
        ("quiet", RecommendationKind.CONTENT, 0.12),
    ]
    assert [one.reason for one in value.recommendations] == [
        "It is due in 7 days.",
        "60 % of the course's learners turned to it in the last 14 days.",
        "It is about Python, where 80.0 points are missing to the level that the role asks for.",
        "30 % of the course's learners turned to it in the last 14 days.",
        "Like learners who opened it scored 12.0 points more (association, not cause).",
    ]
    assert [one.priority.name for one in value.recommendations] == ["MEDIUM", "MEDIUM", "LOW", "LOW", "LOW"]
    assert (value.candidates, value.quality.observations, value.quality.level) == (5, 5, DataQualityLevel.OK)


@pytest.mark.parametrize(
    ("due", "term", "reason"),
    [
        (74, 0.0, ""),
        (73, 0.4 / 14, "It is due in 13 days."),
        (60.5, 0.4 * (1 - 0.5 / 14), "It is due in less than a day."),
        (61, 0.4 * (1 - 1 / 14), "It is due in 1 day."),
        (60, 0.4, "It was due less than a day ago and is not handed in."),
        (57, 0.4, "It was due 3 days ago and is not handed in."),
    ],
)
def test_work_is_more_urgent_the_sooner_it_is_due_and_most_when_it_is_overdue(
    due: float, term: float, reason: str
) -> None:
    found = every(Lena(assessments=tasks(task("TMA2", due))).hears())
    assert [(round(one.terms.urgency, 9), one.reason) for one in found] == ([(round(term, 9), reason)] if term else [])


def test_work_that_is_handed_in_banked_formative_undated_or_far_away_is_no_candidate() -> None:
    lena = Lena(
        assessments=tasks(
            task("done", 65),
            task("banked", 65),
            task("formative", 65, weight=0),
            task("undated", None),
            task("far", 75),
        ),
        scores=handed_in(done("done", 50, 70), done("banked", -5, 70, banked=True)),
    )
    assert named(lena.hears()) == []


def test_what_is_handed_in_after_now_is_not_handed_in() -> None:
    lena = Lena(assessments=tasks(task("TMA2", 65)), scores=handed_in(done("TMA2", 61, 70)))
    assert named(lena.hears()) == ["TMA2"]


def test_opened_content_and_completed_practice_are_no_candidates_and_a_bare_visit_is_no_opening() -> None:
    over = PracticeSession("1", "loops", on(50), ("python",), on(51), 0.9)
    lena = Lena(
        interactions=log(opened("a", 59), opened("b", 59, actions=0), opened("c", 61)),
        practice=PracticeSessions((over, replace(over, id="2", exercise_id="lists", completed_at=None))),
        shelves=(
            shelf(
                *(item(name, 0.5) for name in "abc"),
                exercises=tuple(ShelfExercise(name, ("python",), 0.1) for name in ("lists", "loops")),
            ),
        ),
        gap=gaps(python=80),
    )
    assert sorted(named(lena.hears())) == ["b", "c", "lists"]


def test_what_a_service_that_is_down_would_have_to_tell_is_left_out() -> None:
    books = shelf(item("a", 0.5), exercises=(ShelfExercise("loops", ("python",), 0.1),))
    lena = Lena(assessments=tasks(task("TMA2", 65)), shelves=(books,), gap=gaps(python=80))
    assert named(lena.hears()) == ["TMA2", "a", "loops"]
    assert named(replace(lena, interactions=None).hears()) == ["TMA2", "loops"]
    assert named(replace(lena, practice=None).hears()) == ["TMA2", "a"]
    alone = replace(lena, shelves=None, effects=None, gap=None).hears()
    assert (named(alone), alone.quality.level) == (["TMA2"], DataQualityLevel.LOW)


def test_practice_counts_only_for_a_skill_that_is_missing() -> None:
    books = shelf(exercises=(ShelfExercise("loops", ("python",), 0.1), ShelfExercise("joins", ("sql",), 0.9)))
    assert named(Lena(shelves=(books,), gap=gaps(python=80)).hears()) == ["loops"]


def test_the_shelf_of_a_course_that_is_not_running_is_not_read() -> None:
    assert named(Lena(shelves=(replace(shelf(item("a", 0.5)), course="over"),)).hears()) == []


def test_without_a_running_course_nothing_is_recommended() -> None:
    for progress in (takes(), takes(taking(left=50)), takes(taking(enrolled=70))):
        assert isinstance(Lena(progress=progress).asks(), Withheld)
    assert isinstance(Lena().asks(day=200), Withheld)


def test_another_model_adds_candidates_in_its_own_words_and_changes_no_score() -> None:
    lena = Lena(interactions=log(opened("b", 50)), shelves=(shelf(item("a", 0.5), item("b", 0.9)),))
    helped = replace(
        lena,
        suggestions=Suggestions(
            (
                Suggestion("a", "page", "A", "Because.", 1.0),
                Suggestion("b", "page", "B", "Because.", 1.0),
                Suggestion("c", "talk", "Ask a tutor", "You asked often", 0.7),
                Suggestion("d", "talk", "Rest"),
            )
        ),
    )
    before, after = every(lena.hears()), every(helped.hears())
    assert [one for one in after if one.kind is not RecommendationKind.SUGGESTION] == before
    added = {one.item_id: one for one in after if one.kind is RecommendationKind.SUGGESTION}
    assert {name: (one.score, one.confidence, one.title) for name, one in added.items()} == {
        "c": (0.0, 0.7, "Ask a tutor"),
        "d": (0.0, None, "Rest"),
    }
    assert added["c"].reason == "The learner-AI service suggests it: You asked often"
    assert added["d"].reason == "The learner-AI service suggests it."


def test_what_was_dismissed_or_done_is_gone_what_was_saved_says_so_and_the_latest_decision_stands() -> None:
    lena = Lena(shelves=(shelf(*(item(name, 0.5) for name in "abcde")),))
    id_of = {one.item_id: one.id for one in every(lena.hears())}

    def decided(name: str, kind: DecisionKind, day: float = 50) -> Decision:
        return Decision(id_of[name], kind, on(day))

    made = (
        decided("a", DecisionKind.DISMISSED),
        decided("b", DecisionKind.DONE),
        decided("c", DecisionKind.SAVED),
        decided("d", DecisionKind.DISMISSED),
        decided("d", DecisionKind.SAVED, 55),
        decided("e", DecisionKind.DISMISSED, 61),
    )
    for order in (made, made[::-1], made * 2):
        value = replace(lena, decisions=Decisions(order)).hears()
        assert {one.item_id: one.saved for one in every(value)} == {"c": True, "d": True, "e": False}
        assert value.candidates == 3


def test_a_recommendation_keeps_its_id_while_everything_around_it_changes() -> None:
    now = Lena(shelves=(shelf(item("a", 0.5)),), assessments=tasks(task("a", 65)))
    later = Lena(shelves=(shelf(item("b", 0.9), item("a", 0.1)),), assessments=tasks(task("a", 66)), gap=gaps(sql=10))
    ids = {(one.kind, one.item_id): one.id for one in every(now.hears())}
    assert len(set(ids.values())) == 2
    assert ids.items() <= {(one.kind, one.item_id): one.id for one in every(later.hears(day=63))}.items()


def test_duration_title_and_type_are_what_the_content_service_says() -> None:
    (one,) = every(Lena(shelves=(shelf(item("a", 0.5, kind="video", title="Loops", lasts=300)),)).hears())
    assert (one.title, one.type, one.estimated_time, one.course_id, one.confidence) == (
        "Loops",
        "video",
        300,
        COURSE,
        None,
    )
    assert one.priority is RecommendationPriority.MEDIUM


def test_career_alignment_is_the_coverage_and_the_gaps() -> None:
    alignment = Lena(gap=gaps(python=80, sql=20)).hears().career_alignment
    assert alignment is not None
    assert alignment.alignment == 0.4
    assert [(skill.skill_id, skill.gap, skill.priority) for skill in alignment.missing_skills] == [
        ("python", 80, 40),
        ("sql", 20, 10),
    ]
    assert Lena().hears().career_alignment is None
    assert Lena(gap=gaps()).hears().career_alignment is None


def test_five_come_first_two_of_a_type_at_most_and_fifteen_after_them() -> None:
    """Thirty pages and two videos: two pages and the two videos come first; there is no fifth of another type."""
    pages = [item(f"page-{i:02}", 0.9 - i / 100) for i in range(30)]
    videos = [item(f"video-{i}", 0.1, kind="video") for i in range(2)]
    value = Lena(shelves=(shelf(*pages, *videos),)).hears()
    assert [one.item_id for one in value.recommendations][:2] == ["page-00", "page-01"]
    assert Counter(one.type for one in value.recommendations) == {"page": 2, "video": 2}
    assert [one.item_id for one in value.further] == [f"page-{i:02}" for i in range(2, 17)]
    assert value.candidates == 32
