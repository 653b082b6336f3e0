from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.declare import Withheld, WithheldReason
from analytics.learner.path import PathPlaces, learning_path
from datasources.learner_ai import LearningPath, LearningPaths, PathStep


def told(*paths: LearningPath) -> PathPlaces:
    value = learning_path(LearningPaths(paths))
    assert isinstance(value, PathPlaces)
    return value


def steps(*statuses: str) -> tuple[PathStep, ...]:
    return tuple(PathStep(order, "course", f"Step {order}", status) for order, status in enumerate(statuses, 1))


def test_the_first_step_that_is_not_done_is_the_stage_and_the_one_after_it_the_milestone() -> None:
    """Of four steps two are done: 0.5."""
    (place,) = told(LearningPath("p", "Data", steps("Completed", "in-progress", "done", "locked")[::-1])).paths
    assert (place.progress, place.steps_done, place.steps) == (0.5, 2, 4)
    assert (place.title, place.current_stage, place.next_milestone) == ("Data", "Step 2", "Step 4")


def test_a_path_that_is_done_and_one_without_steps() -> None:
    done, empty = told(LearningPath("a", "Done", steps("done")), LearningPath("b", "Empty")).paths
    assert (done.progress, done.current_stage, done.next_milestone) == (1, None, None)
    assert (empty.progress, empty.current_stage, empty.steps) == (None, None, 0)


def test_who_follows_no_path_is_told_so() -> None:
    value = learning_path(LearningPaths(()))
    assert isinstance(value, Withheld)
    assert value.reason is WithheldReason.NOT_ENOUGH_DATA


def test_why_the_paths_are_not_known_is_told_as_it_is() -> None:
    why = Withheld(WithheldReason.SOURCE_DOWN, "The learner-ai service does not answer.")
    assert learning_path(why) is why


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["done", "completed", "open", "locked"]), min_size=1, max_size=8), st.data())
def test_doing_a_step_never_lowers_the_progress(statuses: list[str], data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(statuses) - 1))
    before = told(LearningPath("p", "Path", steps(*statuses))).paths[0].progress
    statuses[which] = "done"
    after = told(LearningPath("p", "Path", steps(*statuses))).paths[0].progress
    assert before is not None
    assert after is not None
    assert before <= after <= 1
